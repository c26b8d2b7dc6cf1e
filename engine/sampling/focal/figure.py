"""Figures of *focal*: the loss by predicted probability, the share of the gradient by row,
calibration, boundaries.

Grey is cross-entropy, light blue class weights, blue the focal loss, dashed orange run A.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.sampling.focal import MODELS, FocalResult, losses, reliability

Curve = Literal["loss", "gradient", "weight"]
COLORS = {
    "cross-entropy": figures.WAITING,
    "class weights": figures.EXTRA,
    "focal loss": figures.KNOWN,
}
CHANCES = np.linspace(0.005, 1, 200)
CURVES = {"loss": losses.loss, "gradient": losses.gradient_size, "weight": losses.modulation}
AXES = {
    "loss": "loss of one row",
    "gradient": "gradient, |d loss / d log-odds|",
    "weight": "weight (1 − p)^γ",
}


def curve(result: FocalResult, which: Curve, pinned: FocalResult | None = None) -> go.Figure:
    """Draw loss, gradient or weight by the probability of the true class. To see first: where the
    curve falls below grey.
    """
    gamma, of = result.params.gamma, CURVES[which]
    figure = figures.new_tall(
        f"{which.capitalize()} by predicted probability",
        height=420,
        x="predicted probability of the true class",
        y=AXES[which],
    )
    lines = [
        ("cross-entropy, γ = 0", figures.WAITING, "dash", 0.0),
        (f"focal loss, γ = {gamma:g}", figures.KNOWN, "solid", gamma),
    ]
    if pinned is not None:
        lines.append(
            (
                f"run A, γ = {pinned.params.gamma:g}",
                figures.SYNTHETIC,
                "dash",
                pinned.params.gamma,
            )
        )
    for name, color, dash, power in lines:
        figure.add_scatter(
            x=CHANCES.round(4),
            y=np.round(of(CHANCES, power), 5),
            mode="lines",
            line={"color": color, "width": 3, "dash": dash},
            name=name,
            hovertemplate=name + ": p = %{x:.2f}, %{y:.3f}<extra></extra>",
        )
    figure.update_layout(
        xaxis={"range": [0, 1], "showgrid": True}, yaxis={"rangemode": "tozero", "showgrid": True}
    )
    return figure


def carriers(result: FocalResult, pinned: FocalResult | None = None) -> go.Figure:
    """Draw the part of the gradient that the hardest rows make. To see first: how steeply it
    starts.
    """
    figure = figures.new_tall(
        "Share of the gradient from the hardest rows",
        height=400,
        x="training rows, hardest first, %",
        y="share of the gradient, %",
    )
    runs = [(str(fit.model), COLORS[fit.model], "solid", fit.train_gradient) for fit in result.fits]
    if pinned is not None:
        runs.append(("focal loss, run A", figures.SYNTHETIC, "dash", pinned.focal.train_gradient))
    for name, color, dash, sizes in runs:
        running = np.concatenate([[0], np.cumsum(np.sort(sizes)[::-1]) / sizes.sum()])
        shares = np.linspace(0, 1, 101)
        figure.add_scatter(
            x=100 * shares,
            y=np.round(100 * np.interp(shares, np.linspace(0, 1, len(running)), running), 2),
            mode="lines",
            line={"color": color, "width": 2, "dash": dash},
            name=name,
            hovertemplate=name + ": the hardest %{x:.0f}% make %{y:.0f}%<extra></extra>",
        )
    figure.update_layout(
        xaxis={"range": [0, 100], "showgrid": True}, yaxis={"range": [0, 101], "showgrid": True}
    )
    return figure


def calibration(result: FocalResult, pinned: FocalResult | None = None) -> go.Figure:
    """Draw what share of rows is positive where a model predicts p. To see first: how far the lines
    are below the diagonal.
    """
    figure = figures.new_tall(
        "Calibration: predicted probability against true share",
        height=420,
        x="mean predicted probability, per tenth of the test rows, %",
        y="share of positives, %",
    )
    runs = [(str(fit.model), COLORS[fit.model], fit.chances, result.test_y) for fit in result.fits]
    if pinned is not None:
        runs.append(("focal loss, run A", figures.SYNTHETIC, pinned.focal.chances, pinned.test_y))
    top = 0.0
    for name, color, chances, y in runs:
        said, true, n = reliability(chances, y)
        top = max(top, float(said.max()), float(true.max()))
        figure.add_scatter(
            x=100 * said,
            y=100 * true,
            customdata=n,
            mode="lines+markers",
            line={"color": color, "width": 2},
            name=name,
            hovertemplate=name
            + ": predicts %{x:.1f}%, %{y:.1f}% of %{customdata:,} rows are positive<extra></extra>",
        )
    line = {"color": figures.HELD_OUT, "dash": "dot", "width": 2}
    figure.add_scatter(
        x=[0, 100 * top],
        y=[0, 100 * top],
        mode="lines",
        line=line,
        name="perfectly calibrated",
        hoverinfo="skip",
    )
    figure.update_layout(xaxis={"showgrid": True}, yaxis={"showgrid": True, "rangemode": "tozero"})
    return figure


def boundaries(result: FocalResult) -> go.Figure:
    """Draw where each model, fitted to two synthetic features, predicts 50%. To see first: how far
    apart the lines are.
    """
    plane = result.plane
    figure = figures.new_tall(
        "Where each model predicts 50%, two synthetic features", height=460, x="x", y="y"
    )
    for value, name, color, size in (
        (0, "majority", figures.WAITING, 5),
        (1, "minority", figures.KNOWN, 9),
    ):
        rows = plane.X[plane.y == value].round(3)
        figure.add_scatter(
            x=rows[:, 0],
            y=rows[:, 1],
            mode="markers",
            marker={"color": color, "size": size},
            name=name,
            hoverinfo="skip",
        )
    low, high = plane.X.min(axis=0), plane.X.max(axis=0)
    for model, (a, b, c), dash in zip(
        MODELS, result.boundaries, ("dash", "dot", "solid"), strict=True
    ):
        across = np.array([low[0], high[0]])
        line = {"color": figures.SYNTHETIC, "dash": dash, "width": 3}
        figure.add_scatter(
            x=across,
            y=-(a * across + c) / b,
            mode="lines",
            line=line,
            name=model,
            hoverinfo="name",
        )
    figure.update_layout(yaxis={"range": [float(low[1]) - 0.2, float(high[1]) + 0.2]})
    return figure
