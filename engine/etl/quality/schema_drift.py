"""The source changes its schema overnight: four changes, four policies of the load, and the result
downstream.

Real: yesterday's flights are in a DuckDB table; today's file comes changed; each policy's
statements run in DuckDB (or the cast in pyarrow, or the contract in pandera), and the downstream
query runs on what is left. Refusals are quoted. The policies are those of dlt's schema
contracts (fail is *freeze*, ignore is *discard value*, evolve is *evolve*); contract refuses only
what breaks it. Simplified: one change at a time, one table, one downstream query.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.errors import require_choice
from engine.etl import faults

Change = Literal["new column", "dropped", "renamed", "retyped"]
CHANGES: tuple[Change, ...] = get_args(Change)
Policy = Literal["fail", "ignore", "evolve", "contract"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
Outcome = Literal["right", "right, column lost", "held back", "silently empty", "downstream breaks"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
DAY = 60  # 1 March 2013: today
COLUMN = "dep_delay"
NEW_NAME = "departure_delay"
COLUMNS = ("time_hour", "carrier", "flight", "dest", COLUMN)
TYPES = {
    "time_hour": "TIMESTAMPTZ",
    "carrier": "VARCHAR",
    "flight": "INTEGER",
    "dest": "VARCHAR",
    COLUMN: "INTEGER",
}
QUERY = f"SELECT count(*), count({COLUMN}), avg({COLUMN}) FROM target WHERE time_hour >= $today"
WHAT = {
    "new column": "new column `terminal`",
    "dropped": f"`{COLUMN}` is missing",
    "renamed": f"`{COLUMN}` is called `{NEW_NAME}`",
    "retyped": f"`{COLUMN}` is text: “12 min”",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What happened for one change under one policy."""

    change: Change
    policy: Policy
    outcome: Outcome
    detail: str  # one sentence
    error: str  # of the load or of the query downstream, its type and words; empty without one
    statements: tuple[str, ...]  # that ran
    columns: tuple[str, ...]  # of the target afterwards, with types


def rows_of(day: int) -> pa.Table:
    """Return the flights of a day with the columns of the load."""
    flights = data.load("flights")
    days = faults.days_of(flights)
    return flights.select(COLUMNS).filter(pa.array(days == day)).combine_chunks()


def changed(change: Change, rows: pa.Table) -> pa.Table:
    """Return today's file as the changed source sends it."""
    if change == "new column":
        return rows.append_column("terminal", pc.utf8_slice_codeunits(rows["carrier"], 0, 1))
    if change == "dropped":
        return rows.drop_columns([COLUMN])
    if change == "renamed":
        return rows.rename_columns({COLUMN: NEW_NAME})
    text = pc.binary_join_element_wise(rows[COLUMN].cast(pa.string()), "min", " ")
    return rows.set_column(rows.column_names.index(COLUMN), COLUMN, text)


def _load(connection: Any, batch: pa.Table, policy: Policy, done: list[str]) -> None:
    """Load ``batch`` under a policy; what ran is noted in ``done``, what refuses raises."""
    target = {name: kind for name, kind, *_ in connection.execute("DESCRIBE target").fetchall()}
    known = [name for name in batch.column_names if name in target]

    def execute(sql: str) -> None:
        connection.execute(sql)
        done.append(sql)

    if policy == "fail":
        batch = batch.cast(connection.sql("FROM target LIMIT 0").to_arrow_table().schema)
        done.append("batch = batch.cast(schema of the target)")
        connection.register("batch", batch)
        execute("INSERT INTO target FROM batch")
        return
    if policy == "contract":
        _promise().validate(batch.to_pandas(), lazy=True)
        done.append("contract.validate(batch)")
    if policy == "ignore":
        taken = ", ".join(f"TRY_CAST({name} AS {target[name]}) AS {name}" for name in known)
        execute(f"INSERT INTO target BY NAME SELECT {taken} FROM batch")
        return
    for name in batch.column_names:
        kind = connection.execute(f"SELECT typeof({name}) FROM batch LIMIT 1").fetchall()[0][0]
        if name not in target:
            execute(f"ALTER TABLE target ADD COLUMN {name} {kind}")
        elif kind == "VARCHAR" != target[name]:
            execute(f"ALTER TABLE target ALTER COLUMN {name} TYPE VARCHAR")
    execute("INSERT INTO target BY NAME FROM batch")


