"""Columns in the types that every library here can take."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError, name_in_sentence, require
from engine.upload_reader.limits import check_nested, listed


def normalize(table: pa.Table) -> pa.Table:
    """Return ``table`` with each column in its storage's type, refusing what the labs cannot use.

    Dictionaries and runs are decoded, an extension type (UUID, JSON, a library's own) gives what it
    is stored as, a column without any value, which has no type in CSV, counts as text, and a number
    of more than 38 digits becomes a float.

    Raises
    ------
    InputError
        No rows, nested columns, a column name twice, times out of every calendar.
    """
    require(table.num_rows > 0, "The file must have at least one row. Got a header without rows.")
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, "Column names must differ. {} appears more than once.", listed(twice))
    for number, name in enumerate(names):
        table = table.set_column(number, name, _stored(table.column(number), name))
    check_nested(field.name for field in table.schema if pa.types.is_nested(field.type))
    return table.replace_schema_metadata(None).combine_chunks()


def _stored(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a column in the type that its values are stored in, or the nearest one that every
    library here can take.
    """
    given = column.type
    try:
        while (step := _next_type(column)) is not None:
            column = step
        if pa.types.is_temporal(column.type):
            _check_times(column, name)
        return column
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"Columns must hold numbers, text, dates or times. {name_in_sentence(name)} is of type"
            f" {given}: drop or convert it, then upload again."
        ) from error


def _next_type(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return the column one step nearer to a type that every library here can take, ``None`` where
    it has one.
    """
    type_ = column.type
    if isinstance(type_, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in column.chunks], type_.storage_type)
    if pa.types.is_dictionary(type_):
        return column.cast(type_.value_type)
    if pa.types.is_run_end_encoded(type_):
        return pa.chunked_array(
            [pc.run_end_decode(chunk) for chunk in column.chunks], type_.value_type
        )
    if pa.types.is_null(type_) or pa.types.is_string_view(type_):
        return column.cast(pa.string())
    if pa.types.is_binary_view(type_):
        return column.cast(pa.binary())
    if pa.types.is_float16(type_):
        return column.cast(pa.float32())
    if pa.types.is_decimal(type_) and not pa.types.is_decimal128(type_):
        narrow = type_.precision <= 38
        return column.cast(pa.decimal128(type_.precision, type_.scale) if narrow else pa.float64())
    return None


def _check_times(column: pa.ChunkedArray, name: str) -> None:
    """Raise ``InputError`` unless the first and the last of the dates or times can be had as
    Python's own.
    """
    bits = pa.int64() if column.type.bit_width == 64 else pa.int32()
    ends = pc.min_max(pa.chunked_array([chunk.view(bits) for chunk in column.chunks], bits))
    try:
        for end in ends.values():
            pa.scalar(end.as_py(), bits).cast(column.type).as_py()
    except (
        ValueError,
        OverflowError,
        LookupError,
    ) as error:  # a year that no calendar has, an unknown time zone
        raise InputError(
            "Dates and times must be in the years 1 to 9999, in a known time zone."
            f" {name_in_sentence(name)} has others ({type(error).__name__}): correct or drop it,"
            " then upload again."
        ) from error
