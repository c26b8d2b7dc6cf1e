"""Figure of *before_split*: the reported score, what becomes of it on parts of its own test rows,
and the right way.

Orange-red is scored with the leak, orange on parts with synthetic rows, green on untouched rows.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.sampling.before_split import (
    AFTER,
    PLAIN,
    REAL,
    REPORTED,
    WITH_PARENT,
    WITHOUT_PARENT,
    BeforeSplitResult,
)

SCORES = {"AUC": "auc", "average precision": "average_precision"}
LANES: dict[str, tuple[str, str]] = {  # what is scored -> label, colour
    REPORTED: ("reported:<br>SMOTE before split", figures.LEAKED),
    WITH_PARENT: ("synthetic positives,<br>parent in training", figures.SYNTHETIC),
    WITHOUT_PARENT: ("synthetic positives,<br>no parent there", figures.SYNTHETIC),
    REAL: ("same model,<br>real test rows", figures.LEAKED),
    AFTER: ("SMOTE after split,<br>untouched rows", figures.HELD_OUT),
    PLAIN: ("no SMOTE,<br>untouched rows", figures.HELD_OUT),
}


def chart(
    result: BeforeSplitResult, score: str, pinned: BeforeSplitResult | None = None
) -> go.Figure:
    """Draw each seed's score as a dot, the mean as a line. To see first: the gap between the first
    lane and the green ones.
    """
    field = SCORES[score]
    traces = [_dots(result, field), _means(result, field)]
    if pinned is not None:
        traces += [_dots(pinned, field, is_pinned=True), _means(pinned, field, is_pinned=True)]
    labels = [label for label, _ in LANES.values()]
    return figures.drawn(
        f"{score} with SMOTE before and after the split",
        traces,
        height=480,
        showlegend=pinned is not None,
        x=f"{score} (dot: a repeat, line: mean)",
        xaxis={"range": [0.45 if score == "AUC" else -0.02, 1.04], "showgrid": True},
        yaxis={
            "categoryorder": "array",
            "categoryarray": labels[::-1],
            "showgrid": True,
            "range": [-0.5, len(labels) - 0.4],
        },
    )


def _dots(result: BeforeSplitResult, field: str, *, is_pinned: bool = False) -> dict[str, Any]:
    """Return the score of every seed in every lane; hollow for the pinned run."""
    dots = [
        (value, label, figures.SYNTHETIC if is_pinned else color)
        for part, (label, color) in LANES.items()
        for value in result.values(part, field)
    ]
    colors = [color for _, _, color in dots]
    return {
        "type": "scatter",
        "x": [value for value, _, _ in dots],
        "y": [label for _, label, _ in dots],
        "mode": "markers",
        "marker": {
            "color": figures.HOLLOW if is_pinned else colors,
            "size": 10,
            "opacity": 0.6,
            "line": {"color": colors, "width": 2},
        },
        "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
        "showlegend": False,
    }


def _means(result: BeforeSplitResult, field: str, *, is_pinned: bool = False) -> dict[str, Any]:
    """Return the mean of every lane that has a score, written out but for the pinned run."""
    lanes = {part: look for part, look in LANES.items() if result.values(part, field)}
    means = [result.mean(part, field) for part in lanes]
    colors = [figures.SYNTHETIC if is_pinned else color for _, color in lanes.values()]
    return {
        "type": "scatter",
        "x": means,
        "y": [label for label, _ in lanes.values()],
        "mode": "markers" if is_pinned else "markers+text",
        "text": [f"{mean:.3f}" for mean in means],
        "textposition": "top center",
        "marker": {"symbol": "line-ns", "size": 24, "line": {"color": colors, "width": 3}},
        "name": "run A, mean" if is_pinned else "mean",
        "hovertemplate": "%{y}, mean: %{x:.3f}<extra></extra>",
        "showlegend": is_pinned,
        "cliponaxis": False,
    }
