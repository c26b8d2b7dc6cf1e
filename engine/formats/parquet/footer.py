"""The footer of a Parquet file, read from its bytes: schema, row groups, column chunks.

Real: ``FileMetaData`` of Apache Parquet's parquet.thrift. pyarrow's own metadata cannot be had of
every valid file: it refuses schemas that Arrow cannot hold, and an encrypted column ends the
process. Whatever breaks a rule is an ``InputError`` (``engine.formats.parquet.thrift``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.errors import require
from engine.formats.parquet.thrift import (
    HINT,
    Compact,
    damaged,
    list_of,
    number_of,
    optional_number,
    struct_of,
)
from engine.upload_reader.limits import check_not_encrypted

MAGIC = b"PAR1"
TAIL_BYTES = 8  # length of the footer (4, little-endian) and the magic bytes once more
PHYSICAL_TYPES = (
    "BOOLEAN",
    "INT32",
    "INT64",
    "INT96",
    "FLOAT",
    "DOUBLE",
    "BYTE_ARRAY",
    "FIXED_LEN_BYTE_ARRAY",
)
CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW")
REPEATED = 2  # of FieldRepetitionType

Place = tuple[int, int]  # offset, length


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column chunk; where both have an attribute it has pyarrow's name for it."""

    path_in_schema: str
    physical_type: str
    compression: str
    num_values: int  # nulls included
    data_page_offset: int
    dictionary_page_offset: int | None
    total_compressed_size: int  # page headers included
    column_index: Place | None  # None: not written, as the two below
    offset_index: Place | None
    bloom_filter: Place | None


@dataclass(frozen=True, slots=True)
class Footer:
    """What the footer lists."""

    n_rows: int
    columns: tuple[str, ...]  # the leaves, by their path
    nested: tuple[str, ...]  # top-level columns that hold a list, a map or a structure
    encrypted: tuple[str, ...]  # columns that need a key, by their path
    row_groups: tuple[tuple[Chunk, ...], ...]  # empty where columns are encrypted

    @property
    def chunks(self) -> Iterator[tuple[int, Chunk]]:
        """Row group and chunk, in the footer's order."""
        return ((number, chunk) for number, group in enumerate(self.row_groups) for chunk in group)


def footer_place(buffer: Any) -> Place:
    """Return offset and length of the footer's structure, which is followed by its length and
    ``PAR1``.

    Raises
    ------
    InputError
        The file is too short, encrypted, does not start and end in ``PAR1``, or the footer is
        longer than the file.
    """
    data = memoryview(buffer).cast("B")  # Arrow buffers count as signed bytes
    size = len(data)
    require(
        size >= len(MAGIC) + TAIL_BYTES,
        "A Parquet file must have at least {} bytes. Got {}. {}",
        len(MAGIC) + TAIL_BYTES,
        size,
        HINT,
    )
    for first in (0, size - len(MAGIC)):
        found = bytes(data[first : first + len(MAGIC)])
        check_not_encrypted(found)
        require(
            found == MAGIC,
            "A Parquet file must start and end in PAR1. Got {!r} at byte {:,}. {}",
            found,
            first,
            HINT,
        )
    length = int.from_bytes(data[size - TAIL_BYTES : size - len(MAGIC)], "little")
    offset = size - TAIL_BYTES - length
    if offset < len(MAGIC):
        damaged(
            f"The footer must be shorter than the file of {size:,} bytes.",
            f"a length of {length:,}",
        )
    return offset, length


