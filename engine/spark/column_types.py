"""Columns as Spark sees them: what type Spark gives an Arrow or Parquet type, and the values in it.

Checked against Spark 4.3 reading Parquet files. Unsigned integers become the next larger signed
type, a duration the whole number that the file stores, nanoseconds are floored to microseconds
(``createDataFrame``; from Parquet Spark refuses them, as it does float16, which is a float here).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError

MAX_DIGITS = 38
DAY_NS = 86_400 * 10**9
T = pa.types
Test = Callable[[pa.DataType], bool]
# an Arrow type -> the Arrow type of what Spark reads
CASTS: tuple[tuple[Test, pa.DataType], ...] = (
    (T.is_null, pa.int32()),
    (T.is_uint8, pa.int16()),
    (T.is_uint16, pa.int32()),
    (T.is_uint32, pa.int64()),
    (T.is_uint64, pa.decimal128(20, 0)),
    (T.is_float16, pa.float32()),
    (T.is_large_string, pa.string()),
    (T.is_string_view, pa.string()),
    (T.is_large_binary, pa.binary()),
    (T.is_binary_view, pa.binary()),
    (T.is_fixed_size_binary, pa.binary()),
    (T.is_time, pa.time64("ns")),
)
NAMES: dict[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.binary(): "binary",
    pa.date32(): "date",
    pa.time64("ns"): "time",
    pa.timestamp("us"): "timestamp_ntz",
    pa.timestamp("us", "UTC"): "timestamp",
}
TIME_SETTING = "spark.sql.timeType.enabled"  # off by default in Spark 4.3


def spark_name(kind: pa.DataType) -> str:
    """Return Spark SQL's name of a type that ``as_spark`` gives."""
    if T.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return NAMES[kind]


def refusal(kind: pa.DataType) -> str:
    """Return why a column of this type cannot be a key, as the end of a sentence; "" if it can."""
    if T.is_dictionary(kind) or T.is_run_end_encoded(kind):
        return refusal(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return refusal(kind.storage_type)
    if T.is_nested(kind):
        return "holds several values in a cell. Choose another column, or flatten it."
    if T.is_interval(kind):
        return "holds intervals, which Spark's hash does not take. Convert it to days or seconds."
    if T.is_decimal(kind) and (kind.precision > MAX_DIGITS or kind.scale < 0):
        return (
            f"is of type {kind}. Spark's decimals have at most {MAX_DIGITS} digits and no negative"
            " scale. Round it, or convert it to text."
        )
    return ""


def note(kind: pa.DataType) -> str:
    """Return how Spark reads a column of this file type, if that is another type or not at all by
    default; else "".
    """
    if T.is_timestamp(kind) and kind.unit == "ns":
        return (
            "nanoseconds are floored to microseconds, as createDataFrame does. From Parquet, Spark"
            " 4.3 refuses them"
        )
    if T.is_time(kind):
        return (
            f"Spark 4.3 has the type time only with {TIME_SETTING}, and refuses times in"
            " milliseconds in Parquet"
        )
    if T.is_float16(kind):
        return "computed as float. From Parquet, Spark 4.3 refuses float16"
    if T.is_unsigned_integer(kind) or T.is_duration(kind):
        found = as_spark(pa.array([], kind)).type
        return f"Spark reads {kind} as {spark_name(found)}"
    return ""


def as_spark(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the column's values in the type that Spark gives them: one array of the same length.

    A second call changes nothing. NaN has one bit pattern afterwards; −0 stays apart from 0.

    Raises
    ------
    InputError
        The type cannot be a key, or a time is out of the range of microseconds.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if reason := refusal(kind):
        raise InputError(f"A key must be a number, text, a date or a time. Got {kind}: it {reason}")
    if T.is_dictionary(kind):
        return as_spark(column.cast(kind.value_type))
    if T.is_run_end_encoded(kind):
        return as_spark(pc.run_end_decode(column))
    if isinstance(kind, pa.BaseExtensionType):
        return as_spark(column.storage)
    for test, to in CASTS:
        if test(kind):
            column = column.cast(to)
    if T.is_decimal(kind):
        column = column.cast(pa.decimal128(kind.precision, kind.scale))
    if T.is_duration(kind):
        column = column.view(pa.int64())
    if T.is_date64(kind):
        column = _floored(column, 86_400_000).cast(pa.int32()).view(pa.date32())
    if T.is_timestamp(kind):
        column = _micros(column)
    if T.is_time(kind) and not 0 <= _last_time(column) < DAY_NS:
        raise InputError("Times of day must be from 00:00 to 24:00. Got others. Correct them.")
    return _one_nan(column) if T.is_floating(column.type) else column


def _floored(column: pa.Array, by: int) -> pa.Array:
    """Return 64-bit values divided by ``by`` and rounded down, as int64."""
    mask = column.is_null().to_numpy(zero_copy_only=False)
    values = column.view(pa.int64()).fill_null(0).to_numpy()
    return pa.array(np.floor_divide(values, by), pa.int64(), mask=mask)


def _micros(column: pa.Array) -> pa.Array:
    """Return times in microseconds: of UTC where they have a zone, else without one."""
    kind = column.type
    to = pa.timestamp("us", "UTC" if kind.tz else None)
    if kind.unit == "ns":
        return _floored(column, 1_000).view(to)
    try:
        return column.cast(pa.timestamp("us", kind.tz)).cast(to)
    except pa.ArrowInvalid as error:
        raise InputError(
            "Times must be within 292,000 years of 1970, Spark's range. Got one outside. Correct"
            " or drop it."
        ) from error


def _last_time(column: pa.Array) -> int:
    """Return the time of day (ns) that is furthest from the day's start, −1 if one is below 0."""
    ends = pc.min_max(column.view(pa.int64())).as_py()
    return -1 if (ends["min"] or 0) < 0 else int(ends["max"] or 0)


def _one_nan(column: pa.Array) -> pa.Array:
    """Return floats with one bit pattern for NaN."""
    if not pc.any(pc.is_nan(column)).as_py():
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(np.nan, column.type), column)
