"""Figures of a traced flight."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.feature_store.feast_repo import CREATED, EVENT
from engine.pipeline.tracer.result import TracerResult, shown
from engine.texts import strip_marks
from engine.units import format_time

HOURS_SHOWN = 12  # before the moment: an older row is drawn at the edge
N_REASONS = 10


def timeline(result: TracerResult) -> go.Figure:
    """Draw, for each view, the row that won and the first that was not known. To see first: marks
    right of the moment.
    """
    lanes = list(result.wins)
    edge = result.moment - timedelta(hours=HOURS_SHOWN)
    traces: list[figures.Trace] = []
    for name, color, symbol, chosen in (
        ("row that won (training)", figures.KNOWN, "circle", _won(result.wins)),
        ("row that was served", figures.HELD_OUT, "diamond-open", _won(result.served_wins)),
        ("next row, not yet known", figures.LEAKED, "x", _unknown(result)),
    ):
        x: list[Any] = []
        y: list[Any] = []
        texts: list[str] = []
        for view, row in chosen.items():
            for kind, at in (("event", row[EVENT]), ("arrival", row[CREATED])):
                x.append(max(at, edge))
                y.append(view)
                texts.append(f"{kind} {format_time(at)}")
            x.append(None)
            y.append(None)
            texts.append("")
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "text": texts,
                "mode": "lines+markers",
                "name": name,
                "line": {"color": color, "width": 2},
                "marker": {"symbol": symbol, "size": 13, "color": color},
                "hovertemplate": f"{name}: %{{text}}<extra></extra>",
            }
        )
    marks = [
        ("prediction", result.moment, "right"),
        ("scheduled departure", result.flight["sched_dep"], "left"),
    ]
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=380,
        x="UTC",
        yaxis={"categoryorder": "array", "categoryarray": lanes[::-1], "range": [-0.6, 2.6]},
        shapes=[_line(at) for _, at, _ in marks],
        annotations=[_note(*mark) for mark in marks],
    )


def _won(wins: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {view: win.won for view, win in wins.items() if win.won is not None}


def _unknown(result: TracerResult) -> dict[str, dict[str, Any]]:
    """Return the rows that were not known and lie within the picture."""
    late = result.moment + timedelta(hours=HOURS_SHOWN)
    found = {view: win.unknown for view, win in result.wins.items()}
    return {view: row for view, row in found.items() if row is not None and row[CREATED] <= late}


def _line(at: Any) -> dict[str, Any]:
    place = {"x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "line", **place, "line": {"color": figures.WAITING, "width": 2, "dash": "dot"}}


def _note(text: str, at: Any, anchor: str) -> dict[str, Any]:
    place = {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": anchor}
    return {**place, "text": text, "showarrow": False}


def effects(result: TracerResult) -> go.Figure:
    """Draw what each feature does to the prediction. To see first: the longest bar."""
    rows = [one for one in result.reasons if one.effect][:N_REASONS]
    names = [f"{one.name} = {shown(one.value)}" for one in rows]
    return figures.drawn(
        "Change of the probability by each feature, against its usual value",
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": [100 * one.effect for one in rows],
                "y": names,
                "marker": {
                    "color": [figures.LEAKED if o.effect > 0 else figures.KNOWN for o in rows]
                },
                "customdata": [shown(one.usual) for one in rows],
                "hovertemplate": "%{y} instead of %{customdata}: %{x:+.1f} points<extra></extra>",
                "showlegend": False,
            }
        ],
        height=360,
        x="percentage points",
        yaxis={"categoryorder": "array", "categoryarray": names[::-1]},
    )
