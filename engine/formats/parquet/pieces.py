"""Every byte of a Parquet file as one of its pieces: magic, pages, page indexes, Bloom filters,
footer.

Real: places and sizes as they lie in the file (``engine.formats.parquet.pages``), min and max as
the writer noted them. Uploads are taken apart in a child process, ``python -m
engine.formats.parquet.pieces SOURCE TARGET``, because a damaged footer can abort pyarrow outright;
no value is ever decompressed.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engine import data, processes
from engine.errors import InputError, require
from engine.formats.parquet import pages
from engine.formats.parquet.thrift import HINT
from engine.upload_reader import limits

MAX_PAGES = 100_000
MAX_TEXT = 40  # characters of a min or max


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
        if physical in formats:
            (number,) = struct.unpack(formats[physical], value)
            if type_ is not None and (
                pa.types.is_timestamp(type_) or pa.types.is_date(type_) or pa.types.is_time(type_)
            ):
                number = (
                    pa.scalar(number, pa.int32() if physical == "INT32" else pa.int64())
                    .cast(type_)
                    .as_py()
                )
            return str(number)[:MAX_TEXT]
        text = value.decode()
        return text[:MAX_TEXT] if text.isprintable() else value.hex()[:MAX_TEXT]
    except (struct.error, UnicodeDecodeError, pa.ArrowException, ValueError, OverflowError):
        return value.hex()[:MAX_TEXT]


def dissect(buffer: Any) -> list[Piece]:
    """Return the pieces of a Parquet file in file order; their sizes add up to the file's.

    Parameters
    ----------
    buffer
        The whole file: bytes, a memory map, an Arrow buffer.

    Raises
    ------
    InputError
        It is no Parquet file, or damaged, or has more than ``MAX_PAGES`` pages.
    """
    footer, length = pages.footer_place(buffer)
    try:
        metadata = pq.read_metadata(pa.BufferReader(buffer))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"The footer must be one that pyarrow can read. Got {str(error).splitlines()[0][:120]}."
            f" {HINT}"
        ) from error
    require(metadata.num_columns > 0, "The file must have at least one column. Got none.")
    size = len(memoryview(buffer))
    found = [Piece("magic", 0, 4), Piece("footer", footer, length), Piece("magic", size - 8, 8)]
    places = pages.index_places(buffer)
    types = _arrow_types(metadata)
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(number)
            index = (
                places[group][number]
                if group < len(places) and number < len(places[group])
                else None
            )
            found += _chunk(buffer, chunk, group, index, types.get(chunk.path_in_schema))
            require(
                len(found) <= MAX_PAGES,
                "The file must have at most {:,} pages. Got more. Upload a part of it.",
                MAX_PAGES,
            )
    return list(_without_gaps(sorted(found, key=lambda piece: piece.offset), size))


def _arrow_types(metadata: pq.FileMetaData) -> dict[str, pa.DataType]:
    try:
        schema = metadata.schema.to_arrow_schema()
    except (
        pa.ArrowException,
        NotImplementedError,
    ):  # a type that Arrow does not have: its values are shown as they lie
        return {}
    return {field.name: field.type for field in schema}


def _chunk(
    buffer: Any, chunk: Any, group: int, index: pages.IndexPlaces | None, type_: pa.DataType | None
) -> Iterator[Piece]:
    """Yield the pages of a column chunk, then its indexes."""
    column, physical = chunk.path_in_schema, chunk.physical_type
    noted = pages.column_index(buffer, index.column_index) if index and index.column_index else None
    n_data = 0
    for number, page in enumerate(pages.pages(buffer, chunk, limit=MAX_PAGES)):
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
        ("column index", index and index.column_index),
        ("offset index", index and index.offset_index),
    ):
        if place:
            yield Piece(kind, place[0], place[1], group, column)
    if chunk.bloom_filter_offset and chunk.bloom_filter_length:
        yield Piece(
            "Bloom filter", chunk.bloom_filter_offset, chunk.bloom_filter_length, group, column
        )


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


def to_table(pieces: list[Piece]) -> pa.Table:
    """Return the pieces as a table, one row each."""
    return pa.table({f.name: [getattr(piece, f.name) for piece in pieces] for f in fields(Piece)})


def dissect_upload(path: Path) -> list[Piece]:
    """Return the pieces of an untrusted file, found by a child process under a memory and a time
    limit.

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
    return [
        Piece(**row) for row in data.read_upload(path, "engine.formats.parquet.pieces").to_pylist()
    ]


def main(source: str, target: str) -> None:
    """Take SOURCE apart, write TARGET, print the result line or the sentence for the visitor."""
    limits.limit_self()
    try:
        limits.check_kind(Path(source))
        with pa.memory_map(source) as file:
            pieces = dissect(file.read_buffer())
    except InputError as error:
        processes.report(error=str(error))
        return
    table = to_table(pieces)
    partial = Path(target + ".part")
    with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    partial.rename(target)
    processes.report(result={"n_pieces": len(pieces), "first": asdict(pieces[0])})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
