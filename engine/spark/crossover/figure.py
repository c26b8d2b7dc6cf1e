"""Figures of *Spark or pandas*: seconds and memory against rows for each engine, and the break-even
point moved to a cluster.

A colour is an engine here, with a marker of its own: pandas blue, Spark orange-red, DuckDB green,
Polars orange. Full markers were measured in this run, hollow ones earlier; solid lines are within
what was measured, dotted ones are another machine's, extrapolated or model.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.spark.contest import expected
from engine.spark.contest.curves import Cluster, Crossing, Curve, Model
from engine.spark.contest.engines import CONTESTANTS, Contestant, Work
from engine.spark.crossover.cells import Cell
from engine.spark.crossover.result import CrossoverResult
from engine.spark.crossover.text import describe_model
from engine.texts import strip_marks
from engine.units import format_bytes, format_day, format_seconds

Quantity = Literal["Seconds", "Peak memory"]
LOOK: dict[Contestant, tuple[str, str]] = {
    "pandas": (figures.KNOWN, "circle"),
    "Spark": (figures.LEAKED, "diamond"),
    "DuckDB": (figures.HELD_OUT, "square"),
    "Polars": (figures.SYNTHETIC, "triangle-up"),
}
ROWS = {
    10.0**k: text
    for k, text in enumerate(
        ("1", "10", "100", "1k", "10k", "100k", "1M", "10M", "100M", "1G", "10G", "100G")
    )
}
SECONDS = {
    0.001: "1 ms",
    0.01: "10 ms",
    0.1: "100 ms",
    1.0: "1 s",
    10.0: "10 s",
    60.0: "1 min",
    600.0: "10 min",
    3_600.0: "1 h",
}
SECONDS |= {36_000.0: "10 h"}
BYTES = {10.0**k: format_bytes(10.0**k) for k in range(7, 13)}
N_STEPS = 40
MOST_ROWS = 1e11


def chart(
    result: CrossoverResult, quantity: Quantity = "Seconds", pinned: CrossoverResult | None = None
) -> go.Figure:
    """Draw every run of every engine, and the curve through its medians. To see first: which line
    is lowest, and where lines cross.
    """
    figure = figures.new_tall(
        strip_marks(result.verdict),
        height=470,
        x="rows of lineitem",
        y="seconds (median and runs)" if quantity == "Seconds" else "peak memory",
    )
    crossing = result.crossing() if quantity == "Seconds" else None
    any_cell = any(result.points(name) for name in result.params.asked)
    for name in result.params.asked:
        cells = result.points(name)
        if not cells:
            if quantity == "Seconds" and (result.params.work == expected.WORK or not any_cell):
                _add_expected(figure, result.params.work, name)
            continue
        curve = result.curve(name) if quantity == "Seconds" else result.memory(name)
        _add_curve(figure, name, cells, curve, crossing if name in ("pandas", "Spark") else None)
        _add_runs(figure, result, name, cells, quantity)
    for name in CONTESTANTS if pinned is not None else ():
        before = pinned.points(name) if pinned is not None else []
        if before:
            _add_pinned(figure, name, before, quantity)
    if crossing is not None and crossing.n_rows and crossing.n_rows < MOST_ROWS:
        _mark(figure, result.curve("pandas"), crossing)
    _axes(figure, SECONDS if quantity == "Seconds" else BYTES)
    return figure


def _add_expected(figure: go.Figure, work: Work, name: Contestant) -> None:
    """Draw what another machine measured of an engine that has not been measured here."""
    color, symbol = LOOK[name]
    label = "expected" if work == expected.WORK else expected.WORK
    figure.add_scatter(
        x=expected.SIZES,
        y=expected.MEDIANS[name],
        mode="lines+markers",
        line={"color": color, "dash": "dot", "width": 2},
        marker={"symbol": f"{symbol}-open", "size": 10, "color": color},
        name=f"{name}, {label}",
        hovertext=[
            f"{name}, {expected.WORK}: {format_seconds(seconds)} at {rows:,} rows, {expected.WHERE}"
            for rows, seconds in zip(expected.SIZES, expected.MEDIANS[name], strict=True)
        ],
        hoverinfo="text",
    )


def _add_curve(
    figure: go.Figure,
    name: Contestant,
    cells: list[Cell],
    curve: Curve | None,
    crossing: Crossing | None,
) -> None:
    if curve is None:
        return
    first, last = cells[0].n_rows, cells[-1].n_rows
    pieces: list[tuple[float, float, str]] = [(first, last, "solid")]
    if (
        crossing is not None
        and crossing.extrapolated
        and not crossing.doubtful
        and (crossing.n_rows or 0) < MOST_ROWS
    ):
        pieces.append((last, 2 * (crossing.n_rows or 0), "dot"))
    for low, high, dash in pieces:
        n = np.geomspace(low, high, N_STEPS)
        figure.add_scatter(
            x=n,
            y=curve.start + curve.each * n,
            mode="lines",
            line={
                "color": LOOK[name][0],
                "dash": dash,
                "width": 3 if name in ("pandas", "Spark") else 2,
            },
            name=name,
            legendgroup=name,
            showlegend=False,
            hoverinfo="skip",
        )


def _add_runs(
    figure: go.Figure,
    result: CrossoverResult,
    name: Contestant,
    cells: list[Cell],
    quantity: Quantity,
) -> None:
    color, symbol = LOOK[name]
    x, y, hover, symbols = [], [], [], []
    for cell in cells:
        fresh = result.is_fresh(cell)
        measured = format_day(datetime.fromisoformat(cell.measured_at))
        when = "in this run" if fresh else f"measured on {measured}"
        values = (
            cell.seconds if quantity == "Seconds" else (cell.peak_bytes,) if cell.peak_bytes else ()
        )
        for value in values:
            x.append(cell.n_rows)
            y.append(value)
            symbols.append(symbol if fresh else f"{symbol}-open")
            text = format_seconds(value) if quantity == "Seconds" else format_bytes(value)
            hover.append(
                f"{name}: {text} at {cell.n_rows:,} rows ({format_bytes(cell.size_bytes)} on disk),"
                f" {when}"
            )
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={
            "color": color,
            "symbol": symbols,
            "size": 10,
            "line": {"width": 1.5, "color": color},
        },
        name=name,
        legendgroup=name,
        hovertext=hover,
        hoverinfo="text",
    )


def _add_pinned(figure: go.Figure, name: Contestant, cells: list[Cell], quantity: Quantity) -> None:
    known = [c for c in cells if quantity == "Seconds" or c.peak_bytes]
    figure.add_scatter(
        x=[c.n_rows for c in known],
        y=[c.median_seconds if quantity == "Seconds" else c.peak_bytes for c in known],
        mode="lines",
        line={"color": LOOK[name][0], "dash": "dash", "width": 1},
        name="pinned run A",
        legendgroup="pinned",
        showlegend=name == "pandas",
        hovertemplate=f"{name} in pinned run A<extra></extra>",
    )


def _mark(figure: go.Figure, pandas: Curve | None, crossing: Crossing) -> None:
    if pandas is None or crossing.n_rows is None or crossing.doubtful:
        return
    low, high = crossing.low or crossing.n_rows, crossing.high or crossing.n_rows
    figure.add_scatter(
        x=[crossing.n_rows],
        y=[pandas.value_at(crossing.n_rows)],
        mode="markers+text",
        error_x={"type": "data", "symmetric": False, "array": [max(0, high - crossing.n_rows)]}
        | {"arrayminus": [max(0, crossing.n_rows - low)], "color": figures.WAITING},
        marker={
            "symbol": "x-open" if crossing.extrapolated else "x",
            "size": 14,
            "color": figures.FAILED,
            "line": {"width": 3},
        },
        text=["extrapolated break-even" if crossing.extrapolated else "break-even"],
        textposition="top left",
        name="Spark passes pandas (90%)",
        hovertext=crossing.words,
        hoverinfo="text",
    )


def _axes(figure: go.Figure, y_ticks: dict[float, str]) -> None:
    grid: dict[str, Any] = {"type": "log", "showgrid": True}
    figure.update_layout(
        xaxis={**grid, "tickvals": list(ROWS), "ticktext": list(ROWS.values())},
        yaxis={**grid, "tickvals": list(y_ticks), "ticktext": list(y_ticks.values())},
    )


def model(result: CrossoverResult, cluster: Cluster) -> go.Figure | None:
    """Draw pandas and Spark as measured, and Spark on the sliders' cluster. To see first: where
    Spark becomes the choice.
    """
    moved, spark = result.model(cluster), result.curve("Spark")
    if moved is None or spark is None:
        return None
    end = min(
        MOST_ROWS,
        4
        * max(
            [n for n in (moved.n_crossing, moved.n_memory) if n]
            + [result.points("Spark")[-1].n_rows]
        ),
    )
    title = strip_marks(describe_model(result, cluster))
    figure = figures.new_tall(title, height=470, x="rows of lineitem", y="seconds")
    n = np.geomspace(result.points("Spark")[0].n_rows, end, N_STEPS)
    alive = np.geomspace(
        n[0], max(n[0], min(end, moved.n_memory or end)), N_STEPS
    )  # pandas, until its memory is full
    lines = (
        ("pandas, measured", alive, moved.pandas, figures.KNOWN, "solid"),
        ("Spark, measured here", n, spark, figures.LEAKED, "solid"),
        (
            f"Spark, {cluster.cores} cores (model)",
            n,
            moved.spark,
            figures.LEAKED,
            "dot",
        ),
    )
    for name, x, curve, color, dash in lines:
        line = {"color": color, "dash": dash, "width": 3}
        figure.add_scatter(
            x=x,
            y=curve.start + curve.each * x,
            mode="lines",
            name=name,
            line=line,
            hoverinfo="name+x+y",
        )
    _mark_ends(figure, cluster, moved, end)
    _axes(figure, SECONDS)
    return figure


def _mark_ends(figure: go.Figure, cluster: Cluster, moved: Model, end: float) -> None:
    crossed = (
        moved.n_crossing
        if moved.n_crossing and moved.n_crossing <= (moved.n_memory or end)
        else None
    )
    for at, symbol, name in (
        (crossed, "diamond-open", "Spark passes pandas"),
        (moved.n_memory, "x", "pandas: memory full"),
    ):
        if at and at < end:
            marker = {
                "symbol": symbol,
                "size": 14,
                "color": figures.FAILED,
                "line": {"width": 3, "color": figures.FAILED},
            }
            figure.add_scatter(
                x=[at],
                y=[moved.pandas.value_at(at)],
                mode="markers",
                marker=marker,
                name=name,
                hoverinfo="name+x+y",
            )
