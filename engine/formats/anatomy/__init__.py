"""Anatomy: a Parquet file down to its pages, and the dictionary that gives up when there are too
many distinct values.

Real: the bundled files as they lie in ``datasets/``, files that pyarrow writes here, or an uploaded
one, each taken apart byte by byte (``engine.formats.parquet.pieces``). The curve writes one text
column for each number of distinct values, with the dictionary and without. Simplified: the written
file has two columns, a text of chosen cardinality and a running number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine import data
from engine.formats.parquet import pieces as parquet_pieces
from engine.formats.parquet.pieces import Dissection, Piece
from engine.ranges import SEED, Params, Range
from engine.units import format_bytes, format_factor, format_share

Source = Literal["written here", "flights", "weather", "planes", "airports", "airlines", "upload"]
Codec = Literal["none", "snappy", "zstd"]
WRITTEN: Source = "written here"
CARDINALITIES = (10, 100, 1_000, 3_000, 10_000, 20_000, 30_000, 50_000, 100_000)
DICTIONARY_LIMITS = (65_536, 262_144, 1_048_576)
ROWS_PER_GROUP = (25_000, 50_000, 100_000)
N_ROWS = 100_000
TEXT = "text"  # the column whose distinct values are chosen
DEFAULT = "default"  # column: the text of a file written here, else the one that takes most bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AnatomyParams(Params):
    """Which file, how it is written if it is written here, and the column chunk looked at."""

    source: Source = WRITTEN
    cardinality: Annotated[int, Range(1, N_ROWS, options=CARDINALITIES)] = 20_000  # asked for
    # bytes of a dictionary at which pyarrow gives up; its default: 1 MiB
    dictionary_limit: Annotated[int, Range(1_000, 10_000_000, options=DICTIONARY_LIMITS)] = 262_144
    rows_per_group: Annotated[int, Range(10_000, N_ROWS, options=ROWS_PER_GROUP)] = 50_000
    codec: Codec = "none"
    seed: Annotated[int, SEED] = 0  # of the written values
    row_group: Annotated[int, Range(0, 99_999)] = 0  # looked at; clipped to the file's last
    column: str = DEFAULT  # looked at; one that the file does not have stands for the default
    upload: str = ""  # path of the uploaded file, with source "upload"


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The text column written with one number of distinct values."""

    cardinality: int
    size_bytes: int  # of the column, dictionary allowed
    plain_size_bytes: int  # of the column, dictionary forbidden
    n_plain_pages: int  # data pages that fell back
    n_data_pages: int


