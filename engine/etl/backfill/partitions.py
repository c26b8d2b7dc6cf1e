"""What a backfill works on: a quarter of days, what the warehouse holds of each, and how one day is
rebuilt.

Real: flights in SQLite, a DuckDB table partitioned by day, with a note of each partition's code and
version. The rule that changed is real as well: the US Department of Transportation counts a flight
as late from 15 minutes on; version v1 of the code says "more than 15". Simulated: that v2 was
deployed on 20 June, and which nights the daily run had failed (drawn from the seed).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.etl import flight_days, ledger, warehouse
from engine.etl.flight_days import KEYS
from engine.etl.ledger import Ledger

Code = Literal["", "v1", "v2"]  # "" is a partition that is missing
CODES: tuple[Code, ...] = get_args(Code)
FIRST_DAY: Final = flight_days.day_of(date(2013, 4, 1))  # a Monday
N_DAYS: Final = 91  # 13 weeks, to Sunday 30 June
TODAY: Final = FIRST_DAY + N_DAYS - 1
DEPLOYED: Final = flight_days.day_of(date(2013, 6, 20))
N_FAILED: Final = 7
LATE_MINUTES: Final = 15
COLUMNS: Final = (*KEYS, "arr_delay", "late")


def transform(rows: pa.Table, code: Code) -> pa.Table:
    """Return the partition that a version of the code makes of a day's flights."""
    compare = pc.greater if code == "v1" else pc.greater_equal
    return (
        rows.select([*KEYS, "arr_delay"])
        .append_column("late", compare(rows["arr_delay"], LATE_MINUTES))
        .combine_chunks()
    )


def truth(day: int) -> pa.Table:
    """Return what a day's partition should hold: all rows of the source, by the newest code."""
    return transform(flight_days.truth(day), "v2")


def initial_codes(seed: int) -> list[Code]:
    """Return which code made each partition before the backfill: "" for the nights that failed, and
    for today.
    """
    failed = np.random.default_rng(seed).choice(N_DAYS - 1, N_FAILED, replace=False)
    codes: list[Code] = ["v2" if FIRST_DAY + i >= DEPLOYED else "v1" for i in range(N_DAYS)]
    for place in [*failed.tolist(), N_DAYS - 1]:
        codes[place] = ""
    return codes


def initial_rows(seed: int) -> pa.Table:
    """Return what the warehouse holds before the backfill: each day as its nightly run saw it."""
    nights = [(FIRST_DAY + i, code) for i, code in enumerate(initial_codes(seed)) if code]
    return pa.concat_tables(
        [
            transform(flight_days.rows_at(flight_days.midnight(day + 1), day), code)
            for day, code in nights
        ]
    )


def create(connection: Any, seed: int) -> None:
    """Make the table and the notes of its partitions, as they are before the backfill."""
    connection.register("held", initial_rows(seed))
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE arrivals AS FROM held")
    connection.execute(
        "CREATE TABLE partitions (day INTEGER, code VARCHAR, version INTEGER, writer VARCHAR)"
    )
    notes = [
        (FIRST_DAY + i, code, 1, "daily run") for i, code in enumerate(initial_codes(seed)) if code
    ]
    days, codes, versions, writers = (list(column) for column in zip(*notes, strict=True))
    connection.register(
        "notes", pa.table({"day": days, "code": codes, "version": versions, "writer": writers})
    )
    connection.execute("INSERT INTO partitions FROM notes")
    connection.execute("COMMIT")


def version(connection: Any, day: int) -> int:
    """Return how often a partition has been written; 0 for one that is missing."""
    found = connection.execute(
        "SELECT max(version) FROM partitions WHERE day = ?", [day]
    ).fetchall()
    return int(found[0][0] or 0)


def write(
    connection: Any, day: int, rows: pa.Table, code: Code, writer: str, expected: int | None = None
) -> bool:
    """Replace a partition and its note in one transaction.

    With ``expected``, only if the partition still has this version (compare and swap). Returns
    whether it was written.
    """
    connection.register("batch", rows)
    connection.execute("BEGIN")
    try:
        now = version(connection, day)
        if expected is not None and now != expected:
            connection.execute("ROLLBACK")
            return False
        connection.execute("DELETE FROM arrivals WHERE flight_date = ?", [flight_days.date_of(day)])
        connection.execute("INSERT INTO arrivals FROM batch")
        connection.execute("DELETE FROM partitions WHERE day = ?", [day])
        connection.execute(
            "INSERT INTO partitions VALUES (?, ?, ?, ?)", [day, code, now + 1, writer]
        )
        connection.execute("COMMIT")
    except BaseException:
        warehouse.roll_back(connection)
        raise
    return True


def read_back(connection: Any, days: list[int]) -> tuple[list[Ledger], dict[int, tuple[Code, str]]]:
    """Return the ledger of each of some days against the truth, and each partition's code and last
    writer.
    """
    notes = connection.execute("SELECT day, code, writer FROM partitions").fetchall()
    rows = connection.sql(
        f"SELECT {', '.join(COLUMNS)} FROM arrivals ORDER BY flight_date"
    ).to_arrow_table()
    held = (
        np.asarray(rows["flight_date"].cast(pa.int32()))
        - (flight_days.FIRST - date(1970, 1, 1)).days
    )
    bounds = np.searchsorted(held, [[day, day + 1] for day in days])
    ledgers = [
        ledger.reconcile(truth(day), rows.slice(a, b - a), KEYS)
        for day, (a, b) in zip(days, bounds.tolist(), strict=True)
    ]
    return ledgers, {int(day): (code, str(writer)) for day, code, writer in notes}


def today_database(folder: Path) -> Path:
    """Return the database of today's flights: they still change while the backfill runs."""
    return folder / "today.sqlite"
