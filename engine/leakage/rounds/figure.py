"""Figure of *rounds*: the scores of a pipeline, production's hidden until it is revealed.

Blue is training, orange-red reported, green production.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.leakage.rounds import PRODUCTION, TEST, TRAIN, RoundsResult
from engine.texts import strip_marks

COLORS = {TRAIN: figures.KNOWN, TEST: figures.LEAKED, PRODUCTION: figures.HELD_OUT}


def scores(result: RoundsResult, pinned: RoundsResult | None = None) -> go.Figure:
    """Draw the three scores with two standard errors. To see first: how far production is from
    reported.
    """
    shown = [name for name in COLORS if name != PRODUCTION or result.params.revealed]
    title = strip_marks(result.verdict)
    figure = figures.new(title, height=240, x="AUC ± two standard errors")
    for run, is_pinned in [(result, False), *([(pinned, True)] if pinned is not None else [])]:
        names = [name for name in shown if name != PRODUCTION or run.params.revealed]
        figure.add_scatter(
            x=[run.played.scores[name] for name in names],
            y=names,
            mode="markers" if is_pinned else "markers+text",
            text=[f"{run.played.scores[name]:.3f}" for name in names],
            textposition="top center",
            marker={
                "color": figures.SYNTHETIC if is_pinned else [COLORS[name] for name in names],
                "size": 14,
                "symbol": "diamond-open" if is_pinned else "circle",
            },
            error_x={
                "array": [2 * run.error(name) for name in names],
                "thickness": 2,
                "width": 0,
                "color": figures.WAITING,
            },
            name="pinned run A",
            showlegend=is_pinned,
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            cliponaxis=False,
        )
    if not result.params.revealed:
        figure.add_annotation(
            x=0.75,
            y=PRODUCTION,
            text="after Reveal",
            showarrow=False,
            font={"color": figures.WAITING},
        )
    lanes = list(COLORS)
    figure.update_layout(
        xaxis={"range": [0.43, 1.04]},
        yaxis={
            "categoryorder": "array",
            "categoryarray": lanes[::-1],
            "range": [-0.5, 2.7],
            "showgrid": True,
        },
    )
    return figure
