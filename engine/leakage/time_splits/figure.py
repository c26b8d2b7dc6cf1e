"""Figures of *time_splits*: what each day holds, what each scheme estimates, and what a day's
distance is worth.

Blue trains, green tests (and is the later truth), orange-red holds both, grey is left out.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.leakage.time_splits import BOTH, NEVER, TEST, TRAIN, Distance, Scores, TimeSplitsResult
from engine.leakage.time_splits.splits import SCHEMES
from engine.leakage.trial import interval
from engine.texts import strip_marks

COLORS = {
    NEVER: figures.WAITING,
    TRAIN: figures.KNOWN,
    TEST: figures.HELD_OUT,
    BOTH: figures.LEAKED,
}
NAMES = {TRAIN: "training", TEST: "test", BOTH: "both", NEVER: "left out"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep")
FIRST_DAYS = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31])


def days(result: TimeSplitsResult) -> go.Figure:
    """Draw what each day holds in one fold of every scheme. To see first: the lanes whose days
    hold both training and test rows.
    """
    title = strip_marks(result.verdict)
    figure = figures.new_tall(
        title, height=170 + 42 * len(SCHEMES), x="day of departure, 2013; one fold of each scheme"
    )
    stops = [
        (place, color) for role, color in COLORS.items() for place in (role / 4, (role + 1) / 4)
    ]
    names = [f"<b>{name}</b>" if name == result.params.scheme else name for name in result.roles]
    figure.add_heatmap(
        z=np.array(list(result.roles.values())),
        y=names,
        zmin=-0.5,
        zmax=3.5,
        colorscale=stops,
        showscale=False,
        ygap=7,
        hovertemplate="%{y}, day %{x}<extra></extra>",
    )
    for role, name in NAMES.items():
        marker = {"color": COLORS[role], "size": 11, "symbol": "square"}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=name)
    figure.update_layout(
        xaxis={"tickvals": FIRST_DAYS.tolist(), "ticktext": list(MONTHS)},
        yaxis={
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.6, len(names) - 0.4],
        },
    )
    return figure


def scheme_scores(scores: Scores) -> go.Figure:
    """Draw every fold by scheme against the last quarter. To see first: how the estimates step
    down towards the green line.
    """
    names = list(scores.by_scheme)
    figure = figures.new_tall(
        "Estimated AUC by scheme against the last quarter",
        height=210 + 42 * max(3, len(names)),
        x="AUC: one fold (dot), mean (line)",
    )
    dots = [(name, auc) for name, aucs in scores.by_scheme.items() for auc in aucs]
    figure.add_scatter(
        x=[auc for _, auc in dots],
        y=[name for name, _ in dots],
        mode="markers",
        marker={"color": figures.KNOWN, "size": 9, "opacity": 0.55},
        name="one fold",
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    means = [scores.mean(name) for name in names]
    figure.add_scatter(
        x=means,
        y=names,
        mode="markers",
        marker={"symbol": "line-ns", "size": 22, "line": {"color": figures.KNOWN, "width": 3}},
        name="mean",
        hovertemplate="%{y}, mean: %{x:.3f}<extra></extra>",
    )
    if names and np.isfinite(scores.later_auc):
        line = {"color": figures.HELD_OUT, "width": 3, "dash": "dot"}
        figure.add_scatter(
            x=[scores.later_auc] * 2,
            y=[names[0], names[-1]],
            mode="lines",
            line=line,
            name="last quarter",
            hoverinfo="name",
        )
    figure.update_layout(
        annotations=figures.side_notes(list(names), [f"{mean:.3f}" for mean in means]),
        xaxis={"showgrid": True},
        yaxis={"categoryorder": "array", "categoryarray": names[::-1], "showgrid": True},
        margin_r=70,
    )
    return figure


def distance(curve: Distance) -> go.Figure:
    """Draw the score by how far training stays away. To see first: where the curve falls, a day or
    a season away.
    """
    figure = figures.new_tall(
        "AUC by distance between training and test",
        height=420,
        x="days between a test day and the nearest training day",
        y="AUC",
    )
    names = [str(days) if days else "same day" for days in curve.aucs]
    for phase in range(min((len(aucs) for aucs in curve.aucs.values()), default=0)):
        figure.add_scatter(
            x=names,
            y=[float(aucs[phase]) for aucs in curve.aucs.values()],
            mode="lines",
            line={"color": figures.WAITING, "width": 1},
            opacity=0.6,
            name="one set of test days",
            showlegend=phase == 0,
            hoverinfo="skip",
        )
    bars = [interval(aucs) for aucs in curve.aucs.values()]
    figure.add_scatter(
        x=names,
        y=[mean for mean, _ in bars],
        error_y={"array": [half for _, half in bars], "thickness": 1.5, "width": 5},
        customdata=[half for _, half in bars],
        mode="lines+markers",
        line={"color": figures.KNOWN, "width": 3},
        marker={"size": 10},
        name="mean",
        hovertemplate="%{x}: %{y:.3f} ± %{customdata:.3f}<extra></extra>",
    )
    figure.update_layout(xaxis={"type": "category"}, yaxis={"showgrid": True})
    return figure
