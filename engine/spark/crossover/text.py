"""What *Spark or pandas* says of a result: the verdict, the reasons, the interview answer."""

from __future__ import annotations

import os

from engine.spark.contest import expected, memory
from engine.spark.contest.curves import Cluster
from engine.spark.contest.engines import CONTESTANTS, SAYS
from engine.spark.crossover.cells import Cell, machine
from engine.spark.crossover.measured import Measured
from engine.units import format_bytes, format_factor, format_seconds, format_share


def describe(result: Measured) -> str:
    """Return which of pandas and Spark is faster at the largest size, and where that changes."""
    cells = result.largest
    if not {"pandas", "Spark"} <= set(cells):
        return _expected(result)
    pandas, spark = cells["pandas"], cells["Spark"]
    winner, loser = sorted((pandas, spark), key=lambda cell: cell.median_seconds)
    best = min(cells.values(), key=lambda cell: cell.median_seconds)
    text = (
        f"At {pandas.n_rows:,} rows **{winner.contestant} is"
        f" {format_factor(loser.median_seconds / winner.median_seconds)} faster** than"
        f" {loser.contestant}: {format_seconds(winner.median_seconds)} against"
        f" {format_seconds(loser.median_seconds)}."
    )
    if best is not winner:
        text += f" Fastest: {best.contestant}, {format_seconds(best.median_seconds)}."
    crossing = result.crossing()
    return f"{text} Spark passes pandas: {crossing.short}." if crossing else text


def _expected(result: Measured) -> str:
    work, n = result.params.work, expected.SIZES[-1]
    pandas, spark = (expected.MEDIANS[name][-1] for name in ("pandas", "Spark"))
    faster = f"**pandas is {format_factor(spark / pandas)} faster** than Spark ({expected.WHERE})."
    if work != expected.WORK:
        return f"{work.capitalize()} is not measured yet. {expected.WORK} at {n:,} rows: {faster}"
    return f"Not measured here yet. Expected at {n:,} rows: {faster}"


def describe_model(result: Measured, cluster: Cluster) -> str:
    """Return from how many rows on Spark on the cluster is the choice, by the model."""
    moved = result.model(cluster)
    if moved is None:
        return (
            "Not measured yet. The model needs two measured sizes of pandas and Spark; until then,"
            " what is known."
        )
    crossing = result.crossing()
    doubtful = " Uncertain: the sizes measured are small." * (
        crossing is not None and crossing.doubtful
    )
    if moved.n_decides is None:
        return (
            f"Model: with {cluster.cores} cores Spark **never** becomes the choice for this"
            f" work.{doubtful}"
        )
    by_memory = moved.n_memory is not None and moved.n_decides == moved.n_memory
    reason = (
        f"pandas fills its {cluster.memory_gb:g} GB of memory there"
        if by_memory
        else f"{cluster.cores} cores are faster from there on"
    )
    return (
        f"Model: Spark is the choice from about **{format_rows(moved.n_decides)} rows** on:"
        f" {reason}.{doubtful}"
    )


def format_rows(n: float) -> str:
    """Return a number of rows to two digits, in few letters: ``9 million``."""
    rough = float(f"{n:.2g}")
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if rough >= size:
            return f"{rough / size:g}{word}"
    return f"{rough:,.0f}"


def explain(result: Measured) -> list[str]:
    """Return the reasons for this outcome, with its values."""
    return [
        reason
        for reason in (
            *_explain_curves(result),
            _explain_memory(result),
            f"**The work:** {SAYS[result.params.work]}. {_compare_answers(result)}",
        )
        if reason
    ]


def _compare_answers(result: Measured) -> str:
    if result.n_compared == 0:
        return "Answers are not compared yet."
    if not result.same_answers:
        return "The engines DISAGREE in their answers."
    return f"All {result.n_compared} answers agree, sums to nine digits."


