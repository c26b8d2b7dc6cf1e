"""Accumulators and broadcast variables, live: what an accumulator counts and when it is wrong; what
a table costs in a closure.

Real: every count is that of a Spark accumulator after the code shown; the failing task raises a
real exception in its first attempt and Spark runs it again. The lost shuffle is a real file
deleted between two actions; it runs in a Spark of its own (``apis.child``), for losing it also
loses what the cache holds. A table's copies are counted by a stamp made at each unpickling.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from engine import processes
from engine.jobs import Progress, Steps, to_end
from engine.ranges import Params, Range
from engine.spark import session, tasks
from engine.spark.restarts import repeat_if_spark_ends
from engine.units import format_bytes, format_factor

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext
    from pyspark.accumulators import Accumulator
    from pyspark.sql import SparkSession

N_TAKEN = 5
LOST = "map, shuffle lost, collect twice"
TABLE_BYTES = (10_000, 100_000, 1_000_000, 10_000_000)
# spark.broadcast.UDFCompressionThreshold, 1 MB: PySpark broadcasts a larger function by itself
AUTO_BROADCAST_BYTES = 1_000_000
ROWS = (1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccumulatorParams(Params):
    """How many rows are to be counted, in how many tasks, and whether a shuffle file is deleted
    too.
    """

    experiment: ClassVar[str] = "apis"
    n_rows: Annotated[int, Range(100, 1_000_000, options=ROWS)] = 10_000
    n_tasks: Annotated[int, Range(1, 64, most=16)] = 4
    lost_shuffle: bool = False  # starts a second Spark


@dataclass(frozen=True, slots=True)
class Count:
    """One piece of code that counts rows with an accumulator."""

    case: str
    counted: int
    n_tasks: int  # attempts that ran
    n_failed: int
    because: str


@dataclass(frozen=True, slots=True, eq=False)
class AccumulatorResult:
    """Every case as far as it has come."""

    params: AccumulatorParams
    counts: tuple[Count, ...] = ()
    complete: bool = False

    @property
    def wrong(self) -> list[Count]:
        """The cases whose accumulator is not the number of rows."""
        return [count for count in self.counts if count.counted != self.params.n_rows]

    @property
    def verdict(self) -> str:
        """How many ways to count give another number than the rows."""
        n = self.params.n_rows
        if not self.counts:
            return (
                "Not measured yet. Expected: an accumulator is right in an **action** only; in a"
                " transformation it counts runs of the code."
            )
        retried = [count for count in self.counts if count.n_failed and count.case != LOST]
        kept = sum(count.counted == n for count in retried)
        text = f"**{len(self.wrong)} of {len(self.counts)}** accumulators do not count {n:,} rows."
        if retried and kept == len(retried):
            text += " A failed task is no reason: Spark drops what its attempt added."
        return text

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome."""
        return [
            "**In an action** (foreach) Spark counts each task exactly once.",
            "**In a transformation** (map) it counts runs of the code: a second action counts"
            " again, `take` counts too few.",
            "**A failed attempt** is not counted: only a finished task's updates arrive.",
            "**A lost shuffle file** makes Spark run the map again, and count again.",
            "**For a number that must be right,** use `count()`.",
        ]

    def rows(self) -> list[dict[str, str]]:
        """Return one line per case for a table on the page."""
        n = self.params.n_rows
        return [
            {
                "code": count.case,
                "accumulator": f"{count.counted:,}",
                "by rows": format_factor(count.counted / n),
                "attempts": (
                    f"{count.n_tasks}" + (f", {count.n_failed} failed" if count.n_failed else "")
                ),
                "because": count.because,
            }
            for count in self.counts
        ]


def _adding(counter: Accumulator[int]) -> Callable[[int], int]:
    def add(row: int) -> int:
        counter.add(1)
        return row

    return add


def _failing(counter: Accumulator[int]) -> Callable[[Any], Any]:
    def add_and_fail_once(rows: Any) -> Any:
        from pyspark import TaskContext

        for row in rows:
            counter.add(1)
            yield row
        task = TaskContext.get()
        if task is not None and task.partitionId() == 0 and task.attemptNumber() == 0:
            raise RuntimeError("This attempt fails on purpose, after its last row.")

    return add_and_fail_once


Case = Callable[["RDD[int]", "Accumulator[int]"], Any]


def _twice(counted: RDD[int]) -> None:
    counted.count()
    counted.count()
    # of the one that was cached: the executor would hold it until the JVM collects its garbage
    counted.unpersist()


