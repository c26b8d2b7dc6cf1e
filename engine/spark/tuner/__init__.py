"""Partition count: one job with 1 … 400 shuffle partitions, measured; where the U has its floor,
and what AQE would choose.

Real: each point is the job on the server's Spark, with AQE off so that the number asked for is the
number run; one more point has AQE on, and its number is that of the tasks which really ran. Rounds
go up and down the numbers in turn, so that a machine that slows down slows all of them. Honest
limits: one machine, no network; the tables are small, so AQE's target (64 MiB in Spark) is lowered
visibly, and its smallest partition (1 MiB) with it.
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
AT_CORES = (2, 4)  # the rule of thumb: so many partitions a core


@dataclass(frozen=True, slots=True, kw_only=True)
class TunerParams(Params):
    """Which job, how large, which numbers of partitions, how often."""

    workload: Job = "window"  # its work stands after the shuffle: one partition leaves a core idle
    copies: Annotated[int, Choice(COPIES)] = 1  # × 336,776 flights
    # the largest number tried; more tasks would each do less work than starting one costs
    max_partitions: Annotated[int, Range(1, 400, options=LIMITS)] = 100
    fine: bool = False  # twice as many numbers
    # what AQE makes of a partition
    target_kb: Annotated[int, Range(16, 65_536, step=16, most=8_192)] = 1_024
    repeats: Annotated[int, Range(1, 9)] = 3

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of partitions that are tried."""
        return tuple(n for n in (FINE if self.fine else COARSE) if n <= self.max_partitions)


@dataclass(frozen=True, slots=True)
class Point:
    """The job with one number of partitions."""

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
        """The quickest number."""
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
        """Whether both ends are slower than the floor by more than the runs of either spread."""
        return all(_apart(self.best, end) for end in (self.points[0], self.points[-1]))

    @property
    def verdict(self) -> str:
        """The quickest number of partitions, and what AQE chose."""
        if len(self.points) < 2:
            low, high = self.at_cores
            tried = ", ".join(map(str, self.params.numbers))
            told = f"Foretold by the rule of thumb, 2–4 a core: **{low}–{high}** partitions."
            return f"{told} To be measured: {tried}, and AQE's choice."
        best, first, last = self.best, self.points[0], self.points[-1]
        are = "s are" if best.n > 1 else " is"
        floor = f"**{best.n}** partition{are} quickest: {format_seconds(best.median)}"
        slow = [
            f"{end.n} take{'s' if end.n == 1 else ''} {format_factor(end.median / best.median)}"
            for end in (first, last)
            if _apart(best, end)
        ]
        if not slow:
            return (
                f"{floor}, but neither end stands clear of the spread: from {first.n} to {last.n}"
                " it hardly matters here."
            )
        aqe = f" AQE chose {self.aqe_partitions}." if self.adaptive else ""
        shape = "A U" if self.is_u else "No U"
        return f"{floor}; {' and '.join(slow)} as long. {shape}: {self._shape}.{aqe}"

    @property
    def _shape(self) -> str:
        best, first, last = self.best, self.points[0], self.points[-1]
        if self.is_u:
            return "too few leave cores idle, too many cost more to start than they do"
        if _apart(best, last):
            return f"too many hurt, but {first.n} does not stand clear of the runs' spread"
        return "too few hurt; not enough were tried for too many to"

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        if not self.points:
            return ["Nothing has run yet."]
        p, first, last, best = self.params, self.points[0], self.points[-1], self.best
        low, high = self.at_cores
        reasons = [
            (
                f"{_tasks(first).capitalize()}; {_tasks(last)}: the tasks' time outside the work"
                " itself (waiting for the driver, deserialising, reporting back; from Spark's REST"
                " API)."
            ),
            (
                f"{format_bytes(self.shuffle_bytes)} are shuffled:"
                f" {format_bytes(first.partition_bytes)} a partition with {first.n},"
                f" {format_bytes(best.partition_bytes)} with {best.n},"
                f" {format_bytes(last.partition_bytes)} with {last.n}."
            ),
            (
                f"Rules of thumb: 2–4 a core gives {low}–{high} on {self.cores} cores; bytes by a"
                f" target of {format_binary_bytes(p.target_kb * 1024)} gives {self.by_size}. Large"
                " data follows the second, small data the first."
            ),
        ]
        worst = max(self.points, key=lambda point: point.trace.spill_bytes)
        spilled = worst.trace.spill_bytes
        reasons.append(
            f"Up to {format_bytes(spilled)} did not fit execution memory and went to disk, with"
            f" {worst.n} partitions."
            if spilled
            else (
                f"Nothing spilled, an honest null: {format_bytes(first.partition_bytes)},"
                " compressed, in the largest partition fit the executor's memory. On data that"
                " does not, the left arm of the U is far steeper."
            )
        )
        if self.adaptive:
            reasons.append(
                f"AQE began with {p.numbers[-1]} partitions, saw their sizes after the map stage,"
                f" and joined them into {self.aqe_partitions} of about"
                f" {format_binary_bytes(p.target_kb * 1024)}:"
                f" {format_seconds(self.adaptive.median)}."
            )
        reasons.append(
            f"Median of {len(first.seconds)} rounds after one run not counted, up and down the"
            " numbers in turn."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: no seconds."""
        return {"AQE's partitions": self.aqe_partitions, "asked for": self.params.numbers[-1]}

    def table(self) -> pa.Table:
        """Return one row a run."""
        found = [(point, False) for point in self.points] + (
            [(self.adaptive, True)] if self.adaptive else []
        )
        rows = [
            {
                "partitions": point.n,
                "aqe": aqe,
                "round": i + 1,
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
        """Return the numbers of one setting, beside the quickest and AQE's, for a table on the
        page.
        """
        shown = {f"{n} (looked at)": self.point_at(n), f"{self.best.n} (quickest)": self.best}
        if self.adaptive:
            shown[f"{self.adaptive.n} (AQE's choice)"] = self.adaptive
        return [
            {
                "partitions": name,
                "median": format_seconds(point.median),
                "spread": format_range(min(point.seconds), max(point.seconds), format_seconds),
                "tasks": f"{len(point.trace.tasks):,}",
                "overhead": format_share(point.overhead_share),
                "bytes a partition": format_bytes(point.partition_bytes),
                "spill": format_bytes(point.trace.spill_bytes),
            }
            for name, point in shown.items()
            if point is not None
        ]


def _tasks(point: Point) -> str:
    many = "s" if point.n > 1 else ""
    return (
        f"with {point.n} partition{many} {len(point.trace.tasks)} tasks,"
        f" {format_share(point.overhead_share)} overhead"
    )


def _apart(best: Point, end: Point) -> bool:
    """Whether the runs of an end are all slower than the quickest number's."""
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
    """Run the job with every number, round after round, then with AQE; the result so far comes
    before each run.

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
        run_once(n=numbers[0], adaptive=False), Progress(0.01, "a run that is not counted", result)
    )
    done = 1
    for turn in range(params.repeats):
        for n in numbers if turn % 2 == 0 else numbers[::-1]:
            told = Progress(done / n_all, f"{n} partitions, round {turn + 1}", result)
            trace = yield from session.act(run_once(n=n, adaptive=False), told)
            result, done = _with(result, n, trace), done + 1
        told = Progress(done / n_all, f"AQE, round {turn + 1}", result)
        trace = yield from session.act(run_once(n=numbers[-1], adaptive=True), told)
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