def _promise() -> Any:
    """Return the contract of the consumer: the columns that it reads, with their types; others may
    come.
    """
    import pandera.pandas as pp

    return pp.DataFrameSchema(
        {
            "carrier": pp.Column(str),
            "flight": pp.Column("Int64", coerce=True),
            "dest": pp.Column(str),
            COLUMN: pp.Column("Int64", nullable=True, coerce=True),
        },
        strict=False,
    )


def _first_line(error: Exception) -> str:
    cases = getattr(error, "failure_cases", None)
    if cases is not None:
        first = cases.iloc[0]
        column = "" if first["column"] is None else f"{first['column']}: "
        n = max(1, cases["index"].nunique())
        return (
            f"{type(error).__name__}: {column}{first['check']}, {n:,} times, for example"
            f" {first['failure_case']!r}"
        )
    line = " ".join(str(error).split())
    return f"{type(error).__name__}: {line if len(line) < 260 else line[:257] + '…'}"


def _cell(change: Change, policy: Policy, yesterday: pa.Table, today: pa.Table) -> Cell:
    import duckdb
    from pandera.errors import SchemaErrors

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"CREATE TABLE target ({', '.join(f'{name} {kind}' for name, kind in TYPES.items())})"
        )
        connection.register("batch", yesterday)
        connection.execute("INSERT INTO target BY NAME FROM batch")
        batch, done, refusal, broken = changed(change, today), list[str](), "", ""
        connection.register("batch", batch)
        connection.execute("BEGIN")
        try:
            _load(connection, batch, policy, done)
            connection.execute("COMMIT")
        except (duckdb.Error, pa.ArrowException, ValueError, SchemaErrors) as error:
            connection.execute("ROLLBACK")
            refusal = _first_line(error)
        n, n_known, mean = 0, 0, None
        try:
            start = min(value for value in today["time_hour"].to_pylist())
            n, n_known, mean = connection.execute(QUERY, {"today": start}).fetchall()[0]
        except duckdb.Error as error:
            broken = _first_line(error)
        columns = tuple(
            f"{name} {kind}" for name, kind, *_ in connection.execute("DESCRIBE target").fetchall()
        )
    outcome, detail = _judge(change, today, columns, (refusal, broken), (n, n_known, mean))
    return Cell(change, policy, outcome, detail, refusal or broken, tuple(done), columns)


def _judge(
    change: Change,
    today: pa.Table,
    columns: tuple[str, ...],
    errors: tuple[str, str],
    found: tuple[int, int, float | None],
) -> tuple[Outcome, str]:
    refusal, broken = errors
    n, n_known, mean = found
    right = pc.mean(today[COLUMN]).as_py()
    if broken:
        return (
            "downstream breaks",
            "The load succeeds without an error; the query downstream fails.",
        )
    if refusal:
        return (
            "held back",
            ("Nothing of today is loaded, and the error says why. Yesterday's rows are unchanged."),
        )
    if mean is None or abs(mean - right) > 1e-9:
        got = "nothing" if mean is None else f"{mean:.2f} min"
        return (
            "silently empty",
            (
                f"{n:,} rows are loaded, {n_known:,} with a delay. Mean: {got}, correct:"
                f" {right:.2f} min."
            ),
        )
    kept = change != "new column" or any(column.startswith("terminal ") for column in columns)
    loaded = f"{n:,} rows are loaded, the mean is correct ({mean:.2f} min)"
    return (
        ("right", f"{loaded}.")
        if kept
        else ("right, column lost", f"{loaded}; the new column is dropped.")
    )


@lru_cache(maxsize=4)
def cells(day: int = DAY) -> tuple[Cell, ...]:
    """Run all 16 cells, change by change, and return what happened."""
    yesterday, today = rows_of(day - 1), rows_of(day)
    return tuple(
        _cell(change, policy, yesterday, today) for change in CHANGES for policy in POLICIES
    )


def cell(change: Change, policy: Policy) -> Cell:
    """Return one cell."""
    require_choice("change", change, CHANGES)
    require_choice("policy", policy, POLICIES)
    return next(found for found in cells() if (found.change, found.policy) == (change, policy))
