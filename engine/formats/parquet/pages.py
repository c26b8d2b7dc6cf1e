"""Pages and page indexes of a Parquet file, read from its bytes: pyarrow's metadata ends at the
column chunk.

Real: page headers, column indexes and offset indexes as they lie in the file (parquet.thrift of the
Apache Parquet format, Thrift's compact protocol). Simplified: no value is decompressed or decoded,
and encrypted files are refused. Whatever breaks a rule is an ``InputError``
(``engine.formats.parquet.thrift``).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow.parquet as pq

from engine.errors import InputError, name_in_sentence, require
from engine.formats.parquet.footer import MAGIC, Chunk, Footer, Place
from engine.formats.parquet.thrift import (
    HINT,
    Compact,
    damaged,
    list_of,
    number_of,
    optional_number,
    struct_of,
)

PageKind = Literal["dictionary", "data", "data v2", "index"]
KINDS: dict[int, PageKind] = {0: "data", 1: "index", 2: "dictionary", 3: "data v2"}
DATA_KINDS: tuple[PageKind, ...] = ("data", "data v2")
ENCODINGS = {
    0: "PLAIN",
    2: "PLAIN_DICTIONARY",
    3: "RLE",
    4: "BIT_PACKED",
    5: "DELTA_BINARY_PACKED",
    6: "DELTA_LENGTH_BYTE_ARRAY",
    7: "DELTA_BYTE_ARRAY",
    8: "RLE_DICTIONARY",
    9: "BYTE_STREAM_SPLIT",
}
DICTIONARY_ENCODINGS = (
    "RLE_DICTIONARY",
    "PLAIN_DICTIONARY",
)  # of a data page: its values are places in the dictionary page


# ---- pages


@dataclass(frozen=True, slots=True)
class Page:
    """One page: a header and the values (with their levels), as they lie in the file."""

    kind: PageKind
    offset: int  # first byte of the header
    header_bytes: int
    compressed_bytes: int  # behind the header, as stored
    uncompressed_bytes: int
    n_values: int  # nulls included; of a dictionary page: its entries; of an index page: 0
    encoding: str  # of the values
    n_nulls: int | None  # None: the header does not say
    minimum: bytes | None  # in PLAIN encoding, ``physical`` reads it; None: the header does not say
    maximum: bytes | None
    checksum: int | None  # CRC-32 of what is behind the header; None: not written

    @property
    def end(self) -> int:
        """First byte behind the page."""
        return self.offset + self.header_bytes + self.compressed_bytes

    @property
    def is_data(self) -> bool:
        """Whether the page holds rows."""
        return self.kind in DATA_KINDS


def encoding_name(number: int) -> str:
    """Return the format's name of an encoding, ``"encoding 42"`` for one that is not known here."""
    return ENCODINGS.get(number, f"encoding {number}")


def chunk_range(chunk: Chunk | pq.ColumnChunkMetaData) -> tuple[int, int]:
    """Return the first byte of a column chunk and the first one behind it.

    A chunk starts with its dictionary page when it has one. Some writers note place 0 for a page
    that is not there: a chunk without rows may have a dictionary page alone, or no page at all.
    """
    places = (chunk.dictionary_page_offset, chunk.data_page_offset)
    start: int = min(
        (place for place in places if place is not None and place >= len(MAGIC)), default=0
    )
    if not start and not chunk.total_compressed_size:
        start = len(MAGIC)
    return start, start + chunk.total_compressed_size


def _page(header: dict[int, Any], offset: int, header_bytes: int) -> Page:
    """Return the page of a ``PageHeader`` structure."""
    number = number_of(header, 1, "The type of a page")
    require(number in KINDS, "The type of a page must be 0–3. Got {}. {}", number, HINT)
    kind = KINDS[number]
    n_nulls: int | None = None
    statistics: dict[int, Any] = {}
    if kind == "index":  # reserved by the format, never written: its header has no fields
        n_values, encoding = 0, "none"
    else:
        details = struct_of(
            header, {"data": 5, "dictionary": 7, "data v2": 8}[kind], f"The header of a {kind} page"
        )
        n_values = number_of(details, 1, "The number of values of a page")
        encoding = encoding_name(
            number_of(details, 4 if kind == "data v2" else 2, "The encoding of a page")
        )
        where = {"data": 5, "data v2": 8}.get(kind)
        if where in details:
            statistics = struct_of(details, where, "The statistics of a page")
        if kind == "data v2":
            n_nulls = number_of(details, 2, "The number of nulls of a page")
        else:
            n_nulls = optional_number(statistics, 3, "The number of nulls of a page")
    minimum, maximum = (_bound(statistics, new, old) for new, old in ((6, 2), (5, 1)))
    return Page(
        kind=kind,
        offset=offset,
        header_bytes=header_bytes,
        compressed_bytes=number_of(header, 3, "The compressed size of a page"),
        uncompressed_bytes=number_of(header, 2, "The uncompressed size of a page"),
        n_values=n_values,
        encoding=encoding,
        n_nulls=n_nulls,
        minimum=minimum,
        maximum=maximum,
        checksum=_checksum(header),
    )


def _checksum(header: dict[int, Any]) -> int | None:
    """Return the checksum of a ``PageHeader`` structure, which Thrift keeps as a signed number."""
    value = header.get(4)
    if value is None:
        return None
    if type(value) is not int:
        damaged("The checksum of a page must be a whole number.", repr(value)[:40])
    return value & 0xFFFFFFFF


def _bound(statistics: dict[int, Any], new: int, old: int) -> bytes | None:
    """Return a min or max: from the field that states its order, else from the deprecated one."""
    value = statistics.get(new, statistics.get(old))
    if value is not None and not isinstance(value, bytes):
        damaged("The min or max of a page must be bytes.", repr(value)[:40])
    return value


