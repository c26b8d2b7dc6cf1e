"""Figures of *lineage*: the points with the parents of each synthetic one, step by step, and what
kind the seeds are.

Orange is synthetic; minority points are coloured by their kind, majority points are grey, removed
ones crossed out. The frames that play a few points step by step are part of the figure: stepping
needs no server.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.errors import name_in_sentence
from engine.sampling.lineage import player
from engine.sampling.lineage.result import KINDS, LineageResult

KIND_COLORS = {
    "safe": figures.KNOWN,
    "borderline": figures.EXTRA,
    "rare": figures.FAILED,
    "outlier": figures.LEAKED,
}
KIND_SYMBOLS = {"safe": "circle", "borderline": "square", "rare": "diamond", "outlier": "star"}
OTHER_SYMBOLS = ("circle", "triangle-up", "square", "cross")  # of more than two classes
MAX_LINES = 1_000  # parents' lines drawn at once
LEGEND_TOP = {"y": 1, "yref": "paper", "yanchor": "bottom"}  # the player is below
LEGEND_PIXELS = 40
PLAYER_PIXELS = 116


def plane(
    result: LineageResult,
    pinned: LineageResult | None = None,
    *,
    made: int = 0,
    removed: int | None = None,
    lines: bool = False,
    close: bool = False,
) -> go.Figure:
    """Draw input, synthetic and removed points. To see first: where the synthetic points are, one
    with its parents.

    ``close`` shows the neighbourhood of the picked point alone.
    """
    x, y = result.points.names[:2]
    traces = _input(result)
    if lines:
        traces.append(_lines(result))
    if pinned is not None:
        traces += _points(
            pinned.synthetic, "run A, synthetic", figures.SYNTHETIC, size=8, hollow=True
        )
        gone = np.vstack([pinned.points.X, pinned.synthetic])[pinned.removal.index]
        traces += _points(
            gone, "run A, removed", figures.SYNTHETIC, size=11, symbol="square", hollow=True
        )
    votes = (
        result.synthetic_category if len(result.synthetic_category) else [""] * result.n_synthetic
    )
    custom = [
        ["made", i, f", category {vote} by vote" if vote else ""] for i, vote in enumerate(votes)
    ]
    traces += _points(result.synthetic, "synthetic", figures.SYNTHETIC, size=6, custom=custom)
    traces += _points(result.centroids, "centroids", figures.SYNTHETIC, size=7, symbol="hexagon")
    traces += _removed(result)
    layout: dict[str, Any] = {"meta": {"top": LEGEND_PIXELS}, "legend": LEGEND_TOP}
    frames: list[dict[str, Any]] = []
    if result.n_synthetic:
        frames = player.frames(
            result, made, n_played=1 if close else player.N_PLAYED, first=len(traces)
        )
        traces += player.picked(result, made)
        layout |= player.controls([frame["name"] for frame in frames], len(player.stages(result)))
        layout |= {"margin": {"b": PLAYER_PIXELS}, "annotations": [_across(x)]}
        x = ""
    elif removed is not None and result.n_removed:
        traces += _reason(result, removed)
    if close and (result.n_synthetic or removed is not None):
        layout |= _close(_around(result, made, removed))
    figure = figures.drawn(_title(result), traces, height=540, x=x, y=y, **layout)
    if frames:
        figure.frames = frames
    return figure


def _input(result: LineageResult) -> list[dict[str, Any]]:
    """Return the input points by class and kind, without those that are drawn as removed."""
    stays = np.ones(len(result.points.y), bool)
    stays[result.removal.index[result.removal.index < len(stays)]] = (
        False  # drawn crossed out, and clickable
    )
    X, rows, kinds = result.points.X, result.minority_index, result.kinds()
    traces = _others(result, stays)
    for number, kind in enumerate(KINDS):
        here = rows[(kinds == number) & stays[rows]]
        traces += _points(X[here], kind, KIND_COLORS[kind], size=9, symbol=KIND_SYMBOLS[kind])
    return traces


def _others(result: LineageResult, stays: np.ndarray) -> list[dict[str, Any]]:
    """Return the rows that are not of the minority, one trace for each of the largest classes."""
    points, look = result.points, dict[str, Any](size=5, opacity=0.6)
    if not points.has_more_classes:
        here = stays & (points.y == 0)
        return _points(points.X[here], "majority", figures.WAITING, **look)
    traces = []
    order = [code for code in np.argsort(-points.sizes, kind="stable") if code != points.minority]
    named = order if len(order) <= len(OTHER_SYMBOLS) else order[: len(OTHER_SYMBOLS) - 1]
    for code, symbol in zip(named, OTHER_SYMBOLS, strict=False):
        here, name = stays & (points.labels == code), points.name_of(code)
        traces += _points(points.X[here], name, figures.WAITING, symbol=symbol, **look)
    here = stays & (points.y == 0) & ~np.isin(points.labels, named)
    return traces + _points(
        points.X[here], "other classes", figures.WAITING, symbol=OTHER_SYMBOLS[-1], **look
    )


def _around(result: LineageResult, made: int, removed: int | None) -> np.ndarray:
    """Return the places that the picked synthetic or removed point has to do with, (n, 2)."""
    X = np.vstack([result.points.X, result.synthetic])[:, :2]
    if result.n_synthetic:
        rows = [
            result.record.seed_index[made],
            *result.record.neighbours[made],
            len(result.points.y) + made,
        ]
    else:
        near = result.removal.neighbours[removed or 0]
        rows = [result.removal.index[removed or 0], *near[near >= 0]]
    return np.asarray(X[np.asarray(rows, dtype=int)])


def _close(places: np.ndarray) -> dict[str, Any]:
    """Return the axes' ranges that show ``places`` and some room around them."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.maximum(0.35 * (high - low), 0.05 * max(1e-9, float(np.abs(places).max())))
    ranges = [
        {"range": [float(low[axis] - room[axis]), float(high[axis] + room[axis])]}
        for axis in (0, 1)
    ]
    return {"xaxis": ranges[0], "yaxis": ranges[1]}