CASES: tuple[tuple[str, Case, str], ...] = (
    ("map, no action", lambda rows, n: rows.map(_adding(n)), "a transformation alone runs nothing"),
    (
        "foreach",
        lambda rows, n: rows.foreach(lambda row: n.add(1)),
        "an action: Spark takes each task's updates exactly once",
    ),
    (
        "map, count",
        lambda rows, n: rows.map(_adding(n)).count(),
        "right here: one action, every row needed",
    ),
    (
        f"map, take({N_TAKEN})",
        lambda rows, n: rows.map(_adding(n)).take(N_TAKEN),
        "lazy: what the action does not need is never mapped",
    ),
    (
        "map, count, count",
        lambda rows, n: _twice(rows.map(_adding(n))),
        "the second action runs the map again",
    ),
    (
        "map, cache, count, count",
        lambda rows, n: _twice(rows.map(_adding(n)).cache()),
        "the second action reads the cache; without it, it counts again",
    ),
    (
        "foreach, one task fails",
        lambda rows, n: rows.mapPartitions(_failing(n)).foreach(lambda row: None),
        "updates of a failed attempt are dropped",
    ),
    (
        "map, count, one task fails",
        lambda rows, n: rows.mapPartitions(_failing(n)).count(),
        "the same: only a finished task's updates arrive",
    ),
)


def expected_count(case: str, n_rows: int) -> int:
    """Return what a case leaves in the accumulator by Spark's programming guide."""
    others = {CASES[0][0]: 0, CASES[3][0]: N_TAKEN, CASES[4][0]: 2 * n_rows}
    return others.get(case, n_rows)


def _count(live: SparkSession, params: AccumulatorParams, case: tuple[str, Case, str]) -> Count:
    name, code, because = case
    context = live.sparkContext
    counter = context.accumulator(0)
    rows = context.parallelize(range(params.n_rows), params.n_tasks)
    _, trace = tasks.traced(live, lambda: code(rows, counter))
    return Count(
        name, counter.value, len(trace.tasks), sum(task.failed for task in trace.tasks), because
    )


@repeat_if_spark_ends
def accumulator_steps(params: AccumulatorParams) -> Steps:
    """Count the rows in every way; the result so far comes before each.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    result = AccumulatorResult(params)
    yield from session.begin("accumulator", result)
    n_all = len(CASES) + params.lost_shuffle
    for turn, case in enumerate(CASES):
        progress = Progress(turn / n_all, case[0], result)
        count = yield from session.act(partial(_count, params=params, case=case), progress)
        result = replace(result, counts=(*result.counts, count))
    if params.lost_shuffle:
        yield Progress(len(CASES) / n_all, "a second Spark loses a shuffle file", result)
        signs = processes.steps("engine.spark.apis.child", str(params.n_rows), str(params.n_tasks))
        found = yield from _shown(signs, result, len(CASES) / n_all)
        because = "the map's output is gone, so Spark runs the map again and counts twice"
        result = replace(
            result, counts=(*result.counts, Count(LOST, found[0], found[1], found[2], because))
        )
    return replace(result, complete=True)


def _shown(signs: Steps, result: AccumulatorResult, share: float) -> Steps:
    """Pass a child's signs of life on with the result so far."""
    while True:
        try:
            yield replace(next(signs), share=share, partial=result)
        except StopIteration as stop:
            return stop.value


