"""Partition count: one workload with 1 … 400 shuffle partitions, measured; which number is fastest,
and what AQE would choose.

Real: each point is the workload on the server's Spark, with AQE off so that the number asked for is
the number run; one more point has AQE on, and its number is that of the tasks that ran. Repeats go
up and down the numbers in turn, so that a machine that slows down slows all of them. Limits: one
machine, no network; the tables are small, so AQE's target (64 MiB in Spark) is lowered visibly, and
its smallest partition (1 MiB) with it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa

from engine.jobs import Progress, Steps, to_end
from engine.ranges import Choice, Params, Range
from engine.spark import session, tasks
from engine.spark.restarts import repeat_if_spark_ends
from engine.spark.tuner import jobs
from engine.spark.tuner.jobs import Job
from engine.units import (
    format_binary_bytes,
    format_bytes,
    format_factor,
    format_range,
    format_seconds,
    format_share,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COARSE = (1, 4, 16, 100, 200, 400)
FINE = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 100, 200, 400)
LIMITS = (4, 16, 100, 200, 400)
COPIES = (1, 3, 10)
AT_CORES = (2, 4)  # the rule of thumb: partitions per core


@dataclass(frozen=True, slots=True, kw_only=True)
class TunerParams(Params):
    """Which workload, how large, which numbers of partitions, how often."""

    workload: Job = "window"  # its work is after the shuffle: one partition leaves a core idle
    copies: Annotated[int, Choice(COPIES)] = 1  # × 336,776 flights
    # the largest number measured; more tasks would each do less work than starting one costs
    max_partitions: Annotated[int, Range(1, 400, options=LIMITS)] = 100
    fine: bool = False  # twice as many numbers
    # what AQE makes of a partition
    target_kb: Annotated[int, Range(16, 65_536, step=16, most=8_192)] = 1_024
    repeats: Annotated[int, Range(1, 9)] = 3

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of partitions that are measured."""
        return tuple(n for n in (FINE if self.fine else COARSE) if n <= self.max_partitions)


@dataclass(frozen=True, slots=True)
class Point:
    """The workload with one number of partitions."""

    n: int
    seconds: tuple[float, ...]
    trace: tasks.Trace  # of the last run

    @property
    def median(self) -> float:
        """The median of its runs, in seconds."""
        return statistics.median(self.seconds)

    @property
    def overhead_share(self) -> float:
        """Share of the tasks' time before and after the work itself: waiting for the driver,
        deserialising, reporting; 0–1.
        """
        whole = sum(task.seconds for task in self.trace.tasks)
        return (
            max(0.0, 1 - sum(task.run_seconds for task in self.trace.tasks) / whole)
            if whole
            else 0.0
        )

    @property
    def partition_bytes(self) -> float:
        """Mean bytes of shuffle that a task of the last stage reads."""
        return self.trace.shuffle_bytes / self.n


