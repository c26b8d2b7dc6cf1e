"""What the partition explorer says of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.spark.partitioning.result import PartitioningResult

BY_KEY = ("hash", "range", "partitionBy files", "bucketing")


def verdict(result: PartitioningResult) -> str:
    """Return the answer in one sentence."""
    p = result.params
    if p.strategy == "partitionBy files":
        return (
            f"partitionBy({', '.join(p.keys)}) makes **{len(result.rows):,}** folders, the largest"
            f" {result.skew:.1f} times the mean: up to {len(result.rows) * p.n_input:,} files from"
            f" {p.n_input} input partitions."
        )
    return (
        f"{', '.join(p.keys) if p.strategy in BY_KEY else p.strategy} into {len(result.rows)}: the"
        f" largest partition holds **{result.skew:.1f}** times the mean,"
        f" {len(result.rows) - result.non_empty} of {len(result.rows)} stay empty."
    )


def why(result: PartitioningResult) -> list[str]:
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
                f"The commonest, {result.hottest}, has {result.hottest_rows:,} rows, {times:.1f}"
                " times the mean partition: no number of partitions takes it apart."
            ),
            (
                f"{t.key}: hash {t.hash:,}, modulo {p.n_before} is partition {t.before}, modulo"
                f" {p.n_partitions} is partition {t.after}. Going from {p.n_before} to"
                f" {p.n_partitions} partitions moves {result.moved_share:.1%} of all rows."
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
