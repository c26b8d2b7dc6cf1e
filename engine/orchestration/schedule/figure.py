"""Figures of *Schedules*: runs on the clock of each day, overlap, an outage, a real deployment that
fires.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.schedule import STATUS_NAMES, ScheduleResult
from engine.orchestration.schedule.clock import Row, wall_text
from engine.orchestration.schedule.deployment import Fired
from engine.texts import strip_marks

Look = tuple[str, str]  # colour, symbol
LOOKS: dict[str, Look] = {
    "as written": (figures.KNOWN, "circle"),
    "first of two": (figures.EXTRA, "triangle-left"),
    "second of two": (figures.HELD_OUT, "triangle-right"),
    "moved": (figures.SYNTHETIC, "diamond"),
    "left out": (figures.FAILED, "x"),
}
STATE_COLOURS = {
    "scheduled": figures.WAITING,
    "late": figures.SYNTHETIC,
    "waiting for a slot": figures.EXTRA,
    "pending": figures.EXTRA,
    "running": figures.KNOWN,
    "completed": figures.HELD_OUT,
}
BAND = figures.faint(figures.WAITING, 0.28)
MOST_DAYS = 24
NEAR_SECONDS = 60
AGAIN = ", again"
MARKS: Trace = {"type": "scatter", "mode": "markers"}
UNDER: Trace = {"line": {"width": 0}, "layer": "below"}


def _place(row: Row, zone: str) -> tuple[str, float]:
    """Return the lane (a day; a second one for an hour that comes twice) and the hour of the clock
    at which a row is drawn.
    """
    moment = datetime.fromtimestamp(row.shown_at if row.at is None else row.at, ZoneInfo(zone))
    if row.at is None and wall_text(moment) != row.wall:  # a time that the clock never shows
        wall = datetime.fromisoformat(row.wall)
        return wall.date().isoformat(), wall.hour + wall.minute / 60 + wall.second / 3600
    day = moment.strftime("%Y-%m-%d") + (AGAIN if moment.fold else "")
    return day, moment.hour + moment.minute / 60 + moment.second / 3600


def _days(result: ScheduleResult) -> list[str]:
    days = [_place(row, result.params.zone)[0] for row in result.plan.rows]
    change = result.plan.change
    if change is not None:
        days.append(
            datetime.fromtimestamp(change.at, ZoneInfo(result.params.zone)).strftime("%Y-%m-%d")
        )
    return sorted(set(days))[:MOST_DAYS]


def _pinned_days(pinned: ScheduleResult, zone: str, names: list[str]) -> Trace:
    """Draw the runs of the pinned schedule that fall on the days in view."""
    rows = [row for row in pinned.plan.rows if row.at is not None]
    places = [place for row in rows if (place := _place(row, zone))[0] in names]
    look = {"symbol": "circle-open", "size": 17, "color": figures.WAITING}
    x, y = [hour for _, hour in places], [day for day, _ in places]
    return {**MARKS, "x": x, "y": y, "marker": look, "name": "run A", "hoverinfo": "skip"}


def days(result: ScheduleResult, pinned: ScheduleResult | None = None) -> go.Figure:
    """Draw each run on the clock of its day. To see first: the mark in the shaded hour, or the one
    that was moved.
    """
    zone, names = result.params.zone, _days(result)
    traces: list[Trace] = []
    if pinned is not None:
        traces.append(_pinned_days(pinned, zone, names))
    for status, (colour, symbol) in LOOKS.items():
        found = [
            (row, place)
            for row in result.plan.rows
            if row.status == status and (place := _place(row, zone))[0] in names
        ]
        if not found:
            continue
        traces.append(
            {
                **MARKS,
                "x": [hour for _, (_, hour) in found],
                "y": [day for _, (day, _) in found],
                "marker": {
                    "color": colour,
                    "symbol": symbol,
                    "size": 13 if status in ("moved", "left out") else 10,
                },
                "name": STATUS_NAMES.get(status, status),
                "customdata": [[row.wall, row.local or "no run", row.because] for row, _ in found],
                "hovertemplate": (
                    "scheduled: %{customdata[0]}<br>runs:"
                    " %{customdata[1]}<br>%{customdata[2]}<extra></extra>"
                ),
            }
        )
    hours = [_place(row, zone)[1] for row in result.plan.rows]
    low, high = max(min(hours) - 1.5, -0.5), min(max(hours) + 1.5, 24.5)
    ticks = [hour for hour in range(0, 25, 3 if high - low > 12 else 1) if low <= hour <= high]
    texts = [f"{hour:02d}:00" for hour in ticks]
    bands, note = _shade(result, names)
    return drawn(
        strip_marks(result.verdict),
        traces,
        height=max(360, 180 + 24 * len(names)),
        x=f"hour on the clock in {zone}",
        xaxis={
            "range": [low, high],
            "tickvals": ticks,
            "ticktext": texts,
            "showgrid": True,
            "autotickangles": [0, 90],
        },
        yaxis={"type": "category", "categoryorder": "array", "categoryarray": names[::-1]},
        shapes=bands,
        annotations=note,
    )


def _shade(result: ScheduleResult, names: list[str]) -> tuple[list[Trace], list[Trace]]:
    """Return the band over the hour that is missing or that comes twice, on its day, and the note
    above all days.
    """
    change, zone = result.plan.change, result.params.zone
    if change is None:
        return [], []
    low, high = change.walls(zone)
    day = low.strftime("%Y-%m-%d")
    begin, end = low.hour + low.minute / 60, (high.hour + high.minute / 60) or 24
    bands = []
    for name in {day, day + AGAIN} & set(names):
        y = len(names) - 1 - names.index(name)
        bands.append(
            {
                "type": "rect",
                "x0": begin,
                "x1": end,
                "y0": y - 0.5,
                "y1": y + 0.5,
                "fillcolor": BAND,
                **UNDER,
            }
        )
    text = f"shaded: the hour that {'is missing' if change.shift_seconds > 0 else 'comes twice'}"
    place = {
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
    }
    return bands, [{**place, "text": text}] if day in names else []


def _bars(bars: Iterable[tuple[float, float, str]], colour: str, name: str) -> list[Trace]:
    """Return horizontal bars (start, end, lane), in seconds since the epoch; none if there are
    none.
    """
    found = list(bars)
    if not found:
        return []
    return [
        {
            "type": "bar",
            "base": [datetime.fromtimestamp(start, UTC) for start, _, _ in found],
            "x": [max(end - start, 1) * 1000 for start, end, _ in found],
            "y": [lane for _, _, lane in found],
            "orientation": "h",
            "marker": {"color": colour},
            "name": name,
            "hovertemplate": "%{base|%Y-%m-%d %H:%M:%S} UTC<extra>" + name + "</extra>",
        }
    ]


def overlap(result: ScheduleResult) -> go.Figure:
    """Draw when each run waits and runs. To see first: the grey waiting that grows, or the runs
    that are dropped.
    """
    made = result.turns
    names = [str(k) for k in range(1, len(made) + 1)]
    pairs = list(zip(names, made, strict=True))
    waits = ((t.due, t.start, n) for n, t in pairs if t.start is not None and t.start > t.due)
    ran = ((t.start, t.end, n) for n, t in pairs if t.start is not None and t.end is not None)
    traces = _bars(waits, figures.WAITING, "waits") + _bars(ran, figures.KNOWN, "runs")
    gone = [(n, t) for n, t in pairs if t.start is None]
    if gone:
        traces.append(
            {
                **MARKS,
                "x": [datetime.fromtimestamp(t.due, UTC) for _, t in gone],
                "y": [n for n, _ in gone],
                "marker": {"symbol": "x", "size": 10, "color": figures.FAILED},
                "name": "dropped",
            }
        )
    return drawn(
        "When each run waits and runs",
        traces,
        height=160 + 18 * len(made),
        x="time (UTC)",
        y="run",
        barmode="overlay",
        bargap=0.3,
        xaxis={"type": "date"},
        yaxis={"type": "category", "categoryorder": "array", "categoryarray": names[::-1]},
    )


POLICIES = ("Prefect", "Airflow, catchup=True", "Airflow, catchup=False")


def outage(result: ScheduleResult) -> go.Figure:
    """Draw which runs of an outage are started afterwards. To see first: the crosses, which never
    run.
    """
    out = result.outage
    runs = (out.late, out.airflow["catchup=True"], out.airflow["catchup=False"])
    taken = dict(zip(POLICIES, map(set, runs), strict=True))
    traces: list[Trace] = []
    for started, colour, symbol, name in (
        (True, figures.HELD_OUT, "circle", "started afterwards"),
        (False, figures.FAILED, "x", "never started"),
    ):
        points = [
            (due, lane)
            for lane, run in taken.items()
            for due in out.missed
            if (due in run) == started
        ]
        traces.append(
            {
                **MARKS,
                "x": [datetime.fromtimestamp(due, UTC) for due, _ in points],
                "y": [lane for _, lane in points],
                "marker": {"color": colour, "symbol": symbol, "size": 11},
                "name": name,
            }
        )
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (out.begin, out.end))
    return drawn(
        "Runs due while the server is down",
        traces,
        height=360,
        x="due (UTC)",
        yaxis={"type": "category", "categoryorder": "array", "categoryarray": list(POLICIES[::-1])},
        xaxis={"type": "date"},
        shapes=[
            {
                "type": "rect",
                "x0": begin,
                "x1": end,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "fillcolor": BAND,
                **UNDER,
            }
        ],
    )


def fired(runs: list[Fired], now: float) -> go.Figure:
    """Draw a real deployment's runs in the seconds around now. To see first: what runs, and what is
    late.
    """
    states = [run.state for run in runs]
    traces: list[Trace] = []
    for state in dict.fromkeys(states):
        found = [run for run in runs if run.state == state]
        traces.append(
            {
                **MARKS,
                "x": [run.due - now for run in found],
                "y": [0.0 if run.start is None else max(run.start - run.due, 0.0) for run in found],
                "marker": {"size": 14, "color": STATE_COLOURS.get(state, figures.FAILED)},
                "name": state,
            }
        )
    line = {"dash": "dot", "color": figures.WAITING}
    near = all(
        abs(run.due - now) < NEAR_SECONDS for run in runs
    )  # then the axis is fixed, and the runs pass
    return drawn(
        "Runs of the real deployment",
        traces,
        height=300,
        x="due, seconds from now",
        y="start delay, s",
        xaxis={"range": [-NEAR_SECONDS, NEAR_SECONDS]} if near else {},
        yaxis={"rangemode": "tozero"},
        shapes=[
            {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "line": line}
        ],
    )
