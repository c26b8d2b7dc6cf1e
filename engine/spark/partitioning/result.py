"""What the partition explorer finds: rows a partition, and the way of single keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from engine.spark.partitioning.params import PartitioningParams
from engine.units import format_factor, format_share


@dataclass(frozen=True, slots=True)
class Route:
    """One key on its way: its hash, and its partition before and after the number of partitions
    changes.
    """

    key: str
    n_rows: int
    hash: int  # signed 32 bits
    before: int  # partition of n_before
    after: int  # partition of n_partitions

    @property
    def moved(self) -> bool:
        """Whether its rows travel when n_before becomes n_partitions."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, eq=False)
class PartitioningResult:
    """Rows a partition, and the way of single keys."""

    params: PartitioningParams
    rows: np.ndarray  # (n,) rows of each partition (of each folder, for partitionBy)
    labels: tuple[str, ...]  # (n,) names of the partitions
    n_distinct: int
    hottest: str
    hottest_rows: int
    routes: tuple[Route, ...]  # the commonest keys, hottest first
    typed: Route
    moved_share: (
        float  # of all rows, when n_before becomes n_partitions under hash partitioning, 0–1
    )

    @property
    def n_rows(self) -> int:
        """Rows in all."""
        return int(self.rows.sum())

    @property
    def non_empty(self) -> int:
        """Partitions with at least one row."""
        return int(np.count_nonzero(self.rows))

    @property
    def largest(self) -> int:
        """Rows of the largest partition."""
        return int(self.rows.max())

    @property
    def skew(self) -> float:
        """Rows of the largest partition by the mean over all partitions: 1 is even."""
        return float(self.largest / self.rows.mean())

    @property
    def verdict(self) -> str:
        """How even the partitions are: the largest against the mean."""
        return describe(self)

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return explain(self)

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "rows": self.n_rows,
            "partitions": len(self.rows),
            "non-empty": self.non_empty,
            "largest partition": self.largest,
            "largest by mean": round(self.skew, 3),
        }

    def table(self) -> pa.Table:
        """Return one row a partition."""
        return pa.table({"partition": list(self.labels), "rows": self.rows})


BY_KEY = ("hash", "range", "partitionBy files", "bucketing")


def describe(result: PartitioningResult) -> str:
    """Return the verdict: how even the rows of the partitions are."""
    p = result.params
    if p.strategy == "partitionBy files":
        return (
            f"partitionBy({', '.join(p.keys)}) makes **{len(result.rows):,}** folders, the largest"
            f" {format_factor(result.skew)} the mean: up to {len(result.rows) * p.n_input:,} files"
            f" from {p.n_input} input partitions."
        )
    return (
        f"{', '.join(p.keys) if p.strategy in BY_KEY else p.strategy} into {len(result.rows)}: the"
        f" largest partition holds **{format_factor(result.skew)}** the mean,"
        f" {len(result.rows) - result.non_empty} of {len(result.rows)} stay empty."
    )


def explain(result: PartitioningResult) -> list[str]:
    """Return the reasons for this outcome, with its values."""
    p, n, t = result.params, len(result.rows), result.typed
    if p.strategy in ("hash", "bucketing"):
        times = result.hottest_rows / (result.n_rows / n)
        return [
            (
                f"{result.n_distinct:,} distinct keys fall into {n} partitions by hash modulo"
                f" {n}: all rows of a key share one."
            ),
            (
                f"The commonest, {result.hottest}, has {result.hottest_rows:,} rows,"
                f" {format_factor(times)} the mean partition: no number of partitions takes it"
                " apart."
            ),
            (
                f"{t.key}: hash {t.hash:,}, modulo {p.n_before} is partition {t.before}, modulo"
                f" {p.n_partitions} is partition {t.after}. Going from {p.n_before} to"
                f" {p.n_partitions} partitions moves {format_share(result.moved_share)} of all"
                " rows."
            ),
        ]
    if p.strategy == "range":
        return [
            (
                f"Range cuts the sorted keys into {n} runs of about {result.n_rows // n:,} rows."
                f" A key is never cut in two: the commonest, {result.hottest}"
                f" ({result.hottest_rows:,} rows), sets the floor."
            ),
            (
                "Spark cuts by a sample of the rows, so what it measures differs a little from"
                " this cut by all of them."
            ),
        ]
    if p.strategy == "round-robin":
        return [
            (
                f"Each of the {p.n_input} input partitions deals its rows out in turn:"
                f" partitions differ by at most {p.n_input} rows. The price: every row travels,"
                " and rows of one key lie everywhere."
            ),
        ]
    if p.strategy == "coalesce":
        return [
            (
                f"coalesce joins whole neighbours among the {p.n_input} input partitions and"
                " moves nothing over the network. It cannot make more than there are, nor mend"
                f" uneven ones: {n} come out of {p.n_partitions} asked for."
            ),
        ]
    return [
        (
            f"Each of {result.n_distinct:,} keys gets a folder, and each of {p.n_input} tasks"
            " writes a file into every folder it has rows for. The mean folder has"
            f" {result.n_rows / n:,.0f} rows: many small files are slow to list and to open."
        ),
    ]
