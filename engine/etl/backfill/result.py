"""What a backfill is asked for, its dry run and its outcome, in numbers and in words."""

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
    """The range, which partitions run, how, and whether the daily run overlaps."""

    # first and last
    dates: Annotated[tuple[date, date], Interval(FIRST_DATE, LAST_DATE)] = (
        date(2013, 6, 3),
        date(2013, 6, 30),
    )
    mode: Mode = "missing or old code"
    parallelism: Annotated[int, Range(1, 8)] = 4
    dry_run: bool = False
    daily_run: bool = True  # whether today's daily run overlaps
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
    """One partition written, or not: by whom, when since the start, and the outcome."""

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
    codes: tuple[Code, ...]  # (N_DAYS,) of all partitions, as they are now
    # of the dry run: one partition measured, times their number, by the workers
    estimate_seconds: float
    tasks: tuple[Task, ...] = ()
    # rows lost, stale, duplicated or not deleted of each day in the range
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
        """Wrong rows of the range in the end."""
        return sum(self.wrong_after)

    @property
    def today_wrong(self) -> int:
        """Wrong rows of today's partition; -1 if today is not in the range."""
        return self.wrong_after[-1] if self.wrong_after and self.params.days[-1] == TODAY else -1

    @property
    def n_on_v2(self) -> int:
        """Partitions of the range that the new code made, in the end."""
        return sum(self.codes[day - FIRST_DAY] == "v2" for day in self.params.days)

    @property
    def verdict(self) -> str:
        """Plan, progress or wrong rows before and after, and who wrote today last."""
        runs = f"**{self.n_will_run} of {self.n_partitions}** partitions"
        if self.params.dry_run and self.complete:
            return (
                f"Dry run: {runs} would run, {self.n_skipped} are skipped. {self.rows_to_move:,}"
                f" rows, about {self.estimate_seconds:.1f} s. Nothing was written."
            )
        if not self.tasks and not self.complete:
            return f"Not run yet. Plan: {runs} will run, {self.n_skipped} are skipped."
        if not self.complete:
            return f"{runs} will run; **{len(self.tasks)}** are done."
        text = (
            f"Wrong rows: {sum(self.wrong_before):,} before, **{self.n_wrong_after:,}** after"
            f" {self.n_will_run} of {self.n_partitions} partitions ran."
        )
        if self.today_wrong > 0:
            text += (
                f" {self.today_wrong:,} are today's: the {self.winner} wrote last, with older rows."
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
    reasons = ["**Plan**: " + ", ".join(f"{n} {reason}" for reason, n in why.items()) + "."]
    if p.dry_run or not result.complete:
        reasons += [
            "**A dry run** names the partitions, rows and seconds before anything is written.",
            "**A code version per partition** says which days the old rule made.",
        ]
        return reasons
    busy = sum(task.end_seconds - task.start_seconds for task in result.tasks if task.worker >= 0)
    reasons += [
        f"**Parallel**: {busy:.2f} s of work in {result.seconds:.2f} s with {p.parallelism}"
        f" worker{'s' if p.parallelism > 1 else ''} (estimate {result.estimate_seconds:.2f} s)."
        " Waiting for the source overlaps; work on the same cores does not.",
        "**Whole partitions**, each in one transaction: a cancelled backfill leaves old days or new"
        " ones, never half a day. A rerun skips what has v2.",
    ]
    skipped = [
        n
        for n, partition in zip(result.wrong_after, result.partitions, strict=True)
        if not partition.runs
    ]
    if sum(skipped):
        reasons.append(
            f"**Skipped is not correct**: {sum(skipped):,} wrong rows are in skipped partitions."
            " Their rows arrived after that night's run."
        )
    if p.daily_run and result.today_wrong >= 0:
        reasons.append(
            "**Today**: the daily run wrote newer rows after the backfill had read. With"
            f" “{p.guard}” the {result.winner} wrote last: {result.today_wrong:,} wrong rows."
        )
    return reasons
