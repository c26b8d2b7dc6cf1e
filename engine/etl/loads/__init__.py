"""Load strategies: the same files loaded in five ways, and how each table compares with its source.

Real: Parquet files of real days of flights land in a folder; DuckDB loads each in one transaction
into a warehouse file per strategy; after every load the truth ledger compares the table with the
source as it was when the newest file was written. Then all files are loaded a second time: a
strategy is *idempotent* if, and only if, that leaves the table's state hash unchanged. ``expected``
loads the same rows in memory, without files and times. Simplified: one table, no concurrent readers
(the crash lab has those).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pyarrow as pa

from engine import workspace
from engine.etl import flight_days, ledger, warehouse
from engine.etl.ledger import FAULTS, Kind, Ledger
from engine.etl.loads import deliveries
from engine.etl.loads.deliveries import DELIVERIES, Batch, Delivery
from engine.etl.warehouse import STRATEGIES, Strategy
from engine.jobs import Progress, Steps, timed, to_end
from engine.ranges import SEED, Choice, Params, Range

__all__ = [
    "DATES",
    "DELETES",
    "DELIVERIES",
    "STRATEGIES",
    "Lane",
    "LoadsParams",
    "LoadsResult",
    "Step",
    "expected",
    "run",
    "steps",
]

Deletes = Literal["not named", "tombstones", "tombstones kept"]
DELETES: tuple[Deletes, ...] = get_args(Deletes)
MAX_DAYS = 7
DATES = tuple(flight_days.date_of(day).isoformat() for day in range(flight_days.N_DAYS - MAX_DAYS))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadsParams(Params):
    """Which days, how they are delivered, how deletes are named, and what an upsert replaces."""

    delivery: Delivery = "late rows"
    # of the first day; thunderstorms that week
    first_date: Annotated[str, Choice(DATES)] = "2013-06-24"
    n_days: Annotated[int, Range(1, MAX_DAYS)] = 3
    # whether the files name rows deleted in the source, and the table keeps the names
    deletes: Deletes = "not named"
    keep_newer: bool = False  # whether an upsert replaces a row only by a newer one
    seed: Annotated[int, SEED] = 0  # of the order in "out of order"

    @property
    def first_day(self) -> int:
        """The first day of the year, counted from 0."""
        return flight_days.day_of(date.fromisoformat(self.first_date))

    def batches(self) -> list[Batch]:
        """Return the batches as they arrive."""
        return deliveries.make(
            self.delivery, self.first_day, self.n_days, self.deletes != "not named", self.seed
        )

    def statements(self, strategy: Strategy) -> tuple[str, ...]:
        """Return the SQL of a strategy under these settings."""
        kept = self.deletes == "tombstones kept"
        return warehouse.statements(strategy, keep_newer=self.keep_newer, keep_tombstones=kept)


@dataclass(frozen=True, slots=True)
class Step:
    """One file loaded: in which run, what the ledger says afterwards, what it cost."""

    run: int  # 1 or 2
    batch: str
    counts: dict[Kind, int]
    n_written: int  # rows inserted, updated or deleted
    seconds: float  # file to commit


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One strategy: every step, and after each run its ledger and state hash.

    ``steps`` is empty for a lane that was loaded in memory only.
    """

    strategy: Strategy
    steps: tuple[Step, ...] = ()
    ledgers: tuple[Ledger, ...] = ()
    hashes: tuple[str, ...] = ()

    @property
    def idempotent(self) -> bool:
        """Whether the second run left the table as it was."""
        return len(self.hashes) == 2 and self.hashes[0] == self.hashes[1]

    @property
    def n_written(self) -> int:
        """Rows written in the first run."""
        return sum(step.n_written for step in self.steps if step.run == 1)

    @property
    def seconds(self) -> float:
        """Seconds of the first run's loads."""
        return sum(step.seconds for step in self.steps if step.run == 1)


