"""Figures of *growth*: seconds as the rows grow, and the pairs that explain them."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.feature_store.growth import GrowthResult, Point
from engine.feature_store.growth.joins import CONTESTANTS
from engine.texts import strip_marks
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
    """Draw every run over the size, log-log; before any run the pairs. To see first: the line that
    is steeper than the others.
    """
    if not result.points:
        return _expected(result)
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
    sizes = {point.n_labels for point in result.points}
    ticks = {"tickformat": "~s", "ticksuffix": "s"}
    return _over_labels(result, traces, sizes, "time per join", ticks)


def _over_labels(
    result: GrowthResult,
    traces: list[dict[str, Any]],
    sizes: set[int],
    y: str,
    ticks: dict[str, str],
) -> go.Figure:
    """Draw traces over the number of labels, both axes logarithmic; ``ticks`` are of the y axis."""
    numbers = sorted(sizes)
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=460,
        x="labels (feature rows grow in proportion)",
        y=y,
        xaxis={"type": "log", "tickvals": numbers, "ticktext": [f"{n:,}" for n in numbers]},
        yaxis={"type": "log", "dtick": 1, **ticks},
    )


def _line(name: str) -> dict[str, Any]:
    """Return the look of a contestant's line with its marks."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "line": {"color": COLORS[name], "width": 2.5},
        "marker": {"symbol": SYMBOLS[name], "size": 9},
    }


def _runs(name: str, points: list[Point], slope: float | None) -> list[dict[str, Any]]:
    """Return the line of a contestant's fastest runs, and every run as a small dot."""
    label = name if slope is None else f"{name}, slope {slope:.1f}"
    best = {
        **_line(name),
        "x": [point.n_labels for point in points],
        "y": [point.best_seconds for point in points],
        "name": label,
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


def _expected(result: GrowthResult) -> go.Figure:
    """Draw the pairs that each join compares, which are known without joining."""
    traces = []
    for name in result.params.contestants:
        counted = [(n, pairs) for other, n, pairs in result.counted if other == name]
        traces.append(
            {
                **_line(name),
                "x": [n for n, _ in counted],
                "y": [max(1, pairs) for _, pairs in counted],
                "hovertemplate": "%{x:,} labels: %{y:,} pairs<extra>" + name + "</extra>",
            }
        )
    sizes = {n for _, n, _ in result.counted}
    return _over_labels(result, traces, sizes, "pairs joined (expected)", {"tickformat": ",.0f"})


def pairs(result: GrowthResult) -> go.Figure:
    """Draw the Feast stores' seconds over the pairs that they join. To see first: all keys and
    sizes on one line.
    """
    figure = figures.new_tall(
        "Time by pairs joined before the time filter",
        height=420,
        x="pairs joined before the time filter",
        y="time per join",
    )
    lanes: list[tuple[str, str, list[Point], str]] = [
        ("Feast file, other keys", "Feast file", list(result.sweep), "square-open"),
        ("Feast file", "Feast file", result.points_of("Feast file"), "square"),
        (
            "Feast duckdb",
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


def memory(result: GrowthResult) -> go.Figure:
    """Draw the peak memory of each join. To see first: the longest bar."""
    peaks = result.peak_bytes or {}
    names = [name for name in result.params.contestants if name in peaks]
    megabytes = np.asarray([peaks[name] / 1e6 for name in names])
    figure = figures.new("Peak memory of each join", height=300, x="peak memory added, MB")
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
