"""Figures of *partition explorer*: rows of each partition, and single keys on their way through the
hash.

Blue is a partition as computed here, green what Spark measured, sky blue where the followed key
lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.spark.partitioning.real import Measured
from engine.spark.partitioning.result import PartitioningResult, Route
from engine.units import format_factor, format_share

MAX_BARS = 400


@figures.quoting
def partitions(
    result: PartitioningResult,
    measured: Measured | None = None,
    pinned: PartitioningResult | None = None,
) -> go.Figure:
    """Draw the rows of each partition. To see first: the tallest bar against the line of the
    mean.
    """
    p, n = result.params, len(result.rows)
    folders = p.strategy == "partitionBy files"
    order = np.argsort(-result.rows, kind="stable")[:MAX_BARS] if folders else np.arange(n)
    named = (
        f"the {len(order)} largest of {n:,} folders"
        if n > len(order)
        else f"{n:,} {'folders' if folders else 'partitions'}"
    )
    empty = n - result.non_empty
    title = f"Largest partition: {format_factor(result.skew)} the mean" + (
        f", {empty} of {n} empty" if empty else ""
    )
    x = [result.labels[i] for i in order] if folders else order
    figure = figures.new_tall(
        title, height=430, x=f"{'folder' if folders else 'partition'} ({named})", y="rows"
    )
    _draw_computed(figure, result, x, order)
    if measured is not None:
        shown = list(order) if folders else list(range(len(measured.rows)))
        figure.add_scatter(
            x=x if folders else shown,
            y=measured.rows[shown],
            mode="markers",
            marker={
                "color": figures.HELD_OUT,
                "symbol": "line-ew",
                "size": 12 if n <= 60 else 5,
                "line": {"color": figures.HELD_OUT, "width": 3},
            },
            name="measured by Spark",
            hovertemplate="Spark, partition %{x}: %{y:,} rows<extra></extra>",
        )
    if pinned is not None and not folders and pinned.params.strategy != "partitionBy files":
        _draw_pinned(figure, pinned)
    mean = float(result.rows.mean())
    figure.add_scatter(
        x=[x[0], x[-1]],
        y=[mean, mean],
        mode="lines",
        line={"color": figures.WAITING, "dash": "dash", "width": 2},
        name=f"mean {mean:,.0f}",
        hoverinfo="skip",
    )
    figure.update_layout(bargap=0.15, showlegend=True)
    if folders:
        figure.update_xaxes(type="category")
    return figure


def _draw_computed(
    figure: go.Figure, result: PartitioningResult, x: Any, order: np.ndarray
) -> None:
    here = {_bar_of_key(result): figures.EXTRA}
    figure.add_bar(
        x=x,
        y=result.rows[order],
        marker={
            "color": [here.get(i, figures.KNOWN) for i in order.tolist()],
            "line": {"width": 0},
        },
        name=(
            f"computed here; {result.typed.key} in sky blue"
            if _bar_of_key(result) is not None
            else "computed here"
        ),
        hovertemplate="partition %{x}: %{y:,} rows<extra></extra>",
    )


def _draw_pinned(figure: go.Figure, pinned: PartitioningResult) -> None:
    figure.add_scatter(
        x=np.arange(len(pinned.rows)),
        y=pinned.rows,
        mode="lines",
        line={"color": figures.SYNTHETIC, "shape": "hvh", "width": 2},
        name=f"pinned run A ({pinned.params.strategy}, {len(pinned.rows)})",
        hovertemplate="A, partition %{x}: %{y:,} rows<extra></extra>",
    )


def _bar_of_key(result: PartitioningResult) -> int | None:
    """Return the bar in which the followed key lies, where the key decides."""
    if result.params.strategy in ("hash", "bucketing"):
        return result.typed.after
    return result.labels.index(result.typed.key) if result.typed.key in result.labels else None


@figures.quoting
def routes(result: PartitioningResult) -> go.Figure:
    """Draw the commonest keys from their name over the old partition to the new one. To see first:
    which lines move.
    """
    p = result.params
    shown = [route for route in result.routes if route.key != result.typed.key][
        : len(result.routes) - 1
    ]
    lanes = [result.typed, *shown]
    title = f"{format_share(result.moved_share)} of all rows move"
    figure = figures.new(f"{p.n_before} → {p.n_partitions} partitions: {title}", height=430)
    groups = (
        ("stays", [route for route in shown if not route.moved], figures.WAITING, 2.0),
        ("moves", [route for route in shown if route.moved], figures.KNOWN, 2.0),
        (f"{result.typed.key}: hash {result.typed.hash:,}", [result.typed], figures.EXTRA, 5.0),
    )
    for name, group, color, width in groups:
        xs: list[float | None] = []
        ys: list[float | None] = []
        for route in group:
            xs += [0, 1, 2, None]
            ys += [*_heights(route, lanes, result), None]
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": color, "width": width},
            name=name,
            hoverinfo="skip",
            showlegend=bool(group),
        )
    points = [
        (x, _heights(route, lanes, result)[x], _label(route, x))
        for route in lanes
        for x in (0, 1, 2)
    ]
    at = {(x, round(y, 6)): label for x, y, label in reversed(points)}
    figure.add_scatter(
        x=[x for x, _ in at],
        y=[y for _, y in at],
        text=list(at.values()),
        mode="markers+text",
        textposition=[("middle left", "top center", "middle right")[x] for x, _ in at],
        marker={"color": figures.WAITING, "size": 6},
        hoverinfo="text",
        showlegend=False,
        cliponaxis=False,
    )
    ticks = ["key", f"hash mod {p.n_before}", f"hash mod {p.n_partitions}"]
    figure.update_layout(
        xaxis={
            "tickvals": [0, 1, 2],
            "ticktext": ticks,
            "range": [-0.6, 2.5],
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={"visible": False, "range": [1.05, -0.05]},
    )
    return figure


def _heights(
    route: Route, lanes: list[Route], result: PartitioningResult
) -> tuple[float, float, float]:
    """Return where a key stands in each of the three columns, 0 (top) … 1."""
    p = result.params
    rank = (lanes.index(route) + 0.5) / len(lanes)
    return rank, (route.before + 0.5) / p.n_before, (route.after + 0.5) / p.n_partitions


def _label(route: Route, column: int) -> str:
    return (f"{route.key} ({route.n_rows:,})", str(route.before), str(route.after))[column]
