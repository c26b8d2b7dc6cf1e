"""Downstream of the gate: a few numbers that DuckDB computes from what was loaded, or its
exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from engine import data

QUERIES: dict[str, dict[str, str]] = {  # batch: what was loaded
    "weather": {
        "hours of weather": "SELECT count(*) FROM batch",
        "mean wind, mph": "SELECT avg(wind_speed) FROM batch",
        "highest wind, mph": "SELECT max(wind_speed) FROM batch",
        "mean visibility, miles": "SELECT avg(visib) FROM batch",
        "flights with weather": (
            "SELECT count(*) FROM flights f JOIN batch b USING (origin, time_hour)"
        ),
    },
    "flights": {
        "flights": "SELECT count(*) FROM batch",
        "mean departure delay, min": "SELECT avg(dep_delay) FROM batch",
        "miles flown": "SELECT sum(distance) FROM batch",
        "seats offered": "SELECT sum(p.seats) FROM batch b JOIN planes p USING (tailnum)",
        "flights with an airline": "SELECT count(*) FROM batch b JOIN airlines a USING (carrier)",
        "flights with an airport": "SELECT count(*) FROM batch b JOIN airports a ON b.dest = a.faa",
    },
    "planes": {
        "planes": "SELECT count(*) FROM batch",
        "seats": "SELECT sum(seats) FROM batch",
        "makers": "SELECT count(DISTINCT manufacturer) FROM batch",
        "flights with a plane": "SELECT count(*) FROM flights f JOIN batch b USING (tailnum)",
    },
}
JOINED = {
    "flights": ["origin", "time_hour", "tailnum"],
    "planes": ["tailnum", "seats"],
    "airlines": ["carrier"],
    "airports": ["faa"],
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One number downstream: from real rows that keep the rules, without a gate, behind it."""

    name: str
    truth: float
    open: float  # without a gate; nan with an exception
    gated: float  # from the rows that are not in quarantine; nan with an exception
    exception: str  # of the query without a gate: its type and first line

    def error(self, gate: str) -> float:
        """Return the relative error behind a gate ("off": without one), 0 …; 1 for an exception or
        nothing.
        """
        value = self.open if gate == "off" else self.gated
        if np.isnan(value):
            return 1.0
        return abs(value - self.truth) / abs(self.truth) if self.truth else float(value != 0)


@lru_cache(maxsize=1)
def _database() -> Any:
    """Return a database in memory that holds what the queries join to."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    for name, columns in JOINED.items():
        connection.register("arriving", data.load(name).select(columns))
        connection.execute(f"CREATE TABLE {name} AS FROM arriving")
    return connection


def answers(table: str, batch: pa.Table) -> dict[str, tuple[float, str]]:
    """Return each query's number on a batch, or nan and the exception in a line."""
    import duckdb

    answers: dict[str, tuple[float, str]] = {}
    with _database().cursor() as cursor:
        cursor.register("batch", batch)
        for name, query in QUERIES[table].items():
            try:
                value = cursor.execute(query).fetchall()[0][0]
            except duckdb.Error as error:
                answers[name] = (
                    float("nan"),
                    f"{type(error).__name__}: {str(error).strip().splitlines()[0]}",
                )
                continue
            if isinstance(value, str):
                answers[name] = (float("nan"), f"no exception, but the text {value!r}")
            else:
                answers[name] = (float("nan") if value is None else float(value), "")
    return answers


def measure(
    table: str, right: dict[str, tuple[float, str]], batch: pa.Table, passed: pa.Table
) -> tuple[Metric, ...]:
    """Return the numbers downstream: the right ones, from the whole batch, and from what passed,
    its types put right.
    """
    open_, gated = (answers(table, rows) for rows in (batch, passed))
    return tuple(
        Metric(name, right[name][0], open_[name][0], gated[name][0], open_[name][1])
        for name in QUERIES[table]
    )


def typed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with the types of the table again; a column that no rule on its type has cleaned
    stays as it came.
    """
    for place, field in enumerate(schema):
        if rows.schema.field(place).type != field.type:
            try:
                rows = rows.set_column(place, field, rows.column(place).cast(field.type))
            except pa.ArrowInvalid:  # "12 mph" is among the rows
                continue
    return rows
