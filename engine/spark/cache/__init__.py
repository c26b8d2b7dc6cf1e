"""Cache and memory: tables cached one after the other until they evict each other; first and second
action timed.

Real: the tables are made and cached on the server's Spark, what Storage holds after each is read
from its REST API. The numbers in them are random, so that they do not compress. One table is as
large as another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import pyarrow as pa

from engine.jobs import Progress, Steps, timed, to_end
from engine.ranges import SEED, Params, Range
from engine.spark import session, tasks
from engine.spark.cache.model import regions
from engine.spark.restarts import repeat_if_spark_ends
from engine.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Level = Literal["none", "MEMORY_ONLY", "MEMORY_AND_DISK", "DISK_ONLY"]
LEVELS: tuple[Level, ...] = get_args(Level)
N_COLUMNS = 8  # doubles: 64 bytes a row
N_PARTITIONS = 8
N_ROWS = (50_000, 200_000, 500_000, 1_000_000, 2_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheParams(Params):
    """How many tables of which size, and where they are kept."""

    level: Level = "MEMORY_ONLY"
    n_tables: Annotated[int, Range(1, 6)] = 3
    n_rows: Annotated[int, Range(10_000, N_ROWS[-1], options=N_ROWS)] = 200_000  # of each table
    seed: Annotated[int, SEED] = 0


@dataclass(frozen=True, slots=True)
class Held:
    """What Storage holds of one table."""

    memory_bytes: int
    disk_bytes: int
    n_cached: int  # partitions in memory or on disk, of N_PARTITIONS


@dataclass(frozen=True, slots=True)
class Moment:
    """One table read twice, and what Storage holds afterwards of every table so far."""

    table: int  # 1 …; at the end the first again
    first_seconds: float
    second_seconds: float | None
    total: float  # the sum that the action gives: the same from cache as without
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CacheResult:
    """Every step as far as it has come, and the executor that it ran on."""

    params: CacheParams
    moments: tuple[Moment, ...]
    heap_bytes: int  # of one executor's JVM; a local Spark's is the driver's
    executor_limit_bytes: int  # what each executor says it can hold
    n_executors: int
    complete: bool = False

    @property
    def storage_limit_bytes(self) -> int:
        """Bytes that all executors say they can hold."""
        return self.executor_limit_bytes * self.n_executors

    @property
    def holders(self) -> str:
        """What holds the cache, in words."""
        return "the executor" if self.n_executors == 1 else f"all {self.n_executors} executors"

    @property
    def speed_up(self) -> float:
        """First action by second action of the first table."""
        first = self.moments[0]
        return first.first_seconds / max(first.second_seconds or first.first_seconds, 1e-4)

    @property
    def evicted(self) -> int:
        """Partitions of the first table that are no longer held anywhere once all tables are
        cached.
        """
        if self.params.level == "none" or len(self.moments) < self.params.n_tables:
            return 0
        return N_PARTITIONS - self.moments[self.params.n_tables - 1].held[0].n_cached

    @property
    def memory_bytes(self) -> int:
        """Bytes that Storage holds in memory once all tables are cached."""
        return sum(
            held.memory_bytes
            for held in self.moments[min(self.params.n_tables, len(self.moments)) - 1].held
        )

    @property
    def verdict(self) -> str:
        """What the cache saves, and what was evicted; before a run, what is expected."""
        if not self.moments:
            return self._expected
        first = self.moments[0]
        made, again = (
            format_seconds(seconds or 0) for seconds in (first.first_seconds, first.second_seconds)
        )
        if self.params.level == "none":
            return f"Nothing is cached: table 1 takes {made}, and the second time **{again}**."
        n = len({m.table for m in self.moments})
        kept = (
            f"**{self.evicted} of {N_PARTITIONS} partitions of table 1 are evicted**"
            if self.evicted
            else "table 1 is still cached"
        )
        return (
            f"Table 1 takes {made} to compute and cache, **{again}** from the cache. After {n}"
            f" table{'s' * (n > 1)}, {kept}."
        )

    @property
    def asked_bytes(self) -> int:
        """Bytes of all tables together, as numbers: what caching them all asks for."""
        return self.params.n_tables * self.params.n_rows * N_COLUMNS * 8

    @property
    def _expected(self) -> str:
        p, asked, limit = (
            self.params,
            format_bytes(self.asked_bytes),
            format_bytes(self.storage_limit_bytes),
        )
        fits = self.asked_bytes <= self.storage_limit_bytes
        outcome = {
            "none": "none of it is kept",
            "DISK_ONLY": "all of it goes to disk",
            "MEMORY_AND_DISK": f"{limit} fit in memory, "
            + ("so all stay" if fits else "the rest goes to disk"),
            "MEMORY_ONLY": f"{limit} fit in memory, "
            + ("so all stay" if fits else "the rest is evicted"),
        }[p.level]
        return f"Not measured yet. Expected: {p.n_tables} tables are **{asked}**; {outcome}."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        each = format_bytes(p.n_rows * N_COLUMNS * 8)
        size = (
            f"**Size:** a table has {each} of random doubles. {self.holders.capitalize()} can hold"
            f" {format_bytes(self.storage_limit_bytes)}."
        )
        if p.level == "none":
            return [
                "**No cache:** Spark keeps nothing, so every action runs the whole plan again.",
                size,
            ]
        reasons = [
            "**cache() is lazy:** the first action computes every partition and keeps it.",
            size,
        ]
        if not self.moments:
            return reasons
        if self.evicted:
            where = "computed again" if p.level == "MEMORY_ONLY" else "read from disk"
            reasons.append(
                "**Eviction:** Spark drops the least recently used partitions to make room. Read"
                f" again, table 1 is {where}."
            )
        on_disk = format_bytes(sum(held.disk_bytes for held in self.moments[-1].held))
        return [
            *reasons,
            f"**Storage** now has {format_bytes(self.memory_bytes)} in memory and {on_disk} on"
            " disk.",
            "**Measured once:** each time is of a single run.",
        ]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: what is held of the first table, and the
        sum of its numbers.
        """
        if not self.moments:
            return {}
        first = self.moments[0]
        cached = first.held[0].n_cached if first.held else 0
        return {"cached partitions of table 1": cached, "sum of table 1": round(first.total, 3)}

    def table(self) -> pa.Table:
        """Return one row per step and table held."""
        rows = [
            {
                "step": step + 1,
                "table_read": moment.table,
                "first_seconds": moment.first_seconds,
                "second_seconds": moment.second_seconds,
                "table": i + 1,
                "memory_bytes": held.memory_bytes,
                "disk_bytes": held.disk_bytes,
                "cached_partitions": held.n_cached,
            }
            for step, moment in enumerate(self.moments)
            for i, held in enumerate(moment.held or (Held(0, 0, 0),))
        ]
        return pa.Table.from_pylist(rows) if rows else pa.table({"step": pa.array([], pa.int64())})

    def rows(self) -> list[dict[str, str]]:
        """Return one line per step for a table on the page."""
        return [
            {
                "step": f"table {m.table}" + (" again" if i >= self.params.n_tables else ""),
                "first action": format_seconds(m.first_seconds),
                "second action": (
                    format_seconds(m.second_seconds) if m.second_seconds is not None else ""
                ),
                "in memory": format_bytes(sum(h.memory_bytes for h in m.held)),
                "on disk": format_bytes(sum(h.disk_bytes for h in m.held)),
            }
            for i, m in enumerate(self.moments)
        ]


