"""The same rows as CSV, Avro and Parquet in memory, and real readers that read them through a
traced handle.

Real: pyarrow writes and reads CSV and Parquet (Snappy, its default), Polars writes Avro (no codec,
a block every 1,000 rows; fastavro would take ten times as long), fastavro reads it, block by block.
What a CSV or Avro reader touches does not depend on the columns or the range asked for (the tests
read others and compare), so each of these files is read once and its trace is kept.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from engine.errors import InputError
from engine.formats import row_groups, trace
from engine.formats.tables import RowsKey, ordered_rows

Format = Literal["csv", "avro", "parquet"]
AVRO_BLOCK_ROWS = 1_000
HEAD_BYTES = 64_000  # of the CSV text, kept for the layout


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
