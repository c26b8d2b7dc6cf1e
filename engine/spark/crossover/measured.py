"""What *Spark or pandas* measured: cells of this run beside the record's, and their curves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

from engine.spark.contest import curves, engines
from engine.spark.contest.curves import Cluster, Crossing, Curve, Model
from engine.spark.contest.engines import CONTESTANTS, Contestant
from engine.spark.crossover.cells import Cell
from engine.spark.crossover.params import CrossoverParams

GIGABYTE = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
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
        cells = [cell for cell in self.points(contestant) if cell.peak_bytes]
        return curves.fit([c.size_bytes for c in cells], [float(c.peak_bytes) for c in cells])

    def memory(self, contestant: Contestant) -> Curve | None:
        """Return peak memory by rows, as measured; ``None`` below two sizes."""
        cells = [cell for cell in self.points(contestant) if cell.peak_bytes]
        return curves.fit([c.n_rows for c in cells], [float(c.peak_bytes) for c in cells])

    def crossing(self, one: Contestant = "Spark", other: Contestant = "pandas") -> Crossing | None:
        """Return from how many rows on ``one`` is faster than ``other``; ``None`` below two sizes
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

    @property
    def n_compared(self) -> int:
        """Answers that could be compared with another engine's at the same size; 0 before that."""
        known = [c.asked for c in (*self.recalled, *self.cells) if c.answer is not None]
        return sum(known.count(asked) > 1 for asked in known)

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
    def over_gigabyte(self) -> Cell | None:
        """The cell in which Spark processed more than 1 GB in this run, the course's checklist
        item; ``None`` without one.
        """
        own = self._own("Spark")
        return own[-1] if own and own[-1].size_bytes > GIGABYTE else None

    @property
    def pandas_expansion(self) -> float:
        """Bytes of memory that pandas holds at its peak for each further byte on disk."""
        growth = self.growth("pandas")
        return growth.each if growth else 0.0


@lru_cache(maxsize=64)
def _crossing(
    one: tuple[tuple[int, tuple[float, ...]], ...], other: tuple[tuple[int, tuple[float, ...]], ...]
) -> Crossing | None:
    return curves.crossing(dict(one), dict(other))