def make(live: SparkSession, params: CacheParams, table: int) -> DataFrame:
    """Return the plan of a table: rows of N_COLUMNS random doubles, 0–1, the same for the same
    seed.
    """
    from pyspark.sql import functions as sf

    rows = live.range(0, params.n_rows, 1, N_PARTITIONS)
    return rows.select(
        *[sf.rand(1_000 * params.seed + 10 * table + i).alias(f"c{i}") for i in range(N_COLUMNS)]
    )


def _read(frame: DataFrame) -> float:
    from pyspark.sql import functions as sf

    total: float = frame.agg(*[sf.sum(name) for name in frame.columns]).collect()[0][0]
    return total


def _held(live: SparkSession, ids: list[int]) -> tuple[Held, ...]:
    tasks.settle(live)
    found = {rdd["id"]: rdd for rdd in session.rest("storage/rdd")}
    gone: dict[str, Any] = {"memoryUsed": 0, "diskUsed": 0, "numCachedPartitions": 0}
    tables = [found.get(i, gone) for i in ids]
    return tuple(
        Held(rdd["memoryUsed"], rdd["diskUsed"], rdd["numCachedPartitions"]) for rdd in tables
    )


class _Tables:
    """The cached tables of one run; ``close`` unpersists them all."""

    def __init__(self, params: CacheParams) -> None:
        self.params = params
        self.frames: list[DataFrame] = []
        self.ids: list[int] = []

    def add(self, live: SparkSession, table: int) -> Moment:
        """Make a table, cache it, read it twice."""
        from pyspark import StorageLevel

        frame = make(live, self.params, table)
        before = set(live.sparkContext._jsc.getPersistentRDDs().keySet().toArray())
        if self.params.level != "none":
            frame = frame.persist(getattr(StorageLevel, self.params.level))
        self.frames.append(frame)
        first, total = timed(partial(_read, frame))
        second, _ = timed(partial(_read, frame))
        self.ids += sorted(
            set(live.sparkContext._jsc.getPersistentRDDs().keySet().toArray()) - before
        )
        return Moment(table, first, second, total, _held(live, self.ids))

    def again(self, live: SparkSession) -> Moment:
        """Read the first table again."""
        seconds, total = timed(partial(_read, self.frames[0]))
        return Moment(1, seconds, None, total, _held(live, self.ids))

    def close(self) -> None:
        """Unpersist every table."""
        for frame in self.frames:
            try:
                frame.unpersist()
            except Exception:
                # Py4J raises many kinds when Spark's process has ended: the tables went with it
                return