@dataclass(frozen=True, slots=True, eq=False)
class AnatomyResult:
    """Every piece of the file, in file order, and the fallback curve of a file written here."""

    params: AnatomyParams
    file: Dissection
    curve: tuple[CurvePoint, ...]  # empty unless written here; by cardinality

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Every piece, in file order."""
        return self.file.pieces

    @property
    def file_bytes(self) -> int:
        """Size of the file: the pieces cover it without gap."""
        return sum(piece.size_bytes for piece in self.pieces)

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in file order."""
        return self.file.columns

    @property
    def n_row_groups(self) -> int:
        """Row groups in the file; 0 in one without rows, as most writers make it."""
        return self.file.n_row_groups

    @property
    def row_group(self) -> int:
        """The row group looked at: the one asked for, or the file's last."""
        return max(0, min(self.params.row_group, self.n_row_groups - 1))

    @property
    def column(self) -> str:
        """The column looked at: the one asked for, or the default."""
        return self.params.column if self.params.column in self.columns else self.default_column

    @property
    def default_column(self) -> str:
        """The column with something to see: the text of a file written here, else the one that
        takes most bytes.
        """
        return TEXT if self.curve else self.largest_column

    @property
    def chunk(self) -> tuple[Piece, ...]:
        """The pieces of the column chunk looked at."""
        return tuple(
            p for p in self.pieces if p.row_group == self.row_group and p.column == self.column
        )

    def pages(self, column: str | None = None) -> list[Piece]:
        """Return the pages of the file, or of one column."""
        return [p for p in self.pieces if p.page >= 0 and column in (None, p.column)]

    @property
    def n_pages(self) -> int:
        """Pages in the file, dictionary pages included."""
        return len(self.pages())

    @property
    def n_dictionary_pages(self) -> int:
        """Dictionary pages in the file."""
        return sum(page.kind == "dictionary page" for page in self.pages())

    @property
    def n_plain_pages(self) -> int:
        """Data pages whose values are not places in a dictionary."""
        return len(
            [
                page
                for page in self.pages()
                if page.kind == "data page" and not page.dictionary_coded
            ]
        )

    @property
    def n_fallen_pages(self) -> int:
        """Plain data pages in chunks that have a dictionary, which grew too large on the way;
        written here: of the text.
        """
        pages = self.pages(TEXT if self.curve else None)
        with_dictionary = {(p.row_group, p.column) for p in pages if p.kind == "dictionary page"}
        plain = [p for p in pages if p.kind == "data page" and not p.dictionary_coded]
        return sum((p.row_group, p.column) in with_dictionary for p in plain)

    def column_bytes(self, column: str) -> int:
        """Return the bytes of a column's pages, over all row groups."""
        return sum(page.size_bytes for page in self.pages(column))

    @property
    def text_bytes(self) -> int:
        """Bytes of the column whose distinct values are chosen; 0 for other files."""
        return self.column_bytes(TEXT)

    @property
    def overhead_share(self) -> float:
        """Share of the file that is no page: footer, indexes, magic bytes, 0–1."""
        return sum(piece.size_bytes for piece in self.pieces if piece.page < 0) / self.file_bytes

    @property
    def largest_column(self) -> str:
        """The column that takes most bytes."""
        return max(self.columns, key=self.column_bytes, default="")

    @property
    def verdict(self) -> str:
        """Pages that fell back from the dictionary; of other files the largest column."""
        size = format_bytes(self.file_bytes)
        if self.curve:
            n_data = sum(page.kind == "data page" for page in self.pages(TEXT))
            least = self.curve[0]
            text = (
                f"With {self.params.cardinality:,} distinct values, **{self.n_fallen_pages} of"
                f" {n_data}** pages of the text column fell back to plain values:"
                f" {format_bytes(self.text_bytes)}"
            )
            return (
                f"{text}, **{format_factor(self.text_bytes / least.size_bytes)}** the size with"
                f" {least.cardinality} distinct values."
            )
        if not self.file.n_rows:
            return (
                f"This {size} file has **0 rows** and {len(self.columns)} columns: footer and"
                f" indexes are {format_share(self.overhead_share)} of it."
            )
        share = self.column_bytes(self.largest_column) / self.file_bytes
        return (
            f"**{format_share(share)}** of this {size} file is the column {self.largest_column}."
            f" {self.n_row_groups} row groups × {len(self.columns)} columns: {self.n_pages:,}"
            f" pages; footer and indexes {format_share(self.overhead_share)}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        chunk = [page for page in self.chunk if page.page >= 0]
        first = ", ".join(
            f"{page.kind} {page.encoding} {format_bytes(page.size_bytes)}" for page in chunk[:4]
        )
        more = f" and {len(chunk) - 4} more" if len(chunk) > 4 else ""
        reasons = [
            f"**Selected**: row group {self.row_group}, column {self.column}, {len(chunk)} pages:"
            f" {first}{more}."
            if chunk
            else f"**Selected**: column {self.column}, which has no pages."
        ]
        if self.curve:
            reasons.append(self._why_fallback())
        unpacked = sum(page.uncompressed_bytes + page.header_bytes for page in self.pages())
        packed = sum(page.size_bytes for page in self.pages())
        reasons.append(
            f"**Encoding, then codec**: pages are {format_bytes(unpacked)} encoded and"
            f" {format_bytes(packed)} compressed."
        )
        other = self.file_bytes - packed
        reasons.append(
            f"**Overhead**: {format_bytes(other)} of footer, page indexes and magic bytes."
        )
        return reasons

    def _why_fallback(self) -> str:
        limit, plain = (
            self.params.dictionary_limit,
            [point for point in self.curve if point.n_plain_pages],
        )
        text = (
            f"**Dictionary limit**: above {limit / 1024:,.0f} KiB, pyarrow writes the next pages of"
            " the chunk as plain values"
        )
        if not plain:
            most = self.curve[-1].cardinality
            return f"{text}. Up to {most:,} distinct values this does not happen."
        first = plain[0]
        before = [point for point in self.curve if point.cardinality < first.cardinality]
        jump = (
            f": from {format_bytes(before[-1].size_bytes)} to {format_bytes(first.size_bytes)}"
            if before
            else ""
        )
        return f"{text}. This happens first at {first.cardinality:,} distinct values{jump}."

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "file_bytes": self.file_bytes,
            "n_row_groups": self.n_row_groups,
            "n_columns": len(self.columns),
            "n_pages": self.n_pages,
            "n_dictionary_pages": self.n_dictionary_pages,
            "n_plain_pages": self.n_plain_pages,
            "largest_column": self.largest_column,
            "largest_column_bytes": self.column_bytes(self.largest_column),
        }

    def table(self) -> pa.Table:
        """Return every piece of the file, one row each."""
        return parquet_pieces.to_table(self.pieces)


