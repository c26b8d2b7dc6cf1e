"""The rows that the Formats lab stores: bundled, drawn from a seed or uploaded, as types that all
three formats have, evenly thinned, in the order asked for.

Simplified: time stamps are stored as UTC without a zone, small and unsigned integers in the next
type that Avro has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine import data
from engine.errors import require, require_choice

TableName = Literal["flights", "weather", "synthetic", "upload"]
Order = Literal["as is", "by predicate column", "shuffled"]
MAX_TABLE_BYTES = 100_000_000  # of Arrow memory: a wider upload is shown by fewer rows


@dataclass(frozen=True, slots=True)
class RowsKey:
    """Everything that decides which rows a file holds, and in which order; the key of the caches
    here.
    """

    table: TableName
    n_rows: int
    order: Order
    sort_column: str  # "" unless ordered by it
    seed: int
    upload: str

    @property
    def as_is(self) -> RowsKey:
        """The key of the same rows in the order of their source."""
        return RowsKey(
            self.table,
            self.n_rows,
            "as is",
            "",
            self.seed if self.table == "synthetic" else 0,
            self.upload,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows that the files hold, and what of their source they leave out."""

    table: pa.Table
    n_source_rows: int
    left_out: tuple[str, ...]  # columns that not all three formats can store


def _stored_type(type_: pa.DataType) -> pa.DataType | None:
    """Return the nearest type that all three formats can store, ``None`` when there is none."""
    same = (
        pa.bool_(),
        pa.int32(),
        pa.int64(),
        pa.float32(),
        pa.float64(),
        pa.string(),
        pa.date32(),
        pa.timestamp("us"),
    )
    nearest = {
        pa.uint32(): pa.int64(),
        pa.uint64(): pa.float64(),
        pa.float16(): pa.float32(),
        pa.date64(): pa.date32(),
    }
    if type_ in same:
        return type_
    if type_ in nearest:
        return nearest[type_]
    if pa.types.is_timestamp(type_):
        return pa.timestamp("us")
    if pa.types.is_integer(type_):
        return pa.int32()
    if pa.types.is_decimal(type_):
        return pa.float64()
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_) or pa.types.is_time(type_):
        return pa.string()
    return None


def stored_schema(table: pa.Table) -> pa.Schema:
    """Return each column that all three formats can store, in the type that they store it in.

    Raises
    ------
    InputError
        No column is left.
    """
    fields = [
        pa.field(name, kept)
        for name, column in zip(table.column_names, table.columns, strict=True)
        if (kept := _exact_type(column)) is not None
    ]
    require(
        len(fields) > 0,
        "The table must have a column of numbers, text, dates or times. Got none. Choose another"
        " table.",
    )
    return pa.schema(fields)


def _exact_type(column: pa.ChunkedArray) -> pa.DataType | None:
    """Return the type to store a column in: text where floating point would round its decimals or
    unsigned numbers.
    """
    kept = _stored_type(column.type)
    if kept != pa.float64() or pa.types.is_floating(column.type):
        return kept
    decimal = column.type if pa.types.is_decimal(column.type) else pa.decimal128(20, 0)
    try:
        back = column.cast(kept, safe=False).cast(decimal, safe=False)
    except pa.ArrowInvalid:  # rounded up to one digit more than the type has
        return pa.string()
    return kept if back.equals(column.cast(decimal)) else pa.string()


def to_stored_types(table: pa.Table) -> pa.Table:
    """Return ``table`` with every column in a type that all three formats can store; columns
    without one are left out.

    Raises
    ------
    InputError
        No column is left.
    """
    schema = stored_schema(table)
    return table.select(schema.names).cast(schema, safe=False)


def source(table: TableName, n_rows: int, seed: int, upload: str) -> pa.Table:
    """Return the table that the rows are taken from; ``n_rows`` and ``seed`` matter for the
    synthetic one only.

    Raises
    ------
    InputError
        ``upload`` is not a file of the workspace, or not a table that can be read.
    """
    if table == "synthetic":
        return data.make_synthetic(
            data.SyntheticParams(n_rows=n_rows, cardinality=min(100, n_rows), seed=seed)
        )
    if table == "upload":
        return data.read_upload(Path(upload))
    return data.load(table)


