"""Crash lab: a daily run crashes after a step and runs again; what the table has after each.

Real: pages over HTTP on loopback, JSON files, DuckDB; the worker is a process of its own for each
attempt, killed by SIGKILL to its whole process group, or ended by an exception; after all crashes a
new process opens the warehouse as any reader would. Simplified: one day, one reader, a warehouse
on one disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from engine import processes, workspace
from engine.etl import flight_days, ledger, warehouse
from engine.etl.crash import api, daily
from engine.etl.crash.daily import CRASH_POINTS, CrashPoint
from engine.etl.ledger import Ledger
from engine.etl.loads import DATES
from engine.etl.warehouse import STRATEGIES, Strategy
from engine.jobs import Progress, Steps, to_end
from engine.ranges import Choice, Params, Range

__all__ = [
    "BEFORE",
    "CELLS",
    "CRASH_POINTS",
    "ENDINGS",
    "SAFEGUARDS",
    "CrashParams",
    "CrashResult",
    "run",
    "steps",
]

Ending = Literal["kill -9", "exception"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
Before = Literal["nothing", "the day as of midnight"]
BEFORE: tuple[Before, ...] = get_args(Before)
SNAPSHOTS = ("after_crash.arrow", "after_rerun.arrow")


@dataclass(frozen=True, slots=True)
class Safeguard:
    """Which of the two safeguards a run has."""

    transaction: bool
    staging: bool

    @property
    def name(self) -> str:
        """Both in words."""
        both = {
            (False, False): "neither",
            (False, True): "staging",
            (True, False): "transaction",
            (True, True): "both",
        }
        return both[(self.transaction, self.staging)]


SAFEGUARDS = tuple(
    Safeguard(transaction, staging) for transaction in (False, True) for staging in (False, True)
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One table of the lab: a strategy under some safeguards."""

    table: str
    strategy: Strategy
    transaction: bool
    staging: bool

    @property
    def safeguard(self) -> str:
        """The safeguards in words."""
        return Safeguard(self.transaction, self.staging).name