@dataclass(frozen=True, slots=True, eq=False)
class TunerResult:
    """Every number as far as it has come; ``adaptive`` is the run with AQE, its ``n`` what AQE
    chose.

    ``cores`` is what Spark had when the result began.
    """

    params: TunerParams
    points: tuple[Point, ...] = ()
    adaptive: Point | None = None
    complete: bool = False
    cores: int = field(default_factory=lambda: session.ENGINE.cores)

    def point_at(self, n: int) -> Point | None:
        """Return the point of a number of partitions if it has run."""
        return next((point for point in self.points if point.n == n), None)

    @property
    def best(self) -> Point:
        """The fastest number."""
        return min(self.points, key=lambda point: point.median)

    @property
    def aqe_partitions(self) -> int:
        """Partitions that AQE chose: tasks of the last stage; 0 before it ran."""
        return self.adaptive.n if self.adaptive else 0

    @property
    def shuffle_bytes(self) -> int:
        """Bytes of shuffle with the smallest number of partitions."""
        return self.points[0].trace.shuffle_bytes if self.points else 0

    @property
    def at_cores(self) -> tuple[int, int]:
        """The rule of thumb by cores: 2 and 4 partitions for each."""
        return (AT_CORES[0] * self.cores, AT_CORES[1] * self.cores)

    @property
    def by_size(self) -> int:
        """The rule of thumb by size: bytes of shuffle by AQE's target, at least 1."""
        return max(1, round(self.shuffle_bytes / (self.params.target_kb * 1024)))

    @property
    def is_u(self) -> bool:
        """Whether both ends are slower than the fastest number, beyond the spread of the runs."""
        return all(_apart(self.best, end) for end in (self.points[0], self.points[-1]))

    @property
    def verdict(self) -> str:
        """Which number is fastest and how far the ends are from it; before a run, the rule of
        thumb.
        """
        if len(self.points) < 2:
            low, high = self.at_cores
            return (
                f"Not measured yet. Expected: **{low}–{high} partitions** are fastest"
                f" (2–4 per core, {self.cores} cores)."
            )
        best, first, last = self.best, self.points[0], self.points[-1]
        floor = f"**{_partitions(best.n)}** {'are' if best.n > 1 else 'is'} fastest"
        slow = [
            f"{end.n} take{'s' * (end.n == 1)} {format_factor(end.median / best.median)} as long"
            for end in (first, last)
            if _apart(best, end)
        ]
        aqe = f" AQE chose {self.aqe_partitions}." if self.adaptive else ""
        if not slow:
            return (
                f"{floor} ({format_seconds(best.median)}), but not significantly: {first.n} to"
                f" {last.n} are within the spread of the runs.{aqe}"
            )
        return f"{floor}: {format_seconds(best.median)}. {', '.join(slow)}.{aqe}"

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        low, high = self.at_cores
        rule = f"**Rule by cores:** 2–4 partitions per core, {low}–{high} on {self.cores} cores."
        if not self.points:
            return [
                "**Too few** partitions leave cores idle, and each task holds much.",
                "**Too many** cost more to start than they do.",
                rule,
            ]
        p, first, last = self.params, self.points[0], self.points[-1]
        target = format_binary_bytes(p.target_kb * 1024)
        reasons = [
            f"**{'A U' if self.is_u else 'No U here'}:** {self._shape}.",
            f"**Overhead:** {_tasks(first)}, {_tasks(last)}: time of the tasks outside the work"
            " itself.",
            f"**Bytes per partition:** {format_bytes(first.partition_bytes)} with {first.n},"
            f" {format_bytes(last.partition_bytes)} with {last.n}. {self._spill}",
            f"{rule[:-1]}. **By size:** shuffle bytes by a target of {target} gives"
            f" {self.by_size}. Use the second rule for large data.",
        ]
        if self.adaptive:
            reasons.append(
                f"**AQE** started with {p.numbers[-1]}, read their sizes and merged (coalesced)"
                f" them into {self.aqe_partitions} of about {target}:"
                f" {format_seconds(self.adaptive.median)}."
            )
        reasons.append(
            f"**Measured:** median of {len(first.seconds)} repeats after a warm-up run (not timed)."
        )
        return reasons

    @property
    def _shape(self) -> str:
        first, last = self.points[0], self.points[-1]
        if self.is_u:
            return "too few leave cores idle, too many cost more to start than they do"
        if _apart(self.best, last):
            return f"too many are slower, but {first.n} is within the spread of the runs"
        if _apart(self.best, first):
            return "too few are slower; no number was too large"
        return f"from {first.n} to {last.n} the differences are within the spread of the runs"

    @property
    def _spill(self) -> str:
        worst = max(self.points, key=lambda point: point.trace.spill_bytes)
        if worst.trace.spill_bytes:
            return (
                f"Up to {format_bytes(worst.trace.spill_bytes)} spilled to disk, with"
                f" {_partitions(worst.n)}."
            )
        return "Nothing spilled: the largest partition fits in memory."

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: no seconds."""
        return {"AQE's partitions": self.aqe_partitions, "asked for": self.params.numbers[-1]}

    def table(self) -> pa.Table:
        """Return one row per run."""
        found = [(point, False) for point in self.points] + (
            [(self.adaptive, True)] if self.adaptive else []
        )
        rows = [
            {
                "partitions": point.n,
                "aqe": aqe,
                "repeat": i + 1,
                "seconds": seconds,
                "tasks": len(point.trace.tasks),
                "overhead_share": point.overhead_share,
                "shuffle_bytes": point.trace.shuffle_bytes,
                "spill_bytes": point.trace.spill_bytes,
            }
            for point, aqe in found
            for i, seconds in enumerate(point.seconds)
        ]
        return (
            pa.Table.from_pylist(rows)
            if rows
            else pa.table({"partitions": pa.array([], pa.int64())})
        )

    def rows(self, n: int) -> list[dict[str, str]]:
        """Return the numbers of one setting, beside the fastest and AQE's, for a table on the
        page.
        """
        shown = {f"{n} (selected)": self.point_at(n), f"{self.best.n} (fastest)": self.best}
        if self.adaptive:
            shown[f"{self.adaptive.n} (AQE)"] = self.adaptive
        return [
            {
                "partitions": name,
                "median": format_seconds(point.median),
                "spread": format_range(min(point.seconds), max(point.seconds), format_seconds),
                "tasks": f"{len(point.trace.tasks):,}",
                "overhead": format_share(point.overhead_share),
                "bytes per partition": format_bytes(point.partition_bytes),
                "spill": format_bytes(point.trace.spill_bytes),
            }
            for name, point in shown.items()
            if point is not None
        ]


def _partitions(n: int) -> str:
    return f"{n} partition{'s' * (n != 1)}"


def _tasks(point: Point) -> str:
    return f"{format_share(point.overhead_share)} with {_partitions(point.n)}"


def _apart(best: Point, end: Point) -> bool:
    """Whether the runs of an end are all slower than the fastest number's."""
    return best.n != end.n and min(end.seconds) > max(best.seconds)


