"""What a backfill is asked for, its dry run, and what came of it, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, get_args

import pyarrow as pa

from engine.etl import flight_days
from engine.etl.backfill.partitions import FIRST_DAY, N_DAYS, TODAY, Code
from engine.ranges import SEED, Interval, Params, Range

Mode = Literal["missing", "missing or old code", "all"]
MODES: tuple[Mode, ...] = get_args(Mode)
Guard = Literal["last writer wins", "compare and swap"]
GUARDS: tuple[Guard, ...] = get_args(Guard)
FIRST_DATE, LAST_DATE = flight_days.date_of(FIRST_DAY), flight_days.date_of(FIRST_DAY + N_DAYS - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillParams(Params):
    """The range, what runs in it, how, and what happens at the same time."""

    # first and last
    dates: Annotated[tuple[date, date], Interval(FIRST_DATE, LAST_DATE)] = (
        date(2013, 6, 3),
        date(2013, 6, 30),
    )
    mode: Mode = "missing or old code"
    parallelism: Annotated[int, Range(1, 8)] = 4
    dry_run: bool = False
    daily_run: bool = True  # whether today's daily run comes in between
    guard: Guard = "last writer wins"
    latency_ms: Annotated[int, Range(0, 200, step=10)] = 40  # of the source, simulated
    seed: Annotated[int, SEED] = 0  # of the nights that had failed

    @property
    def days(self) -> list[int]:
        """The days of the range, counted from 1 January."""
        first, last = (flight_days.day_of(day) for day in self.dates)
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
    # of the dry run: one partition measured, times their number, by the workers
    estimate_seconds: float
    tasks: tuple[Task, ...] = ()
    # rows lost, stale, duplicated or ghost of each day in the range
    wrong_before: tuple[int, ...] = ()
    wrong_after: tuple[int, ...] = ()
    winner: str = "nobody"  # who wrote today's partition last
    seconds: float = 0.0
    complete: bool = False

    @property
    def n_partitions(self) -> int:
        """Partitions of the range."""
        return len(self.partitions)

    @property
    def n_will_run(self) -> int:
        """Partitions that the dry run says will run."""
        return sum(partition.runs for partition in self.partitions)

    @property
    def n_skipped(self) -> int:
        """Partitions of the range that it skips."""
        return self.n_partitions - self.n_will_run

    @property
    def rows_to_move(self) -> int:
        """Rows that will be read and written."""
        return sum(partition.n_rows for partition in self.partitions if partition.runs)

    @property
    def n_wrong_after(self) -> int:
        """Rows of the range that are not as they should be in the end."""
        return sum(self.wrong_after)

    @property
    def today_wrong(self) -> int:
        """Rows of today's partition that are not as they should be; -1 if today is not in the
        range.
        """
        return self.wrong_after[-1] if self.wrong_after and self.params.days[-1] == TODAY else -1

    @property
    def n_on_v2(self) -> int:
        """Partitions of the range that the new code made, in the end."""
        return sum(self.codes[day - FIRST_DAY] == "v2" for day in self.params.days)

    @property
    def verdict(self) -> str:
        """How many partitions run, how many are skipped, and what came of them."""
        will = (
            f"**{self.n_will_run}** of {self.n_partitions} partitions run, {self.n_skipped} are"
            " skipped"
        )
        if self.params.dry_run:
            return (
                f"Dry run: {will}; {self.rows_to_move:,} rows in about {self.estimate_seconds:.1f}"
                " s. Nothing was written."
            )
        if not self.complete:
            return f"{will}; {len(self.tasks)} are done."
        text = (
            f"{will}; rows that are wrong fell from {sum(self.wrong_before):,} to"
            f" **{self.n_wrong_after:,}**."
        )
        if self.today_wrong > 0:
            text += (
                f" {self.today_wrong:,} of them are today's: the {self.winner} wrote last, with"
                " older rows."
            )
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
        f"{p.parallelism} worker{'s' if p.parallelism > 1 else ''}: {busy:.2f} s of work in"
        f" {result.seconds:.2f} s (the dry run said {result.estimate_seconds:.2f} s). Waits for the"
        " source overlap, work on the same cores does not."
    )
    reasons.append(
        "Each partition is replaced whole, in one transaction: cancelled and half-done, the"
        " backfill leaves old days or new ones, never half a day; and running it again skips what"
        " has v2."
    )
    skipped = [
        n
        for n, partition in zip(result.wrong_after, result.partitions, strict=True)
        if not partition.runs
    ]
    if sum(skipped):
        reasons.append(
            f"{sum(skipped):,} wrong rows are in partitions that were skipped: they came after"
            " their night's run. A code version says how a partition was made, not whether its"
            " rows are all there."
        )
    if p.daily_run and result.today_wrong >= 0:
        reasons.append(
            "Today: the backfill read its flights, then the daily run wrote newer ones. With"
            f" “{p.guard}” the last to write was the {result.winner}, and {result.today_wrong:,}"
            " rows are wrong."
        )
    return reasons
