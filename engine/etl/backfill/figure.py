"""Figures of *backfill*: the calendar of partitions, and what each worker did."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.etl import flight_days
from engine.etl.backfill import BackfillResult
from engine.etl.backfill.partitions import CODES, FIRST_DAY, N_DAYS, TODAY
from engine.texts import strip_marks
from engine.units import format_day

COLORS = {"": figures.WAITING, "v1": figures.EXTRA, "v2": figures.HELD_OUT}
NAMES = {"": "missing", "v1": "made by v1", "v2": "made by v2"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAILY = "daily run"


def _place(day: int) -> tuple[int, int]:
    return (day - FIRST_DAY) // 7, (day - FIRST_DAY) % 7


def calendar(result: BackfillResult) -> go.Figure:
    """Draw every partition of the quarter. To see first: the framed days, and which of them are
    green by now.
    """
    lines = {line.day: line for line in result.partitions}
    codes = [
        [CODES.index(result.codes[week * 7 + weekday]) for week in range(N_DAYS // 7)]
        for weekday in range(7)
    ]
    texts = [
        [_hover(result, FIRST_DAY + week * 7 + weekday, lines) for week in range(N_DAYS // 7)]
        for weekday in range(7)
    ]
    numbers = [
        [f"{flight_days.date_of(FIRST_DAY + w * 7 + d):%-d}" for w in range(N_DAYS // 7)]
        for d in range(7)
    ]
    stops = [(i / 3 + j / 3, COLORS[code]) for i, code in enumerate(CODES) for j in (0, 1)]
    days: dict[str, Any] = {
        "type": "heatmap",
        "z": codes,
        "zmin": -0.5,
        "zmax": 2.5,
        "colorscale": stops,
        "showscale": False,
        "xgap": 5,
        "ygap": 5,
        "text": numbers,
        "texttemplate": "%{text}",
        "textfont": {"color": "white", "size": 13},
        "customdata": texts,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    plain = {"showgrid": False, "zeroline": False}
    weeks = [format_day(flight_days.date_of(FIRST_DAY + 7 * week)) for week in range(N_DAYS // 7)]
    return figures.drawn(
        strip_marks(result.verdict),
        [days, *_keys(), _still_wrong(result)],
        height=430,
        x="week of",
        shapes=[_frame(line.day) for line in result.partitions if line.runs],
        xaxis={"tickvals": list(range(N_DAYS // 7)), "ticktext": weeks, **plain},
        yaxis={"tickvals": list(range(7)), "ticktext": WEEKDAYS, "range": [6.55, -0.55], **plain},
    )


def _keys() -> list[dict[str, Any]]:
    """Return the legend: what the days' colours and the frame mean."""
    key: dict[str, Any] = {"type": "scatter", "x": [None], "y": [None], "mode": "markers"}
    square = {"size": 12, "symbol": "square"}
    frame = {"symbol": "square-open", "size": 12, "color": figures.KNOWN, "line": {"width": 3}}
    keys = [
        {**key, "marker": {**square, "color": COLORS[code]}, "name": NAMES[code]} for code in CODES
    ]
    return [*keys, {**key, "marker": frame, "name": "runs"}]


def _frame(day: int) -> dict[str, Any]:
    week, weekday = _place(day)
    sides = {"x0": week - 0.46, "x1": week + 0.46, "y0": weekday - 0.42, "y1": weekday + 0.42}
    return {"type": "rect", **sides, "line": {"color": figures.KNOWN, "width": 4}}


def _still_wrong(result: BackfillResult) -> dict[str, Any]:
    """Return a dot in the corner of each day that still has wrong rows after the backfill."""
    left = (
        [day for day, n in zip(result.params.days, result.wrong_after, strict=True) if n]
        if result.complete
        else []
    )
    places = [_place(day) for day in left]
    return {
        "type": "scatter",
        "x": [week + 0.3 for week, _ in places],
        "y": [weekday - 0.2 for _, weekday in places],
        "mode": "markers",
        "marker": {
            "symbol": "circle",
            "size": 9,
            "color": figures.LEAKED,
            "line": {"color": "white", "width": 1},
        },
        "name": "still wrong",
        "hoverinfo": "skip",
    }


def _hover(result: BackfillResult, day: int, lines: dict[int, Any]) -> str:
    text = (
        f"{flight_days.date_of(day):%a} {format_day(flight_days.date_of(day))}:"
        f" {NAMES[result.codes[day - FIRST_DAY]]}"
    )
    if day == TODAY:
        text += " (today)"
    if day in lines:
        place = day - result.params.days[0]
        text += f"<br>{lines[day].reason}, {lines[day].n_rows:,} rows"
        if result.wrong_before:
            text += f"<br>{result.wrong_before[place]:,} wrong before"
            text += f", {result.wrong_after[place]:,} now" if result.complete else ""
    return text


def workers(result: BackfillResult) -> go.Figure:
    """Draw what each worker did, and when. To see first: where the grey parts overlap."""
    names = [f"worker {i + 1}" for i in range(result.params.parallelism)]
    if any(task.worker < 0 for task in result.tasks):
        names.append(DAILY)
    figure = figures.new_tall(
        "Reading and writing by worker", height=190 + 40 * len(names), x="seconds since the start"
    )
    parts = (
        ("read", figures.WAITING, True),
        ("write (one at a time)", figures.KNOWN, False),
    )
    for label, color, reads in parts:
        figure.add_bar(
            y=[DAILY if task.worker < 0 else names[task.worker] for task in result.tasks],
            base=[
                round(task.start_seconds + (0 if reads else task.read_seconds), 4)
                for task in result.tasks
            ],
            x=[
                round(
                    (
                        task.read_seconds
                        if reads
                        else task.end_seconds - task.start_seconds - task.read_seconds
                    ),
                    4,
                )
                for task in result.tasks
            ],
            orientation="h",
            name=label,
            marker={"color": color, "line": {"width": 1, "color": "white"}},
            customdata=[
                f"{format_day(flight_days.date_of(task.day))}: {task.outcome}"
                for task in result.tasks
            ],
            hovertemplate="%{customdata}, " + label + " for %{x:.3f} s<extra></extra>",
        )
    figure.update_layout(
        barmode="overlay", yaxis={"categoryorder": "array", "categoryarray": names[::-1]}
    )
    return figure
