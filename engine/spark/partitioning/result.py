"""What the partition explorer finds: rows per partition, and where single keys go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from engine.spark.partitioning.params import PartitioningParams
from engine.units import format_factor, format_number, format_share


@dataclass(frozen=True, slots=True)
class Route:
    """One key: its hash, and its partition before and after the number of partitions changes."""

    key: str
    n_rows: int
    hash: int  # signed 32 bits
    before: int  # partition of n_before
    after: int  # partition of n_partitions

    @property
    def moved(self) -> bool:
        """Whether its rows move when n_before becomes n_partitions."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, eq=False)
class PartitioningResult:
    """Rows per partition, and where single keys go."""

    params: PartitioningParams
    rows: np.ndarray  # (n,) rows of each partition (of each folder, for partitionBy)
    labels: tuple[str, ...]  # (n,) names of the partitions
    n_distinct: int
    hottest: str
    hottest_rows: int
    routes: tuple[Route, ...]  # the most frequent keys, hottest first
    typed: Route
    moved_share: (
        float  # of all rows, when n_before becomes n_partitions under hash partitioning, 0–1
    )
    followed: int | None = (
        None  # the partition with the followed key; None: the key does not decide
    )
    notes: tuple[str, ...] = ()  # what is special about the key's types and folders

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
        """The largest partition against the mean."""
        return describe(self)

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return [*explain(self), *self.notes]

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
        """Return one row per partition."""
        return pa.table({"partition": list(self.labels), "rows": self.rows})


BY_KEY = ("hash", "range", "partitionBy files", "bucketing")


def describe(result: PartitioningResult) -> str:
    """Return the largest partition against the mean, and how many are empty, in one sentence."""
    p, n = result.params, len(result.rows)
    factor = f"**{format_factor(result.skew)}** the mean"
    if p.strategy == "partitionBy files":
        return (
            f"partitionBy({', '.join(p.keys)}) makes **{n:,} folders** with up to"
            f" {n * p.n_input:,} files. The largest folder has {factor} number of rows."
        )
    by = f"{p.strategy} by {', '.join(p.keys)}" if p.strategy in BY_KEY else p.strategy
    empty = n - result.non_empty
    return (
        f"The largest of {n} partitions has {factor} number of rows ({by})."
        f" {empty or 'None'} {'are' if empty > 1 else 'is'} empty."
    )


def explain(result: PartitioningResult) -> list[str]:
    """Return the reasons for this outcome, with its values."""
    p, n = result.params, len(result.rows)
    if p.strategy in ("hash", "bucketing"):
        return _explain_hash(result)
    if p.strategy == "range":
        return [
            f"**Range** sorts the keys and splits them into {n} runs of about"
            f" {result.n_rows // n:,} rows.",
            f"**One key is never split.** {result.hottest}, the most frequent, has"
            f" {result.hottest_rows:,} rows: no partition with it can be smaller.",
            "**Spark uses a sample** of the rows to find the split points. So its partitions"
            " differ a little from those shown here.",
        ]
    if p.strategy == "round-robin":
        return [
            f"**Even:** each of {p.n_input} input partitions distributes its rows in turn."
            f" Partitions differ by at most {p.n_input} rows.",
            "**The price:** every row moves, and rows of one key are in all partitions.",
        ]
    if p.strategy == "coalesce":
        return [
            f"**No shuffle:** coalesce merges neighbors among the {p.n_input} input partitions.",
            f"**Only fewer:** {p.n_partitions} were asked for, {n} came out. It cannot make more"
            " partitions, nor even out uneven ones.",
        ]
    return [
        f"**One folder per key:** {result.n_distinct:,} keys give {n:,} folders, named as Spark"
        " casts them to text (times in UTC, the session's zone).",
        f"**Many files:** each of {p.n_input} tasks writes a file into every folder for which it"
        " has rows.",
        f"**Small files are slow** to list and to open: the mean folder has"
        f" {result.n_rows / n:,.0f} rows.",
    ]


def _explain_hash(result: PartitioningResult) -> list[str]:
    p, n, t = result.params, len(result.rows), result.typed
    times = result.hottest_rows / (result.n_rows / n)
    reasons = [
        f"**One key, one partition:** the partition is the hash of the key modulo {n}."
        f" {result.n_distinct:,} distinct keys share {n} partitions.",
        f"**Most frequent key:** {result.hottest}, {result.hottest_rows:,} rows,"
        f" {format_factor(times)} the mean partition.",
    ]
    if times > 1:
        reasons.append(
            "**More partitions do not help:** that key alone is larger than the mean partition,"
            " and one key is never split."
        )
    return [
        *reasons,
        f"**{t.key}:** its hash is {format_number(t.hash)}. Modulo {p.n_before} it is in partition"
        f" {t.before}, modulo {p.n_partitions} in partition {t.after}.",
        f"**From {p.n_before} to {p.n_partitions} partitions** {format_share(result.moved_share)}"
        " of all rows move.",
    ]
