"""Figures of *growth*: seconds as the rows grow, and the pairs that explain them."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.feature_store.growth import GrowthResult, Point
from engine.feature_store.growth.joins import CONTESTANTS
from engine.units import format_seconds

COLORS: dict[str, str] = dict(
    zip(
        CONTESTANTS,
        (figures.FAILED, figures.KNOWN, figures.SYNTHETIC, figures.HELD_OUT, figures.EXTRA),
        strict=True,
    )
)
SYMBOLS: dict[str, str] = dict(
    zip(CONTESTANTS, ("square", "circle", "diamond", "triangle-up", "cross"), strict=True)
)


def growth(result: GrowthResult, pinned: GrowthResult | None = None) -> go.Figure:
    """Draw every run over the size, log-log. To see first: the line that climbs steeper than the
    others.
    """
    traces: list[dict[str, Any]] = []
    for name in result.params.contestants:
        points = result.points_of(name)
        if not points:
            continue
        traces += _runs(name, points, result.slope(name))
        earlier = pinned.points_of(name) if pinned is not None else []
        if earlier:
            line = {"color": COLORS[name], "width": 1.5, "dash": "dot"}
            at = {
                "x": [point.n_labels for point in earlier],
                "y": [point.best_seconds for point in earlier],
            }
            traces.append(
                {
                    "type": "scatter",
                    **at,
                    "mode": "lines",
                    "name": f"{name}, pinned run A",
                    "line": line,
                }
            )
    sizes = sorted({point.n_labels for point in result.points})
    return figures.drawn(
        _title(result),
        traces,
        height=480,
        x="labels (feature rows grow alike)",
        y="seconds a join",
        xaxis={"type": "log", "tickvals": sizes, "ticktext": [f"{size:,}" for size in sizes]},
        yaxis={"type": "log", "tickformat": "~s", "ticksuffix": "s", "dtick": 1},
    )


def _runs(name: str, points: list[Point], slope: float | None) -> list[dict[str, Any]]:
    """Return the line of a contestant's fastest runs, and every run as a small dot."""
    label = name if slope is None else f"{name}, slope {slope:.1f}"
    best = {
        "type": "scatter",
        "x": [point.n_labels for point in points],
        "y": [point.best_seconds for point in points],
        "mode": "lines+markers",
        "name": label,
        "line": {"color": COLORS[name], "width": 2.5},
        "marker": {"symbol": SYMBOLS[name], "size": 9},
        "customdata": [[point.n_pairs, format_seconds(point.best_seconds)] for point in points],
        "hovertemplate": (
            "%{x:,} labels: %{customdata[1]}, %{customdata[0]:,} pairs<extra>" + name + "</extra>"
        ),
    }
    runs = [(point.n_labels, seconds) for point in points for seconds in point.seconds]
    every = {
        "type": "scatter",
        "x": [n for n, _ in runs],
        "y": [seconds for _, seconds in runs],
        "mode": "markers",
        "marker": {"color": COLORS[name], "size": 4, "opacity": 0.6},
        "showlegend": False,
        "hoverinfo": "skip",
    }
    return [best, every]


def _title(result: GrowthResult) -> str:
    file, others = (
        result.points_of("Feast file"),
        [p for p in result.points if p.contestant.split()[0] in ("pandas", "Polars", "DuckDB")],
    )
    if len(file) < 2 or not others:
        return "Seconds as labels and feature rows grow"
    first, last = file[0], file[-1]
    slowest = max(point.best_seconds for point in others)
    return (
        f"{first.n_labels:,} to {last.n_labels:,} labels: Feast goes from"
        f" {format_seconds(first.best_seconds)} to {format_seconds(last.best_seconds)} in its file"
        f" store;<br>no as-of join takes more than {format_seconds(slowest)}"
    )


def pairs(result: GrowthResult) -> go.Figure:
    """Draw the Feast stores' seconds over the pairs that they join. To see first: all keys and
    sizes on one line.
    """
    figure = figures.new_tall(
        _pairs_title(result),
        height=420,
        x="pairs joined before the time is looked at",
        y="seconds a join",
    )
    lanes: list[tuple[str, str, list[Point], str]] = [
        ("Feast file, other numbers of keys", "Feast file", list(result.sweep), "square-open"),
        ("Feast file", "Feast file", result.points_of("Feast file"), "square"),
        (
            "Feast duckdb, pairs in the window",
            "Feast duckdb",
            result.points_of("Feast duckdb"),
            "circle",
        ),
    ]
    for label, name, points, symbol in lanes:
        if points:
            figure.add_scatter(
                x=[max(1, point.n_pairs) for point in points],
                y=[point.best_seconds for point in points],
                mode="markers+text" if "open" in symbol else "markers",
                text=[f"{point.n_keys:,} key{'s' if point.n_keys > 1 else ''}" for point in points],
                textposition="top center",
                cliponaxis=False,
                name=label,
                marker={"color": COLORS[name], "symbol": symbol, "size": 11, "line": {"width": 2}},
                customdata=[
                    [p.n_keys, p.n_labels, p.n_rows, format_seconds(p.best_seconds)] for p in points
                ],
                hovertemplate=(
                    "%{customdata[1]:,} labels × %{customdata[2]:,} rows, %{customdata[0]:,} keys:"
                    " %{x:,} pairs, %{customdata[3]}<extra></extra>"
                ),
            )
    figure.update_layout(
        xaxis={"type": "log", "dtick": 1, "tickformat": ",.0f", "showgrid": True},
        yaxis={"type": "log", "tickformat": "~s", "ticksuffix": "s", "dtick": 1},
    )
    return figure


def _pairs_title(result: GrowthResult) -> str:
    points = [*result.points_of("Feast file"), *result.sweep]
    if not points:
        return "Pairs that Feast's stores join"
    most = max(points, key=lambda point: point.n_pairs)
    each = most.best_seconds / max(1, most.n_pairs)
    keys = "key" if most.n_keys == 1 else "keys"
    return (
        f"{most.n_pairs:,} pairs at {format_seconds(each)} each are the"
        f" {format_seconds(most.best_seconds)} of {most.n_keys:,} {keys}:<br>the file store's time"
        " follows the pairs, not the rows"
    )


def memory(result: GrowthResult) -> go.Figure:
    """Draw the peak memory of each join. To see first: the longest bar."""
    peaks = result.peak_bytes or {}
    names = [name for name in result.params.contestants if name in peaks]
    megabytes = np.asarray([peaks[name] / 1e6 for name in names])
    title = (
        f"{names[int(megabytes.argmax())]} needs {megabytes.max():,.0f} MB on top"
        if names
        else "Peak memory"
    )
    figure = figures.new(title, height=300, x="peak memory beyond what the process held before, MB")
    figure.add_bar(
        orientation="h",
        x=megabytes,
        y=names,
        marker_color=[COLORS[name] for name in names],
        text=[f"{size:,.0f} MB" for size in megabytes],
        textposition="auto",
        hovertemplate="%{y}: %{x:,.1f} MB<extra></extra>",
    )
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1])
    return figure
