"""Backfill planner: which days will run and why, the cost, the parallel run, and the conflict with
the daily run.

Real: partitions are read from SQLite, rebuilt by the new code, and replaced in DuckDB, each in one
transaction, by as many threads as asked for; today's daily run writes its own partition during the
backfill. Their order is fixed (the backfill reads today's flights, the daily run then reads and
writes newer ones, the backfill writes last): the case that does harm. Simulated: the source's
latency, a wait before each read.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from engine import workspace
from engine.etl import flight_days, warehouse
from engine.etl.backfill import partitions, sources
from engine.etl.backfill.partitions import FIRST_DAY, N_DAYS, TODAY
from engine.etl.backfill.result import (
    FIRST_DATE,
    GUARDS,
    LAST_DATE,
    MODES,
    BackfillParams,
    BackfillResult,
    Partition,
    Task,
)
from engine.jobs import Progress, Steps, to_end
from engine.units import format_day

__all__ = [
    "FIRST_DATE",
    "GUARDS",
    "LAST_DATE",
    "MODES",
    "BackfillParams",
    "BackfillResult",
    "Partition",
    "Task",
    "plan",
    "planned",
    "run",
    "steps",
]

POLL_SECONDS = 0.1
MEETING_SECONDS = 20.0  # the longest that the daily run and the backfill wait for each other


def plan(params: BackfillParams, counts: list[int]) -> tuple[Partition, ...]:
    """Return the dry run; ``counts`` are the source's rows of each day from FIRST_DAY on."""
    codes, lines = partitions.initial_codes(params.seed), []
    for day in params.days:
        code, n_rows = codes[day - FIRST_DAY], counts[day - FIRST_DAY]
        if not code:
            runs, reason = True, "missing"
        elif code == "v1" and params.mode != "missing":
            runs, reason = True, "made by v1"
        elif params.mode == "all":
            runs, reason = True, "has v2, forced"
        else:
            runs, reason = False, f"skipped: has {code}"
        lines.append(Partition(day, code, runs, reason, n_rows))
    return tuple(lines)


@lru_cache(maxsize=32)
def planned(params: BackfillParams) -> BackfillResult:
    """Return the plan alone: nothing is read from the source's database or written."""
    rows = flight_days.truth(FIRST_DAY, N_DAYS)["flight_date"].to_numpy().astype(np.int64)
    counts = np.unique(rows, return_counts=True)[1].tolist()
    codes = tuple(partitions.initial_codes(params.seed))
    return BackfillResult(params, plan(params, counts), codes, 0.0)


@dataclass(slots=True, eq=False)
class _Run:
    """A running backfill: its threads put tasks into ``done``."""

    params: BackfillParams
    connection: Any
    folder: Path
    source: Path
    started: float = field(default_factory=time.perf_counter)
    todo: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    done: queue.SimpleQueue[Task] = field(default_factory=queue.SimpleQueue)
    errors: list[BaseException] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    writing: threading.Lock = field(default_factory=threading.Lock)
    today_read: threading.Event = field(default_factory=threading.Event)
    daily_done: threading.Event = field(default_factory=threading.Event)

    def read(self, day: int) -> pa.Table:
        """Return a day's rows by the new code, after the source's latency."""
        time.sleep(self.params.latency_ms / 1000)
        path = partitions.today_database(self.folder) if day == TODAY else self.source
        return partitions.transform(sources.read_day(path, day), "v2")

    def write(
        self, cursor: Any, day: int, rows: pa.Table, writer: str, expected: int | None
    ) -> bool:
        """Replace a partition; one writer at a time."""
        with self.writing:
            return partitions.write(cursor, day, rows, "v2", writer, expected)

    def work(self, worker: int) -> None:
        """Take days until there are none."""
        try:
            with self.connection.cursor() as cursor:
                while not self.stop.is_set():
                    try:
                        day = self.todo.get_nowait()
                    except queue.Empty:
                        return
                    self.rebuild(cursor, worker, day)
        except BaseException as error:
            self.errors.append(error)
        finally:
            if self.errors:
                self.stop.set()

    def rebuild(self, cursor: Any, worker: int, day: int) -> None:
        start = time.perf_counter()
        seen = partitions.version(cursor, day)
        rows = self.read(day)
        read = time.perf_counter()
        if day == TODAY:
            self.today_read.set()
            if self.params.daily_run:
                self.daily_done.wait(MEETING_SECONDS)
        expected = seen if self.params.guard == "compare and swap" else None
        written = self.write(cursor, day, rows, "backfill", expected)
        outcome = "written" if written else "not written: another run wrote first"
        now = time.perf_counter()
        self.done.put(
            Task(day, worker, start - self.started, read - start, now - self.started, outcome)
        )

    def daily(self, waits: bool) -> None:
        """Let today's flights move on, and write them: the daily run."""
        try:
            if waits:
                while not self.today_read.wait(POLL_SECONDS):
                    if self.stop.is_set():
                        return
            with self.connection.cursor() as cursor:
                start = time.perf_counter()
                path = partitions.today_database(self.folder)
                path.unlink()
                sources.write(path, flight_days.truth(TODAY))
                rows = self.read(TODAY)
                read = time.perf_counter()
                self.write(cursor, TODAY, rows, "daily run", None)
                now = time.perf_counter()
                self.done.put(
                    Task(
                        TODAY, -1, start - self.started, read - start, now - self.started, "written"
                    )
                )
        except BaseException as error:
            self.errors.append(error)
            self.stop.set()
        finally:
            self.daily_done.set()