@dataclass(frozen=True, slots=True, eq=False)
class LoadsResult:
    """All five strategies; ``complete`` once each has been measured on files."""

    params: LoadsParams
    lanes: tuple[Lane, ...]
    n_source: int  # rows of the source in the end
    n_delivered: int  # rows in all files
    complete: bool = False

    def lane(self, strategy: str) -> Lane:
        """Return the lane of a strategy."""
        return next(lane for lane in self.lanes if lane.strategy == strategy)

    def count(self, strategy: Strategy, kind: Kind) -> int:
        """Return the rows of a kind after the first run of a strategy."""
        return self.lane(strategy).ledgers[0].counts()[kind]

    @property
    def n_idempotent(self) -> int:
        """Strategies that a second run leaves as they were."""
        return sum(lane.idempotent for lane in self.lanes)

    @property
    def exact_twice(self) -> tuple[Strategy, ...]:
        """Strategies whose table equals the source after both runs."""
        return tuple(
            lane.strategy for lane in self.lanes if all(ledger_.exact for ledger_ in lane.ledgers)
        )

    @property
    def n_exact_twice(self) -> int:
        """How many strategies equal the source after both runs."""
        return len(self.exact_twice)

    @property
    def upsert_faults(self) -> int:
        """Rows that the upsert has wrong: stale, lost, duplicated or not deleted."""
        return sum(self.count("upsert", kind) for kind in FAULTS)

    @property
    def verdict(self) -> str:
        """Which strategies match the source after two runs."""
        exact = self.exact_twice
        wrong = [
            lane.strategy for lane in self.lanes if lane.idempotent and not lane.ledgers[0].exact
        ]
        names = " and ".join([", ".join(exact[:-1]), exact[-1]] if len(exact) > 1 else exact)
        head = (
            f"**{len(exact)} of {len(self.lanes)}** strategies match"
            f"{'es' * (len(exact) == 1)} the source after two runs: {names}."
            if exact
            else "**No strategy** matches the source after two runs."
        )
        start = "" if self.complete else "Not measured yet. Expected: "
        return start + head + (f" Idempotent but wrong: {', '.join(wrong)}." if wrong else "")

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return _reasons(self)

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces."""
        numbers: dict[str, Any] = {"n_source": self.n_source, "n_delivered": self.n_delivered}
        for lane in self.lanes:
            name = lane.strategy.replace(" ", "_").replace("-", "_")
            numbers[f"{name}_correct"] = lane.ledgers[0].n_correct
            numbers[f"{name}_rows"] = lane.ledgers[0].n_target
            numbers[f"{name}_idempotent"] = lane.idempotent
        return numbers

    def table(self) -> pa.Table:
        """Return one row for each file loaded by each strategy."""
        rows: list[dict[str, Any]] = []
        for lane in self.lanes:
            for step in lane.steps:
                row: dict[str, Any] = {
                    "strategy": lane.strategy,
                    "run": step.run,
                    "file": step.batch,
                }
                cost = {"rows_written": step.n_written, "seconds": step.seconds}
                rows.append(row | dict(step.counts) | cost)
        return pa.Table.from_pylist(rows)


def _reasons(result: LoadsResult) -> list[str]:
    reasons = []
    for lane in result.lanes:
        first, second = lane.ledgers[0], lane.ledgers[-1]
        faults = [f"**{n:,} {kind}**" for kind, n in first.counts().items() if kind in FAULTS and n]
        found = ", ".join(faults) or "all rows correct"
        again = "" if lane.idempotent else f" A second run makes it {second.n_target:,} rows."
        reasons.append(f"**{lane.strategy}**: {found}. {_CAUSES[lane.strategy](first)}{again}")
    return reasons


def _append_cause(found: Ledger) -> str:
    return "It never checks what is there: a row that comes again is a copy."


def _upsert_cause(found: Ledger) -> str:
    causes = []
    if found.n_undeleted:
        causes.append("No file names the deleted rows, or an older file brought them back.")
    if found.n_stale:
        causes.append("An older file came last and overwrote newer rows.")
    return " ".join(causes or ["It replaces by key, so a row that comes again is no copy."])


def _overwrite_cause(found: Ledger) -> str:
    return "It keeps the last file only."


def _partition_cause(found: Ledger) -> str:
    if found.n_lost:
        return "It takes a file for the whole day: a few late rows replaced all others of that day."
    return "Each day is replaced as a whole, by a file with the whole day."


def _delete_insert_cause(found: Ledger) -> str:
    if found.n_stale:
        return "The last file with a key wins, even if it is older."
    if found.n_undeleted:
        return "Keys in no file stay, so rows deleted at the source stay too."
    return "It removes the file's keys, then inserts its rows."


_CAUSES = {
    "append": _append_cause,
    "upsert": _upsert_cause,
    "overwrite": _overwrite_cause,
    "overwrite partition": _partition_cause,
    "delete-insert": _delete_insert_cause,
}


def load_file(connection: Any, path: Path, sql: tuple[str, ...]) -> int:
    """Stage a file and load it in one transaction; returns the rows written."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {warehouse.STAGE} AS SELECT * FROM read_parquet(?)",
        [str(path)],
    )
    return warehouse.load(connection, sql)


