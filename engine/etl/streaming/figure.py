"""Figures of *streaming*: rows by event time and arrival with the watermark between them, and the
state over the files.

Blue is on time, light blue late but counted, pink dropped; green is a window in state; a pinned
run A is dashed orange.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.etl.streaming.result import ALL, File, StreamingResult, clock
from engine.texts import strip_marks

STATE = figures.HELD_OUT


def _hours(low: int, high: int) -> dict[str, Any]:
    ticks = list(range(-(-low // 3) * 3, high + 1, 3))
    return {"tickvals": ticks, "ticktext": [clock(60 * tick) for tick in ticks], "showgrid": True}


def arrivals(
    result: StreamingResult, until: int = ALL, pinned: StreamingResult | None = None
) -> go.Figure:
    """Draw the rows that have arrived by ``until`` o'clock, event time across and arrival up. To
    see first: the pink crosses, left of the watermark.
    """
    here = result.rows.hour < until
    groups = (
        ("on time", ~result.late, {"color": figures.KNOWN, "size": 6}),
        ("late, counted", result.late & ~result.dropped, {"color": figures.EXTRA, "size": 9}),
        ("dropped", result.dropped, {"color": figures.FAILED, "size": 8, "symbol": "x"}),
    )
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": result.rows.event[here & mask] / 60,
            "y": result.rows.arrival[here & mask] / 60,
            "text": result.rows.flight[here & mask],
            "marker": marker,
            "name": f"{name}: {int((here & mask).sum()):,}",
            "hovertemplate": f"%{{text}}<br>{name}<extra></extra>",
        }
        for name, mask, marker in groups
    ]
    files = result.arrived(until)
    state = files[-1].state if files else ()
    # a mark that is drawn nowhere: the legend's name of the green bands
    band = {"size": 12, "symbol": "square", "color": figures.faint(STATE, 0.5)}
    name = f"in state: {len(state):,}"
    traces.append(
        {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": band}
        | {"name": name}
    )
    traces.append(_watermark(result, until, figures.WAITING, "solid", "watermark"))
    if pinned is not None:
        traces.append(_watermark(pinned, until, figures.SYNTHETIC, "dash", "watermark in A"))
    high = result.files[-1].hour + 1.3
    return figures.drawn(
        strip_marks(result.verdict_at(until)),
        traces,
        height=540,
        x="event time: scheduled departure",
        y="arrival: departure",
        xaxis={**_hours(4, 24), "range": [4.5, 24.5]},
        yaxis={**_hours(4, 30), "range": [4, high]},
        shapes=[_band(start, result.params.window_minutes) for start, _ in state],
        annotations=[_flights(start, n, result.params.window_minutes) for start, n in state],
    )


def _watermark(
    result: StreamingResult, until: int, color: str, dash: str, name: str
) -> dict[str, Any]:
    """Return as a line the watermark that each file met, and the one that the next will meet."""
    x: list[float] = []
    y: list[float] = []
    ends: list[File] = result.arrived(until)
    for file, met in zip(ends, result.watermarks, strict=False):
        if met > -math.inf:
            x += [met / 60] * 2
            y += [file.hour, file.hour + 1]
    if ends and (last := ends[-1].batches[-1].watermark) is not None:
        x += [last / 60] * 2
        y += [ends[-1].hour + 1, max(until, ends[-1].hour + 2)]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.round(x, 3),
        "y": y,
        "line": {"color": color, "width": 3, "dash": dash},
        "name": name,
        "hoverinfo": "skip",
    }


def _band(start: int, minutes: int) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": start / 60,
        "x1": (start + minutes) / 60,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"width": 1, "color": figures.faint(STATE, 0.6)},
        "fillcolor": figures.faint(STATE, 0.16),
        "layer": "below",
    }


def _flights(start: int, n: int, minutes: int) -> dict[str, Any]:
    place = {"x": (start + minutes / 2) / 60, "y": 0.01, "yref": "paper", "yanchor": "bottom"}
    return {**place, "text": f"{n:,}", "showarrow": False, "font": {"color": STATE}}


def state(result: StreamingResult, until: int = ALL) -> go.Figure:
    """Draw the windows in state after each file, and Spark's bytes where it has run. To see first:
    the level at which the bars stay.
    """
    files = result.arrived(until)
    hours = [file.hour + 0.5 for file in files]
    kept = [file.batches[-1].n_state for file in files]
    evicted = [file.batches[0].n_state - n for file, n in zip(files, kept, strict=True)]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "x": hours,
            "y": values,
            "name": name,
            "marker": {"color": color},
            "hovertemplate": f"%{{y:,}} {name}<extra></extra>",
        }
        for name, values, color in (
            ("kept in state", kept, STATE),
            ("evicted after the file", evicted, figures.WAITING),
        )
    ]
    sizes = [file.batches[-1].state_bytes for file in files]
    measured = any(size is not None for size in sizes)
    if measured:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": hours,
                "y": [None if size is None else size / 1000 for size in sizes],
                "yaxis": "y2",
                "name": "memory, kB",
                "line": {"color": figures.SYNTHETIC, "width": 2},
                "hovertemplate": "%{y:.1f} kB<extra></extra>",
            }
        )
    right = {
        "title": {"text": "kB"},
        "overlaying": "y",
        "side": "right",
        "rangemode": "tozero",
        "tickmode": "auto",
        "showgrid": False,
    }
    return figures.drawn(
        "Windows in state, file by file",
        traces,
        height=400,
        x="arrival: hour of the file",
        y="windows",
        barmode="stack",
        xaxis={**_hours(4, 30), "range": [4, result.files[-1].hour + 1.3]},
        yaxis={"showgrid": True, "range": [0, _most(result) + 0.5]},
        **({"yaxis2": right} if measured else {}),
    )


def _most(result: StreamingResult) -> int:
    return max(batch.n_state for file in result.files for batch in file.batches)