def _explain_curves(result: Measured) -> list[str]:
    pandas, spark = result.curve("pandas"), result.curve("Spark")
    if pandas is None or spark is None:
        return [
            "**Spark starts slowly:** it plans, compiles and schedules tasks before it reads a row."
            " pandas starts at once."
        ]
    last = result.points("Spark")[-1]
    reasons = [
        f"**Start:** Spark plans and schedules for {format_cost(spark.start)} before the first row,"
        f" pandas starts in {format_cost(pandas.start)}.",
        f"**Per million rows:** Spark {format_cost(spark.each * 1e6)} on {os.cpu_count()} cores,"
        f" pandas {format_cost(pandas.each * 1e6)} on one. The lines miss a measured median by"
        f" {format_share(result.misfit_share)} at most.",
        f"**Shuffle:** at {last.n_rows:,} rows Spark's tasks exchange"
        f" {format_bytes(last.shuffle_bytes)}"
        + (f" and spill {format_bytes(last.spill_bytes)} to disk." if last.spill_bytes else "."),
    ]
    others = [
        f"{other} {crossing.short}"
        for other in ("DuckDB", "Polars")
        if (crossing := result.crossing("Spark", other))
    ]
    return [*reasons, f"**Spark passes** {'; '.join(others)}."] if others else reasons


def _explain_memory(result: Measured) -> str:
    growth, free = result.growth("pandas"), memory.available_bytes()
    if growth is None or growth.each <= 0:
        return ""
    room = max(0.0, free * memory.USABLE_SHARE - growth.start) / growth.each
    return (
        f"**Memory:** pandas holds {growth.each:.2f} bytes per byte on disk for this work."
        f" {format_bytes(free)} are free now: enough for about {format_bytes(room)} of CSV."
    )


def describe_runs(result: Measured) -> str:
    """Return how the times were measured, and on what; empty before there are any."""
    cells = [cell for name in CONTESTANTS for cell in result.points(name)]
    if not cells:
        return ""
    spreads = [max(cell.seconds) / min(cell.seconds) for cell in cells if len(cell.seconds) > 1]
    n = sorted({len(cell.seconds) for cell in cells})
    runs = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    text = f"Medians of {runs} runs, files in the system's cache"
    text += f", slowest run {format_factor(max(spreads))} the fastest at most" if spreads else ""
    load, cores = max(cell.load for cell in cells), os.cpu_count() or 1
    if load > 2 * cores:
        text += (
            f". Other programs kept the machine busy (load {load:.0f} on {cores} cores): run again"
            " when it is idle"
        )
    return f"{text}. Start-up is in the table, not in the times. {_machine_words()}."


def _machine_words() -> str:
    m = machine()
    return (
        f"{m['cores']} cores, {format_bytes(m['memory_bytes'])} of memory, Python {m['python']},"
        f" pandas {m['pandas']}, Spark {m['pyspark']}, DuckDB {m['duckdb']}, Polars {m['polars']}"
    )


def format_cost(seconds: float) -> str:
    """Return a part of a curve; one that the fit put at zero is too small to be seen at the sizes
    measured.
    """
    return format_seconds(seconds) if seconds > 0 else "too little to measure"


def answer(result: Measured) -> str:
    """Return the interview answer, written from the run's own numbers; empty before there are
    any.
    """
    cells = result.largest
    crossing = result.crossing()
    if not {"pandas", "Spark"} <= set(cells) or crossing is None:
        return ""
    spark = cells["Spark"]
    times = ", ".join(
        f"{c.contestant} {format_seconds(c.median_seconds)}"
        for c in sorted(cells.values(), key=lambda cell: cell.median_seconds)
    )
    size = f"{spark.n_rows:,} rows ({format_bytes(spark.size_bytes)} of CSV)"
    faster = [c for c in cells.values() if c.median_seconds < spark.median_seconds]
    text = (
        f"Not at this size: on one machine Spark is slower than {_listed(faster)} at {size}."
        if faster
        else f"From about this size on: Spark is the fastest at {size}."
    )
    text += f" Medians: {times}, on {os.cpu_count()} cores. Spark passes pandas: {crossing.words}."
    growth = result.memory("pandas")
    if growth is not None and growth.each > 0:
        text += (
            f" pandas needs {format_bytes(growth.each * 1e6)} more memory per million rows for this"
            " work. When its memory ends, Polars or DuckDB are the next step."
        )
    return (
        f"{text} I use Spark when the data or its joins outgrow one machine, when the data is"
        " already in a cluster's storage, or when a job must survive the loss of a machine."
    )


def _listed(cells: list[Cell]) -> str:
    names = [c.contestant for c in cells]
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
