"""Avro container files, in the types of their writer's schema.

Real: fastavro decodes the records; the types are those of Avro's specification 1.12. Logical types
are applied here: fastavro's own stop at the year 9999, know no nanoseconds, and round decimals.
"""

from __future__ import annotations

import contextlib
import itertools
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa

from engine.errors import InputError, name_in_sentence, require
from engine.upload_reader.columns import check_names
from engine.upload_reader.limits import check_nested, check_size

AVRO_BATCH_ROWS = 10_000
CODECS = ("null", "deflate", "bzip2", "xz", "snappy", "zstandard")
SYNC_BYTES, CRC_BYTES = 16, 4
MAX_DIGITS = 76  # of a decimal in Arrow
PRIMITIVE = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
    "enum": pa.string(),
}
LOGICAL = {
    ("int", "date"): pa.date32(),
    ("int", "time-millis"): pa.time32("ms"),
    ("long", "time-micros"): pa.time64("us"),
    **{
        ("long", f"{kind}-{name}"): pa.timestamp(unit, zone)
        for kind, zone in (("timestamp", "UTC"), ("local-timestamp", None))
        for name, unit in (("millis", "ms"), ("micros", "us"), ("nanos", "ns"))
    },
}
NESTED = ("array", "map", "record", "error")
WHOLE = {pa.int32(), pa.int64()}
REAL = {pa.float32(), pa.float64()}


def read_avro(path: Path) -> pa.Table:
    """Read an Avro container file record by record, stopping at the row limit.

    Raises
    ------
    InputError
        No records, nested columns, a column of several types, a codec or a type that is not read
        here, too many rows, none, a damaged file.
    """
    import fastavro
    from fastavro.schema import SchemaParseException, UnknownType

    try:
        with path.open("rb") as file, _plain_values():
            reader = fastavro.block_reader(file)
            require(
                reader.codec in CODECS,
                "This Avro file is compressed with {}, which is not read here. Write it again with"
                " deflate, snappy or zstandard.",
                reader.codec,
            )
            types = column_types(reader.writer_schema)
            check_size(0, len(types))
            batches: list[pa.RecordBatch] = []
            n_rows = 0
            blocks = _checked(reader, path) if reader.codec == "snappy" else reader
            records = itertools.chain.from_iterable(map(_records, blocks))
            while rows := list(itertools.islice(records, AVRO_BATCH_ROWS)):
                n_rows += len(rows)
                check_size(n_rows, len(types))
                arrays = [
                    _array([row[name] for row in rows], type_, name)
                    for name, type_ in types.items()
                ]
                batches.append(pa.RecordBatch.from_arrays(arrays, list(types)))
            require(n_rows > 0, "This Avro file has no rows. Upload one with at least one row.")
            return pa.Table.from_batches(batches)
    except (InputError, MemoryError):
        raise
    except (SchemaParseException, UnknownType) as error:
        what = f"{error} is no type" if isinstance(error, UnknownType) else str(error)[:200]
        raise InputError(
            f"The schema in this Avro file breaks a rule of Avro: {what}. Write the"
            " file again with a valid schema."
        ) from error
    # fastavro raises whatever its decoder met: EOFError, ValueError, IndexError, KeyError …
    except Exception as error:
        raise InputError(
            f"This Avro file is damaged or cut short ({type(error).__name__}: {str(error)[:200]}). "
            "Write it again from its source."
        ) from error


def _checked(blocks: Iterable[Any], path: Path) -> Iterator[Any]:
    """Yield the blocks of a file in snappy after a look at their checksums, which fastavro skips:
    CRC-32 of the plain bytes, in the last four bytes before the sync marker.
    """
    with path.open("rb") as file:
        for number, block in enumerate(blocks):
            file.seek(block.offset + block.size - SYNC_BYTES - CRC_BYTES)
            stored = int.from_bytes(file.read(CRC_BYTES), "big")
            require(
                zlib.crc32(block.bytes_.getvalue()) == stored,
                "Block {} of this Avro file does not match its checksum: the file is damaged. Write"
                " it again from its source.",
                number,
            )
            yield block


def _records(block: Any) -> Iterator[dict[str, Any]]:
    """Yield the records of a block, which must be all that it holds: fastavro stops at the number
    that the block gives.
    """
    yield from block
    if block.bytes_.read(1):
        raise ValueError(f"a block holds more than its {block.num_records:,} records")


def _plain_values() -> contextlib.AbstractContextManager[Any]:
    """Let fastavro leave values as they are stored: numbers, text and bytes."""
    from fastavro.read import LOGICAL_READERS

    return mock.patch.dict(LOGICAL_READERS, clear=True)


