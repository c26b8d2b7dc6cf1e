"""Figures of *famous*: AUC reported and in production, and which check finds which leak.

Orange-red is reported, green is production, a ring is the model without the leak; blue cells are
found.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.leakage.famous.cases import CASES, FACTS
from engine.leakage.famous.result import FamousResult

MARKS = (
    ("reported", figures.LEAKED, "circle"),
    ("production", figures.HELD_OUT, "circle"),
    ("without", figures.HELD_OUT, "circle-open"),
)
NAMES = {
    "reported": "reported",
    "production": "production",
    "without": "production, leak removed",
}


def scores(result: FamousResult) -> go.Figure:
    """Draw what each model reports and gives. To see first: how far green is left of orange-red."""
    lanes = [_lane(result, case) for case in CASES]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "x": [result.mean(case, "reported"), result.mean(case, "production")],
            "y": [lane, lane],
            "mode": "lines",
            "line": {"color": figures.WAITING, "width": 2},
            "showlegend": False,
            "hoverinfo": "skip",
        }
        for case, lane in zip(CASES, lanes, strict=True)
    ]
    traces += [
        {
            "type": "scatter",
            "x": [result.mean(case, field) for case in CASES],
            "y": lanes,
            "mode": "markers",
            "marker": {"color": color, "size": 14, "symbol": symbol, "line": {"width": 2}},
            "name": NAMES[field],
            "hovertemplate": "%{y}<br>" + NAMES[field] + ": AUC %{x:.3f}<extra></extra>",
        }
        for field, color, symbol in MARKS
    ]
    return figures.drawn(
        "AUC reported and in production",
        traces,
        height=420,
        x="AUC",
        xaxis={"range": [0.45, 1.02], "showgrid": True},
        yaxis={"autorange": "reversed", "showgrid": True},
    )


def _lane(result: FamousResult, case: str) -> str:
    if not (result.params.audit and result.audited):
        return FACTS[case].short
    found = result.found(case)
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    return f"{FACTS[case].short}<br><b>{found[0] if found else 'not found'}</b>{more}"


def checks(result: FamousResult) -> go.Figure:
    """Draw which check finds which leak. To see first: no check finds them all."""
    names = list(result.detectors) or ["no check"]
    hits = [[int(name in result.found(case)) for name in names] for case in CASES]
    cells = {
        "type": "heatmap",
        "x": names,
        "y": [FACTS[case].short for case in CASES],
        "z": hits,
        "text": [["found" if hit else "" for hit in row] for row in hits],
        "texttemplate": "%{text}",
        "textfont": {"color": "white"},
        "zmin": 0,
        "zmax": 1,
        "colorscale": [
            [0, figures.faint(figures.WAITING, 0.15)],
            [1, figures.KNOWN],
        ],
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "hoverinfo": "skip",
    }
    return figures.drawn(
        "Which check finds which leak",
        [cells],
        height=380,
        showlegend=False,
        xaxis={"side": "top", "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True},
        meta={"top": 64},
    )
