"""Every byte of a Parquet file as one of its pieces: magic, pages, page indexes, Bloom filters,
footer.

Real: places and sizes as they lie in the file (``engine.formats.parquet.pages``), min and max as
the writer noted them. Uploads are taken apart in a child process, ``python -m
engine.formats.parquet.pieces SOURCE TARGET``, because a damaged footer can abort pyarrow outright;
no value is ever decompressed.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from engine import data, processes
from engine.errors import InputError, require
from engine.formats.parquet import pages
from engine.formats.parquet.footer import Chunk, footer_place, read_footer
from engine.formats.parquet.thrift import HINT
from engine.upload_reader import limits

MAX_PAGES = 100_000
MAX_TEXT = 40  # characters of a min or max
FOOTER = b"footer"  # where the child's table says what the footer lists


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of the file with one purpose. Pieces follow each other without gap or overlap."""

    # "magic", "dictionary page", "data page", "column index", "offset index", "Bloom filter",
    # "footer", "other"
    kind: str
    offset: int
    size_bytes: int
    row_group: int = -1  # -1: belongs to the file
    column: str = ""
    page: int = -1  # in its chunk, dictionary page included
    encoding: str = ""
    codec: str = ""
    header_bytes: int = 0
    uncompressed_bytes: int = 0  # of what follows the page header
    n_values: int = 0  # nulls included; of a dictionary page: its entries
    n_nulls: int = -1  # -1: not noted
    minimum: str = ""
    maximum: str = ""

    @property
    def dictionary_coded(self) -> bool:
        """Whether a data page holds places in the dictionary instead of values."""
        return self.encoding in pages.DICTIONARY_ENCODINGS


def readable(value: bytes | None, physical: str, type_: pa.DataType | None) -> str:
    """Return a min or max in PLAIN encoding as text, ``""`` for none.

    Parameters
    ----------
    physical
        Parquet's physical type: ``INT32``, ``BYTE_ARRAY`` and so on.
    type_
        The column's Arrow type, which says what the number means; ``None``: not known.
    """
    if value is None:
        return ""
    formats = {"INT32": "<i", "INT64": "<q", "FLOAT": "<f", "DOUBLE": "<d", "BOOLEAN": "<?"}
    try:
        if type_ is not None and pa.types.is_decimal(type_):
            return _decimal(value, physical, type_.scale)
        if type_ is not None and pa.types.is_float16(type_):
            return str(struct.unpack("<e", value)[0])
        if physical in formats:
            unsigned = type_ is not None and pa.types.is_unsigned_integer(type_)
            code = formats[physical].upper() if unsigned else formats[physical]
            (number,) = struct.unpack(code, value)
            if type_ is not None and pa.types.is_date(type_):
                type_ = pa.date32()  # days, whatever Arrow makes of them
            if type_ is not None and pa.types.is_temporal(type_):
                bits = pa.int32() if type_.bit_width == 32 else pa.int64()
                number = pa.scalar(number, bits).cast(type_).as_py()
            return str(number)[:MAX_TEXT]
        text = value.decode()
        return text[:MAX_TEXT] if text.isprintable() else value.hex()[:MAX_TEXT]
    except (
        struct.error,
        UnicodeDecodeError,
        pa.ArrowException,
        ValueError,
        OverflowError,
        LookupError,
    ):
        return value.hex()[:MAX_TEXT]


def _decimal(value: bytes, physical: str, scale: int) -> str:
    """Return a decimal as text: little-endian in a number, big-endian in bytes, always signed."""
    order: Literal["little", "big"] = "little" if physical in ("INT32", "INT64") else "big"
    digits = int.from_bytes(value, order, signed=True)
    number = Decimal(digits).scaleb(-scale, Context(prec=len(str(digits))))
    return f"{number:f}"[:MAX_TEXT]


@dataclass(frozen=True, slots=True)
class Dissection:
    """A Parquet file as its pieces, and what its footer lists."""

    pieces: tuple[Piece, ...]  # in file order; their sizes add up to the file's
    columns: tuple[str, ...]  # the leaves, by their path; a file without rows has them too
    n_row_groups: int
    n_rows: int


def dissect(buffer: Any) -> Dissection:
    """Take a Parquet file apart.

    Parameters
    ----------
    buffer
        The whole file: bytes, a memory map, an Arrow buffer.

    Raises
    ------
    InputError
        It is no Parquet file, encrypted, or damaged, or has more than ``MAX_PAGES`` pages.
    """
    footer = read_footer(buffer)
    limits.check_not_encrypted(b"", footer.encrypted)
    require(len(footer.columns) > 0, "The file must have at least one column. Got none.")
    size = len(memoryview(buffer))
    place, length = footer_place(buffer)
    found = [Piece("magic", 0, 4), Piece("footer", place, length), Piece("magic", size - 8, 8)]
    types = _arrow_types(buffer)
    for group, chunk in footer.chunks:
        found += _chunk(buffer, chunk, group, types.get(chunk.path_in_schema))
        require(
            len(found) <= MAX_PAGES,
            "The file must have at most {:,} pages. Got more. Upload a part of it.",
            MAX_PAGES,
        )
    return Dissection(
        tuple(_without_gaps(sorted(found, key=lambda piece: piece.offset), size)),
        footer.columns,
        len(footer.row_groups),
        footer.n_rows,
    )


