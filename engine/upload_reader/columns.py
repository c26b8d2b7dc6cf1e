"""Columns in the types that every library here can take."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError, name_in_sentence, require
from engine.upload_reader.limits import check_nested, listed

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in a second


def normalize(table: pa.Table) -> pa.Table:
    """Return ``table`` with each column in its storage's type, refusing what the labs cannot use.

    Dictionaries and runs are decoded, an extension type (UUID, JSON, a library's own) gives what it
    is stored as, and a column without any value, which has no type in CSV, counts as text. So does
    a decimal column whose values need more than 38 digits: as numbers they would be rounded.

    Raises
    ------
    InputError
        No rows, nested columns, a column name twice, times out of every calendar, text that is not
        UTF-8.
    """
    require(table.num_rows > 0, "The file must have at least one row. Got columns without rows.")
    names = table.column_names
    check_names(names)
    for number, name in enumerate(names):
        table = table.set_column(number, name, _stored(table.column(number), name))
    check_nested(field.name for field in table.schema if pa.types.is_nested(field.type))
    return table.replace_schema_metadata(None).combine_chunks()


def check_names(names: list[str]) -> None:
    """Raise ``InputError`` if two columns have the same name."""
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, "Column names must differ. {} appears more than once.", listed(twice))


def _stored(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a column in the type that its values are stored in, or the nearest one that every
    library here can take.
    """
    given = column.type
    try:
        while (step := _next_type(column)) is not None:
            column = step
        if pa.types.is_temporal(column.type):
            check_times(column, name)
        _check_text(column, name)
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
    if pa.types.is_decimal32(type_) or pa.types.is_decimal64(type_):
        return column.cast(pa.decimal128(type_.precision, type_.scale))
    if pa.types.is_decimal256(type_):
        return _narrow_decimal(column)
    return None


def _narrow_decimal(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals of up to 76 digits in a type of 38, or as text where that loses digits."""
    try:
        return column.cast(pa.decimal128(min(column.type.precision, 38), column.type.scale))
    except (pa.ArrowInvalid, ValueError):  # ValueError: a scale of more than 38
        return pa.chunked_array(
            [[None if value is None else f"{value:f}" for value in column.to_pylist()]],
            pa.string(),
        )


def _check_text(column: pa.ChunkedArray, name: str) -> None:
    """Raise ``InputError`` if text is not UTF-8, which no reader of Parquet checks."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"Text must be in UTF-8. {name_in_sentence(name)} is declared as text, and holds other"
            " bytes: write it again as UTF-8 or as binary, or drop it, then upload again."
        ) from error


def check_times(column: pa.ChunkedArray, name: str) -> None:
    """Raise ``InputError`` unless the first and the last of the dates or times can be had as
    Python's own.
    """
    bits = pa.int64() if column.type.bit_width == 64 else pa.int32()
    ends = pc.min_max(pa.chunked_array([chunk.view(bits) for chunk in column.chunks], bits))
    if pa.types.is_time(column.type):
        day = 86_400 * UNITS[column.type.unit]
        require(
            (ends["min"].as_py() or 0) >= 0 and (ends["max"].as_py() or 0) < day,
            "Times of day must be from 00:00 to 24:00. {} has others: correct or drop it, then"
            " upload again.",
            name_in_sentence(name),
        )
    try:
        for end in ends.values():
            pa.scalar(end.as_py(), bits).cast(column.type).as_py()
    except (
        ValueError,
        OverflowError,
        LookupError,
    ) as error:  # a year that no calendar has, an unknown time zone
        has = _outside(column) or f"others ({type(error).__name__})"
        raise InputError(
            "Dates and times must be in the years 1 to 9999, in a known time zone."
            f" {name_in_sentence(name)} has {has}: correct or drop it, then upload again."
        ) from error


def _outside(column: pa.ChunkedArray) -> str:
    """Return how many dates or timestamps are outside the years 1 to 9999 and where the first is,
    ``""`` where none is by the calendar in UTC.
    """
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        return ""
    bits = pa.int64() if column.type.bit_width == 64 else pa.int32()
    whole = pa.chunked_array([chunk.view(bits) for chunk in column.chunks], bits)
    values = whole.fill_null(0).to_numpy().astype(np.int64)
    is_days = pa.types.is_date32(column.type)
    unit = "ms" if pa.types.is_date64(column.type) else getattr(column.type, "unit", "s")
    seconds = values * 86_400 if is_days else values // UNITS[unit]
    first, end = (np.datetime64(day, "s").astype(np.int64) for day in ("0001-01-01", "10000-01-01"))
    places = np.flatnonzero((seconds < first) | (seconds >= end))
    if not len(places):
        return ""
    if len(places) == 1:
        return f"a value outside them, in row {places[0] + 1:,}"
    return f"{len(places):,} values outside them, the first in row {places[0] + 1:,}"
