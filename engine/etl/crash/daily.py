"""The daily pipeline: extract → stage → validate → transform → load → commit, with a hook after
each step.

Real: pages over HTTP, JSON files, DuckDB. With *staging* all pages are on disk and have been
validated before the table is touched, and a rerun finds the pages that are there already; without,
each page goes into the table as it comes. With a
*transaction* readers see all of the load or nothing, and the note that the day is done (``runs``)
is part of it; without, every statement is visible immediately and the note is written last.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from engine.errors import InputError
from engine.etl import flight_days, warehouse
from engine.etl.crash.retries import Client, GivenUpError, Policy, Tally, fetch
from engine.etl.warehouse import HELD, Strategy
from engine.units import format_day

CrashPoint = Literal["extract", "stage", "validate", "transform", "in load", "load", "commit"]
CRASH_POINTS: tuple[CrashPoint, ...] = get_args(CrashPoint)
N_CHUNKS: Final = 4  # a load from the stage writes this many parts
FIELDS: Final = [*flight_days.SCHEMA.names, "deleted"]
JSON_TYPES: Final = {
    field.name: warehouse.TYPES[str(field.type)] for field in flight_days.SCHEMA
} | {"deleted": "BOOLEAN"}
PATIENT: Final = Policy(timeout_seconds=2.0)
KEY_LIST: Final = ", ".join(flight_days.KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One daily run: what, from where, into which table, with which safeguards."""

    day: int
    address: str
    table: str
    strategy: Strategy
    transaction: bool
    staging: bool
    folder: Path  # of this run's pages
    policy: Policy = PATIENT


@dataclass(slots=True)
class Costs:
    """What a run has cost so far; ``seconds`` by step."""

    tally: Tally = field(default_factory=Tally)
    seconds: dict[str, float] = field(default_factory=dict)
    skipped: bool = False  # the day was done already
    open_seconds: float = 0.0  # how long the transaction was open


def create_notes(connection: Any) -> None:
    """Make the notes of days done and of what was put aside, where they are missing."""
    connection.execute("CREATE TABLE IF NOT EXISTS runs (target VARCHAR, day INTEGER)")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS dead_letters (target VARCHAR, day INTEGER, what VARCHAR, reason"
        " VARCHAR)"
    )


def run_day(
    connection: Any, plan: Plan, reached: Callable[[CrashPoint], None], costs: Costs | None = None
) -> Costs:
    """Run the day, calling ``reached`` after each step (and half-way through the load); it may
    raise: that is a crash.

    Raises
    ------
    InputError
        A page cannot be had, or is not what it should be. The table is as it was, if there is a
        stage or a transaction.
    """
    costs = costs or Costs()
    done = connection.execute(
        "SELECT count(*) FROM runs WHERE target = ? AND day = ?", [plan.table, plan.day]
    ).fetchall()[0][0]
    if done:
        costs.skipped = True
        return costs
    run = _Run(connection, plan, reached, costs)
    try:
        if plan.staging:
            run.staged()
        else:
            run.page_by_page()
        run.commit()
    except BaseException:
        run.roll_back()
        raise
    finally:
        run.client.close()
    return costs