@lru_cache(maxsize=16)
def schema(table: TableName, upload: str = "") -> pa.Schema:
    """Return the columns and types of ``table`` as the files store them.

    Raises
    ------
    InputError
        As ``source``.
    """
    if table in ("flights", "weather"):
        return to_stored_types(pq.read_schema(data.path_of(table)).empty_table()).schema
    return stored_schema(source(table, 1, 0, upload))


def column_names(table: TableName, upload: str = "") -> tuple[str, ...]:
    """Return the columns that can be read: those that all three formats can store.

    Raises
    ------
    InputError
        ``upload`` is not a file of the workspace, or not a table that can be read.
    """
    return tuple(schema(table, upload).names)


def predicate_columns(table: TableName, upload: str = "") -> tuple[str, ...]:
    """Return the columns that a range can be asked of: numbers, dates and times.

    Raises
    ------
    InputError
        As ``column_names``, or there is no such column.
    """
    types = pa.types
    tests: list[Callable[[pa.DataType], bool]] = [
        types.is_integer,
        types.is_floating,
        types.is_date,
        types.is_timestamp,
    ]
    names = tuple(f.name for f in schema(table, upload) if any(test(f.type) for test in tests))
    require(
        len(names) > 0,
        "The table must have a column of numbers, dates or times to filter by. Got none. Choose"
        " another table.",
    )
    return names


def check_columns(
    table: TableName, upload: str, columns: tuple[str, ...], predicate_column: str
) -> None:
    """Raise ``InputError`` unless ``table`` has the columns wanted, one at least, and a filter's
    column.
    """
    names = column_names(table, upload)
    require(len(columns) > 0, "columns must name at least one column. Got none. Choose one.")
    for name in columns:
        require_choice("columns", name, names)
    require_choice("predicate_column", predicate_column, predicate_columns(table, upload))


def thin(table: pa.Table, n_rows: int) -> pa.Table:
    """Return at most ``n_rows`` rows, evenly spaced, so that they span the whole table in its own
    order.
    """
    n = min(
        n_rows, table.num_rows, max(1, MAX_TABLE_BYTES * table.num_rows // max(1, table.nbytes))
    )
    if n == table.num_rows:
        return table
    return table.take(pa.array(np.arange(n) * table.num_rows // n)).combine_chunks()


@lru_cache(maxsize=3)
def _rows(key: RowsKey) -> Rows:
    whole = source(key.table, key.n_rows, key.seed, key.upload)
    table = thin(to_stored_types(whole), key.n_rows)
    return Rows(
        table,
        whole.num_rows,
        tuple(name for name in whole.column_names if name not in table.column_names),
    )


def rows_as_is(key: RowsKey) -> Rows:
    """Return the rows of ``key`` in the order of their source."""
    return _rows(key.as_is)


@lru_cache(maxsize=3)
def ordered_rows(key: RowsKey) -> pa.Table:
    """Return the rows of ``key`` in its order, in one chunk. Sorting is stable; null and NaN come
    last.
    """
    table = rows_as_is(key).table
    if key.order == "as is":
        return table
    if key.order == "shuffled":
        places = pa.array(np.random.default_rng(key.seed).permutation(table.num_rows))
    else:
        places = pc.sort_indices(table, [(key.sort_column, "ascending")])
    return table.take(places).combine_chunks()


def sort_values(values: pa.ChunkedArray) -> pa.Array:
    """Return the values in ascending order, without null and NaN."""
    array = values.combine_chunks().drop_null()
    if pa.types.is_floating(array.type):
        array = array.filter(pc.invert(pc.is_nan(array)))
    return array.take(pc.sort_indices(array))


@lru_cache(maxsize=32)
def sorted_values(key: RowsKey, column: str) -> pa.Array:
    """Return the values of ``column`` in ascending order, without null and NaN; the shares of a
    window are taken of them.

    Raises
    ------
    InputError
        There are no such values.
    """
    values = sort_values(rows_as_is(key).table[column])
    require(
        len(values) > 0,
        "predicate_column must hold values. {!r} holds none. Choose another column.",
        column,
    )
    return values