def _title(result: LineageResult) -> str:
    return f"Points before and after {result.params.method}"


def _across(name: str) -> dict[str, Any]:
    """Return the name of the axis across as a note inside the plot: the player is below it."""
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": 0, "yref": "paper"}
    return {**place, "yanchor": "bottom", "text": f"{name} →", "showarrow": False}


def _points(
    X: np.ndarray,
    name: str,
    color: str,
    *,
    size: int,
    symbol: str = "circle",
    hollow: bool = False,
    opacity: float = 1,
    custom: list[list[Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return the trace of the points, none if there are none."""
    if not len(X):
        return []
    line = {"color": color, "width": 1 if hollow or "thin" in symbol else 0}
    return [
        {
            "type": "scatter",
            "x": X[:, 0].astype(np.float32),
            "y": X[:, 1].astype(np.float32),
            "mode": "markers",
            "name": name,
            "opacity": opacity,
            "marker": {
                "color": figures.HOLLOW if hollow else color,
                "size": size,
                "symbol": symbol,
                "line": line,
            },
            "customdata": np.array(custom, object) if custom else None,
            "hovertemplate": (
                "%{customdata[0]} %{customdata[1]:,}%{customdata[2]}" if custom else name
            )
            + "<extra></extra>",
        }
    ]


def _removed(result: LineageResult) -> list[dict[str, Any]]:
    rows = np.vstack([result.points.X, result.synthetic])[result.removal.index]
    custom = [["removed", i, ""] for i in range(result.n_removed)]
    return _points(rows, "removed", figures.LEAKED, size=8, symbol="x-thin", custom=custom)


def _lines(result: LineageResult) -> dict[str, Any]:
    """Return the line between the parents of each synthetic point, each pair once."""
    pairs = np.unique(
        np.sort(np.column_stack([result.record.seed_index, result.record.neighbour_index]), axis=1),
        axis=0,
    )[:MAX_LINES]
    ends = result.points.X[pairs].astype(np.float32)
    gaps = np.full((len(pairs), 1, 2), np.nan, np.float32)
    flat = np.concatenate([ends[:, :, :2], gaps], axis=1).reshape(-1, 2)
    return {
        "type": "scatter",
        "x": flat[:, 0],
        "y": flat[:, 1],
        "mode": "lines",
        "line": {"color": figures.SYNTHETIC, "width": 0.7},
        "opacity": 0.6,
        "hoverinfo": "skip",
        "name": "parents",
    }


def _reason(result: LineageResult, place: int) -> list[dict[str, Any]]:
    """Return the picked removed point with the rows that decided."""
    X = np.vstack([result.points.X, result.synthetic])
    row = X[result.removal.index[place]]
    near = X[result.removal.neighbours[place][result.removal.neighbours[place] >= 0]]
    lines = (
        player.path(*(end for other in near for end in (row, other)))
        if len(near)
        else {"x": [None], "y": [None]}
    )
    line = {"color": figures.LEAKED, "width": 2, "dash": "dot"}
    ring = {"symbol": "circle-open", "size": 17, "color": figures.LEAKED, "line": {"width": 2}}
    look = {"type": "scatter", "hoverinfo": "skip"}
    return [
        {**look, **lines, "mode": "lines", "line": line, "name": "why removed"},
        {
            **look,
            "x": [row[0]],
            "y": [row[1]],
            "mode": "markers",
            "marker": ring,
            "name": "picked",
        },
    ]


def origins(result: LineageResult, pinned: LineageResult | None = None) -> go.Figure:
    """Draw each kind's share of the minority and of the seeds. To see first: from which kind the
    method starts.
    """
    kinds = _kind_of(result)
    there, seeds = _shares(kinds, result.minority_index), _shares(kinds, result.record.seed_index)
    runs = [("minority points", figures.WAITING, there)]
    if result.n_synthetic:
        runs.append(("seeds", figures.SYNTHETIC, seeds))
    if pinned is not None and pinned.n_synthetic:
        runs.append(
            (
                "seeds, run A",
                figures.EXTRA,
                _shares(_kind_of(pinned), pinned.record.seed_index),
            )
        )
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "y": list(KINDS),
            "x": 100 * shares,
            "name": name,
            "marker": {"color": color},
            "hovertemplate": "%{y}: %{x:.0f}% of the " + name + "<extra></extra>",
        }
        for name, color, shares in runs
    ]
    return figures.drawn(
        "Kinds of minority points and of seeds",
        bars,
        height=360,
        x="share of the points, %",
        xaxis={"range": [0, 100], "showgrid": True},
        yaxis={"categoryorder": "array", "categoryarray": list(KINDS)[::-1]},
    )


def vote(result: LineageResult, made: int) -> go.Figure:
    """Draw the squared distance from the seed to each voter of one synthetic point, and to the rows
    that the penalty keeps from voting. To see first: rows near in numbers that have no vote.
    """
    found = result.vote(made)
    voters = [True] * found.n_neighbours + [False] * (len(found.rows) - found.n_neighbours)
    lanes = [
        f"{place}. {name_in_sentence(str(category))}, row {row:,}"
        if votes
        else f"no vote: {name_in_sentence(str(category))}, row {row:,}"
        for place, (votes, category, row) in enumerate(
            zip(voters, found.categories, found.rows, strict=True), start=1
        )
    ]
    parts = [
        ("numbers", figures.KNOWN, found.by_numbers),
        ("penalty", figures.LEAKED, found.differs * found.penalty**2),
    ]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "y": lanes,
            "x": values,
            "name": name,
            "marker": {"color": color, "opacity": [1.0 if votes else 0.45 for votes in voters]},
            "hovertemplate": "%{y}: %{x:.3f} by " + name + "<extra></extra>",
        }
        for name, color, values in parts
    ]
    return figures.drawn(
        "Squared distance to the seed, by part",
        bars,
        height=max(300, 130 + 26 * len(lanes)),
        x="squared distance",
        barmode="stack",
        xaxis={"showgrid": True},
        yaxis={"categoryorder": "array", "categoryarray": lanes[::-1]},
    )


def _kind_of(result: LineageResult) -> np.ndarray:
    """Return each input row's kind, (n,), a place in KINDS; the majority's 0 is never asked for."""
    kind_of = np.zeros(len(result.points.y), int)
    kind_of[result.minority_index] = result.kinds()
    return kind_of


def _shares(kind_of: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the share of ``rows`` (minority rows, repeats counted) that is of each kind, (4,)."""
    counts = np.bincount(kind_of[rows], minlength=len(KINDS))
    return np.asarray(counts / max(1, len(rows)))