def _estimate(run_: _Run, n: int) -> float:
    """Return the seconds that ``n`` partitions will take: one is read and transformed, without
    writing it.
    """
    start = time.perf_counter()
    run_.read(FIRST_DAY)
    return (time.perf_counter() - start) * n / run_.params.parallelism


def _running(run_: _Run, result: BackfillResult) -> Steps:
    """Run the threads; yield as partitions are done, return the result with all tasks."""
    days = [partition.day for partition in result.partitions if partition.runs]
    for day in days:
        run_.todo.put(day)
    threads = [
        threading.Thread(target=run_.work, args=(i,), daemon=True)
        for i in range(run_.params.parallelism)
    ]
    if run_.params.daily_run:
        threads.append(threading.Thread(target=run_.daily, args=(TODAY in days,), daemon=True))
    run_.started = time.perf_counter()
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads) or not run_.done.empty():
            try:
                task = run_.done.get(timeout=POLL_SECONDS)
            except queue.Empty:
                yield Progress(
                    len(result.tasks) / max(1, len(days)), "waiting for the source", result
                )
                continue
            codes = list(result.codes)
            if task.outcome == "written":
                codes[task.day - FIRST_DAY] = "v2"
            result = replace(result, tasks=(*result.tasks, task), codes=tuple(codes))
            message = f"{format_day(flight_days.date_of(task.day))}: {task.outcome}"
            yield Progress(min(1.0, len(result.tasks) / max(1, len(days))), message, result)
    finally:
        run_.stop.set()
        for thread in threads:
            thread.join()
    if run_.errors:
        raise run_.errors[0]
    return replace(result, seconds=max((task.end_seconds for task in result.tasks), default=0.0))


def steps(params: BackfillParams) -> Steps:
    """Plan, and unless it is a dry run, rebuild the partitions; ``Progress`` as each is done.
    Returns a ``BackfillResult``.
    """
    source = sources.settled(FIRST_DAY, N_DAYS)
    folder = workspace.scratch("backfill")
    try:
        yield Progress(0.0, "the dry run")
        sources.write(
            partitions.today_database(folder),
            flight_days.rows_at(flight_days.midnight(TODAY + 1), TODAY),
        )
        lines = plan(params, sources.count_days(source, FIRST_DAY, N_DAYS))
        with warehouse.connect(folder / "warehouse.duckdb") as connection:
            partitions.create(connection, params.seed)
            before, _ = partitions.read_back(connection, params.days)
            run_ = _Run(params, connection, folder, source)
            result = BackfillResult(
                params,
                lines,
                tuple(partitions.initial_codes(params.seed)),
                _estimate(run_, sum(line.runs for line in lines)),
                wrong_before=_wrong(before),
                wrong_after=_wrong(before),
            )
            if not params.dry_run:
                result = yield from _running(run_, result)
            after, notes = partitions.read_back(connection, params.days)
        winner = notes[TODAY][1] if TODAY in notes else "nobody"
        return replace(result, wrong_after=_wrong(after), winner=winner, complete=True)
    finally:
        workspace.remove(folder)


def _wrong(ledgers: list[Any]) -> tuple[int, ...]:
    return tuple(
        found.n_lost + found.n_stale + found.n_duplicated + found.n_undeleted for found in ledgers
    )


def default_job() -> tuple[Any, Any]:
    """Return the steps and params that the server runs at its start."""
    return steps, BackfillParams()


# here and now; the last few results are kept
run: Callable[[BackfillParams], BackfillResult] = lru_cache(maxsize=16)(to_end(steps))
