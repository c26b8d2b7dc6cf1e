"""The job of *ETL or ELT*: flights that arrived late by day and airline, in Arrow and in SQL."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.etl import faults

Way = Literal["ETL, summary", "ETL, cleaned rows", "ELT, raw rows"]
WAYS: tuple[Way, ...] = get_args(Way)
CLEANED: Final = ("day_of_year", "carrier", "dest", "dep_delay", "arr_delay")
SUMMARY_SQL: Final = """SELECT day_of_year, carrier, a.name AS airline, count(*) AS flights,
  sum((arr_delay > {late})::INT)::BIGINT AS late, sum(arr_delay)::BIGINT AS delay
FROM {rows} JOIN airlines a USING (carrier) WHERE arr_delay IS NOT NULL
GROUP BY ALL ORDER BY day_of_year, carrier"""


@lru_cache(maxsize=4)
def raw_rows(n_days: int) -> pa.Table:
    """Return the flights of the first days of 2013, all columns, and ``day_of_year`` (1 …)."""
    flights = data.load("flights")
    days = faults.days_of(flights)
    kept = pa.array(np.flatnonzero(days <= n_days))
    return (
        flights.append_column("day_of_year", pa.array(days.astype(np.int32)))
        .take(kept)
        .combine_chunks()
    )


def clean(rows: pa.Table) -> pa.Table:
    """Return the rows that arrived, with the columns that the job needs: what ETL keeps."""
    return rows.select(CLEANED).filter(rows["arr_delay"].is_valid()).combine_chunks()


def summarise(cleaned: pa.Table, late_minutes: int) -> pa.Table:
    """Return flights, late flights and summed delay by day and airline, in Arrow."""
    late = pc.greater(cleaned["arr_delay"], late_minutes).cast(pa.int64())
    counted = cleaned.append_column("late", late).group_by(["day_of_year", "carrier"])
    summed = counted.aggregate([("late", "count"), ("late", "sum"), ("arr_delay", "sum")])
    named = summed.join(data.load("airlines"), "carrier", join_type="inner").sort_by(
        [("day_of_year", "ascending"), ("carrier", "ascending")]
    )
    columns = {
        "day_of_year": "day_of_year",
        "carrier": "carrier",
        "airline": "name",
        "flights": "late_count",
        "late": "late_sum",
        "delay": "arr_delay_sum",
    }
    return pa.table({new: named[old] for new, old in columns.items()}).combine_chunks()


@lru_cache(maxsize=1)
def database() -> Any:
    """Return the one database in memory, in which new rules are tried."""
    import duckdb

    return duckdb.connect(config={"threads": 1})


def register(cursor: Any) -> None:
    """Let a connection see the tables that the job and the rules join to."""
    for name in ("airlines", "planes"):
        cursor.register(name, data.load(name))