def _executors(live: SparkSession) -> tuple[int, int, int]:
    """Return the bytes of an executor's heap, of its storage limit as it says itself, and how many
    executors there are.
    """
    context: Any = live.sparkContext
    executors = session.rest("executors")
    if session.ENGINE.target.kind == "local":
        return (
            int(context._jvm.java.lang.Runtime.getRuntime().maxMemory()),
            int(executors[0]["maxMemory"]),
            1,
        )
    workers = [executor for executor in executors if executor["id"] != "driver"]
    heap = context._jvm.org.apache.spark.util.Utils.memoryStringToMb(
        context.getConf().get("spark.executor.memory", "1g")
    )
    return (
        int(heap) * 1024**2,
        min(int(executor["maxMemory"]) for executor in workers),
        len(workers),
    )


def preview(params: CacheParams) -> CacheResult:
    """Return what is known before Spark runs: by the memory model, what the lab's own Spark will be
    able to hold.
    """
    heap = int(session.DRIVER_MEMORY[:-1]) * 1024**3
    return CacheResult(params, (), heap, regions(heap, session.MEMORY_FRACTION).unified, 1)


@repeat_if_spark_ends
def steps(params: CacheParams) -> Steps:
    """Cache table after table; the result so far comes after each.

    Returns
    -------
    CacheResult
        With ``complete`` set.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    yield from session.begin("Storage list to read")
    executors = yield from session.act(_executors, Progress(0.02, "asking the executors"))
    result, tables = CacheResult(params, (), *executors), _Tables(params)
    try:
        for table in range(1, params.n_tables + 1):
            progress = Progress((table - 1) / (params.n_tables + 1), f"table {table}", result)
            moment = yield from session.act(partial(tables.add, table=table), progress)
            result = replace(result, moments=(*result.moments, moment))
        again = yield from session.act(tables.again, Progress(0.9, "table 1 again", result))
        return replace(result, moments=(*result.moments, again), complete=True)
    finally:
        tables.close()


TYPICAL_SECONDS = 15.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs."""
    return steps, CacheParams()


run: Callable[[CacheParams], CacheResult] = to_end(steps)
