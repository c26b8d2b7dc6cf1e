"""Figure of *repairs*: reported and production, the wrong way and the right way.

Orange-red is reported, green production; the line between them is the gap.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.leakage.repairs import WAYS, RepairsResult
from engine.texts import strip_marks

COLORS = {"reported": figures.LEAKED, "production": figures.HELD_OUT}


def gaps(result: RepairsResult, pinned: RepairsResult | None = None) -> go.Figure:
    """Draw a lane for each way: every seed a dot, the means joined. To see first: the upper line is
    long, the lower short.
    """
    title = strip_marks(result.verdict)
    figure = figures.new(title, height=270, x="AUC; one dot per repeat")
    for run, is_pinned in [(result, False), *([(pinned, True)] if pinned is not None else [])]:
        for way in WAYS:
            if not run.scores:
                continue
            figure.add_scatter(
                x=[run.mean(way, where) for where in COLORS],
                y=[way] * 2,
                mode="lines",
                line={
                    "color": figures.SYNTHETIC if is_pinned else figures.WAITING,
                    "width": 4 if is_pinned else 8,
                },
                opacity=0.6,
                name="pinned run A",
                showlegend=is_pinned and way == WAYS[0],
                hoverinfo="skip",
            )
    for where, color in COLORS.items():
        dots = [(way, auc) for way in WAYS for auc in result.scores.get((way, where), [])]
        figure.add_scatter(
            x=[auc for _, auc in dots],
            y=[lane for lane, _ in dots],
            mode="markers",
            marker={"color": color, "size": 11, "opacity": 0.75},
            name=where,
            hovertemplate=f"%{{y}}, {where}: %{{x:.3f}}<extra></extra>",
        )
    figure.update_layout(
        xaxis={"range": [0.38, 1.02]},
        yaxis={
            "categoryorder": "array",
            "categoryarray": WAYS[::-1],
            "range": [-0.6, 1.6],
            "showgrid": True,
        },
    )
    return figure
