"""The result of *Spark or pandas*: what was measured, in words and as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from engine.spark.contest import engines
from engine.spark.contest.curves import Curve
from engine.spark.contest.engines import CONTESTANTS
from engine.spark.crossover.measured import Measured
from engine.spark.crossover.text import answer, describe, explain, format_cost
from engine.units import format_bytes, format_range, format_seconds, format_time


@dataclass(frozen=True, slots=True, eq=False)
class CrossoverResult(Measured):
    """Every cell as far as the run has come, and what the record knows of other sizes."""

    @property
    def verdict(self) -> str:
        """Which of pandas and Spark is faster; before a run, what is expected."""
        return describe(self)

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return explain(self)

    @property
    def answer(self) -> str:
        """The interview answer, written from the run's own numbers."""
        return answer(self)

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: rows, bytes, the answer; no seconds."""
        cells = [cell for cell in self.cells if cell.answer is not None]
        if not cells:
            return {}
        last = max(cells, key=lambda cell: cell.asked)
        answer = engines.describe(last.answer or [])
        return {"rows": last.n_rows, "bytes on disk": last.size_bytes, "answer": answer}

    def table(self) -> pa.Table:
        """Return one row per cell, this run's and the record's."""
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
        """Return one line per engine for a table on the page, fastest first, at the largest size
        that was measured.
        """
        return [
            {
                "engine": cell.contestant,
                f"at {cell.n_rows:,} rows": format_seconds(cell.median_seconds),
                "range": format_range(min(cell.seconds), max(cell.seconds), format_seconds),
                "runs": f"{len(cell.seconds)}",
                "per million rows": _describe(
                    self.curve(cell.contestant), lambda c: format_cost(c.each * 1e6)
                ),
                "peak memory": (
                    format_bytes(cell.peak_bytes) if cell.peak_bytes else "on the cluster"
                ),
                "start-up (not timed)": format_seconds(cell.start_seconds),
                "measured": (
                    "in this run"
                    if self.is_fresh(cell)
                    else f"{format_time(datetime.fromisoformat(cell.measured_at))} UTC"
                ),
            }
            for cell in sorted(self.largest.values(), key=lambda cell: cell.median_seconds)
        ]


def _describe(curve: Curve | None, say: Callable[[Curve], str]) -> str:
    return say(curve) if curve else "…"
