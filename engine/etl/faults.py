"""Batches of the real tables, and the seven kinds of fault that are injected into them, in a share
of the rows.

Real: the rows of some days (planes: the whole table), with the faults that they have anyway.
Injected from the seed: each kind as it happens in production: a unit in a number's text, a column
that the source left empty, a misplaced decimal point, a file sent twice in part, a key in lower
case, a file cut short, another unit of measure. Where a row was injected is remembered, so that
what no check catches can be counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.etl.contracts import TableName
from engine.etl.rules import parse

Fault = Literal["none", "type", "null", "range", "unique", "foreign key", "volume", "drift"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
COLUMNS: dict[str, dict[str, str]] = {  # the column that each fault strikes
    "weather": {
        "type": "wind_speed",
        "null": "visib",
        "range": "wind_speed",
        "foreign key": "origin",
        "drift": "wind_speed",
    },
    "flights": {
        "type": "dep_delay",
        "null": "carrier",
        "range": "dep_delay",
        "foreign key": "dest",
        "drift": "distance",
    },
    "planes": {
        "type": "seats",
        "null": "manufacturer",
        "range": "seats",
        "foreign key": "tailnum",
        "drift": "seats",
    },
}
UNITS = {"wind_speed": "mph", "dep_delay": "min", "seats": "seats"}
DRIFTS = {
    "wind_speed": (1.609, "km/h, not mph"),
    "distance": (1.609, "km, not miles"),
    "seats": (1.25, "crew seats counted too"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A batch as it arrives: its rows, which of them were injected (n,), how many rows are missing,
    what was changed.
    """

    table: pa.Table
    injected: np.ndarray
    n_cut: int
    description: str


def days_of(table: pa.Table) -> np.ndarray:
    """Return the day of the year of each row, 1 … 365, by the local year, month and day of the
    table.
    """
    starts = np.array([date(2013, month, 1).timetuple().tm_yday for month in range(1, 13)])
    month, day = (table[name].to_numpy().astype(np.int64) for name in ("month", "day"))
    return np.asarray(starts[month - 1] + day - 1)


@lru_cache(maxsize=32)
def real(table: TableName, first_day: int, n_days: int) -> pa.Table:
    """Return the real rows of some days with the columns of the built-in contract; planes are a
    snapshot of all.
    """
    everything = data.load(table)
    if table != "planes":
        days = days_of(everything)
        everything = everything.take(
            pa.array(np.flatnonzero((days >= first_day) & (days < first_day + n_days)))
        )
    named = [rule.name for rule in parse(table).columns]
    return everything.select(named).combine_chunks()


def reference(table: TableName, first_day: int, n_days: int) -> pa.Table:
    """Return the batch before this one, with which its distribution is compared; for the first
    days of the year the one after.
    """
    before = first_day - n_days
    return real(table, before if before >= 1 else first_day + n_days, n_days)


def _replace(table: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def inject(table: TableName, rows: pa.Table, fault: Fault, dose: float, seed: int) -> Batch:
    """Return the rows with ``dose`` × n of them corrupted by a fault."""
    n = len(rows)
    n_corrupted = round(dose * n) if fault != "none" else 0
    corrupted = np.zeros(n, bool)
    if not n_corrupted:
        return Batch(rows, corrupted, 0, "nothing is injected")
    corrupted[np.random.default_rng([seed, 4]).choice(n, n_corrupted, replace=False)] = True
    if fault == "unique":
        copies = rows.filter(pa.array(corrupted))
        marks = np.concatenate([np.zeros(n, bool), np.ones(n_corrupted, bool)])
        return Batch(
            pa.concat_tables([rows, copies]).combine_chunks(),
            marks,
            0,
            f"{n_corrupted:,} rows are delivered twice",
        )
    if fault == "volume":
        return Batch(
            rows.slice(0, n - n_corrupted),
            np.zeros(n - n_corrupted, bool),
            n_corrupted,
            f"the last {n_corrupted:,} rows are missing",
        )
    name = COLUMNS[table][fault]
    column, mask = rows[name], pa.array(corrupted)
    if fault == "type":
        text = column.cast(pa.string())
        other = pc.binary_join_element_wise(pc.fill_null(text, "0"), UNITS[name], " ")
        changed, description = (
            pc.if_else(mask, other, text),
            f"{name} is text, with “{UNITS[name]}” after {n_corrupted:,} values",
        )
    elif fault == "null":
        changed, description = (
            pc.if_else(mask, pa.scalar(None, column.type), column),
            f"{name} is empty in {n_corrupted:,} rows",
        )
    elif fault == "range":
        changed = pc.if_else(mask, pc.multiply(column, pa.scalar(10, column.type)), column)
        description = f"{name} has a misplaced decimal point (10×) in {n_corrupted:,} rows"
    elif fault == "foreign key":
        changed, description = (
            pc.if_else(mask, pc.utf8_lower(column), column),
            f"{name} is in lower case in {n_corrupted:,} rows",
        )
    else:
        factor, unit = DRIFTS[name]
        other = pc.round(
            pc.multiply(column.cast(pa.float64()), factor),
            2 if pa.types.is_floating(column.type) else 0,
        )
        changed = pc.if_else(mask, other.cast(column.type), column)
        description = f"{name} is in another unit ({unit}) in {n_corrupted:,} rows"
    return Batch(_replace(rows, name, changed).combine_chunks(), corrupted, 0, description)
