"""Figures of *splits*: folds as bands over the rows, each scheme's scores against the last quarter,
empty folds.

Blue rows train, green rows test, grey rows are left out; the last quarter's score is a green line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.sampling.splits import LEFT_OUT, TEST, TRAIN, Scheme, Scores, SplitsResult
from engine.sampling.splits.empty_folds import chance_of_empty
from engine.units import format_share

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct")
FIRST_HOURS = 24 * np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30])
COLORS = {LEFT_OUT: figures.WAITING, TRAIN: figures.KNOWN, TEST: figures.HELD_OUT}
NAMES = {TRAIN: "training", TEST: "test", LEFT_OUT: "left out"}
MAX_DRAWN = 1_500  # rows drawn across; more are drawn evenly thinned


def bands(result: SplitsResult) -> go.Figure:
    """Draw each fold as a band over the rows in time order. To see first: how finely green is mixed
    into blue.
    """
    n = len(result.rows.y)
    drawn = np.linspace(0, n - 1, min(n, MAX_DRAWN)).astype(int)
    names = [f"fold {number + 1}" for number in range(len(result.roles))]
    stops = [
        (place, COLORS[role])
        for role in (LEFT_OUT, TRAIN, TEST)
        for place in (role / 3, (role + 1) / 3)
    ]
    folds: dict[str, Any] = {
        "type": "heatmap",
        "z": result.roles[:, drawn],
        "y": names,
        "zmin": -0.5,
        "zmax": 2.5,
        "colorscale": stops,
        "showscale": False,
        "ygap": 6,
        "hovertemplate": "%{y}<extra></extra>",
    }
    shares = [format_share(test) for test in result.positives(TEST)]
    ticks = [
        (int(np.searchsorted(result.rows.hour[drawn], hour)), month)
        for hour, month in zip(FIRST_HOURS, MONTHS, strict=False)
    ]
    known = [(place, month) for place, month in ticks if place < len(drawn)]
    return figures.drawn(
        "Folds over the flights in time order",
        [folds, *(_legend_entry(role) for role in (TRAIN, TEST, LEFT_OUT))],
        height=190 + 46 * len(names),
        x="flights in order of departure, 2013",
        y="fold · positives in its test part",
        xaxis={
            "tickvals": [place for place, _ in known],
            "ticktext": [month for _, month in known],
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.5, len(names) - 0.5],
            "tickvals": names,
            "ticktext": [f"{name} · {share}" for name, share in zip(names, shares, strict=True)],
        },
    )


def _legend_entry(role: int) -> dict[str, Any]:
    """Return an empty trace that names a role in the legend, which a heatmap does not."""
    return {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "mode": "markers",
        "marker": {"color": COLORS[role], "size": 11, "symbol": "square"},
        "name": NAMES[role],
    }


def scheme_scores(scores: Scores, pinned: Scores | None = None) -> go.Figure:
    """Draw every fold's AUC by scheme and the last quarter's. To see first: which schemes are
    right of the green line.
    """
    names = list(scores.by_scheme)
    traces = _folds_and_means(scores)
    if pinned is not None:
        traces.append(_pinned_means(pinned, [name for name in names if name in pinned.by_scheme]))
    if names and np.isfinite(scores.later_auc):
        later = {
            "type": "scatter",
            "x": [scores.later_auc] * 2,
            "y": [names[0], names[-1]],
            "mode": "lines",
            "line": {"color": figures.HELD_OUT, "width": 3, "dash": "dot"},
            "name": "last quarter",
            "hoverinfo": "name",
        }
        traces.append(later)
    return figures.drawn(
        "AUC of each scheme against the last quarter",
        traces,
        height=210 + 44 * max(3, len(names)),
        x="AUC (dot: a fold, line: mean)",
        yaxis={"categoryorder": "array", "categoryarray": names[::-1], "showgrid": True},
        xaxis={"showgrid": True},
    )


def _folds_and_means(scores: Scores) -> list[dict[str, Any]]:
    """Return a dot for each fold that has a score, and a line for each scheme's mean."""
    dots = [
        (name, auc) for name, aucs in scores.by_scheme.items() for auc in aucs if np.isfinite(auc)
    ]
    folds = {
        "type": "scatter",
        "x": [auc for _, auc in dots],
        "y": [name for name, _ in dots],
        "mode": "markers",
        "marker": {"color": figures.KNOWN, "size": 9, "opacity": 0.6},
        "name": "fold",
        "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
    }
    line = {"color": figures.KNOWN, "width": 3}
    means = {
        "type": "scatter",
        "x": [scores.mean(name) for name in scores.by_scheme],
        "y": list(scores.by_scheme),
        "mode": "markers",
        "marker": {"symbol": "line-ns", "size": 22, "line": line},
        "name": "mean",
        "hovertemplate": "%{y}, mean: %{x:.3f}<extra></extra>",
    }
    return [folds, means]


def _pinned_means(pinned: Scores, names: list[Scheme]) -> dict[str, Any]:
    look = {"symbol": "diamond-open", "size": 12, "color": figures.SYNTHETIC, "line": {"width": 2}}
    return {
        "type": "scatter",
        "x": [pinned.mean(name) for name in names],
        "y": names,
        "mode": "markers",
        "marker": look,
        "name": "mean, run A",
        "hovertemplate": "%{y}, mean in run A: %{x:.3f}<extra></extra>",
    }


def empty_folds(result: SplitsResult) -> go.Figure:
    """Draw how often a fold has no positives, by their number. To see first: how many are
    enough.
    """
    n, k = len(result.rows.y), result.params.n_splits
    counts = np.arange(1, 61)
    chances = np.array([chance_of_empty(n, int(count), k) for count in counts])
    figure = figures.new_tall(
        "Splits with a fold without positives",
        height=380,
        x="positives among all rows",
        y="splits with an empty fold, %",
    )
    figure.add_scatter(
        x=counts,
        y=(100 * chances).round(3),
        mode="lines",
        line={"color": figures.KNOWN, "width": 3},
        name="plain split",
        hovertemplate="%{x} positives: %{y:.1f}% of the splits<extra></extra>",
    )
    own = round(result.params.rate * n)
    if own <= counts[-1]:
        figure.add_scatter(
            x=[own],
            y=[100 * result.simulated_empty],
            mode="markers",
            marker={"color": figures.SYNTHETIC, "size": 14, "symbol": "diamond"},
            name="simulated",
            hovertemplate="%{x} positives: %{y:.1f}% of the shuffles<extra></extra>",
        )
    figure.add_scatter(
        x=[k, 60],
        y=[0, 0],
        mode="lines",
        line={"color": figures.HELD_OUT, "width": 3},
        name="stratified split",
        hoverinfo="name",
    )
    figure.update_layout(
        xaxis={"showgrid": True, "rangemode": "tozero"},
        yaxis={"showgrid": True, "range": [-3, 103]},
    )
    return figure