def _lane_steps(
    strategy: Strategy, params: LoadsParams, files: list[Path], folder: Path
) -> Iterator[Lane]:
    """Load all files twice; yields the lane after each file."""
    lane, batches = Lane(strategy), params.batches()
    with warehouse.connect(folder / f"{strategy.replace(' ', '_')}.duckdb") as connection:
        warehouse.create(connection)
        for run_number in (1, 2):
            newest = 0
            for number, (batch, path) in enumerate(zip(batches, files, strict=True)):
                seconds, n_written = timed(
                    partial(load_file, connection, path, params.statements(strategy))
                )
                newest = (
                    max(range(number + 1), key=lambda i: batches[i].cut_at)
                    if run_number == 1
                    else -1
                )
                seen = batches[newest] if newest >= 0 else max(batches, key=lambda b: b.cut_at)
                source = flight_days.rows_at(seen.cut_at, params.first_day, seen.n_days)
                found = ledger.reconcile(source, warehouse.rows(connection), flight_days.KEYS)
                step = Step(run_number, batch.name, found.counts(), n_written, seconds)
                lane = replace(lane, steps=(*lane.steps, step))
                yield lane
            lane = replace(
                lane,
                ledgers=(*lane.ledgers, found),
                hashes=(*lane.hashes, ledger.state_hash(found.target)),
            )
    yield lane


@lru_cache(maxsize=32)
def expected(params: LoadsParams) -> LoadsResult:
    """Return what the strategies come to, loaded in memory: ledgers and hashes, no steps."""
    import duckdb

    batches, lanes = params.batches(), []
    source = flight_days.truth(params.first_day, params.n_days)
    with duckdb.connect(config={"threads": 1}) as connection:
        for number, batch in enumerate(batches):
            connection.register("arriving", batch.rows)
            connection.execute(f"CREATE TABLE file_{number} AS FROM arriving")
        for strategy in STRATEGIES:
            connection.execute(f"DROP TABLE IF EXISTS {warehouse.TABLE}")
            warehouse.create(connection)
            ledgers = []
            for _ in range(2):
                for number in range(len(batches)):
                    stage = f"CREATE OR REPLACE TEMP VIEW {warehouse.STAGE} AS FROM file_{number}"
                    connection.execute(stage)
                    warehouse.load(connection, params.statements(strategy))
                held = warehouse.rows(connection)
                ledgers.append(ledger.reconcile(source, held, flight_days.KEYS))
            hashes = tuple(ledger.state_hash(found.target) for found in ledgers)
            lanes.append(Lane(strategy, (), tuple(ledgers), hashes))
    n_delivered = sum(batch.rows.num_rows for batch in batches)
    return LoadsResult(params, tuple(lanes), source.num_rows, n_delivered)


def steps(params: LoadsParams) -> Steps:
    """Load the delivery by every strategy: a ``Progress`` before each file, with what is expected
    of the strategies that are not done.

    Returns
    -------
    LoadsResult
        With ``complete`` set.
    """
    folder = workspace.scratch("loads")
    try:
        result, batches = expected(params), params.batches()
        files = deliveries.write(batches, folder)
        with warehouse.connect(
            folder / "first.duckdb"
        ) as connection:  # no timed load pays for what happens once a process
            warehouse.create(connection)
            load_file(connection, files[0], params.statements("append"))
        n_all, n_done = 2 * len(files) * len(STRATEGIES), 0
        for place, strategy in enumerate(STRATEGIES):
            for lane in _lane_steps(strategy, params, files, folder):
                yield Progress(
                    min(1.0, n_done / n_all),
                    f"{strategy}, file {len(lane.steps)} of {2 * len(files)}",
                    result,
                )
                n_done += 1
            lanes = (*result.lanes[:place], lane, *result.lanes[place + 1 :])
            result = replace(result, lanes=lanes)
        return replace(result, complete=True)
    finally:
        workspace.remove(folder)


def default_job() -> tuple[Any, Any]:
    """Return the steps and params that the server runs at its start."""
    return steps, LoadsParams()


# here and now; the last few results are kept
run: Callable[[LoadsParams], LoadsResult] = lru_cache(maxsize=16)(to_end(steps))