def _run(live: SparkSession, params: TunerParams, n: int, adaptive: bool) -> tasks.Trace:
    for key, value in jobs.settings(n, params.target_kb if adaptive else None).items():
        live.conf.set(key, value)
    asked = jobs.frame(live, params.workload, params.copies)
    return tasks.traced(live, lambda: asked.write.format("noop").mode("overwrite").save())[1]


def _with(result: TunerResult, n: int, trace: tasks.Trace) -> TunerResult:
    """Return the result with one more run of a number."""
    before = result.point_at(n)
    point = Point(n, (*(before.seconds if before else ()), trace.seconds), trace)
    others = [other for other in result.points if other.n != n]
    return replace(result, points=tuple(sorted([*others, point], key=lambda p: p.n)))


@repeat_if_spark_ends
def steps(params: TunerParams) -> Steps:
    """Run the workload with every number, then with AQE, repeat after repeat; the result so far
    comes before each run.

    Returns
    -------
    TunerResult
        With ``complete`` set.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    result = TunerResult(params)
    numbers = params.numbers
    n_all = params.repeats * (len(numbers) + 1) + 1
    yield from session.begin("task list to measure", result)
    result = TunerResult(params)  # again: only now does a cluster say how many cores it has
    run_once = partial(partial, _run, params=params)
    yield from session.act(
        run_once(n=numbers[0], adaptive=False), Progress(0.01, "warm-up run (not timed)", result)
    )
    done = 1
    for turn in range(params.repeats):
        for n in numbers if turn % 2 == 0 else numbers[::-1]:
            progress = Progress(done / n_all, f"{n} partitions, repeat {turn + 1}", result)
            trace = yield from session.act(run_once(n=n, adaptive=False), progress)
            result, done = _with(result, n, trace), done + 1
        progress = Progress(done / n_all, f"AQE, repeat {turn + 1}", result)
        trace = yield from session.act(run_once(n=numbers[-1], adaptive=True), progress)
        before = result.adaptive.seconds if result.adaptive else ()
        chosen = trace.stages[-1].n_tasks
        result, done = (
            replace(result, adaptive=Point(chosen, (*before, trace.seconds), trace)),
            done + 1,
        )
    return replace(result, complete=True)


TYPICAL_SECONDS = 40.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs."""
    return steps, TunerParams()


run: Callable[[TunerParams], TunerResult] = to_end(steps)
