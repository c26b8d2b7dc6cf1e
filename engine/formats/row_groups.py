"""Which row groups of a Parquet file can hold rows in a range, by the min/max statistics in its
footer.

Real: geometry and statistics are those of the file's footer, and which groups are kept is what
pyarrow decided. Re-implemented: the rule, written out here so that each decision can be shown with
its reason; the tests hold it against pyarrow's. They differ in one case (seen in pyarrow 26.0.1):
it reads a group that holds nulls beside two or more different values even when min and max lie
outside the range. Pages inside a chunk are not looked at: pyarrow reads whole chunks.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.formats.trace import Ranges
from engine.units import format_time

Value = int | float | date | datetime  # a datetime is UTC


@dataclass(frozen=True, slots=True, eq=False)
class Chunks:
    """Where the column chunks of a file lie, in file order. Four int64 arrays of one length,
    n_groups × n_columns.
    """

    group: np.ndarray  # index of the row group
    column: np.ndarray  # index of the column
    offset: np.ndarray  # first byte (the dictionary page's, if there is one)
    size_bytes: np.ndarray


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group, what the footer says of the predicate column in it, and what follows for the
    range.
    """

    index: int
    offset: int  # first byte
    size_bytes: int  # of all its column chunks, as stored
    n_rows: int
    minimum: Value | None  # None: the footer has no min/max (all null, or all NaN)
    maximum: Value | None
    n_nulls: int | None
    possible: bool  # min, max and nulls leave room for a row in the range
    kept: bool  # pyarrow reads it
    reason: str
    n_matching: (
        int  # rows in the range, counted in the data: what a reader finds out only by reading
    )

    @property
    def in_vain(self) -> bool:
        """Whether the group was read although none of its rows is in the range."""
        return self.kept and self.n_matching == 0


def chunks(metadata: pq.FileMetaData) -> Chunks:
    """Return the place of every column chunk of a file with flat columns."""
    rows = []
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for column in range(metadata.num_columns):
            chunk = row_group.column(column)
            start = chunk.data_page_offset
            if chunk.dictionary_page_offset is not None:
                start = min(start, chunk.dictionary_page_offset)
            rows.append((group, column, start, chunk.total_compressed_size))
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return Chunks(*table[np.argsort(table[:, 2], kind="stable")].T)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Touched bytes cut where column chunks begin and end. Three int64 arrays of one length, in
    file order.
    """

    offset: np.ndarray
    length: np.ndarray
    chunk: np.ndarray  # index into Chunks, −1 outside all chunks (magic bytes, footer)


def cut(touched: Ranges, places: Chunks) -> Pieces:
    """Return the ``touched`` bytes of a file, each piece lying in one column chunk or in none."""
    edges = np.unique(
        np.concatenate(
            [touched.offsets, touched.ends, places.offset, places.offset + places.size_bytes]
        )
    )
    starts, lengths = edges[:-1], np.diff(edges)
    inside = touched.cover(starts)
    starts, lengths = starts[inside], lengths[inside]
    chunk = np.searchsorted(places.offset, starts, side="right") - 1
    outside = (chunk < 0) | (starts >= places.offset[chunk] + places.size_bytes[chunk])
    return Pieces(starts, lengths, np.where(outside, -1, chunk))


def format_value(value: Any) -> str:
    """Return a statistic as people read it: ``1,400``, ``0.25``, ``1 Jun 2013 10:00``."""
    if isinstance(value, datetime):
        return format_time(value, seconds=value.second != 0 or value.microsecond != 0)
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def decide(
    minimum: Value | None,
    maximum: Value | None,
    n_nulls: int | None,
    n_rows: int,
    low: Value,
    high: Value,
) -> tuple[bool, str]:
    """Return whether rows with ``low <= value <= high`` are possible, and the finding that says
    why.

    ``minimum`` and ``maximum`` are over the values that are neither null nor NaN; ``None`` when the
    footer has none. A group is ruled out only on proof: all null, or all values on one side of the
    range.
    """
    if n_nulls == n_rows:
        return False, f"all {n_rows:,} values are null, and null is in no range"
    if minimum is None or maximum is None:
        return True, "no min/max in the footer, so nothing can be ruled out"
    if maximum < low:  # type: ignore[operator]  # both come from one column, so from one type
        return False, f"max {format_value(maximum)} < {format_value(low)}"
    if minimum > high:  # type: ignore[operator]
        return False, f"min {format_value(minimum)} > {format_value(high)}"
    span, asked = (
        f"{format_value(start)} to {format_value(end)}"
        for start, end in ((minimum, maximum), (low, high))
    )
    return True, f"{span} meets {asked}"


def explain(finding: str, possible: bool, kept: bool, n_nulls: int | None) -> str:
    """Return the sentence for what was ``kept``, from the ``finding`` of ``decide``."""
    if kept and not possible:
        nulls = "nulls" if n_nulls is None else f"{n_nulls:,} nulls"
        return f"{finding}, but pyarrow reads a group with nulls all the same ({nulls}): kept"
    return f"{finding}: {'kept' if kept else 'skipped'}"


def row_groups(
    metadata: pq.FileMetaData,
    places: Chunks,
    column: str,
    low: Value,
    high: Value,
    *,
    kept: Collection[int],
    n_matching: np.ndarray,
) -> tuple[RowGroup, ...]:
    """Return every row group with what its footer says about ``low <= column <= high``.

    Parameters
    ----------
    metadata, places
        The footer of a file with flat columns, and ``chunks(metadata)``.
    column
        A column with numbers, dates or times; ``low`` and ``high`` have its type.
    kept
        Indices of the groups that the reader keeps.
    n_matching
        Rows in the range in each group, shape (n_groups,).
    """
    n_groups = metadata.num_row_groups
    sizes = np.bincount(places.group, weights=places.size_bytes, minlength=n_groups).astype(
        np.int64
    )
    offsets = np.full(n_groups, np.iinfo(np.int64).max)
    np.minimum.at(offsets, places.group, places.offset)
    place = metadata.schema.names.index(column)
    groups = []
    for index in range(n_groups):
        group = metadata.row_group(index)
        statistics = group.column(place).statistics
        known = statistics is not None and statistics.has_min_max
        minimum, maximum = (statistics.min, statistics.max) if known else (None, None)
        n_nulls = (
            statistics.null_count if statistics is not None and statistics.has_null_count else None
        )
        possible, finding = decide(minimum, maximum, n_nulls, group.num_rows, low, high)
        groups.append(
            RowGroup(
                index=index,
                offset=int(offsets[index]),
                size_bytes=int(sizes[index]),
                n_rows=group.num_rows,
                minimum=minimum,
                maximum=maximum,
                n_nulls=n_nulls,
                possible=possible,
                kept=index in kept,
                reason=explain(finding, possible, index in kept, n_nulls),
                n_matching=int(n_matching[index]),
            )
        )
    return tuple(groups)


def count_matching(values: pa.ChunkedArray, low: Any, high: Any, rows_per_group: int) -> np.ndarray:
    """Return how many rows have ``low <= value <= high`` in each run of ``rows_per_group`` rows,
    int64.

    ``low`` and ``high`` are Arrow scalars; null and NaN are in no range.
    """
    inside = (
        pc.and_(pc.greater_equal(values, low), pc.less_equal(values, high))
        .fill_null(False)
        .to_numpy()
    )
    return np.asarray(
        np.add.reduceat(inside, np.arange(0, len(inside), rows_per_group), dtype=np.int64)
    )