CELLS = tuple(
    Cell(f"flights_{i * len(SAFEGUARDS) + j}", strategy, guard.transaction, guard.staging)
    for i, strategy in enumerate(STRATEGIES)
    for j, guard in enumerate(SAFEGUARDS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashParams(Params):
    """Where the run crashes, how, how often in a row, and what the table had before."""

    crash_at: CrashPoint = "in load"
    ending: Ending = "kill -9"
    n_crashes: Annotated[int, Range(1, 3)] = 1
    before: Before = "nothing"
    date: Annotated[str, Choice(DATES)] = "2013-06-24"

    @property
    def day(self) -> int:
        """The day of the year, counted from 0."""
        return flight_days.day_of(date.fromisoformat(self.date))

    def rows_before(self) -> pa.Table:
        """Return what the table holds before the run."""
        held = flight_days.rows_at(flight_days.midnight(self.day + 1), self.day)
        return held if self.before == "the day as of midnight" else held.slice(0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One cell: its ledger after the crash and after the rerun, how the crashed attempts ended,
    what all of it cost.
    """

    cell: Cell
    crashed: Ledger
    ended: tuple[str, ...]
    rerun: Ledger
    costs: tuple[dict[str, Any], ...]  # of each attempt: calls, seconds by step, open_seconds

    @property
    def calls(self) -> int:
        """Calls to the source, all attempts together."""
        return sum(int(cost["calls"]) for cost in self.costs)

    @property
    def seconds(self) -> float:
        """Seconds of work, all attempts together, without starting processes."""
        return float(sum(sum(cost["seconds"].values()) for cost in self.costs))


@dataclass(frozen=True, slots=True, eq=False)
class CrashResult:
    """What every cell has after the crash and after the rerun; not ``complete``: expected."""

    params: CrashParams
    lanes: tuple[Lane, ...]
    source: pa.Table
    before: Ledger
    n_pages: int
    complete: bool = True

    def lane(self, strategy: str, safeguard: str) -> Lane:
        """Return the lane of a cell."""
        return next(
            lane
            for lane in self.lanes
            if (lane.cell.strategy, lane.cell.safeguard) == (strategy, safeguard)
        )

    def half_visible(self, lane: Lane) -> bool:
        """Whether a reader saw, after the crash, neither the table as before nor all rows of the
        source.
        """
        return (
            lane.crashed.counts() != self.before.counts()
            and lane.crashed.n_correct < lane.crashed.n_source
        )

    @property
    def n_half_visible(self) -> int:
        """Cells in which a reader saw a partial load after the crash."""
        return sum(self.half_visible(lane) for lane in self.lanes)

    @property
    def n_exact(self) -> int:
        """Cells that equal the source after the rerun."""
        return sum(lane.rerun.exact for lane in self.lanes)

    @property
    def verdict(self) -> str:
        """How many tables show a partial load, and how many equal the source after the rerun."""
        where = (
            "in the middle of the load"
            if self.params.crash_at == "in load"
            else f"after “{self.params.crash_at}”"
        )
        start = "" if self.complete else "Not measured yet. Expected: "
        return (
            f"{start}Crash {where}: **{self.n_half_visible} of {len(self.lanes)}** tables show a"
            f" partial load; after the rerun **{self.n_exact}** equal the source."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return _reasons(self)

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces."""
        numbers: dict[str, Any] = {"n_source": self.source.num_rows}
        for lane in self.lanes:
            name = f"{lane.cell.strategy}, {lane.cell.safeguard}"
            numbers[name] = ", ".join(
                f"{found.n_correct} of {found.n_target}" for found in (lane.crashed, lane.rerun)
            )
        return numbers

    def table(self) -> pa.Table:
        """Return one row for each cell and moment."""
        rows: list[dict[str, Any]] = []
        for lane in self.lanes:
            for moment, found in (
                ("after the crash", lane.crashed),
                ("after the rerun", lane.rerun),
            ):
                row = {
                    "strategy": lane.cell.strategy,
                    "safeguards": lane.cell.safeguard,
                    "moment": moment,
                }
                rows.append(
                    row | dict(found.counts()) | {"calls": lane.calls, "seconds": lane.seconds}
                )
        return pa.Table.from_pylist(rows)


def _reasons(result: CrashResult) -> list[str]:
    guarded = [lane for lane in result.lanes if lane.cell.transaction]
    broken = sum(result.half_visible(lane) for lane in guarded)
    plain, safe = result.lane("append", "neither").rerun, result.lane("append", "transaction").rerun
    wrong = {lane.cell.strategy for lane in result.lanes if not lane.rerun.exact}
    fixed = ", ".join(strategy for strategy in STRATEGIES if strategy not in wrong) or "none"
    reasons = [
        f"**Transaction**: {broken} of {len(guarded)} tables with one show a partial load. What was"
        " not committed is undone when the next process opens the file.",
        f"**Append** after the rerun: {plain.n_duplicated:,} copies without a transaction,"
        f" {safe.n_duplicated:,} with one. "
        + (
            "The table had the day already, and append adds it again."
            if safe.n_duplicated
            else "Rows and the note “day done” must be committed together."
        ),
        f"**Idempotent loads** need no safeguard to end right: {fixed}.",
    ]
    if result.complete and result.params.crash_at != "commit":
        staged, direct = result.lane("upsert", "both"), result.lane("upsert", "transaction")
        longest, shortest = (
            1000 * max(cost["open_seconds"] for cost in lane.costs) for lane in (direct, staged)
        )
        reasons.append(
            f"**Staging**: {staged.calls} calls to the source, not {direct.calls}: the rerun finds"
            f" the pages on disk. The transaction is open {shortest:.0f} ms, not {longest:.0f} ms."
        )
    if result.params.crash_at == "commit":
        reasons.append("**After the commit** the rerun finds the note “day done” and skips it.")
    return reasons


def read_snapshot(path: Path) -> list[pa.Table]:
    """Return the table of every cell from a snapshot."""
    with pa.memory_map(str(path)) as source:
        rows = pa.ipc.open_file(source).read_all()
        cells = rows["cell"].to_numpy()
        starts = np.searchsorted(cells, np.arange(len(CELLS) + 1))  # cells come in order
        tables = [
            rows.slice(a, b - a).select(flight_days.SCHEMA.names)
            for a, b in pairwise(starts.tolist())
        ]
        return [pa.concat_tables([table]).combine_chunks() for table in tables]


def prepare(params: CrashParams, path: Path) -> None:
    """Make the warehouse with a table for every cell, holding what is there before the run."""
    held = params.rows_before()
    with warehouse.connect(path) as connection:
        connection.register("held", held.append_column("deleted", pa.repeat(False, held.num_rows)))
        connection.execute("BEGIN")
        daily.create_notes(connection)
        for cell in CELLS:
            warehouse.create(connection, cell.table)
            connection.execute(f"INSERT INTO {cell.table} FROM held")
        connection.execute("COMMIT")


def _ledgers(source: pa.Table, path: Path) -> list[Ledger]:
    return [ledger.reconcile(source, table, flight_days.KEYS) for table in read_snapshot(path)]


def _lanes(source: pa.Table, answer: dict[str, Any], folder: Path) -> tuple[Lane, ...]:
    crashed, rerun = (_ledgers(source, folder / name) for name in SNAPSHOTS)
    endings = tuple(crash["ended"] for crash in answer["crashes"])
    return tuple(
        Lane(
            cell,
            crashed[i],
            endings,
            rerun[i],
            (*(crash["costs"][i] for crash in answer["crashes"]), answer["reruns"][i]),
        )
        for i, cell in enumerate(CELLS)
    )


def steps(params: CrashParams) -> Steps:
    """Crash every cell and run it again: ``Progress`` while the worker is at it. Returns a
    ``CrashResult``.
    """
    folder = workspace.scratch("crash")
    source = flight_days.truth(params.day)
    before = ledger.reconcile(source, params.rows_before(), flight_days.KEYS)
    try:
        yield Progress(0.0, "starting the source")
        prepare(params, folder / "warehouse.duckdb")
        with api.serve() as served:
            settings = {
                "cells": [asdict(cell) for cell in CELLS],
                "day": params.day,
                "address": served.address,
                "folder": str(folder),
                "crash_at": params.crash_at,
                "kill": params.ending == "kill -9",
                "n_crashes": params.n_crashes,
            }
            answer = yield from processes.steps("engine.etl.crash.child", json.dumps(settings))
        return CrashResult(
            params, _lanes(source, answer, folder), source, before, api.n_pages(params.day)
        )
    finally:
        workspace.remove(folder)


TYPICAL_SECONDS = 5.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return the steps and params that the server runs at its start."""
    return steps, CrashParams()


# here and now; the last few results are kept
run: Callable[[CrashParams], CrashResult] = lru_cache(maxsize=16)(to_end(steps))
