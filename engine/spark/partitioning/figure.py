"""Figures of *partition explorer*: rows of each partition, and single keys on their way through the
hash.

Blue is a partition as computed here, light blue the one with the followed key, green what Spark
measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.spark.partitioning.real import Measured
from engine.spark.partitioning.result import PartitioningResult, Route
from engine.texts import strip_marks
from engine.units import format_number

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
    x = [result.labels[i] for i in order] if folders else order.tolist()
    traces = _computed(result, x, order)
    if measured is not None:
        only_spark = np.arange(n, len(measured.rows))
        shown = np.concatenate((order, only_spark))
        names = [measured.labels[i] for i in shown] if folders else shown.tolist()
        traces.append(_measured(measured, names, shown))
    if pinned is not None and not folders and pinned.params.strategy != "partitionBy files":
        traces.append(_pinned(pinned))
    mean = float(result.rows.mean())
    traces.append(
        {
            "type": "scatter",
            "x": [x[0], x[-1]],
            "y": [mean, mean],
            "mode": "lines",
            "line": {"color": figures.WAITING, "dash": "dash", "width": 2},
            "name": f"mean {mean:,.0f}",
            "hoverinfo": "skip",
        }
    )
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=480,
        x=f"{'folder' if folders else 'partition'} ({named})",
        y="rows",
        bargap=0.15,
        barmode="overlay",
        **({"xaxis": {"type": "category"}} if folders else {}),
    )


def _computed(result: PartitioningResult, x: list[Any], order: np.ndarray) -> list[dict[str, Any]]:
    """Return the bars: of the partition with the followed key, where the key decides, and of all
    others.
    """
    followed = order == (-1 if result.followed is None else result.followed)
    groups = (("computed", ~followed, figures.KNOWN), (result.typed.key, followed, figures.EXTRA))
    return [
        {
            "type": "bar",
            "x": [x[i] for i in np.flatnonzero(chosen)],
            "y": result.rows[order][chosen],
            "marker": {"color": color, "line": {"width": 0}},
            "name": name if name == "computed" else f"with {name}",
            "hovertemplate": "partition %{x}: %{y:,} rows<extra></extra>",
        }
        for name, chosen, color in groups
        if chosen.any()
    ]


def _measured(measured: Measured, x: list[Any], shown: np.ndarray) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": x,
        "y": measured.rows[shown],
        "mode": "markers",
        "marker": {
            "color": figures.HELD_OUT,
            "symbol": "line-ew",
            "size": 12 if len(shown) <= 60 else 5,
            "line": {"color": figures.HELD_OUT, "width": 3},
        },
        "name": "measured by Spark",
        "hovertemplate": "Spark, partition %{x}: %{y:,} rows<extra></extra>",
    }


def _pinned(pinned: PartitioningResult) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": np.arange(len(pinned.rows)),
        "y": pinned.rows,
        "mode": "lines",
        "line": {"color": figures.SYNTHETIC, "shape": "hvh", "width": 2},
        "name": "pinned run A",
        "hovertemplate": f"A ({pinned.params.strategy}), partition %{{x}}: %{{y:,}} rows"
        "<extra></extra>",
    }


@figures.quoting
def routes(result: PartitioningResult) -> go.Figure:
    """Draw the most frequent keys from their name over the old partition to the new one. To see
    first: which lines change.
    """
    p = result.params
    shown = [route for route in result.routes if route.key != result.typed.key][
        : len(result.routes) - 1
    ]
    lanes = [result.typed, *shown]
    ticks = ["key (rows)", f"hash mod {p.n_before}", f"hash mod {p.n_partitions}"]
    return figures.drawn(
        f"Most frequent keys: partition of {p.n_before} and of {p.n_partitions}",
        [*_lines(result, lanes), _labels(result, lanes)],
        height=430,
        xaxis={
            "tickvals": [0, 1, 2],
            "ticktext": ticks,
            "range": [-0.6, 2.5],
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={"visible": False, "range": [1.05, -0.05]},
    )


def _lines(result: PartitioningResult, lanes: list[Route]) -> list[dict[str, Any]]:
    shown = lanes[1:]
    groups = (
        ("stays", [route for route in shown if not route.moved], figures.WAITING, 2.0),
        ("moves", [route for route in shown if route.moved], figures.KNOWN, 2.0),
        (
            f"{result.typed.key}: hash {format_number(result.typed.hash)}",
            [result.typed],
            figures.EXTRA,
            5.0,
        ),
    )
    return [
        {
            "type": "scatter",
            "x": [0, 1, 2, None] * len(group),
            "y": [y for route in group for y in (*_heights(route, lanes, result), None)],
            "mode": "lines",
            "line": {"color": color, "width": width},
            "name": name,
            "hoverinfo": "skip",
            "showlegend": bool(group),
        }
        for name, group, color, width in groups
    ]


def _labels(result: PartitioningResult, lanes: list[Route]) -> dict[str, Any]:
    points = [
        (x, _heights(route, lanes, result)[x], _label(route, x))
        for route in lanes
        for x in (0, 1, 2)
    ]
    at = {(x, round(y, 6)): label for x, y, label in reversed(points)}
    return {
        "type": "scatter",
        "x": [x for x, _ in at],
        "y": [y for _, y in at],
        "text": list(at.values()),
        "mode": "markers+text",
        "textposition": [("middle left", "top center", "middle right")[x] for x, _ in at],
        "marker": {"color": figures.WAITING, "size": 6},
        "hoverinfo": "text",
        "showlegend": False,
        "cliponaxis": False,
    }


def _heights(
    route: Route, lanes: list[Route], result: PartitioningResult
) -> tuple[float, float, float]:
    """Return the height of a key in each of the three columns, 0 (top) … 1."""
    p = result.params
    rank = (lanes.index(route) + 0.5) / len(lanes)
    return rank, (route.before + 0.5) / p.n_before, (route.after + 0.5) / p.n_partitions


def _label(route: Route, column: int) -> str:
    return (f"{route.key} ({route.n_rows:,})", str(route.before), str(route.after))[column]
