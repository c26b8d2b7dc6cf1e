"""The figure of a definition: which row each label gets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.feature_store.define.result import DefineResult

ROWS, LABELS = 1.0, 0.0  # heights


def _times(seconds: Any) -> list[datetime]:
    return [datetime.fromtimestamp(float(second), UTC) for second in seconds]


def labels(result: DefineResult) -> go.Figure:
    """Draw the rows of one key and the labels. To see first: the labels without a line to a row."""
    joined = result.joined
    refused = bool(result.refused_at) and not result.answers
    got = (joined >= 0) & (not refused)
    traces = [_links(result, got), _rows(result, joined[got])]
    if refused:
        traces.append(_marks(result, np.ones(len(joined), bool), "no answer", figures.WAITING))
    else:
        traces.append(_marks(result, got, "value", figures.KNOWN))
        traces.append(_marks(result, ~got, "null", figures.FAILED))
    return figures.drawn(
        f"Rows of {result.key} and the labels that ask for them",
        traces,
        height=400,
        x="UTC",
        yaxis={
            "tickvals": [LABELS, ROWS],
            "ticktext": ["labels", "rows"],
            "range": [-0.45, 1.35],
            "fixedrange": True,
            "showgrid": False,
        },
        shapes=_windows(result),
    )


def _windows(result: DefineResult) -> list[dict[str, Any]]:
    """Return the TTL before each label, as a bar at its height."""
    hours = result.params.ttl_hours
    if not hours:
        return []
    begin = _times(np.asarray(result.asked) - 3600 * hours)
    return [
        {
            "type": "rect",
            "x0": start,
            "x1": end,
            "y0": LABELS - 0.07,
            "y1": LABELS + 0.07,
            "fillcolor": figures.faint(figures.KNOWN, 0.18),
            "line": {"width": 0},
            "layer": "below",
        }
        for start, end in zip(begin, _times(result.asked), strict=True)
    ]


def _links(result: DefineResult, got: np.ndarray) -> dict[str, Any]:
    asked, rows = _times(result.asked[got]), _times(result.rows[result.joined[got]])
    return {
        "type": "scatter",
        "x": [x for pair in zip(asked, rows, strict=True) for x in (*pair, None)],
        "y": [y for _ in asked for y in (LABELS, ROWS, None)],
        "mode": "lines",
        "line": {"color": figures.KNOWN, "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _rows(result: DefineResult, used: np.ndarray) -> dict[str, Any]:
    inside = result.rows >= result.asked[0] - 86_400
    places = np.flatnonzero(inside)
    colors = [figures.KNOWN if place in set(used.tolist()) else figures.WAITING for place in places]
    return {
        "type": "scatter",
        "x": _times(result.rows[places]),
        "y": [ROWS] * len(places),
        "mode": "markers",
        "marker": {"symbol": "circle", "size": 9, "color": colors},
        "name": "row of the source",
        "hovertemplate": "row of %{x}<extra></extra>",
    }


def _marks(result: DefineResult, which: np.ndarray, name: str, color: str) -> dict[str, Any]:
    places = np.flatnonzero(which)
    first = result.params.first
    said = [(result.answers[place][first] or "null") if result.answers else "" for place in places]
    return {
        "type": "scatter",
        "x": _times(result.asked[places]),
        "y": [LABELS] * len(places),
        "mode": "markers+text",
        "text": said,
        "textposition": "bottom center",
        "marker": {"symbol": "diamond", "size": 14, "color": color},
        "name": name,
        "hovertemplate": "label of %{x}<extra></extra>",
    }