def read_footer(buffer: Any) -> Footer:
    """Return what the footer of a file lists; ``buffer`` is the whole file.

    Raises
    ------
    InputError
        The footer is not one, or is encrypted.
    """
    data = memoryview(buffer).cast("B")
    offset, length = footer_place(data)
    fields = Compact(data, offset, offset + length).struct()
    columns, nested = _schema(list_of(fields, 2, "The schema of the footer", dict))
    groups = [
        list_of(group, 1, "The column chunks of a row group", dict)
        for group in list_of(fields, 4, "The row groups of the footer", dict)
    ]
    for group in groups:
        if len(group) != len(columns):
            damaged(f"A row group must have {len(columns)} column chunks.", len(group))
    encrypted = tuple(
        name for number, name in enumerate(columns) if any(8 in group[number] for group in groups)
    )
    return Footer(
        n_rows=number_of(fields, 3, "The number of rows of the footer"),
        columns=columns,
        nested=nested,
        encrypted=encrypted,
        row_groups=(
            () if encrypted else tuple(tuple(map(_chunk, group, columns)) for group in groups)
        ),
    )


def _schema(elements: list[dict[int, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the paths of the leaves and the names of nested top-level columns.

    The schema is a tree in depth-first order, the root first; a group says how many children it
    has.
    """
    leaves: list[str] = []
    nested: list[str] = []
    open_groups: list[tuple[str, int]] = []  # path, children still to come
    for number, element in enumerate(elements):
        while open_groups and open_groups[-1][1] == 0:
            open_groups.pop()
        if number > 0 and not open_groups:
            damaged("The schema must be one tree.", f"{len(elements) - number} elements too many")
        path = _text(element, 4, "The name of a column")
        if number > 0:
            parent, n_left = open_groups[-1]
            open_groups[-1] = (parent, n_left - 1)
            path = f"{parent}.{path}" if parent else path
        n_children = optional_number(element, 5, "The number of children of a column") or 0
        is_leaf = 1 in element
        if number == 0:
            path = ""
        elif len(open_groups) == 1 and (not is_leaf or element.get(3) == REPEATED):
            nested.append(path)
        if is_leaf:
            _physical(element)
            leaves.append(path)
        open_groups.append((path, n_children))
    while open_groups and open_groups[-1][1] == 0:
        open_groups.pop()
    if open_groups:
        damaged("The schema must list every column.", f"{open_groups[-1][1]} too few")
    return tuple(leaves), tuple(nested)


def _physical(fields: dict[int, Any]) -> str:
    number = fields.get(1)
    if type(number) is not int or not 0 <= number < len(PHYSICAL_TYPES):
        damaged(f"The physical type of a column must be 0–{len(PHYSICAL_TYPES) - 1}.", number)
    return PHYSICAL_TYPES[number]


def _text(fields: dict[int, Any], field: int, name: str) -> str:
    value = fields.get(field)
    if not isinstance(value, bytes):
        damaged(f"{name} must be text.", "none" if value is None else repr(value)[:40])
    return value.decode("utf-8", "replace")


def _chunk(fields: dict[int, Any], path: str) -> Chunk:
    """Return the chunk of a ``ColumnChunk`` structure; ``path`` is the schema's."""
    details = struct_of(fields, 3, "The metadata of a column chunk")
    codec = number_of(details, 4, "The codec of a column chunk")
    return Chunk(
        path_in_schema=path,
        physical_type=_physical(details),
        compression=CODECS[codec] if codec < len(CODECS) else f"codec {codec}",
        num_values=number_of(details, 5, "The number of values of a column chunk"),
        data_page_offset=number_of(details, 9, "The place of a data page"),
        dictionary_page_offset=optional_number(details, 11, "The place of a dictionary page"),
        total_compressed_size=number_of(details, 7, "The size of a column chunk"),
        column_index=_place(fields, 6, 7),
        offset_index=_place(fields, 4, 5),
        bloom_filter=_place(details, 14, 15),
    )


def _place(fields: dict[int, Any], offset: int, length: int) -> Place | None:
    """Return the place that two fields name; place 0 means none, as no field does, or a field of
    another type: some writers have their own.
    """
    start, size = fields.get(offset), fields.get(length)
    return (start, size) if type(start) is type(size) is int and start > 0 < size else None
