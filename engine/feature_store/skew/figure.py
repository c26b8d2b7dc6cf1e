"""Figures of *skew*: each input as training has it against as it is served, and the AUC of every
way of serving.

Grey points are on the line: the training value. Orange-red ones are off it. Blue is training, green
what fixes serving.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.feature_store.model_inputs import INPUTS
from engine.feature_store.skew import FRESH, ONE_DEFINITION, SERVED, TRAINED, Score, SkewResult
from engine.texts import strip_marks
from engine.units import format_interval, format_share

N_DRAWN = 250  # flights in each panel, evenly thinned
N_ACROSS = 4
GAP_ACROSS, GAP_DOWN = 0.06, 0.2  # between panels, of the width and the height
NAME = {"xref": "paper", "yref": "paper", "showarrow": False}  # of an axis of all panels
COLORS = {
    TRAINED: figures.KNOWN,
    SERVED: figures.LEAKED,
    ONE_DEFINITION: figures.HELD_OUT,
    FRESH: figures.HELD_OUT,
}


def values(result: SkewResult) -> go.Figure:
    """Draw each input as served against training's. To see first: which panels have points off the
    line.
    """
    shares = result.differs.mean(axis=0)
    n_down = -(-len(INPUTS) // N_ACROSS)
    layout: dict[str, Any] = {
        "template": figures.TEMPLATE,
        "title": {"text": strip_marks(result.verdict)},
        "height": 40 + 215 * n_down,
        "meta": {"top": 62, "bottom": 42},  # of text of 13 pixels
    }
    layout |= {"showlegend": False, "margin": {"l": 46, "r": 20}, "annotations": []}
    drawn = np.unique(np.linspace(0, len(result.offline) - 1, N_DRAWN).astype(int))
    traces: list[dict[str, Any]] = []
    for place, share in enumerate(shares):
        ends, panel = _panel(result, place, drawn)
        traces += panel
        text = f"{INPUTS[place]}<br>{f'{format_share(share)} differ' if share else 'the same'}"
        layout["annotations"].append(_axes(layout, place, n_down, ends) | {"text": text})
    layout["annotations"] += [
        {**NAME, "text": "training value", "x": 0.5, "y": 0, "yanchor": "top", "yshift": -22},
        {**NAME, "text": "served value", "x": 0, "y": 0.5, "xanchor": "right", "xshift": -26,
         "textangle": -90},
    ]  # fmt: skip
    return go.Figure(
        {"data": traces, "layout": layout}
    )  # in one go: built piece by piece it takes four times as long


def _axes(layout: dict[str, Any], place: int, n_down: int, ends: list[float]) -> dict[str, Any]:
    """Put the axes of a panel into the layout, both with the same range; return the place of its
    title.
    """
    width, height = (1 + GAP_ACROSS) / N_ACROSS, (1 + GAP_DOWN) / n_down
    left, top = (place % N_ACROSS) * width, 1 - (place // N_ACROSS) * height
    across, up = [left, left + width - GAP_ACROSS], [top - height + GAP_DOWN, top]
    number = place + 1 if place else ""
    axis = {"range": ends, "nticks": 4, "automargin": True}
    layout[f"xaxis{number}"] = {**axis, "domain": across, "anchor": f"y{number}", "tickangle": 0}
    layout[f"yaxis{number}"] = {
        **axis,
        "domain": [max(0.0, up[0]), min(1.0, up[1])],
        "anchor": f"x{number}",
    }
    at = {
        "x": sum(across) / 2,
        "y": up[1],
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
    }
    return {**at, "showarrow": False, "font": {"size": 13}}


def _panel(
    result: SkewResult, place: int, drawn: np.ndarray
) -> tuple[list[float], list[dict[str, Any]]]:
    """Return the ends of an input's axes, and its traces: the line on which values agree, the
    flights on it and off it.
    """
    across, up = result.offline[drawn, place], result.online[drawn, place]
    both = np.concatenate([across, up])
    low, high = (
        (float(np.nanmin(both)), float(np.nanmax(both))) if np.isfinite(both).any() else (0.0, 1.0)
    )
    pad = 0.06 * (high - low) or 1.0
    ends = [low - pad, high + pad]
    number = place + 1 if place else ""
    at = {"type": "scatter", "xaxis": f"x{number}", "yaxis": f"y{number}"}
    line = {"color": figures.WAITING, "width": 1, "dash": "dot"}
    traces: list[dict[str, Any]] = [
        {**at, "x": ends, "y": ends, "mode": "lines", "line": line, "hoverinfo": "skip"}
    ]
    off = result.differs[drawn, place]
    for rows, color in ((~off, figures.WAITING), (off, figures.LEAKED)):
        traces.append(
            {
                **at,
                "x": across[rows].astype(np.float32),
                "y": up[rows].astype(np.float32),
                "mode": "markers",
                "marker": {"color": color, "size": 5, "opacity": 0.6},
                "hovertemplate": INPUTS[place]
                + ": training %{x:.4g}, serving %{y:.4g}<extra></extra>",
            }
        )
    return ends, traces


def scores(
    result: SkewResult, logged: Score | None = None, pinned: SkewResult | None = None
) -> go.Figure:
    """Draw the AUC of each way of serving with its interval. To see first: the distance from “as
    trained” to “as served”.
    """
    lanes = [*result.scores, *([logged] if logged is not None else [])]
    figure = figures.new_tall(
        "AUC of each way of serving",
        height=140 + 46 * (len(lanes) + bool(pinned)),
        x="AUC on flights of July, 95% CI (bootstrap of days)",
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
        annotations=figures.side_notes(
            [score.name for score in lanes], [f"{score.auc:.3f}" for score in lanes]
        ),
    )
    return figure


def _lane(figure: go.Figure, score: Score, name: str, color: str) -> None:
    low, high = score.interval
    figure.add_scatter(
        x=[score.auc],
        y=[name],
        mode="markers",
        marker={"color": color, "size": 13},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - score.auc],
            "arrayminus": [score.auc - low],
            "width": 6,
        },
        name=name,
        hovertemplate=f"{name}: %{{x:.3f}} ({format_interval(low, high)})<extra></extra>",
    )
