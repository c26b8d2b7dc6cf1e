"""Figures of *skew*: each input as training has it against as it is served, and the AUC of every way of serving.

Grey points lie on the line: training's own value. Vermilion ones left it. Blue is training, green what repairs serving.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine import figures
from engine.feature_store.model_inputs import INPUTS
from engine.feature_store.skew import FRESH, ONE_DEFINITION, SERVED, TRAINED, Score, SkewResult

N_DRAWN = 250  # flights in each panel, evenly thinned
N_ACROSS = 4
COLORS = {TRAINED: figures.KNOWN, SERVED: figures.LEAKED, ONE_DEFINITION: figures.HELD_OUT, FRESH: figures.HELD_OUT}


def values(result: SkewResult) -> go.Figure:
    """Draw each input as served against training's. To see first: which panels have points off the line."""
    shares = result.differs.mean(axis=0)
    names = [
        f"{name}<br>{share:.0%} differ" if share else f"{name}<br>the same" for name, share in zip(INPUTS, shares, strict=True)
    ]
    n_down = -(-len(INPUTS) // N_ACROSS)
    figure = make_subplots(n_down, N_ACROSS, subplot_titles=names, horizontal_spacing=0.06, vertical_spacing=0.2)
    drawn = np.unique(np.linspace(0, len(result.offline) - 1, N_DRAWN).astype(int))
    for place in range(len(INPUTS)):
        _panel(figure, result, place, drawn)
    n_off = int((shares > 0).sum())
    first = f"{n_off} of {len(INPUTS)} inputs are served differently" if n_off else "Serving gives training's own values"
    title = {"text": f"{first}:<br>training across, serving up, one dot a flight", "y": 1, "yanchor": "top", "pad": {"t": 24}}
    figure.update_layout(
        template=figures.TEMPLATE, title=title, height=150 + 210 * n_down, showlegend=False, margin={"t": 130, "l": 16, "r": 20}
    )
    figure.update_annotations(font_size=13)
    return figure


def _panel(figure: go.Figure, result: SkewResult, place: int, drawn: np.ndarray) -> None:
    """Draw one input: the line on which values agree, then the flights on it and off it."""
    at = {"row": place // N_ACROSS + 1, "col": place % N_ACROSS + 1}
    across, up = result.offline[drawn, place], result.online[drawn, place]
    both = np.concatenate([across, up])
    low, high = (float(np.nanmin(both)), float(np.nanmax(both))) if np.isfinite(both).any() else (0.0, 1.0)
    pad = 0.06 * (high - low) or 1.0
    ends = [low - pad, high + pad]
    line = {"color": figures.WAITING, "width": 1, "dash": "dot"}
    figure.add_scatter(x=ends, y=ends, mode="lines", line=line, hoverinfo="skip", **at)
    off = result.differs[drawn, place]
    for rows, color in ((~off, figures.WAITING), (off, figures.LEAKED)):
        figure.add_scatter(
            x=across[rows].astype(np.float32),
            y=up[rows].astype(np.float32),
            mode="markers",
            marker={"color": color, "size": 5, "opacity": 0.6},
            hovertemplate=INPUTS[place] + ": training %{x:.4g}, serving %{y:.4g}<extra></extra>",
            **at,
        )
    figure.update_xaxes(range=ends, nticks=4, tickangle=0, **at)
    figure.update_yaxes(range=ends, nticks=4, **at)


def scores(result: SkewResult, logged: Score | None = None, pinned: SkewResult | None = None) -> go.Figure:
    """Draw the AUC of each way of serving with its interval. To see first: how far vermilion lies from blue."""
    lanes = [*result.scores, *([logged] if logged is not None else [])]
    low, high = result.lost_interval
    lost = f"The same model loses {result.auc_lost:.3f} AUC ({low:.3f} … {high:.3f})"
    sure = "" if low > 0 else ":<br>the interval holds zero, no sure loss" if high > 0 else ""
    title = lost + sure if result.differs.any() else "Nothing differs, nothing is lost"
    figure = figures.new_tall(
        title, height=180 + 46 * (len(lanes) + bool(pinned)), x="AUC on flights of July, 95 % of the draws of days"
    )
    for score in lanes:
        _lane(figure, score, score.name, COLORS.get(score.name, figures.SYNTHETIC))
    if pinned is not None:
        _lane(figure, pinned.score(SERVED), "as served, run A", figures.WAITING)
    figure.update_layout(
        showlegend=False,
        xaxis={"showgrid": True},
        yaxis={"autorange": "reversed", "showgrid": True},
        margin={"r": 70},
        annotations=figures.beside([score.name for score in lanes], [f"{score.auc:.3f}" for score in lanes]),
    )
    return figure


def _lane(figure: go.Figure, score: Score, name: str, color: str) -> None:
    low, high = score.interval
    figure.add_scatter(
        x=[score.auc],
        y=[name],
        mode="markers",
        marker={"color": color, "size": 13},
        error_x={"type": "data", "symmetric": False, "array": [high - score.auc], "arrayminus": [score.auc - low], "width": 6},
        name=name,
        hovertemplate=f"{name}: %{{x:.3f}} ({low:.3f} … {high:.3f})<extra></extra>",
    )
