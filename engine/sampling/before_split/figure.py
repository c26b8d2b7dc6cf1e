"""Figure of *before_split*: the reported score, what becomes of it on parts of its own test rows,
and the right way.

Vermilion is reported with the leak, orange a part with made-up rows, green scored on rows that
nothing was made from.
"""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go

from engine import figures
from engine.sampling.before_split import PARTS, BeforeSplitResult

Score = Literal["AUC", "average precision"]
LANES: dict[str, tuple[str, str]] = {  # what is scored -> label, colour
    PARTS[0]: ("reported:<br>SMOTE before the split", figures.LEAKED),
    PARTS[2]: ("made-up positives<br>with a parent in training", figures.SYNTHETIC),
    PARTS[3]: ("made-up positives<br>without one", figures.SYNTHETIC),
    PARTS[1]: ("same model,<br>real test rows", figures.LEAKED),
    "after the split": ("SMOTE after the split,<br>untouched rows", figures.HELD_OUT),
    "no SMOTE": ("no SMOTE,<br>untouched rows", figures.HELD_OUT),
}
HOLLOW = "rgba(0,0,0,0)"


def chart(
    result: BeforeSplitResult, score: Score, pinned: BeforeSplitResult | None = None
) -> go.Figure:
    """Draw each seed's score as a dot, the mean as a line. To see first: the gap between the first
    lane and the green ones.
    """
    title = "The first seed is being fitted"
    if result.trials:
        reported, right = (
            sum(v) / len(v)
            for v in (result.values(name, score) for name in (PARTS[0], "after the split"))
        )
        title = f"Reported {score} {reported:.3f},<br>earned on untouched rows {right:.3f}"
    labels = [label for label, _ in LANES.values()]
    figure = figures.new_tall(title, height=480, x=f"{score} on the rows named")
    runs = [(result, False)] + ([(pinned, True)] if pinned is not None else [])
    for run, is_pinned in runs:
        dots = [
            (label, value, color)
            for name, (label, color) in LANES.items()
            for value in run.values(name, score)
        ]
        means = [
            (label, sum(v) / len(v), color)
            for name, (label, color) in LANES.items()
            if (v := run.values(name, score))
        ]
        colors = [figures.SYNTHETIC if is_pinned else color for _, _, color in dots]
        figure.add_scatter(
            x=[value for _, value, _ in dots],
            y=[label for label, _, _ in dots],
            mode="markers",
            marker={
                "color": HOLLOW if is_pinned else colors,
                "size": 10,
                "opacity": 0.6,
                "line": {"color": colors, "width": 2},
            },
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            showlegend=False,
        )
        figure.add_scatter(
            x=[value for _, value, _ in means],
            y=[label for label, _, _ in means],
            mode="markers+text" if not is_pinned else "markers",
            text=[f"{value:.3f}" for _, value, _ in means],
            textposition="top center",
            marker={
                "symbol": "line-ns",
                "size": 24,
                "line": {
                    "color": [figures.SYNTHETIC if is_pinned else color for _, _, color in means],
                    "width": 3,
                },
            },
            name="pinned run A, mean" if is_pinned else "mean",
            hovertemplate="%{y}, mean: %{x:.3f}<extra></extra>",
            showlegend=is_pinned,
            cliponaxis=False,
        )
    figure.update_layout(
        xaxis={"range": [0.45 if score == "AUC" else -0.02, 1.04], "showgrid": True},
        yaxis={
            "categoryorder": "array",
            "categoryarray": labels[::-1],
            "showgrid": True,
            "range": [-0.5, len(labels) - 0.4],
        },
    )
    return figure
