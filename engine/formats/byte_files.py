"""The same rows as CSV, Avro and Parquet in memory, and real readers that read them through a
traced handle.

Real: pyarrow writes and reads CSV and Parquet (Snappy, its default), Polars writes Avro (no codec,
a block every 1,000 rows; fastavro would take ten times as long), fastavro reads it, block by block.
What a CSV or Avro reader touches does not depend on the columns or the range asked for (the tests
read others and compare), so each of these files is read once and its trace is kept. Simplified:
time stamps are stored as UTC without a zone, small and unsigned integers in the next type that Avro
has.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Literal, cast, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from engine import data
from engine.errors import InputError, require, require_choice
from engine.formats import row_groups, trace

TableName = Literal["flights", "weather", "synthetic", "upload"]
TABLES: tuple[TableName, ...] = get_args(TableName)
Order = Literal["as is", "by predicate column", "shuffled"]
ORDERS: tuple[Order, ...] = get_args(Order)
Format = Literal["csv", "avro", "parquet"]
MAX_TABLE_BYTES = 100_000_000  # of Arrow memory: a wider upload is shown by fewer rows
AVRO_BLOCK_ROWS = 1_000
HEAD_BYTES = 64_000  # of the CSV text, kept for the layout


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


@dataclass(frozen=True, slots=True, eq=False)
class FormatTrace:
    """One real read of one file: what was asked of the file handle, in order."""

    format: Format
    file_bytes: int
    reads: np.ndarray  # (n_reads, 2) int64: offset, length
    touched: trace.Ranges
    n_rows_decoded: int  # rows whose cells the reader had to take apart

    @property
    def n_reads(self) -> int:
        """Calls to the file handle that returned bytes."""
        return len(self.reads)

    @property
    def touched_bytes(self) -> int:
        """Bytes of the file that were read at least once."""
        return self.touched.n_bytes

    @property
    def read_share(self) -> float:
        """Touched bytes as a share of the file, 0–1."""
        return self.touched_bytes / self.file_bytes


@dataclass(frozen=True, slots=True, eq=False)
class ParquetFile:
    """A Parquet file in memory with its footer taken apart."""

    content: bytes
    metadata: pq.FileMetaData
    chunks: row_groups.Chunks
    fragment: (
        ds.ParquetFileFragment
    )  # the same bytes, untraced: pyarrow's dataset reader, asked which row groups it keeps


def trace_of(format_: Format, file: trace.TracedFile, n_rows_decoded: int) -> FormatTrace:
    """Return what ``file`` recorded."""
    reads = np.array(file.reads, dtype=np.int64).reshape(-1, 2)
    return FormatTrace(format_, file.size(), reads, file.touched(), n_rows_decoded)


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


def plain(table: pa.Table) -> pa.Table:
    """Return ``table`` with every column in a type that all three formats can store; columns
    without one are left out.

    Raises
    ------
    InputError
        No column is left.
    """
    fields = [
        pa.field(f.name, kept) for f in table.schema if (kept := _stored_type(f.type)) is not None
    ]
    require(
        len(fields) > 0,
        "The table must have a column of numbers, text, dates or times. Got none. Choose another"
        " table.",
    )
    return table.select([f.name for f in fields]).cast(pa.schema(fields), safe=False)


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
        return plain(pq.read_schema(data.path_of(table)).empty_table()).schema
    return plain(source(table, 1, 0, upload).slice(0, 1)).schema


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
    table = thin(plain(whole), key.n_rows)
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


def write_csv(table: pa.Table) -> bytes:
    """Return ``table`` as CSV text with a header line, as pyarrow writes it (text cells quoted)."""
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(table, sink)
    return bytes(sink.getvalue())


def write_avro(table: pa.Table) -> bytes:
    """Return ``table`` as an Avro container file without codec, 1,000 rows a block, written by
    Polars.
    """
    import polars as pl

    sink = io.BytesIO()
    batches = pa.Table.from_batches(table.to_batches(max_chunksize=AVRO_BLOCK_ROWS))
    cast(pl.DataFrame, pl.from_arrow(batches, rechunk=False)).write_avro(sink)
    return sink.getvalue()


def write_parquet(table: pa.Table, rows_per_group: int) -> bytes:
    """Return ``table`` as a Parquet file with pyarrow's defaults (Snappy, dictionaries,
    statistics).
    """
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=rows_per_group)
    return bytes(sink.getvalue())


def read_csv(content: bytes, columns: pa.Schema) -> tuple[pa.Table, trace.TracedFile]:
    """Read the chosen ``columns`` of a CSV file with pyarrow, on one thread; returns them and the
    traced handle.

    Raises
    ------
    InputError
        pyarrow cannot read a row back (one row longer than its 1 MiB block).
    """
    file = trace.TracedFile(content)
    try:
        table = pa_csv.read_csv(
            pa.PythonFile(file, mode="r"),
            read_options=pa_csv.ReadOptions(use_threads=False),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pa_csv.ConvertOptions(
                include_columns=columns.names, column_types=columns
            ),
        )
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"pyarrow cannot read this table back from CSV: {reason}. Choose a table with shorter"
            " cells."
        ) from error
    return table, file


def read_avro(content: bytes) -> tuple[int, trace.TracedFile]:
    """Read every block of an Avro file with fastavro; returns the rows in them and the traced
    handle.

    ``fastavro.block_reader`` hands out whole blocks; ``fastavro.reader`` makes the very same reads
    (tested) and then spends a second on turning 100,000 rows into Python objects, which says
    nothing about bytes.
    """
    import fastavro

    file = trace.TracedFile(content)
    n_rows = 0
    for block in fastavro.block_reader(cast(IO[bytes], file)):
        n_rows += block.num_records
    return n_rows, file


def in_range(column: str, low: Any, high: Any) -> pc.Expression:
    """Return the filter ``low <= column <= high``; ``low`` and ``high`` are Arrow scalars."""
    return (pc.field(column) >= low) & (pc.field(column) <= high)


def kept_groups(fragment: ds.ParquetFileFragment, wanted: pc.Expression) -> frozenset[int]:
    """Return the indices of the row groups that pyarrow keeps for the filter ``wanted``."""
    return frozenset(group.id for group in fragment.subset(wanted).row_groups)


def read_parquet(
    content: bytes, columns: list[str], predicate_column: str, low: Any, high: Any
) -> tuple[pa.Table, trace.TracedFile]:
    """Read chosen ``columns`` of the rows with ``low <= predicate_column <= high``, pruned by
    pyarrow itself.

    ``pre_buffer=False``: with pyarrow's default, chunks less than 8 KiB apart are fetched in one
    read together with the hole between them (a saving on object stores), which hides where the
    chunks lie.

    Parameters
    ----------
    content
        A Parquet file.
    low, high
        Arrow scalars of the column's type.
    """
    file = trace.TracedFile(content)
    table = pq.read_table(
        pa.PythonFile(file, mode="r"),
        columns=columns,
        filters=in_range(predicate_column, low, high),
        use_threads=False,
        pre_buffer=False,
    )
    return table, file


@lru_cache(maxsize=32)
def row_file_traces(key: RowsKey) -> tuple[FormatTrace, FormatTrace, bytes]:
    """Write and read the CSV and the Avro file of ``key`` once; returns both traces and the start
    of the CSV text.
    """
    table = ordered_rows(key)
    text = write_csv(table)
    read, csv_file = read_csv(text, pa.schema([table.schema.field(0)]))
    n_avro, avro_file = read_avro(write_avro(table))
    return (
        trace_of("csv", csv_file, read.num_rows),
        trace_of("avro", avro_file, n_avro),
        text[:HEAD_BYTES],
    )


@lru_cache(maxsize=8)
def parquet_file(key: RowsKey, rows_per_group: int) -> ParquetFile:
    """Return the Parquet file of ``key``."""
    content = write_parquet(ordered_rows(key), rows_per_group)
    metadata = pq.read_metadata(pa.BufferReader(content))
    fragment = ds.ParquetFileFormat().make_fragment(pa.BufferReader(content))
    return ParquetFile(content, metadata, row_groups.chunks(metadata), fragment)
