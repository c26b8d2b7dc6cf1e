"""Figures of *late data*: event time against arrival time, completeness by wait and lookback, days,
the cursor.

Blue is on time, light blue corrected by the lookback, pink never counted; a pinned run A is dashed
orange.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.etl import late
from engine.etl.late import LOOKBACKS, LateResult
from engine.texts import strip_marks

# SVG: each one costs the browser 0.15 ms twice a tweak; WebGL is slower where there is no graphics
# card
MAX_MARKS = 600
FIRST, CORRECTED, MISSED = figures.KNOWN, figures.EXTRA, figures.FAILED
WATERMARKS = np.arange(0, 73, 2)


def _day_axis(result: LateResult) -> dict[str, object]:
    step = max(1, result.params.n_days // 7)
    days = range(0, result.params.n_days + 1, step)
    return {
        "tickvals": list(days),
        "ticktext": [result.day_name(day).removesuffix(" 2013") for day in days],
        "showgrid": True,
    }


def _drawn(result: LateResult) -> list[tuple[str, str, np.ndarray, int]]:
    """Return (name, colour, places drawn, rows) of each group; what comes on time is thinned first,
    then the rest.
    """
    lookback = result.params.lookback_days
    groups = [
        ("never counted", MISSED, np.flatnonzero(result.late > lookback)),
        (
            "corrected by lookback",
            CORRECTED,
            np.flatnonzero((result.late > 0) & (result.late <= lookback)),
        ),
        ("on time", FIRST, np.flatnonzero(result.late == 0)),
    ]
    left, drawn = MAX_MARKS, []
    for n_groups, (name, color, places) in zip((3, 2, 1), groups, strict=True):
        step = max(1, -(-len(places) // (left // n_groups)))
        drawn.append((name, color, places[::step], len(places)))
        left -= len(places[::step])
    return drawn[::-1]


def scatter(result: LateResult, pinned: LateResult | None = None) -> go.Figure:
    """Draw event time against arrival time. To see first: the rows above the upper stairs."""
    p = result.params
    traces = []
    for name, color, places, n in _drawn(result):
        thinned = " (sample)" if len(places) < n else ""
        event, arrival = result.rows.event_hour[places], result.rows.arrival_hour[places]
        traces.append(
            {
                "type": "scatter",
                "x": np.round(event / 24, 3).astype(np.float32),
                "y": np.round(arrival / 24, 3).astype(np.float32),
                "customdata": np.round(arrival - event, 1).astype(np.float32),
                "mode": "markers",
                "marker": {"color": color, "size": 5 if color == FIRST else 7},
                "name": f"{name}: {n:,}{thinned}",
                "hovertemplate": (
                    f"{name}<br>arrived %{{customdata}} h after its event<extra></extra>"
                ),
            }
        )
    traces += _stairs(result, figures.WAITING, ("dot", "solid"), "")
    if pinned is not None:
        traces += _stairs(pinned, figures.SYNTHETIC, ("dash", "dash"), " in A")
    top = p.n_days + p.lookback_days + p.watermark_hours / 24 + 1
    beyond = int((result.rows.arrival_hour / 24 > top).sum())
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=540,
        x="event time: scheduled departure, 2013",
        y="arrival time (simulated)",
        xaxis={**_day_axis(result), "range": [0, p.n_days]},
        yaxis={**_day_axis(result), "range": [0, top]},
        annotations=[_corner(f"{beyond:,} arrive later than drawn")] if beyond else [],
    )


def _stairs(
    result: LateResult, color: str, dashes: tuple[str, str], which: str
) -> list[dict[str, Any]]:
    """Return the hours at which each day is published, and at which it is rebuilt for the last
    time.
    """
    edge = np.arange(result.params.n_days + 1, dtype=float)
    traces = []
    for days, text, width, dash in (
        (0, "day published", 2, dashes[0]),
        (result.params.lookback_days, "last rebuild", 3, dashes[1]),
    ):
        level = edge + 1 + result.params.watermark_hours / 24 + days
        level[-1] = level[-2]
        if days or text == "day published":
            line = {"color": color, "width": width, "shape": "hv", "dash": dash}
            stairs = {
                "x": edge,
                "y": level,
                "mode": "lines",
                "line": line,
                "name": text + which,
                "hoverinfo": "skip",
            }
            traces.append({"type": "scatter", **stairs})
    return traces


def _corner(text: str) -> dict[str, object]:
    place = {
        "x": 0.01,
        "xref": "paper",
        "xanchor": "left",
        "y": 0.98,
        "yref": "paper",
        "yanchor": "top",
    }
    return {**place, "text": text, "showarrow": False, "font": {"color": MISSED}}


def trade_off(result: LateResult, pinned: LateResult | None = None) -> go.Figure:
    """Draw the rows never counted by the hours waited, a line per lookback. To see first:
    where each line starts.
    """
    missed = 100 * (1 - late.completeness(result.rows, WATERMARKS.astype(float), LOOKBACKS))
    traces = []
    for place, days in enumerate(LOOKBACKS):
        values = np.round(missed[:, place], 4)
        if not values.any():
            continue  # a line at zero has no place on a logarithmic axis
        traces.append(
            {
                "type": "scatter",
                "x": WATERMARKS[values > 0],
                "y": values[values > 0],
                "mode": "lines",
                "line": {"color": figures.SHADES[place], "width": 1.5 + 0.5 * place},
                "name": f"{days} days" if days != 1 else "1 day",
                "hovertemplate": (
                    f"{days}-day lookback ({days + 1}× the rows written), published after %{{x}} h:"
                    " %{y:.3g}% never counted<extra></extra>"
                ),
            }
        )
    traces.append(_star(result, figures.LEAKED, "this run"))
    if pinned is not None:
        traces.append(_star(pinned, figures.SYNTHETIC, "run A"))
    ticks = [10.0**power for power in range(-3, 3)]
    return figures.drawn(
        "Rows never counted, by wait and lookback",
        traces,
        height=460,
        x="hours from midnight until the day is published",
        y="rows never counted, %",
        xaxis={"range": [-1, 73], "dtick": 12, "showgrid": True},
        yaxis={
            "type": "log",
            "showgrid": True,
            "tickvals": ticks,
            "ticktext": [f"{tick:g}" for tick in ticks],
        },
    )


def _star(result: LateResult, color: str, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [result.params.watermark_hours],
        "y": [100 * result.missed_share] if result.n_missed else [None],
        "mode": "markers",
        "marker": {"color": color, "size": 15, "symbol": "star"},
        "name": name if result.n_missed else f"{name}: none missed",
        "hovertemplate": (
            f"{name}: %{{y:.3g}}% never counted, {result.rewrite_factor:.1f} rows written per row"
            "<extra></extra>"
        ),
    }


def by_day(result: LateResult) -> go.Figure:
    """Draw the late rows by event day. To see first: the highest bar, and its pink part."""
    table = result.table()
    corrected, missed = table["n_corrected"].to_numpy(), table["n_missed"].to_numpy()
    days = [result.day_name(day) for day in range(result.params.n_days)]
    bars = [
        {
            "type": "bar",
            "x": days,
            "y": values,
            "name": name,
            "marker": {"color": color},
            "hovertemplate": f"%{{x}}: %{{y:,}} {name}<extra></extra>",
        }
        for name, color, values in (
            ("corrected by lookback", CORRECTED, corrected),
            ("never counted", MISSED, missed),
        )
    ]
    return figures.drawn(
        "Late rows by event day",
        bars,
        height=400,
        x="event day",
        y="rows after publication",
        barmode="stack",
        yaxis={"showgrid": True},
        xaxis={"type": "category"},
    )


def cursor(result: LateResult, pinned: LateResult | None = None) -> go.Figure:
    """Draw how long after its timestamp each row was committed. To see first: the rows above the
    lag window.
    """
    run, p = result.cursor, result.params
    figure = figures.new_tall(
        "Commit delay of each row, and the lag window",
        height=440,
        x="updated-at, hour of the day",
        y="minutes to commit (simulated)",
    )
    for name, color, mask, size in (
        ("read", figures.KNOWN, ~run.missed, 6),
        ("skipped", figures.FAILED, run.missed, 10),
    ):
        figure.add_scatter(
            x=np.round(run.commits.updated_at[mask] / 60, 3),
            y=np.round(run.delay_minutes[mask], 2),
            mode="markers",
            marker={"color": color, "size": size},
            name=f"{name}: {int(mask.sum()):,}",
            hovertemplate=f"{name}<br>committed %{{y:.1f}} min after its timestamp<extra></extra>",
        )
    lines = [(p.lag_minutes, "solid", figures.WAITING, "lag window")]
    lines += (
        [(pinned.params.lag_minutes, "dash", figures.SYNTHETIC, "lag window, run A")]
        if pinned is not None
        else []
    )
    for level, dash, color, name in lines:
        line = {"color": color, "width": 3, "dash": dash}
        figure.add_scatter(
            x=[0, 25],
            y=[level, level],
            mode="lines",
            line=line,
            name=f"{name}: {level} min",
            hoverinfo="skip",
        )
    figure.update_layout(
        xaxis={"range": [0, 25], "dtick": 3, "showgrid": True},
        yaxis={"showgrid": True, "rangemode": "tozero"},
    )
    return figure