class _Run:
    """One run under way."""

    def __init__(
        self, connection: Any, plan: Plan, reached: Callable[[CrashPoint], None], costs: Costs
    ) -> None:
        self.connection, self.plan, self.costs = connection, plan, costs
        self.reached, self.client = reached, Client(plan.address)
        self.rng = random.Random(plan.day)
        self.began: float | None = None
        self.since = time.perf_counter()
        plan.folder.mkdir(parents=True, exist_ok=True)

    def step(self, name: CrashPoint, tell: bool = True) -> None:
        """Book the time since the last step under ``name``, and tell the hook."""
        now = time.perf_counter()
        self.costs.seconds[name] = self.costs.seconds.get(name, 0.0) + now - self.since
        self.since = now
        if tell:
            self.reached(name)
            self.since = time.perf_counter()

    def begin(self) -> None:
        if self.plan.transaction:
            self.connection.execute("BEGIN")
            self.began = time.perf_counter()

    def roll_back(self) -> None:
        if self.began is not None:
            warehouse.roll_back(self.connection)
            self.began = None

    def staged(self) -> None:
        """Put every page on disk, look at them as a whole, then load in parts."""
        number, total = 0, 1
        while number < total:
            total = self.page(number)
            number += 1
        self.step("extract")
        self.read([self.file(i) for i in range(total)])
        self.step("stage")
        self.validate()
        self.step("validate")
        self.transform()
        self.step("transform")
        self.begin()
        first, each = self.statements("(SELECT * FROM ready WHERE part = {})")
        self.run_all(
            [
                statement.replace("(SELECT * FROM ready WHERE part = {})", "ready")
                for statement in first
            ]
        )
        for part in range(N_CHUNKS):
            self.run_all([statement.format(part) for statement in each])
            if part + 1 == N_CHUNKS // 2:
                self.step("in load")
        self.step("load")

    def page_by_page(self) -> None:
        """Let each page go through all steps as it comes; the hook hears of the middle one."""
        self.begin()
        number, total = 0, 1
        while number < total:
            total = self.page(number)
            tell = number == (total - 1) // 2
            self.step("extract", tell)
            self.read([self.file(number)])
            self.step("stage", tell)
            self.validate()
            self.step("validate", tell)
            self.transform()
            self.step("transform", tell)
            first, each = self.statements("ready")
            self.run_all([*(first if number == 0 else ()), *each])
            self.step("in load", tell)
            number += 1
        self.step("load")

    def commit(self) -> None:
        """Note that the day is done; in a transaction, together with its rows."""
        self.connection.execute("INSERT INTO runs VALUES (?, ?)", [self.plan.table, self.plan.day])
        if self.began is not None:
            self.connection.execute("COMMIT")
            self.costs.open_seconds = time.perf_counter() - self.began
            self.began = None
        self.step("commit")

    def file(self, number: int) -> Path:
        return self.plan.folder / f"page_{number:03d}.json"

    def page(self, number: int) -> int:
        """Get a page onto disk, unless an earlier run staged it; return how many there are."""
        path, total_path = self.file(number), self.plan.folder / "pages"
        if self.plan.staging and path.exists() and total_path.exists():
            return int(total_path.read_text(encoding="utf-8"))
        query = {"day": self.plan.day, "page": number}
        try:
            answer = fetch(self.client, query, self.plan.policy, self.costs.tally, self.rng)
        except GivenUpError as error:
            raise InputError(
                f"The source must answer page {number} of"
                f" {format_day(flight_days.date_of(self.plan.day))}. It {error}. The day was not"
                " loaded; run it again once the source is back."
            ) from error
        check_columns(answer.text, number)
        for target, text in ((path, answer.text), (total_path, answer.headers["x-pages"])):
            partial = target.with_suffix(".part")  # a crash leaves a whole file or none
            partial.write_text(text, encoding="utf-8")
            partial.replace(target)
        return int(answer.headers["x-pages"])

    def read(self, files: list[Path]) -> None:
        types = ", ".join(f"{name}: '{kind}'" for name, kind in JSON_TYPES.items())
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE stage AS SELECT {HELD} FROM read_json(?, format ="
            f" 'array', columns = {{{types}}})",
            [[str(path) for path in files]],
        )

    def validate(self) -> None:
        """Put rows without a key, or with a key that comes twice, aside, each with its reason."""
        missing = " OR ".join(f"{name} IS NULL" for name in flight_days.KEYS)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE checked AS SELECT *, CASE WHEN {missing} THEN 'a key"
            f" column is missing' WHEN row_number() OVER (PARTITION BY {KEY_LIST} ORDER BY"
            " updated_at DESC) > 1 THEN 'the key comes twice' END AS reason FROM stage"
        )
        self.connection.execute(
            "INSERT INTO dead_letters SELECT ?, ?, concat_ws(' ', flight_date, carrier, flight,"
            " origin), reason FROM checked WHERE reason IS NOT NULL",
            [self.plan.table, self.plan.day],
        )

    def transform(self) -> None:
        """Keep what passed, with upper-case codes, cut into parts."""
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE ready AS SELECT * EXCLUDE (reason) REPLACE"
            f" (upper(origin) AS origin, upper(dest) AS dest), ntile({N_CHUNKS}) OVER (ORDER BY"
            f" {KEY_LIST}) - 1 AS part FROM checked WHERE reason IS NULL"
        )

    def statements(self, part: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what is run once before the first part, and for each part."""
        sql = warehouse.statements(self.plan.strategy, table=self.plan.table, stage=part)
        return (sql[:1], sql[1:]) if self.plan.strategy.startswith("overwrite") else ((), sql)

    def run_all(self, sql: list[str]) -> None:
        for statement in sql:
            self.connection.execute(statement)


def check_columns(text: str, number: int) -> None:
    """Raise ``InputError`` unless the rows of a page have the columns that the table needs."""
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"Page {number} must be JSON: {error}. Nothing of it was loaded."
        ) from error
    given = list(rows[0]) if isinstance(rows, list) and rows and isinstance(rows[0], dict) else []
    missing = [name for name in FIELDS if name not in given]
    extra = [name for name in given if name not in FIELDS]
    if missing:
        raise InputError(
            f"Page {number} must have the columns of the table. It lacks {', '.join(missing)}"
            + (f" and has {', '.join(extra)} instead" if extra else "")
            + ". Nothing of it was loaded: agree on the schema with the source, then run the day"
            " again."
        )