def column_types(schema: Any) -> dict[str, pa.DataType]:
    """Return the Arrow type of each field of a writer's schema, as fastavro has parsed it.

    Raises
    ------
    InputError
        The schema is no record, or a field is nested, of several types, or too wide a decimal.
    """
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise InputError(
            "This Avro file must hold records. Wrap its values in a record with named fields."
        )
    named: dict[str, Any] = {}
    check_names([field["name"] for field in schema["fields"]])
    choices = {field["name"]: _choices(field["type"], named) for field in schema["fields"]}
    check_nested(
        name for name, kinds in choices.items() if any(kind["type"] in NESTED for kind in kinds)
    )
    return {name: _column_type(kinds, name) for name, kinds in choices.items()}


def _choices(schema: Any, named: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the types that a field may have, each as a schema with ``type``: one, or a union's.

    ``named`` collects the types that have a name: a later field may use the name alone.
    """
    if isinstance(schema, list):
        return [choice for member in schema for choice in _choices(member, named)]
    if isinstance(schema, str):
        return (
            [{"type": schema}] if schema in PRIMITIVE else [named.get(schema, {"type": "record"})]
        )
    if isinstance(schema["type"], dict | list):
        return _choices(schema["type"], named)
    if "name" in schema:
        named[schema["name"]] = schema
    if schema["type"] in PRIMITIVE or schema["type"] in ("fixed", *NESTED):
        return [schema]
    return _choices(schema["type"], named)


def _column_type(kinds: list[dict[str, Any]], name: str) -> pa.DataType:
    """Return the one type that holds every value of a field; null goes with any."""
    types = {_arrow_type(kind, name) for kind in kinds} - {pa.null()}
    if len(types) <= 1:
        return types.pop() if types else pa.null()
    if types <= WHOLE:
        return pa.int64()
    if types <= WHOLE | REAL:
        return pa.float64()
    raise InputError(
        f"Columns must hold values of one type. {name_in_sentence(name)} is a union of"
        f" {', '.join(kind.get('logicalType', kind['type']) for kind in kinds)}: write it as one"
        " of them, as text for instance, or drop it, then upload again."
    )


def _arrow_type(kind: dict[str, Any], name: str) -> pa.DataType:
    """Return the Arrow type of a schema; a logical type that is not known, or breaks a rule, counts
    for nothing, as the specification has it.
    """
    logical = kind.get("logicalType")
    if kind["type"] in ("bytes", "fixed") and logical == "decimal":
        digits, scale = kind.get("precision"), kind.get("scale", 0)
        if type(digits) is int and type(scale) is int and 0 <= scale <= digits != 0:
            require(
                digits <= MAX_DIGITS,
                "Decimals must have at most {} digits. {} has {}: write it as text or drop it,"
                " then upload again.",
                *(MAX_DIGITS, name_in_sentence(name), digits),
            )
            decimal = pa.decimal128 if digits <= 38 else pa.decimal256
            return decimal(digits, scale)
    if kind["type"] == "fixed":
        return pa.binary(kind["size"])
    return LOGICAL.get((kind["type"], str(logical)), PRIMITIVE[kind["type"]])


def _array(values: list[Any], type_: pa.DataType, name: str) -> pa.Array:
    """Return the values of one batch in a column, as fastavro reads them, in its type."""
    try:
        if pa.types.is_decimal(type_):
            return _decimals(values, type_)
        if pa.types.is_temporal(type_):
            bits = pa.int32() if type_.bit_width == 32 else pa.int64()
            return pa.array(values, bits).view(type_)
        return pa.array(values, type_)
    except (pa.ArrowInvalid, OverflowError) as error:
        raise InputError(
            f"{name_in_sentence(name)} has a value that its type, {type_}, cannot hold:"
            f" {str(error)[:200]}. Correct or drop the column, then upload again."
        ) from error


def _decimals(values: list[bytes | None], type_: pa.DataType) -> pa.Array:
    """Return decimals from the bytes of their digits without a point, signed, big-endian."""
    n_bytes, most = type_.bit_width // 8, 10**type_.precision
    digits = [0 if value is None else int.from_bytes(value, "big", signed=True) for value in values]
    if any(abs(number) >= most for number in digits):
        raise OverflowError(f"more than {type_.precision} digits")
    stored = b"".join(number.to_bytes(n_bytes, "little", signed=True) for number in digits)
    valid = pa.array([value is not None for value in values]).buffers()[1]
    return pa.Array.from_buffers(type_, len(values), [valid, pa.py_buffer(stored)])