def pages(
    buffer: Any, chunk: Chunk | pq.ColumnChunkMetaData, *, limit: int = 1_000_000
) -> list[Page]:
    """Return the pages of a column chunk, in file order, by walking from header to header.

    Old writers left the dictionary's header out of the chunk's size (PARQUET-816): so much more
    may follow.

    Parameters
    ----------
    buffer
        The whole file: bytes, a memory map, an Arrow buffer.
    chunk
        Of the same file's footer, or ``metadata.row_group(i).column(j)`` of pyarrow.
    limit
        The most pages to take.

    Raises
    ------
    InputError
        The chunk or one of its pages lies outside the file, a header is not one, there are more
        than ``limit`` pages.
    """
    data = memoryview(buffer).cast("B")  # Arrow buffers count as signed bytes
    start, end = chunk_range(chunk)
    if not len(MAGIC) <= start <= end <= len(data):
        damaged(
            f"The chunk of column {name_in_sentence(chunk.path_in_schema)} must lie between bytes"
            f" {len(MAGIC)} and {len(data):,}.",
            f"{start:,} to {end:,}",
        )
    found: list[Page] = []
    position, left_out = start, 0
    while position < end:
        require(
            len(found) < limit,
            "The file must have at most {:,} pages. Got more. Upload a sample of its rows.",
            limit,
        )
        reader = Compact(data, position, min(end + left_out, len(data)))
        try:
            header = reader.struct()
            page = _page(header, position, reader.position - position)
        except InputError as error:
            name = name_in_sentence(chunk.path_in_schema)
            raise InputError(f"Page {len(found)} of column {name}: {error}") from error
        if page.kind == "dictionary" and not found:
            left_out = page.header_bytes
        position = page.end
        if position > end and position != min(end + left_out, len(data)):
            damaged(
                f"A page must end with its column chunk, at byte {end:,} or before.",
                f"byte {position:,}",
            )
        found.append(page)
    return found


def check_page(buffer: Any, page: Page, where: str) -> None:
    """Raise ``InputError`` unless the page has no checksum or matches it; ``where`` names the
    page.
    """
    stored = memoryview(buffer).cast("B")[page.offset + page.header_bytes : page.end]
    require(
        page.checksum is None or zlib.crc32(stored) == page.checksum,
        "{} does not match its checksum: its bytes {:,} to {:,} are damaged. Write the file again"
        " from its source.",
        where,
        page.offset,
        page.end,
    )


def page_name(group: int, column: str, number: int) -> str:
    """Return what a sentence calls a page; ``number`` counts from 0, the dictionary included."""
    return f"Page {number} of column {name_in_sentence(column)} in row group {group}"


def check_pages(buffer: Any, footer: Footer) -> None:
    """Raise ``InputError`` for the first page that is not one or does not match its checksum."""
    for group, chunk in footer.chunks:
        for number, page in enumerate(pages(buffer, chunk)):
            check_page(buffer, page, page_name(group, chunk.path_in_schema, number))


# ---- the page index


@dataclass(frozen=True, slots=True)
class ColumnIndex:
    """What the page index says of the values of a chunk: one item a data page."""

    null_pages: tuple[bool, ...]  # all values are null; min and max say nothing then
    minima: tuple[bytes, ...]  # in PLAIN encoding; long text may be cut
    maxima: tuple[bytes, ...]
    null_counts: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class PageLocation:
    """Where the page index says that a data page lies."""

    offset: int
    size_bytes: int  # header included
    first_row: int  # in its row group


def _read_struct(buffer: Any, place: Place, name: str) -> tuple[dict[int, Any], int]:
    """Return the structure at ``place`` and how many bytes it took."""
    data = memoryview(buffer).cast("B")  # Arrow buffers count as signed bytes
    offset, length = place
    if not (offset >= 0 and length >= 0 and offset + length <= len(data)):
        damaged(
            f"{name} must lie inside the file of {len(data):,} bytes.",
            f"{length:,} bytes from byte {offset:,}",
        )
    reader = Compact(data, offset, offset + length)
    return reader.struct(), reader.position - offset


def column_index(buffer: Any, place: Place) -> ColumnIndex:
    """Return the column index at ``place`` of a file.

    Raises
    ------
    InputError
        It is none, or its lists differ in length.
    """
    fields, _ = _read_struct(buffer, place, "A column index")
    null_pages = list_of(fields, 1, "The null pages of a column index", bool)
    minima = list_of(fields, 2, "The minima of a column index", bytes)
    maxima = list_of(fields, 3, "The maxima of a column index", bytes)
    nulls = list_of(fields, 5, "The null counts of a column index", int) if 5 in fields else None
    lengths = {
        len(null_pages),
        len(minima),
        len(maxima),
        len(null_pages if nulls is None else nulls),
    }
    if len(lengths) != 1:
        damaged(
            "The lists of a column index must have one item a page.", f"lengths {sorted(lengths)}"
        )
    return ColumnIndex(
        tuple(null_pages), tuple(minima), tuple(maxima), None if nulls is None else tuple(nulls)
    )


def offset_index(buffer: Any, place: Place) -> tuple[PageLocation, ...]:
    """Return the places of the data pages that the offset index at ``place`` of a file lists.

    Raises
    ------
    InputError
        It is none.
    """
    fields, _ = _read_struct(buffer, place, "An offset index")
    names = ("The offset of a page", "The size of a page", "The first row of a page")
    locations = list_of(fields, 1, "The page locations of an offset index", dict)
    return tuple(
        PageLocation(*(number_of(item, i + 1, name) for i, name in enumerate(names)))
        for item in locations
    )
