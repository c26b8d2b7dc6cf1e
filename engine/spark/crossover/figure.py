"""Figures of *Spark or pandas*: seconds and memory against rows for each engine, and the crossing
moved to a cluster.

A colour is an engine here, with a marker of its own: pandas blue, Spark vermilion, DuckDB green,
Polars orange. Full markers were measured in this run, hollow ones earlier; solid lines lie within
what was measured, dotted ones are extrapolated or model.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.spark.contest.curves import Cluster, Crossing, Curve, Model
from engine.spark.contest.engines import CONTESTANTS, Contestant
from engine.spark.crossover.cells import Cell
from engine.spark.crossover.result import CrossoverResult
from engine.units import format_bytes, format_factor, format_seconds

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
    is lowest, and a crossing.
    """
    figure = figures.new_tall(
        _title(result, quantity), height=430, x="rows of lineitem", y=quantity.lower()
    )
    crossing = result.crossing() if quantity == "Seconds" else None
    for name in CONTESTANTS:
        cells = result.points(name)
        if not cells:
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
    ticks = SECONDS if quantity == "Seconds" else BYTES
    _axes(figure, ticks)
    if not any(
        result.points(name) for name in CONTESTANTS
    ):  # still to be measured: the axes at least are known
        ends = np.log10([result.params.sizes[0], result.params.sizes[-1] * 1.2])
        figure.update_layout(
            xaxis_range=ends.tolist(),
            yaxis_range=[-2.2, 1.2] if quantity == "Seconds" else [7.5, 10],
        )
    return figure


def _title(result: CrossoverResult, quantity: Quantity) -> str:
    cells = sorted(result.largest.values(), key=lambda cell: cell.median_seconds)
    if len(cells) < 2:
        return f"Foretold: at {result.params.sizes[0]:,} rows Spark starts dearest"
    n = f"{cells[0].n_rows:,} rows"
    if quantity == "Peak memory":
        cells.sort(key=lambda cell: cell.peak_bytes)
        return (
            f"At {n} {cells[-1].contestant} holds {format_bytes(cells[-1].peak_bytes)},<br>"
            + f"{cells[0].contestant} {format_bytes(cells[0].peak_bytes)}"
        )
    factor = cells[-1].median_seconds / cells[0].median_seconds
    times = format_factor(factor)
    return (
        f"At {n} {cells[0].contestant} is quickest,<br>{cells[-1].contestant} takes {times} as long"
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
    x, y, told, symbols = [], [], [], []
    for cell in cells:
        fresh = result.is_fresh(cell)
        when = "in this run" if fresh else f"measured on {cell.measured_at[:10]}"
        values = (
            cell.seconds if quantity == "Seconds" else (cell.peak_bytes,) if cell.peak_bytes else ()
        )
        for value in values:
            x.append(cell.n_rows)
            y.append(value)
            symbols.append(symbol if fresh else f"{symbol}-open")
            said = format_seconds(value) if quantity == "Seconds" else format_bytes(value)
            told.append(
                f"{name}: {said} at {cell.n_rows:,} rows ({format_bytes(cell.size_bytes)} on disk),"
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
        hovertext=told,
        hoverinfo="text",
    )


def _add_pinned(figure: go.Figure, name: Contestant, cells: list[Cell], quantity: Quantity) -> None:
    known = [c for c in cells if quantity == "Seconds" or c.peak_bytes]
    figure.add_scatter(
        x=[c.n_rows for c in known],
        y=[c.median_seconds if quantity == "Seconds" else c.peak_bytes for c in known],
        mode="lines",
        line={"color": LOOK[name][0], "dash": "dash", "width": 1},
        name=f"{name}, pinned run A",
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
        text=["extrapolated crossing" if crossing.extrapolated else "crossing"],
        textposition="top left",
        name="Spark overtakes pandas, 90% interval",
        hovertext=crossing.words,
        hoverinfo="text",
    )


def _axes(figure: go.Figure, y_ticks: dict[float, str]) -> None:
    grid: dict[str, Any] = {"type": "log", "showgrid": True}
    figure.update_layout(
        xaxis={**grid, "tickvals": list(ROWS), "ticktext": list(ROWS.values())},
        yaxis={**grid, "tickvals": list(y_ticks), "ticktext": list(y_ticks.values())},
    )


def _short(n: float) -> str:
    """Return a number of rows to two digits, in few letters: ``9 million``."""
    rough = float(f"{n:.2g}")
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if rough >= size:
            return f"{rough / size:g}{word}"
    return f"{rough:,.0f}"


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
    title = _model_title(result, cluster, moved)
    figure = figures.new_tall(title, height=420, x="rows of lineitem", y="seconds")
    n = np.geomspace(result.points("Spark")[0].n_rows, end, N_STEPS)
    alive = np.geomspace(
        n[0], max(n[0], min(end, moved.n_memory or end)), N_STEPS
    )  # pandas, until its memory is full
    lines = (
        ("pandas, as measured", alive, moved.pandas, figures.KNOWN, "solid"),
        ("Spark, as measured here", n, spark, figures.LEAKED, "solid"),
        (
            f"Spark on {cluster.cores} cores, {moved.n_machines} machines (model)",
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


def _model_title(result: CrossoverResult, cluster: Cluster, moved: Model) -> str:
    decides = moved.n_decides
    title = "Model: Spark never becomes the choice for this work"
    if decides is not None:
        by_memory = moved.n_memory is not None and decides == moved.n_memory
        reason = f"{cluster.memory_gb:g} GB are full" if by_memory else f"{cluster.cores} cores win"
        crossing = result.crossing()
        basis = "Model, sizes too small" if crossing is not None and crossing.doubtful else "Model"
        title = f"{basis}: Spark is the choice<br>from about {_short(decides)} rows: {reason}"
    return title


def _mark_ends(figure: go.Figure, cluster: Cluster, moved: Model, end: float) -> None:
    crossed = (
        moved.n_crossing
        if moved.n_crossing and moved.n_crossing <= (moved.n_memory or end)
        else None
    )
    for at, symbol, name in (
        (crossed, "diamond-open", "Spark overtakes (model)"),
        (moved.n_memory, "x", f"pandas: {cluster.memory_gb:g} GB are full (extrapolated)"),
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
