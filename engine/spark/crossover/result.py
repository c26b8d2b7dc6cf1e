"""What *Spark or pandas* found: the cells of this run beside those of the record, their curves, and
the answer in words.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from engine.spark.contest import curves, engines
from engine.spark.contest import memory as crossover_memory
from engine.spark.contest.curves import Cluster, Crossing, Curve, Model
from engine.spark.contest.engines import CONTESTANTS, SAYS, Contestant
from engine.spark.crossover.cells import Cell, machine
from engine.spark.crossover.params import CrossoverParams
from engine.units import format_bytes, format_factor, format_range, format_seconds, format_share


@dataclass(frozen=True, slots=True, eq=False)
class CrossoverResult:
    """Every cell as far as the run has come, and what the record knows of other sizes."""

    params: CrossoverParams
    cells: tuple[Cell, ...]  # of this run
    recalled: tuple[Cell, ...]  # of the record: measured earlier on this machine
    complete: bool = False

    def points(self, contestant: Contestant) -> list[Cell]:
        """Return the measured cells of an engine, smallest first; this run's before the
        record's.
        """
        known = {
            cell.asked: cell
            for cell in (*self.recalled, *self.cells)
            if cell.contestant == contestant and cell.seconds
        }
        return [known[asked] for asked in sorted(known)] if contestant in self.params.asked else []

    def is_fresh(self, cell: Cell) -> bool:
        """Whether a cell was measured in this run."""
        return any(cell is own for own in self.cells)

    def curve(self, contestant: Contestant) -> Curve | None:
        """Return seconds by rows, fitted to the medians; ``None`` below two sizes."""
        cells = self.points(contestant)
        return curves.fit([c.n_rows for c in cells], [c.median_seconds for c in cells])

    def growth(self, contestant: Contestant) -> Curve | None:
        """Return peak memory by bytes on disk, as measured; ``None`` below two sizes."""
        cells = self._with_peak(contestant)
        return curves.fit([c.size_bytes for c in cells], [c.peak_bytes for c in cells])

    def memory(self, contestant: Contestant) -> Curve | None:
        """Return peak memory by rows, as measured; ``None`` below two sizes."""
        cells = self._with_peak(contestant)
        return curves.fit([c.n_rows for c in cells], [c.peak_bytes for c in cells])

    def _with_peak(self, contestant: Contestant) -> list[Cell]:
        return [cell for cell in self.points(contestant) if cell.peak_bytes]

    def crossing(self, one: Contestant = "Spark", other: Contestant = "pandas") -> Crossing | None:
        """Return from how many rows on ``one`` is quicker than ``other``; ``None`` below two sizes
        of either.
        """
        runs = [
            tuple((cell.n_rows, cell.seconds) for cell in self.points(name))
            for name in (one, other)
        ]
        return _crossing(*runs)

    def model(self, cluster: Cluster) -> Model | None:
        """Return the measured curves moved to a cluster; ``None`` before there are curves."""
        spark, pandas, memory = self.curve("Spark"), self.curve("pandas"), self.memory("pandas")
        if spark is None or pandas is None or memory is None:
            return None
        last = self.points("Spark")[-1]
        return curves.model(
            spark, pandas, memory, last.shuffle_bytes / last.n_rows, os.cpu_count() or 1, cluster
        )

    def cells_at(self, asked: int) -> dict[Contestant, Cell]:
        """Return what this run or the record measured at a size, by engine."""
        return {
            name: cell for name in CONTESTANTS for cell in self.points(name) if cell.asked == asked
        }

    @property
    def misfit_share(self) -> float:
        """By how much the curves of pandas and Spark miss a measured median at most, 0–1 and
        beyond.
        """
        pairs = [(self.curve(name), self.points(name)) for name in ("pandas", "Spark")]
        missed = [
            abs(curve.value_at(c.n_rows) / c.median_seconds - 1)
            for curve, cells in pairs
            if curve
            for c in cells
        ]
        return max(missed, default=0.0)

    @property
    def largest(self) -> dict[Contestant, Cell]:
        """The cells of the largest size at which both pandas and Spark were measured; else whatever
        there is of the last.
        """
        sizes = sorted(
            {cell.asked for name in CONTESTANTS for cell in self.points(name)}, reverse=True
        )
        both = [asked for asked in sizes if {"pandas", "Spark"} <= set(self.cells_at(asked))]
        return self.cells_at((both or sizes)[0]) if sizes else {}

    @property
    def refused(self) -> tuple[Cell, ...]:
        """The cells of this run that did not run, or did not end."""
        return tuple(cell for cell in self.cells if cell.refused)

    @property
    def same_answers(self) -> bool:
        """Whether all engines agree at every size."""
        by_size: dict[int, list[Cell]] = {}
        for cell in (*self.recalled, *self.cells):
            by_size.setdefault(cell.asked, []).append(cell)
        found = [[c.answer for c in cells if c.answer is not None] for cells in by_size.values()]
        return all(engines.same(answers[0], other) for answers in found for other in answers[1:])

    def _own(self, contestant: Contestant) -> list[Cell]:
        return sorted(
            (c for c in self.cells if c.contestant == contestant and c.seconds),
            key=lambda c: c.asked,
        )

    @property
    def slowest(self) -> str:
        """The engine that took longest at the largest size of this run."""
        cells = [cell for cell in self.cells if cell.asked == self.params.n_rows and cell.seconds]
        return max(cells, key=lambda cell: cell.median_seconds).contestant if cells else ""

    @property
    def shuffle_bytes(self) -> int:
        """Bytes that Spark shuffled at the largest size of this run."""
        own = self._own("Spark")
        return own[-1].shuffle_bytes if own else 0

    @property
    def pandas_expansion(self) -> float:
        """Bytes of memory that pandas holds at its peak for each further byte on disk."""
        growth = self.growth("pandas")
        return growth.each if growth else 0.0

    @property
    def verdict(self) -> str:
        """The faster engine at the largest size, and where Spark overtakes pandas."""
        cells = self.largest
        if not {"pandas", "Spark"} <= set(cells):
            n = " and ".join(f"{n:,}" for n in self.params.sizes)
            return (
                f"To be measured at {n} rows: pandas goes first; Spark must plan and schedule"
                " before it reads a row."
            )
        pandas, spark = cells["pandas"], cells["Spark"]
        winner, loser = sorted((pandas, spark), key=lambda cell: cell.median_seconds)
        times = [format_seconds(cell.median_seconds) for cell in (winner, loser)]
        best = min(cells.values(), key=lambda cell: cell.median_seconds)
        text = (
            f"At {pandas.n_rows:,} rows ({format_bytes(pandas.size_bytes)} on disk)"
            f" **{winner.contestant} beats {loser.contestant}**"
            f" {format_factor(loser.median_seconds / winner.median_seconds)}: {times[0]} against"
            f" {times[1]}"
        )
        if best is not winner:
            text += f"; {best.contestant} needs {format_seconds(best.median_seconds)}"
        if not self.is_fresh(spark):
            text += f" (measured on {spark.measured_at[:16].replace('T', ' ')} UTC)"
        crossing = self.crossing()
        return f"{text}. Spark overtakes pandas: {crossing.words}." if crossing else f"{text}."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return [
            reason
            for reason in (
                self._why_work(),
                *self._why_curves(),
                self._why_memory(),
                self._why_honest(),
            )
            if reason
        ]

    def _why_work(self) -> str:
        agree = (
            "All engines agree, sums to nine digits"
            if self.same_answers
            else "The engines DISAGREE"
        )
        return f"The work: {SAYS[self.params.work]}. Reading the CSV file is part of it. {agree}."

    def _why_curves(self) -> list[str]:
        told = []
        pandas, spark = self.curve("pandas"), self.curve("Spark")
        if pandas is not None and spark is not None:
            moved = self.points("Spark")[-1]
            cores = os.cpu_count()
            told.append(
                f"Spark begins with {_cost(spark.start)} of planning, scheduling and collecting,"
                f" pandas with {_cost(pandas.start)}; each further million rows costs Spark"
                f" {_cost(spark.each * 1e6)} on all {cores} cores, pandas"
                f" {_cost(pandas.each * 1e6)} on one. At {moved.n_rows:,} rows Spark wrote"
                f" {format_bytes(moved.shuffle_bytes)} for other tasks to fetch"
                + (
                    f" and spilled {format_bytes(moved.spill_bytes)} to disk."
                    if moved.spill_bytes
                    else "."
                )
                + (
                    f" The two lines miss a measured median by {format_share(self.misfit_share)} at"
                    " most."
                )
            )
        for other in ("DuckDB", "Polars"):
            crossing = self.crossing("Spark", other)
            if crossing is not None:
                told.append(f"Spark against {other}: {crossing.words}.")
        return told

    def _why_memory(self) -> str:
        growth, free = self.growth("pandas"), crossover_memory.available_bytes()
        if growth is None or growth.each <= 0:
            return ""
        room = max(0.0, free * crossover_memory.USABLE_SHARE - growth.start) / growth.each
        return (
            f"For this work pandas holds {growth.each:.2f} bytes of memory for each byte on disk,"
            f" beyond {format_bytes(growth.start)} to begin with: the usable part of the"
            f" {format_bytes(free)} that are free now ends at about {format_bytes(room)} of CSV."
            " Work that keeps more columns or copies needs more."
        )

    def _why_honest(self) -> str:
        cells = [cell for name in CONTESTANTS for cell in self.points(name)]
        if not cells:
            return ""
        spreads = [max(cell.seconds) / min(cell.seconds) for cell in cells if len(cell.seconds) > 1]
        n = sorted({len(cell.seconds) for cell in cells})
        runs = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
        text = f"Medians of {runs} runs, files warm in the system's cache"
        text += (
            f"; slowest over fastest run of a cell: {format_factor(max(spreads))} at worst"
            if spreads
            else ""
        )
        load, cores = max(cell.load for cell in cells), os.cpu_count() or 1
        if load > 2 * cores:
            text += (
                f". Other programs kept the machine busy (load {load:.0f} on {cores} cores):"
                " measure again when it is idle"
            )
        return (
            f"{text}. Starting a process or Spark is not counted: the table has it."
            f" {machine_words()}."
        )

    @property
    def answer(self) -> str:
        """The interview answer, written from the run's own numbers."""
        cells = self.largest
        crossing = self.crossing()
        if not {"pandas", "Spark"} <= set(cells) or crossing is None:
            return ""
        spark = cells["Spark"]
        quicker = [c for c in cells.values() if c.median_seconds < spark.median_seconds]
        told = ", ".join(
            f"{c.contestant} {format_seconds(c.median_seconds)}"
            for c in cells.values()
            if c is not spark
        )
        size = f"{spark.n_rows:,} rows, {format_bytes(spark.size_bytes)} of CSV"
        if quicker:
            names = [c.contestant for c in quicker]
            beaten = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
            text = f"Not at this size. On one machine Spark loses to {beaten}: {size}, take it "
        else:
            text = f"From about this size on: Spark is the quickest at {size}, which take it "
        text += f"{format_seconds(spark.median_seconds)} on {os.cpu_count()} cores ({told}). "
        text += f"Where Spark overtakes pandas here: {crossing.words}. "
        memory = self.memory("pandas")
        if memory is not None and memory.each > 0:
            text += (
                f"pandas' memory grows by {format_bytes(memory.each * 1e6)} a million rows for this"
                " work; before it ends, Polars or DuckDB are the next step. "
            )
        return (
            text
            + "I reach for Spark when the data or its joins outgrow one machine, when it already"
            " lies in a cluster's storage, or when a job must survive losing a machine."
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: rows, bytes, the answer; no seconds."""
        cells = [cell for cell in self.cells if cell.answer is not None]
        if not cells:
            return {}
        last = max(cells, key=lambda cell: cell.asked)
        told = engines.describe(last.answer or [])
        return {"rows": last.n_rows, "bytes on disk": last.size_bytes, "answer": told}

    def table(self) -> pa.Table:
        """Return one row a cell, this run's and the record's."""
        rows = [
            {
                "engine": cell.contestant,
                "rows": cell.n_rows,
                "bytes_on_disk": cell.size_bytes,
                "median_seconds": cell.median_seconds if cell.seconds else None,
                "runs_seconds": " ".join(f"{s:.4f}" for s in cell.seconds),
                "peak_bytes": cell.peak_bytes,
                "start_seconds": cell.start_seconds,
                "shuffle_bytes": cell.shuffle_bytes,
                "spill_bytes": cell.spill_bytes,
                "refused": cell.refused,
                "measured_at": cell.measured_at,
                "in_this_run": self.is_fresh(cell),
            }
            for cell in (*[c for name in CONTESTANTS for c in self.points(name)], *self.refused)
        ]
        return (
            pa.Table.from_pylist(rows) if rows else pa.table({"engine": pa.array([], pa.string())})
        )

    def rows(self) -> list[dict[str, str]]:
        """Return one line an engine for a table on the page, quickest first, at the largest size
        that was measured.
        """
        return [
            {
                "engine": cell.contestant,
                f"at {cell.n_rows:,} rows": format_seconds(cell.median_seconds),
                "range": format_range(min(cell.seconds), max(cell.seconds), format_seconds),
                "runs": f"{len(cell.seconds)}",
                "a further million rows": _describe(
                    self.curve(cell.contestant), lambda c: _cost(c.each * 1e6)
                ),
                "peak memory": (
                    format_bytes(cell.peak_bytes) if cell.peak_bytes else "on the cluster"
                ),
                "start-up, not counted": format_seconds(cell.start_seconds),
                "measured": (
                    "in this run"
                    if self.is_fresh(cell)
                    else f"{cell.measured_at[:16].replace('T', ' ')} UTC"
                ),
            }
            for cell in sorted(self.largest.values(), key=lambda cell: cell.median_seconds)
        ]


def _cost(seconds: float) -> str:
    """Return a part of a curve; one that the fit put at zero is only too small to be seen at the
    sizes measured.
    """
    return format_seconds(seconds) if seconds > 0 else "too little to tell"


def _describe(curve: Curve | None, say: Callable[[Curve], str]) -> str:
    return say(curve) if curve else "…"


@lru_cache(maxsize=64)
def _crossing(
    one: tuple[tuple[int, tuple[float, ...]], ...], other: tuple[tuple[int, tuple[float, ...]], ...]
) -> Crossing | None:
    return curves.crossing(dict(one), dict(other))


def machine_words() -> str:
    """Return which machine and versions measured, in one line."""
    m = machine()
    return (
        f"{m['cores']} cores, {format_bytes(m['memory_bytes'])} of memory, Python {m['python']},"
        f" pandas {m['pandas']}, Spark {m['pyspark']}, DuckDB {m['duckdb']}, Polars {m['polars']}"
    )
