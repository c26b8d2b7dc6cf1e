"""The warehouse: one DuckDB file that a single worker opens, loads in transactions and leaves
whole.

Real: DuckDB's own file, its lock, its transactions, its MERGE. DuckDB lets one process at a time
open a file, so each run has a warehouse of its own in the workspace; the page never opens it, it
gets the tables and ledgers read from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal, get_args

import pyarrow as pa

from engine.errors import InputError
from engine.etl import flight_days

Strategy = Literal["append", "upsert", "overwrite", "overwrite partition", "delete-insert"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
TABLE: Final = "flights"
STAGE: Final = "stage"  # the batch: the columns of the table, and ``deleted``
TYPES: Final = {
    "date32[day]": "DATE",
    "string": "VARCHAR",
    "int32": "INTEGER",
    "timestamp[us]": "TIMESTAMP",
}
COLUMNS: Final = ", ".join(flight_days.SCHEMA.names)
HELD: Final = f"{COLUMNS}, deleted"  # a kept tombstone is a row that no reader sees
SAME_KEY: Final = " AND ".join(f"t.{name} = s.{name}" for name in flight_days.KEYS)


class WarehouseBusyError(InputError):
    """Another process has the warehouse open."""


def connect(path: Path) -> Any:
    """Open the warehouse of ``path`` for this process alone, made when missing, on one thread.

    Raises
    ------
    WarehouseBusyError
        Another process has it open: DuckDB's lock.
    """
    import duckdb

    try:
        return duckdb.connect(path, config={"threads": 1})
    except duckdb.IOException as error:
        if "lock" not in str(error).lower():
            raise
        raise WarehouseBusyError(
            "The warehouse is open in another run, and DuckDB lets one process at a time write it. "
            "Nothing was changed. Wait for that run to end, or end it, and start again."
        ) from error


def create(connection: Any, table: str = TABLE) -> None:
    """Make an empty table of flights, if there is none."""
    columns = ", ".join(f"{field.name} {TYPES[str(field.type)]}" for field in flight_days.SCHEMA)
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, deleted BOOLEAN)")


def rows(connection: Any, table: str = TABLE) -> pa.Table:
    """Return the table as Arrow, as a reader sees it now."""
    return (
        connection.sql(f"SELECT {COLUMNS} FROM {table} WHERE NOT deleted")
        .to_arrow_table()
        .cast(flight_days.SCHEMA)
    )


def statements(
    strategy: Strategy,
    *,
    keep_newer: bool = False,
    keep_tombstones: bool = False,
    table: str = TABLE,
    stage: str = STAGE,
) -> tuple[str, ...]:
    """Return the SQL that loads the batch in ``stage`` into ``table``; a row whose ``deleted`` is
    true names a key to delete.

    ``keep_newer`` lets an upsert replace a row only by one that changed later in the source
    (``updated_at``). ``keep_tombstones`` keeps deleted rows, unseen, so that an older version
    cannot bring them back.
    """
    which = "" if keep_tombstones else " WHERE NOT deleted"
    insert = f"INSERT INTO {table} SELECT {HELD} FROM {stage}{which}"
    newer = " AND s.updated_at >= t.updated_at" if keep_newer else ""
    update = ", ".join(
        f"{name} = s.{name}" for name in HELD.split(", ") if name not in flight_days.KEYS
    )
    values = ", ".join(f"s.{name}" for name in HELD.split(", "))
    alive = "" if keep_tombstones else " AND NOT s.deleted"
    delete = "" if keep_tombstones else f"WHEN MATCHED AND s.deleted{newer} THEN DELETE "
    merge = (
        f"MERGE INTO {table} t USING {stage} s ON {SAME_KEY} {delete}"
        f"WHEN MATCHED{alive}{newer} THEN UPDATE SET {update} "
        f"WHEN NOT MATCHED{alive} THEN INSERT ({HELD}) VALUES ({values})"
    )
    by_strategy: dict[Strategy, tuple[str, ...]] = {
        "append": (insert,),
        "upsert": (merge,),
        "overwrite": (f"DELETE FROM {table}", insert),
        "overwrite partition": (
            f"DELETE FROM {table} WHERE flight_date IN (SELECT DISTINCT flight_date FROM {stage})",
            insert,
        ),
        "delete-insert": (f"DELETE FROM {table} t USING {stage} s WHERE {SAME_KEY}", insert),
    }
    return by_strategy[strategy]


def load(connection: Any, sql: tuple[str, ...]) -> int:
    """Run the statements of a load in one transaction. Returns how many rows were inserted, updated
    or deleted.
    """
    n_written = 0
    connection.execute("BEGIN")
    try:
        for statement in sql:
            n_written += connection.execute(statement).fetchall()[0][0]
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
    return n_written


def roll_back(connection: Any) -> None:
    """Undo the open transaction; a commit that fails has done so already."""
    import duckdb

    try:
        connection.execute("ROLLBACK")
    except duckdb.TransactionException:
        pass  # nothing is open any more: all is undone
