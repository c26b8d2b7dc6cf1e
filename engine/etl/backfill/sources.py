"""The source database of the ETL lab: flights of some days in SQLite, with an index on the day.

Real: a SQLite file in the workspace, read day by day through an index. (Other sources: files in
``deliveries``, an HTTP API in ``api``, a stream of changes in ``flight_days.changes``.)
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

import pyarrow as pa

from engine import workspace
from engine.etl import flight_days
from engine.etl.flight_days import SCHEMA

TYPES: Final = {
    "date32[day]": "TEXT",
    "string": "TEXT",
    "int32": "INTEGER",
    "timestamp[us]": "INTEGER",
}
_building = threading.Lock()


def write(path: Path, rows: pa.Table) -> None:
    """Write rows of flights into a new SQLite file."""
    columns = ", ".join(f"{field.name} {TYPES[str(field.type)]}" for field in SCHEMA)
    stored = [rows["flight_date"].cast(pa.string())]
    stored += [
        rows[f.name].cast(pa.int64()) if pa.types.is_timestamp(f.type) else rows[f.name]
        for f in list(SCHEMA)[1:]
    ]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE flights ({columns})")
        marks = ", ".join("?" * len(SCHEMA))
        database.executemany(
            f"INSERT INTO flights VALUES ({marks})",
            zip(*(c.to_pylist() for c in stored), strict=True),
        )
        database.execute("CREATE INDEX by_day ON flights (flight_date)")


def settled(first_day: int, n_days: int) -> Path:
    """Return a SQLite file with some days as they are in the end, written once a workspace."""
    path = workspace.server() / f"etl-source-{first_day}-{n_days}.sqlite"
    with _building:
        if not path.exists():
            partial = path.with_suffix(".part")
            partial.unlink(missing_ok=True)
            write(partial, flight_days.truth(first_day, n_days))
            partial.replace(path)
    return path


def read_day(path: Path, day: int) -> pa.Table:
    """Return the flights of a day (counted from 0) as Arrow; none if the file does not have it."""
    with closing(sqlite3.connect(path)) as database:
        found = database.execute(
            f"SELECT {', '.join(SCHEMA.names)} FROM flights WHERE flight_date = ?",
            [flight_days.date_of(day).isoformat()],
        ).fetchall()
    if not found:
        return SCHEMA.empty_table()
    columns = [pa.array(values) for values in zip(*found, strict=True)]
    return pa.table(
        [column.cast(field.type) for column, field in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA,
    )


def count_days(path: Path, first_day: int, n_days: int) -> list[int]:
    """Return how many rows each of some days has, from the index."""
    with closing(sqlite3.connect(path)) as database:
        counts = dict(
            database.execute(
                "SELECT flight_date, count(*) FROM flights GROUP BY flight_date"
            ).fetchall()
        )
    return [
        int(counts.get(flight_days.date_of(first_day + i).isoformat(), 0)) for i in range(n_days)
    ]
