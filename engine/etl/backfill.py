"""Backfill planner: which days will run and why, what it costs, how it fills in parallel, and who wins against the daily run.

Real: partitions are read from SQLite, rebuilt by the new code, and replaced in DuckDB, each in one transaction, by as many
threads as asked for; today's daily run writes its own partition meanwhile. The order in which the two meet is held fixed (the
backfill reads today's flights, the daily run then reads and writes newer ones, the backfill writes last), as that is the case
that hurts. Simulated: the source's distance, a wait before each read.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa

from engine import workspace
from engine.errors import require, require_choice
from engine.etl import flight_days, partitions, sources, warehouse
from engine.etl.backfill_script import script
from engine.etl.partitions import FIRST_DAY, N_DAYS, TODAY, Code
from engine.jobs import Progress, Steps, run_to_end

__all__ = [
    "DATES",
    "GUARDS",
    "MODES",
    "BackfillParams",
    "BackfillResult",
    "Partition",
    "Task",
    "plan",
    "run",
    "script",
    "steps",
]

Mode = Literal["missing", "missing or old code", "all"]
MODES: tuple[Mode, ...] = get_args(Mode)
Guard = Literal["last writer wins", "compare and swap"]
GUARDS: tuple[Guard, ...] = get_args(Guard)
DATES = tuple(flight_days.date_of(FIRST_DAY + i).isoformat() for i in range(N_DAYS))
POLL_SECONDS = 0.1
MEETING_SECONDS = 20.0  # the longest that the daily run and the backfill wait for each other


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillParams:
    """The range, what runs in it, how, and what happens at the same time."""

    dates: tuple[str, str] = ("2013-06-03", "2013-06-30")  # first and last, within April … June 2013
    mode: Mode = "missing or old code"
    parallelism: int = 4  # 1 … 8
    dry_run: bool = False
    daily_run: bool = True  # whether today's daily run comes in between
    guard: Guard = "last writer wins"
    latency_ms: int = 40  # of the source, simulated, 0 … 200
    seed: int = 0  # of the nights that had failed

    def __post_init__(self) -> None:
        require(len(self.dates) == 2, "dates must be a first and a last day. Got {}.", self.dates)
        for day in self.dates:
            require(day in DATES, "dates must be {} … {}. Got {!r}.", DATES[0], DATES[-1], day)
        require(self.dates[0] <= self.dates[1], "dates must be in order. Got {} … {}.", *self.dates)
        require_choice("mode", self.mode, MODES)
        require(1 <= self.parallelism <= 8, "parallelism must be 1 … 8. Got {}.", self.parallelism)
        require_choice("guard", self.guard, GUARDS)
        require(0 <= self.latency_ms <= 200, "latency_ms must be 0 … 200. Got {}.", self.latency_ms)
        require(0 <= self.seed < 2**31, "seed must be 0 … 2,147,483,647. Got {}.", self.seed)

    @property
    def days(self) -> list[int]:
        """The days of the range, counted from 1 January."""
        first, last = (flight_days.day_of(date.fromisoformat(day)) for day in self.dates)
        return list(range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Partition:
    """One line of the dry run."""

    day: int
    code: Code  # before
    runs: bool
    reason: str
    n_rows: int  # in the source


@dataclass(frozen=True, slots=True)
class Task:
    """One partition written, or not: by whom, when since the start, and what came of it."""

    day: int
    worker: int  # −1: the daily run
    start_seconds: float
    read_seconds: float
    end_seconds: float
    outcome: str  # "written", or why not


@dataclass(frozen=True, slots=True, eq=False)
class BackfillResult:
    """The dry run and, unless it was only that, what happened."""

    params: BackfillParams
    partitions: tuple[Partition, ...]
    codes: tuple[Code, ...]  # (N_DAYS,) of all partitions, as they stand now
    estimate_seconds: float  # of the dry run: one partition measured, times the number, by the workers
    tasks: tuple[Task, ...] = ()
    wrong_before: tuple[int, ...] = ()  # rows lost, stale, duplicated or ghost of each day in the range
    wrong_after: tuple[int, ...] = ()
    winner: str = "nobody"  # who wrote today's partition last
    seconds: float = 0.0
    complete: bool = False

    @property
    def n_will_run(self) -> int:
        """Partitions that the dry run says will run."""
        return sum(partition.runs for partition in self.partitions)

    @property
    def n_skipped(self) -> int:
        """Partitions of the range that it skips."""
        return len(self.partitions) - self.n_will_run

    @property
    def rows_to_move(self) -> int:
        """Rows that will be read and written."""
        return sum(partition.n_rows for partition in self.partitions if partition.runs)

    @property
    def n_wrong_after(self) -> int:
        """Rows of the range that are not as they should be in the end."""
        return sum(self.wrong_after)

    @property
    def n_wrong_with_daily_run(self) -> int:
        """The same if today's daily run came in between and today is in the range; else a million."""
        met = self.params.daily_run and self.params.days[-1] == TODAY and not self.params.dry_run
        return self.n_wrong_after if met else 1_000_000

    @property
    def wide_and_cheap(self) -> bool:
        """Whether this is a dry run over at least 60 days of which fewer than 10 would run."""
        return self.params.dry_run and len(self.partitions) >= 60 and self.n_will_run < 10

    @property
    def today_wrong(self) -> int:
        """Rows of today's partition that are not as they should be; -1 if today is not in the range."""
        return self.wrong_after[-1] if self.wrong_after and self.params.days[-1] == TODAY else -1

    @property
    def n_on_v2(self) -> int:
        """Partitions of the range that the new code made, in the end."""
        return sum(self.codes[day - FIRST_DAY] == "v2" for day in self.params.days)

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        will = f"**{self.n_will_run}** of {len(self.partitions)} partitions run, {self.n_skipped} are skipped"
        if self.params.dry_run:
            return f"Dry run: {will}; {self.rows_to_move:,} rows in about {self.estimate_seconds:.1f} s. Nothing was written."
        if not self.complete:
            return f"{will}; {len(self.tasks)} are done."
        text = f"{will}; rows that are wrong fell from {sum(self.wrong_before):,} to **{self.n_wrong_after:,}**."
        if self.today_wrong > 0:
            text += f" {self.today_wrong:,} of them are today's: the {self.winner} wrote last, with older rows."
        return text

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return _reasons(self)

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces."""
        return {
            "n_will_run": self.n_will_run,
            "n_skipped": self.n_skipped,
            "rows_to_move": self.rows_to_move,
            "n_wrong_before": sum(self.wrong_before),
            "n_wrong_after": self.n_wrong_after,
            "n_on_v2": self.n_on_v2,
            "winner": self.winner,
        }

    def table(self) -> pa.Table:
        """Return one row for each partition of the range."""
        done = {task.day: task for task in self.tasks if task.worker >= 0}
        return pa.Table.from_pylist(
            [
                {
                    "date": flight_days.date_of(partition.day).isoformat(),
                    "code_before": partition.code or "missing",
                    "runs": partition.runs,
                    "reason": partition.reason,
                    "rows": partition.n_rows,
                    "outcome": done[partition.day].outcome if partition.day in done else "",
                    "code_now": self.codes[partition.day - FIRST_DAY] or "missing",
                }
                for partition in self.partitions
            ]
        )


def _reasons(result: BackfillResult) -> list[str]:
    p = result.params
    why: dict[str, int] = {}
    for partition in result.partitions:
        why[partition.reason] = why.get(partition.reason, 0) + 1
    reasons = ["Dry run: " + ", ".join(f"{n} {reason}" for reason, n in why.items()) + "."]
    if p.dry_run or not result.complete:
        return reasons
    busy = sum(task.end_seconds - task.start_seconds for task in result.tasks if task.worker >= 0)
    reasons.append(
        f"{p.parallelism} worker{'s' if p.parallelism > 1 else ''}: {busy:.2f} s of work in {result.seconds:.2f} s "
        f"(the dry run said {result.estimate_seconds:.2f} s). Waits for the source overlap, work on the same cores does not."
    )
    reasons.append(
        "Each partition is replaced whole, in one transaction: cancelled and half-done, the backfill leaves old days or new "
        "ones, never half a day; and running it again skips what has v2."
    )
    skipped = [n for n, partition in zip(result.wrong_after, result.partitions, strict=True) if not partition.runs]
    if sum(skipped):
        reasons.append(
            f"{sum(skipped):,} wrong rows are in partitions that were skipped: they came after their night's run. A code "
            "version says how a partition was made, not whether its rows are all there."
        )
    if p.daily_run and result.today_wrong >= 0:
        reasons.append(
            f"Today: the backfill read its flights, then the daily run wrote newer ones. With “{p.guard}” the last to write "
            f"was the {result.winner}, and {result.today_wrong:,} rows are wrong."
        )
    return reasons


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


@dataclass(slots=True, eq=False)
class _Run:
    """A backfill under way: its threads put tasks into ``done``."""

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

    def write(self, cursor: Any, day: int, rows: pa.Table, writer: str, expected: int | None) -> bool:
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
                    self.one(cursor, worker, day)
        except BaseException as error:
            self.errors.append(error)
        finally:
            if self.errors:
                self.stop.set()

    def one(self, cursor: Any, worker: int, day: int) -> None:
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
        outcome = "written" if written else "left alone: written by another meanwhile"
        now = time.perf_counter()
        self.done.put(Task(day, worker, start - self.started, read - start, now - self.started, outcome))

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
                self.done.put(Task(TODAY, -1, start - self.started, read - start, now - self.started, "written"))
        except BaseException as error:
            self.errors.append(error)
            self.stop.set()
        finally:
            self.daily_done.set()


def _estimate(run_: _Run, n: int) -> float:
    """Return the seconds that ``n`` partitions will take: one is read and transformed, without writing it."""
    start = time.perf_counter()
    run_.read(FIRST_DAY)
    return (time.perf_counter() - start) * n / run_.params.parallelism


def _running(run_: _Run, result: BackfillResult) -> Steps:
    """Run the threads; yields the partitions as they are done, returns the result with all tasks."""
    days = [partition.day for partition in result.partitions if partition.runs]
    for day in days:
        run_.todo.put(day)
    threads = [threading.Thread(target=run_.work, args=(i,), daemon=True) for i in range(run_.params.parallelism)]
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
                yield Progress(len(result.tasks) / max(1, len(days)), "waiting for the source", result)
                continue
            codes = list(result.codes)
            if task.outcome == "written":
                codes[task.day - FIRST_DAY] = "v2"
            result = replace(result, tasks=(*result.tasks, task), codes=tuple(codes))
            message = f"{flight_days.date_of(task.day):%d %b}: {task.outcome}"
            yield Progress(min(1.0, len(result.tasks) / max(1, len(days))), message, result)
    finally:
        run_.stop.set()
        for thread in threads:
            thread.join()
    if run_.errors:
        raise run_.errors[0]
    return replace(result, seconds=max((task.end_seconds for task in result.tasks), default=0.0))


def steps(params: BackfillParams) -> Steps:
    """Plan, and unless it is a dry run, rebuild the partitions; ``Progress`` as each is done. Returns a ``BackfillResult``."""
    source = sources.settled(FIRST_DAY, N_DAYS)
    folder = workspace.scratch("backfill")
    try:
        yield Progress(0.0, "the dry run")
        sources.write(partitions.today_database(folder), flight_days.rows_at(flight_days.midnight(TODAY + 1), TODAY))
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
    return tuple(found.n_lost + found.n_stale + found.n_duplicated + found.n_ghost for found in ledgers)


@lru_cache(maxsize=16)
def run(params: BackfillParams) -> BackfillResult:
    """Plan and run here and now. The last few results are kept."""
    result: BackfillResult = run_to_end(steps(params))
    return result
