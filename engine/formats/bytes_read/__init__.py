"""Bytes read: which bytes of a CSV, an Avro and a Parquet file does a real reader touch for some
columns of some rows?

Real: all three files hold the same rows and are read by pyarrow and fastavro through a traced file
handle (``engine.formats.trace``); Parquet's columns and row groups are chosen by pyarrow itself.
Re-implemented and held against pyarrow in the tests: the min/max rule that explains each row group
(``engine.formats.row_groups``). Simplified: the files are in memory, and types are narrowed to what
all three formats can store (``engine.formats.tables``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa

from engine.formats import byte_files, tables
from engine.formats.byte_files import FormatTrace
from engine.formats.bytes_read.layout import Layout, csv_layout, parquet_layout
from engine.formats.row_groups import (
    Chunks,
    RowGroup,
    Value,
    count_matching,
    format_value,
    row_groups,
)
from engine.formats.tables import (
    Order,
    Rows,
    RowsKey,
    TableName,
    column_names,
    predicate_columns,
)
from engine.ranges import SEED, Interval, Params, Range
from engine.units import format_bytes, format_share

__all__ = [
    "BytesReadParams",
    "BytesReadResult",
    "column_names",
    "defaults",
    "predicate_columns",
    "run",
]

ROWS_PER_GROUP = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
DEFAULTS = {
    "flights": (("origin", "arr_delay"), "time_hour"),
    "weather": (("origin", "temp"), "time_hour"),
    "synthetic": (("category", "amount"), "event_time"),
}


def defaults(table: TableName, upload: str = "") -> tuple[tuple[str, ...], str]:
    """Return the columns and the predicate column that a page starts with for ``table``."""
    if table in DEFAULTS:
        return DEFAULTS[table]
    return column_names(table, upload)[:2], predicate_columns(table, upload)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesReadParams(Params):
    """What is stored, in which order, and the question."""

    table: TableName = "flights"
    columns: tuple[str, ...] = ("origin", "arr_delay")  # wanted; of column_names(table)
    predicate_column: str = "time_hour"  # one of predicate_columns(table)
    # of the predicate column's sorted values, as shares
    window: Annotated[tuple[float, float], Interval(step=0.01)] = (0.40, 0.45)
    order: Order = "as is"
    rows_per_group: Annotated[int, Range(1_000, 100_000, options=ROWS_PER_GROUP)] = 5_000
    # taken evenly from the table, at most all of it
    n_rows: Annotated[int, Range(1_000, 200_000, step=10_000, least=10_000)] = 100_000
    seed: Annotated[int, SEED] = 0  # of the shuffle and of the synthetic table
    upload: str = ""  # path of the uploaded file, with table "upload"

    def check_together(self) -> None:
        """Raise ``InputError`` unless the table has the columns that are asked for."""
        tables.check_columns(self.table, self.upload, self.columns, self.predicate_column)

    @property
    def rows_key(self) -> RowsKey:
        """What decides the rows and their order; settings without influence are left out."""
        seed = self.seed if self.order == "shuffled" or self.table == "synthetic" else 0
        sort_column = self.predicate_column if self.order == "by predicate column" else ""
        return RowsKey(
            self.table,
            self.n_rows,
            self.order,
            sort_column,
            seed,
            self.upload if self.table == "upload" else "",
        )


@dataclass(frozen=True, slots=True, eq=False)
class BytesReadResult:
    """What three real readers touched for one question, and why Parquet's could leave the rest
    alone.
    """

    params: BytesReadParams
    csv: FormatTrace
    avro: FormatTrace
    parquet: FormatTrace
    groups: tuple[RowGroup, ...]
    chunks: Chunks  # every column chunk of the Parquet file, in file order
    column_names: tuple[str, ...]  # of the table, in file order
    low: Value  # the range asked for: low <= predicate column <= high
    high: Value
    footer_bytes: int  # Parquet's metadata with its length and magic
    n_rows: int
    rows: Rows  # the rows stored, in the order of their source
    n_matching: int  # rows that the Parquet reader returned
    csv_layout: Layout
    parquet_layout: Layout

    @property
    def traces(self) -> tuple[FormatTrace, FormatTrace, FormatTrace]:
        """The three reads: CSV, Avro, Parquet."""
        return self.csv, self.avro, self.parquet

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The wanted columns and the predicate column, in file order."""
        wanted = {*self.params.columns, self.params.predicate_column}
        return tuple(name for name in self.column_names if name in wanted)

    @property
    def read_share(self) -> float:
        """Share of the Parquet file that was touched, 0–1."""
        return self.parquet.read_share

    @property
    def groups_total(self) -> int:
        """Row groups in the Parquet file."""
        return len(self.groups)

    @property
    def groups_kept(self) -> int:
        """Row groups that the Parquet reader kept."""
        return sum(group.kept for group in self.groups)

    @property
    def groups_ruled_out(self) -> int:
        """Row groups that cannot hold a row in the range, by their statistics."""
        return sum(not group.possible for group in self.groups)

    @property
    def groups_in_vain(self) -> int:
        """Row groups that were kept although none of their rows is in the range."""
        return sum(group.in_vain for group in self.groups)

    @property
    def n_decoded(self) -> int:
        """Rows in the row groups that were kept: the Parquet reader decodes them to return
        ``n_matching``.
        """
        return self.parquet.n_rows_decoded

    @property
    def csv_over_parquet_bytes(self) -> float:
        """How many times as many bytes the CSV reader touched as the Parquet reader."""
        return self.csv.touched_bytes / self.parquet.touched_bytes

    @property
    def columns_share(self) -> float:
        """Share of the Parquet file that lies in chunks of the columns read, over all row groups,
        0–1.
        """
        read = np.isin(
            self.chunks.column, [self.column_names.index(name) for name in self.read_columns]
        )
        return int(self.chunks.size_bytes[read].sum()) / self.parquet.file_bytes

    @property
    def tail_read_bytes(self) -> int:
        """Bytes at the end of the Parquet file that its reader fetched to find the footer."""
        size = self.parquet.file_bytes
        ending = self.parquet.reads.sum(axis=1) >= size - 8
        return size - int(self.parquet.reads[ending, 0].min())

    @property
    def verdict(self) -> str:
        """Share of its file that each reader touched."""
        csv, avro, parquet = (
            (format_share(trace.read_share), format_bytes(trace.touched_bytes))
            for trace in self.traces
        )
        return (
            f"For {len(self.read_columns)} of {len(self.column_names)} columns and"
            f" {format_share(self.n_matching / self.n_rows)} of the rows, Parquet reads"
            f" **{parquet[0]}** of its file ({parquet[1]}), CSV {csv[0]} ({csv[1]}), Avro {avro[0]}"
            f" ({avro[1]})."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return [self._why_columns(), self._why_groups(), self._why_tail(), self._why_rows()]

    @property
    def note(self) -> str:
        """What is left out of the table, as a sentence; empty when nothing is."""
        rows = self.rows
        text = (
            f"{self.n_rows:,} of {rows.n_source_rows:,} rows, evenly spaced."
            if self.n_rows < rows.n_source_rows
            else ""
        )
        if rows.left_out:
            text += f" Without {', '.join(rows.left_out)}: not all three formats can store them."
        return text.strip()

    def _why_columns(self) -> str:
        n_other = len(self.column_names) - len(self.read_columns)
        return (
            "**Columns**: Parquet stores the values of a column together, so the reader skips the"
            f" {n_other} other columns. {', '.join(self.read_columns)} are"
            f" {format_share(self.columns_share)} of the file."
        )

    def _why_groups(self) -> str:
        column, order = self.params.predicate_column, self.params.order
        rows = {
            "as is": "in their original order",
            "shuffled": "shuffled",
            "by predicate column": f"sorted by {column}",
        }[order]
        asked = f"{column} from {format_value(self.low)} to {format_value(self.high)}"
        text = (
            f"**Row groups**: with rows {rows}, min and max exclude {self.groups_ruled_out} of"
            f" {self.groups_total} for {asked}"
        )
        spared = sum(group.kept and not group.possible for group in self.groups)
        if spared:
            text += f", but pyarrow reads {spared} of those, because they have nulls"
        spanning = self.groups_in_vain - spared
        if spanning:
            text += f"; {spanning} of the {self.groups_kept} kept have no matching row"
        return text + "."

    def _why_tail(self) -> str:
        share = self.tail_read_bytes / self.parquet.touched_bytes
        return (
            f"**Footer**: the last {format_bytes(self.tail_read_bytes)} are read first; they"
            f" contain the footer ({format_bytes(self.footer_bytes)}). That is"
            f" {format_share(share)} of all bytes read."
        )

    def _why_rows(self) -> str:
        wanted = {self.column_names.index(name) for name in self.read_columns}
        return (
            f"**Row formats**: in the first {len(self.csv_layout.offset):,} bytes of CSV,"
            f" {format_share(self.csv_layout.share(wanted))} belong to these columns, in"
            f" {self.csv_layout.n_pieces(wanted)} pieces. Only parsing finds the next piece."
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "csv_touched_bytes": self.csv.touched_bytes,
            "avro_touched_bytes": self.avro.touched_bytes,
            "parquet_touched_bytes": self.parquet.touched_bytes,
            "parquet_file_bytes": self.parquet.file_bytes,
            "row_groups": self.groups_total,
            "row_groups_kept": self.groups_kept,
            "rows_matching": self.n_matching,
        }

    def table(self) -> pa.Table:
        """Return the painted ranges: one row for each range of bytes that a reader touched."""
        traces = self.traces
        return pa.table(
            {
                "format": [t.format for t in traces for _ in range(len(t.touched))],
                "first_byte": np.concatenate([t.touched.offsets for t in traces]),
                "length_bytes": np.concatenate([t.touched.lengths for t in traces]),
                "file_bytes": [t.file_bytes for t in traces for _ in range(len(t.touched))],
            }
        )

    def groups_table(self) -> pa.Table:
        """Return one row for each row group: place, statistics and decision."""
        names = (
            "index",
            "offset",
            "size_bytes",
            "n_rows",
            "minimum",
            "maximum",
            "n_nulls",
            "n_matching",
            "possible",
            "kept",
        )
        return pa.table(
            {name: [getattr(group, name) for group in self.groups] for name in (*names, "reason")}
        )


def bounds(params: BytesReadParams) -> tuple[Any, Any]:
    """Return the range asked for as two Arrow scalars: the values at the window's shares of the
    sorted column.
    """
    values = tables.sorted_values(params.rows_key.as_is, params.predicate_column)
    low, high = (values[round(share * (len(values) - 1))] for share in params.window)
    return low, high


def run(params: BytesReadParams) -> BytesReadResult:
    """Write the three files (once for the same rows) and trace what is read of them for the
    question in ``params``.
    """
    key = params.rows_key
    low, high = bounds(params)
    table = tables.ordered_rows(key)
    csv, avro, csv_head = byte_files.row_file_traces(key)
    file = byte_files.parquet_file(key, params.rows_per_group)
    read, handle = byte_files.read_parquet(
        file.content, list(params.columns), params.predicate_column, low, high
    )
    groups = row_groups(
        file.metadata,
        file.chunks,
        params.predicate_column,
        low.as_py(),
        high.as_py(),
        kept=byte_files.kept_groups(
            file.fragment, byte_files.in_range(params.predicate_column, low, high)
        ),
        n_matching=count_matching(table[params.predicate_column], low, high, params.rows_per_group),
    )
    n_decoded = sum(group.n_rows for group in groups if group.kept)
    return BytesReadResult(
        params=params,
        csv=csv,
        avro=avro,
        parquet=byte_files.trace_of("parquet", handle, n_decoded),
        groups=groups,
        chunks=file.chunks,
        column_names=tuple(table.column_names),
        low=low.as_py(),
        high=high.as_py(),
        footer_bytes=file.metadata.serialized_size + 8,
        n_rows=table.num_rows,
        rows=tables.rows_as_is(key),
        n_matching=read.num_rows,
        csv_layout=csv_layout(csv_head),
        parquet_layout=parquet_layout(file.chunks),
    )
