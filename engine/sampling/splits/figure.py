"""Figures of *splits*: folds as bands over the rows, each scheme's scores against the later truth,
empty folds.

Blue trains, green is tested, grey is left out; the later quarter's score is a green line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.sampling.splits import LEFT_OUT, TEST, TRAIN, Scheme, Scores, SplitsResult
from engine.sampling.splits.empty_folds import chance_of_empty
from engine.units import format_share, format_signed

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct")
FIRST_HOURS = 24 * np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30])
COLORS = {LEFT_OUT: figures.WAITING, TRAIN: figures.KNOWN, TEST: figures.HELD_OUT}
NAMES = {TRAIN: "trains", TEST: "is tested", LEFT_OUT: "left out"}
MAX_DRAWN = 1_500  # rows drawn across; more are drawn evenly thinned


def bands(result: SplitsResult) -> go.Figure:
    """Draw each fold as a band over the rows in time order. To see first: how finely green is mixed
    into blue.
    """
    n = len(result.rows.y)
    drawn = np.linspace(0, n - 1, min(n, MAX_DRAWN)).astype(int)
    names = [f"fold {number + 1}" for number in range(len(result.roles))]
    title = (
        f"{format_share(result.overlap_share)} of the training rows share<br>their answer with a"
        " test row"
    )
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
    shares = [
        f"{format_share(train)} · {format_share(test)}"
        for train, test in zip(result.positives(TRAIN), result.positives(TEST), strict=True)
    ]
    ticks = [
        (int(np.searchsorted(result.rows.hour[drawn], hour)), month)
        for hour, month in zip(FIRST_HOURS, MONTHS, strict=False)
    ]
    known = [(place, month) for place, month in ticks if place < len(drawn)]
    notes = figures.side_notes(
        [*names, len(names) - 0.5], [*shares, "positives in<br>training · test"]
    )
    notes[-1] |= {"yanchor": "bottom", "align": "left"}
    return figures.drawn(
        title,
        [folds, *(_legend_entry(role) for role in (TRAIN, TEST, LEFT_OUT))],
        height=190 + 46 * len(names),
        x="flights in order of departure, 2013",
        annotations=notes,
        xaxis={
            "tickvals": [place for place, _ in known],
            "ticktext": [month for _, month in known],
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.5, len(names) + 0.4],
        },
        margin={"r": 130},
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
    """Draw every fold's AUC by scheme and the later quarter's. To see first: which schemes lie
    right of the green line.
    """
    title = "The first folds are being fitted"
    if "shuffled" in scores.by_scheme:
        gap = scores.mean("shuffled") - scores.later_auc
        title = (
            f"Shuffled folds promise {format_signed(gap)} AUC<br>over what the later quarter gives"
        )
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
            "name": "later quarter",
            "hoverinfo": "name",
        }
        traces.append(later)
    return figures.drawn(
        title,
        traces,
        height=210 + 44 * max(3, len(names)),
        x="AUC of each fold (dot), mean (line)",
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
        "name": "one fold",
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
        "name": "mean in pinned run A",
        "hovertemplate": "%{y}, mean in run A: %{x:.3f}<extra></extra>",
    }


def empty_folds(result: SplitsResult) -> go.Figure:
    """Draw the chance of a fold without positives by how many there are. To see first: how many
    make it safe.
    """
    n, k = len(result.rows.y), result.params.n_splits
    counts = np.arange(1, 61)
    chances = np.array([chance_of_empty(n, int(count), k) for count in counts])
    safe = counts[chances < 0.01]
    least = (
        f"{safe[0]:,} positives make it less than 1%"
        if len(safe)
        else "60 positives are not enough to be safe"
    )
    title = f"A plain split into {k} folds:<br>{least}"
    figure = figures.new_tall(
        title, height=380, x="positives among all rows", y="splits with an empty fold, %"
    )
    figure.add_scatter(
        x=counts,
        y=(100 * chances).round(3),
        mode="lines",
        line={"color": figures.KNOWN, "width": 3},
        name="plain split, exact",
        hovertemplate="%{x} positives: %{y:.1f}% of the splits<extra></extra>",
    )
    own = round(result.params.rate * n)
    if own <= counts[-1]:
        figure.add_scatter(
            x=[own],
            y=[100 * result.simulated_empty],
            mode="markers",
            marker={"color": figures.SYNTHETIC, "size": 14, "symbol": "diamond"},
            name=f"simulated at {format_share(result.params.rate)}",
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