def texts(n_rows: int, cardinality: int, seed: int) -> pa.Array:
    """Return ``n_rows`` texts of 13 characters, drawn evenly from ``cardinality`` of them."""
    numbers = np.random.default_rng(seed).integers(0, cardinality, n_rows)
    names = pa.array([f"value-{i:07d}" for i in range(cardinality)])
    return pc.take(names, pa.array(numbers))


def written_table(cardinality: int, seed: int) -> pa.Table:
    """Return the rows of the file that is written here."""
    return pa.table({TEXT: texts(N_ROWS, cardinality, seed), "number": np.arange(N_ROWS)})


def write(table: pa.Table, params: AnatomyParams, *, dictionary: bool = True) -> pa.Buffer:
    """Return ``table`` as a Parquet file in memory, with page index, as ``params`` say."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression=params.codec,
        row_group_size=params.rows_per_group,
        use_dictionary=dictionary,
        dictionary_pagesize_limit=params.dictionary_limit,
        data_page_size=65_536,
        write_page_index=True,
    )
    return sink.getvalue()


@lru_cache(maxsize=64)
def _curve_point(cardinality: int, params: AnatomyParams) -> CurvePoint:
    table = pa.table({TEXT: texts(N_ROWS, cardinality, params.seed)})
    found = parquet_pieces.dissect(write(table, params))
    plain = parquet_pieces.dissect(write(table, params, dictionary=False))
    pages, plain_pages = (
        [piece for piece in file.pieces if piece.page >= 0] for file in (found, plain)
    )
    data_pages = [page for page in pages if page.kind == "data page"]
    return CurvePoint(
        cardinality=cardinality,
        size_bytes=sum(page.size_bytes for page in pages),
        plain_size_bytes=sum(page.size_bytes for page in plain_pages),
        n_plain_pages=sum(not page.dictionary_coded for page in data_pages),
        n_data_pages=len(data_pages),
    )


def curve(params: AnatomyParams) -> tuple[CurvePoint, ...]:
    """Return the size of the text column for each of ``CARDINALITIES``; kept for settings that do
    not change it.
    """
    kept = AnatomyParams(
        dictionary_limit=params.dictionary_limit,
        rows_per_group=params.rows_per_group,
        codec=params.codec,
        seed=params.seed,
    )
    return tuple(_curve_point(cardinality, kept) for cardinality in CARDINALITIES)


@lru_cache(maxsize=16)
def _dissection(params: AnatomyParams) -> Dissection:
    if params.source == WRITTEN:
        return parquet_pieces.dissect(write(written_table(params.cardinality, params.seed), params))
    if params.source == "upload":
        return parquet_pieces.dissect_upload(Path(params.upload))
    return parquet_pieces.dissect(data.path_of(params.source).read_bytes())


def run(params: AnatomyParams) -> AnatomyResult:
    """Take the file apart.

    Raises
    ------
    InputError
        The upload is no Parquet file, encrypted, damaged, or has too many pages.
    """
    return AnatomyResult(
        params,
        _dissection(replace(params, row_group=0, column=DEFAULT)),
        curve(params) if params.source == WRITTEN else (),
    )