def _arrow_types(buffer: Any) -> dict[str, pa.DataType]:
    try:
        return {field.name: field.type for field in pq.read_schema(pa.BufferReader(buffer))}
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return {}  # a schema that Arrow cannot hold: values are shown as they are stored


def _chunk(buffer: Any, chunk: Chunk, group: int, type_: pa.DataType | None) -> Iterator[Piece]:
    """Yield the pages of a column chunk, then its indexes."""
    column, physical = chunk.path_in_schema, chunk.physical_type
    noted = pages.column_index(buffer, chunk.column_index) if chunk.column_index else None
    n_data = 0
    for number, page in enumerate(pages.pages(buffer, chunk, limit=MAX_PAGES)):
        pages.check_page(buffer, page, pages.page_name(group, column, number))
        low, high, nulls = page.minimum, page.maximum, page.n_nulls
        if page.is_data and noted is not None and n_data < len(noted.minima):
            if not noted.null_pages[n_data]:
                low, high = noted.minima[n_data], noted.maxima[n_data]
            nulls = noted.null_counts[n_data] if noted.null_counts else nulls
        n_data += page.is_data
        yield Piece(
            kind="data page" if page.is_data else f"{page.kind} page",
            offset=page.offset,
            size_bytes=page.end - page.offset,
            row_group=group,
            column=column,
            page=number,
            encoding=page.encoding,
            codec=chunk.compression,
            header_bytes=page.header_bytes,
            uncompressed_bytes=page.uncompressed_bytes,
            n_values=page.n_values,
            n_nulls=-1 if nulls is None else nulls,
            minimum=readable(low, physical, type_),
            maximum=readable(high, physical, type_),
        )
    for kind, place in (
        ("column index", chunk.column_index),
        ("offset index", chunk.offset_index),
        ("Bloom filter", chunk.bloom_filter),
    ):
        if place:
            yield Piece(kind, place[0], place[1], group, column)


def _without_gaps(found: list[Piece], size: int) -> Iterator[Piece]:
    """Yield the pieces, with what lies between them as "other".

    Raises
    ------
    InputError
        Two pieces overlap, or one ends behind the file.
    """
    position = 0
    for piece in found:
        require(
            piece.offset >= position and piece.offset + piece.size_bytes <= size,
            "The {} at byte {:,} must not overlap another part of the file. Got {:,} bytes. {}",
            *(piece.kind, piece.offset, piece.size_bytes, HINT),
        )
        if piece.offset > position:
            yield Piece("other", position, piece.offset - position)
        yield piece
        position = piece.offset + piece.size_bytes
    if position < size:
        yield Piece("other", position, size - position)


def to_table(pieces: Sequence[Piece]) -> pa.Table:
    """Return the pieces as a table, one row each."""
    return pa.table({f.name: [getattr(piece, f.name) for piece in pieces] for f in fields(Piece)})


def dissect_upload(path: Path) -> Dissection:
    """Take an untrusted file apart in a child process under a memory and a time limit.

    Raises
    ------
    InputError
        As ``dissect``; the file is no Parquet; the child died of it.
    """
    require(
        path.suffix == ".parquet",
        "Anatomy needs a Parquet file. Got one that ends in {!r}.",
        path.suffix,
    )
    table = data.read_upload(path, "engine.formats.parquet.pieces")
    footer = json.loads(table.schema.metadata[FOOTER])
    return Dissection(
        tuple(Piece(**row) for row in table.to_pylist()),
        tuple(footer["columns"]),
        footer["n_row_groups"],
        footer["n_rows"],
    )


def main(source: str, target: str) -> None:
    """Take SOURCE apart, write TARGET, print the result line or the sentence for the visitor."""
    limits.limit_self()
    try:
        limits.check_kind(Path(source))
        with pa.memory_map(source) as file:
            found = dissect(file.read_buffer())
    except InputError as error:
        processes.report(error=str(error))
        return
    footer = {name: getattr(found, name) for name in ("columns", "n_row_groups", "n_rows")}
    table = to_table(found.pieces).replace_schema_metadata({FOOTER: json.dumps(footer)})
    partial = Path(target + ".part")
    with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    partial.rename(target)
    processes.report(result={"n_pieces": len(found.pieces), "first": asdict(found.pieces[0])})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
