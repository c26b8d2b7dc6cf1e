"""The 17 contestants of the race: how each format is written to a real file and read back.

Real: pyarrow writes and reads CSV, Parquet and Arrow IPC and reads JSON Lines, which Polars writes;
Avro is fastavro's (``engine.formats.race.avro_files``). Each is used as a newcomer would: the
reader's own defaults, types guessed where the file holds none, a filter pushed down only where the
reader can. Simplified: files are read from disk into memory, not mapped (a mapped Arrow file
"reads" in no time, until its values are touched), and lie in the operating system's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from engine.formats.race import avro_files

Family = Literal["CSV", "JSON Lines", "Avro", "Parquet", "Arrow IPC"]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format with its codec (as its own library names it)."""

    name: str
    family: Family
    codec: str | None
    suffix: str


FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("CSV", "CSV", None, ".csv"),
        Format("CSV gzip", "CSV", "gzip", ".csv.gz"),
        Format("JSON Lines", "JSON Lines", "uncompressed", ".jsonl"),
        Format("JSON Lines gzip", "JSON Lines", "gzip", ".jsonl.gz"),
        Format("Avro", "Avro", "null", ".avro"),
        Format("Avro deflate", "Avro", "deflate", ".avro"),
        Format("Avro snappy", "Avro", "snappy", ".avro"),
        Format("Avro zstd", "Avro", "zstandard", ".avro"),
        Format("Parquet", "Parquet", "none", ".parquet"),
        Format("Parquet snappy", "Parquet", "snappy", ".parquet"),
        Format("Parquet gzip", "Parquet", "gzip", ".parquet"),
        Format("Parquet zstd", "Parquet", "zstd", ".parquet"),
        Format("Parquet lz4", "Parquet", "lz4", ".parquet"),
        Format("Parquet brotli", "Parquet", "brotli", ".parquet"),
        Format("Arrow IPC", "Arrow IPC", None, ".arrow"),
        Format("Arrow IPC lz4", "Arrow IPC", "lz4", ".arrow"),
        Format("Arrow IPC zstd", "Arrow IPC", "zstd", ".arrow"),
    )
}


@dataclass(frozen=True, slots=True)
class Between:
    """The filter ``low <= column <= high``; its ends are Arrow scalars of the column's type."""

    column: str
    low: pa.Scalar
    high: pa.Scalar

    def rows(self, table: pa.Table) -> pa.Table:
        """Return the rows of ``table`` in the range, whatever type the reader gave the column."""
        values = table[self.column]
        if values.type != self.low.type:
            values = values.cast(self.low.type)
        return table.filter(
            pc.and_(pc.greater_equal(values, self.low), pc.less_equal(values, self.high))
        )

    def keep(self) -> Callable[[dict[str, Any]], bool]:
        """Return the same filter on records; a null is not in the range. The ends become Python
        values once.
        """
        column, low, high = self.column, self.low.as_py(), self.high.as_py()
        return lambda record: record[column] is not None and bool(low <= record[column] <= high)


def write(table: pa.Table, format_: Format, path: Path, zstd_level: int) -> None:
    """Write ``table`` to ``path``; ``zstd_level`` counts for Parquet zstd only."""
    if format_.family == "CSV" and format_.codec:
        with pa.CompressedOutputStream(str(path), format_.codec) as sink:
            pa_csv.write_csv(table, sink)
    elif format_.family == "CSV":
        pa_csv.write_csv(table, path)
    elif format_.family == "JSON Lines":
        import polars as pl

        frame = cast(pl.DataFrame, pl.from_arrow(table))
        frame.write_ndjson(path, compression=cast(Any, format_.codec))
    elif format_.family == "Avro":
        avro_files.write(table, path, cast(str, format_.codec))
    elif format_.family == "Parquet":
        level = zstd_level if format_.codec == "zstd" else None
        pq.write_table(table, path, compression=format_.codec, compression_level=level)
    else:
        options = pa_ipc.IpcWriteOptions(compression=format_.codec)
        with pa_ipc.new_file(str(path), table.schema, options=options) as writer:
            writer.write_table(table)


def read(
    format_: Format, path: Path, columns: list[str] | None = None, wanted: Between | None = None
) -> pa.Table:
    """Read a file back: all of it, some ``columns`` of all rows, or all columns of the rows
    ``wanted``.
    """
    if format_.family == "Avro":
        return avro_files.read(path, columns, wanted.keep() if wanted else None)
    if format_.family == "Parquet":
        filters = wanted and (pc.field(wanted.column) >= wanted.low) & (
            pc.field(wanted.column) <= wanted.high
        )
        return pq.read_table(path, columns=columns, filters=filters)
    table = _read_whole(format_, path, columns)
    return wanted.rows(table) if wanted else table


def _read_whole(format_: Format, path: Path, columns: list[str] | None) -> pa.Table:
    """Read all rows with a reader that knows no filter."""
    if format_.family == "CSV":
        return pa_csv.read_csv(
            path,
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(include_columns=columns or []),
        )
    if (
        format_.family == "JSON Lines"
    ):  # pyarrow parses every key of every line and knows no choice of columns
        table = pa_json.read_json(path)
        return table.select(columns) if columns else table
    with pa.OSFile(str(path)) as source:
        schema = pa_ipc.open_file(source).schema
        fields = [schema.get_field_index(name) for name in columns] if columns else None
        return pa_ipc.open_file(
            source, options=pa_ipc.IpcReadOptions(included_fields=fields)
        ).read_all()