count_rows: Callable[[AccumulatorParams], AccumulatorResult] = to_end(accumulator_steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastParams(Params):
    """In how many tasks a table is looked up."""

    experiment: ClassVar[str] = "apis"
    n_tasks: Annotated[int, Range(2, 64)] = 16


@dataclass(frozen=True, slots=True)
class Shipment:
    """A table of one size that reaches the tasks one way."""

    way: str  # "closure" or "broadcast"
    table_bytes: int
    function_bytes: int  # the pickled function that every task reads
    n_copies: int  # times that the table was unpickled
    n_workers: int  # Python processes
    seconds: float

    @property
    def unpickled_bytes(self) -> int:
        """Bytes of table that Python workers unpickled for the job."""
        return self.n_copies * self.table_bytes


@dataclass(frozen=True, slots=True, eq=False)
class BroadcastResult:
    """Every shipment as far as it has come; ``cores`` is what Spark had when the result began."""

    params: BroadcastParams
    shipments: tuple[Shipment, ...] = ()
    complete: bool = False
    cores: int = field(default_factory=lambda: session.ENGINE.cores)

    def shipments_by(self, way: str) -> list[Shipment]:
        """Return the shipments of a way, by size."""
        return [shipment for shipment in self.shipments if shipment.way == way]

    @property
    def verdict(self) -> str:
        """How often a table is unpickled in a closure and as a broadcast variable."""
        closures, broadcasts = self.shipments_by("closure"), self.shipments_by("broadcast")
        n = self.params.n_tasks
        if not broadcasts:
            return (
                f"Not measured yet. Expected: **{n} copies** of the table by closure, one per"
                " Python worker by broadcast."
            )
        left, right = closures[len(broadcasts) - 1], broadcasts[-1]
        return (
            f"{n} tasks unpickle a table of {format_bytes(left.table_bytes)} **{left.n_copies}"
            f" times** from a closure, **{right.n_copies} times** as a broadcast variable."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome."""
        limit = format_bytes(AUTO_BROADCAST_BYTES)
        return [
            "**Closure:** a table that a function names travels with the function. Each task"
            " unpickles it.",
            "**Broadcast variable:** Spark sends the table to each machine once. Each Python worker"
            " unpickles it once.",
            f"**Above {limit}** PySpark broadcasts the function, but each task still unpickles it.",
            "**A broadcast join** is the same idea for a small table. Spark plans it by itself.",
        ]

    def rows(self) -> list[dict[str, str]]:
        """Return one line per shipment for a table on the page."""
        return [
            {
                "table": format_bytes(shipment.table_bytes),
                "by": shipment.way,
                "function each task reads": (
                    format_bytes(shipment.function_bytes)
                    + (
                        " (PySpark broadcasts it)"
                        if shipment.function_bytes > AUTO_BROADCAST_BYTES
                        else ""
                    )
                ),
                "copies unpickled": f"{shipment.n_copies}",
                "bytes unpickled": format_bytes(shipment.unpickled_bytes),
                "Python workers": f"{shipment.n_workers}",
                "seconds, one run": f"{shipment.seconds:.2f}",
            }
            for shipment in self.shipments
        ]


class Stamp:
    """Becomes a fresh UUID whenever it is unpickled: so copies of what holds it can be
    distinguished.
    """

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return uuid.uuid4, ()


def _looked_up(
    context: SparkContext, way: str, n_bytes: int
) -> tuple[Callable[[int], tuple[int, str]], Any]:
    """Return the function of the tasks (worker, stamp of its copy of the table), and the broadcast
    variable if there is one.
    """
    import os

    table = {"rows": os.urandom(n_bytes), "copy": Stamp()}
    if way == "closure":
        return lambda _: (os.getpid(), str(table["copy"])), None
    shared = context.broadcast(table)
    return lambda _: (os.getpid(), str(shared.value["copy"])), shared


def _ship(live: SparkSession, params: BroadcastParams, way: str, n_bytes: int) -> Shipment:
    from pyspark.serializers import CloudPickleSerializer

    context = live.sparkContext
    look_up, shared = _looked_up(context, way, n_bytes)
    found, trace = tasks.traced(
        live, context.parallelize(range(params.n_tasks), params.n_tasks).map(look_up).collect
    )
    size = len(CloudPickleSerializer().dumps(look_up))  # type: ignore[no-untyped-call]
    if shared is not None:
        shared.destroy()
    workers, copies = ({pair[i] for pair in found} for i in (0, 1))
    return Shipment(way, n_bytes, size, len(copies), len(workers), trace.seconds)


@repeat_if_spark_ends
def broadcast_steps(params: BroadcastParams) -> Steps:
    """Ship tables of growing size both ways; the result so far comes before each.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    result = BroadcastResult(params)
    yield from session.begin("broadcast variable", result)
    result = BroadcastResult(params)  # again: only now does a cluster say how many cores it has
    ways = [(way, size) for size in TABLE_BYTES for way in ("closure", "broadcast")]
    for turn, (way, size) in enumerate(ways):
        progress = Progress(turn / len(ways), f"{format_bytes(size)} by {way}", result)
        shipment = yield from session.act(
            partial(_ship, params=params, way=way, n_bytes=size), progress
        )
        result = replace(result, shipments=(*result.shipments, shipment))
    return replace(result, complete=True)


ship: Callable[[BroadcastParams], BroadcastResult] = to_end(broadcast_steps)
