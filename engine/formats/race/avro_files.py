"""Arrow tables as Avro container files and back: pyarrow reads no Avro, fastavro knows no Arrow.

Real: fastavro writes and reads every record; the schema comes from the Arrow types, and the types
that come back are those that the file's own schema says. Simplified: each column may hold nulls;
category columns are stored as text (an Avro enum allows only names as symbols); time stamps are
stored to the microsecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

Record = dict[str, Any]


def avro_type(type_: pa.DataType) -> str | Record:
    """Return the Avro type that holds values of an Arrow type.

    Raises
    ------
    TypeError
        Avro has none.
    """
    types = pa.types
    if types.is_dictionary(type_):
        return avro_type(type_.value_type)
    if types.is_decimal(type_):
        return {
            "type": "bytes",
            "logicalType": "decimal",
            "precision": type_.precision,
            "scale": type_.scale,
        }
    if types.is_timestamp(type_):
        return {
            "type": "long",
            "logicalType": "timestamp-micros" if type_.tz else "local-timestamp-micros",
        }
    if types.is_date(type_):
        return {"type": "int", "logicalType": "date"}
    if types.is_time(type_):
        return {"type": "long", "logicalType": "time-micros"}
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "string"
    if types.is_integer(type_):
        return "int" if type_.bit_width < 32 or type_ == pa.int32() else "long"
    names = {pa.bool_(): "boolean", pa.float32(): "float", pa.float64(): "double"}
    if type_ not in names:
        raise TypeError(f"Avro has no type for {type_}")
    return names[type_]


def arrow_type(type_: str | Record) -> pa.DataType:
    """Return the Arrow type of an Avro type that ``avro_type`` gives."""
    if isinstance(type_, str):
        plain = {
            "int": pa.int32(),
            "long": pa.int64(),
            "float": pa.float32(),
            "double": pa.float64(),
        }
        return (plain | {"boolean": pa.bool_(), "string": pa.string()})[type_]
    if type_["logicalType"] == "decimal":
        return pa.decimal128(type_["precision"], type_["scale"])
    return {
        "timestamp-micros": pa.timestamp("us", tz="UTC"),
        "local-timestamp-micros": pa.timestamp("us"),
        "date": pa.date32(),
        "time-micros": pa.time64("us"),
    }[type_["logicalType"]]


def schema_of(table: pa.Table) -> Record:
    """Return the Avro schema of a table: a record named ``row``, each field null or a value."""
    fields = [
        {"name": field.name, "type": ["null", avro_type(field.type)]} for field in table.schema
    ]
    return {"type": "record", "name": "row", "fields": fields}


def write(table: pa.Table, path: Path, codec: str) -> None:
    """Write ``table`` with one of fastavro's codecs (``null``, ``deflate``, ``snappy``,
    ``zstandard``).
    """
    import fastavro

    with path.open("wb") as file:
        fastavro.writer(file, schema_of(table), table.to_pylist(), codec=codec)


def read(
    path: Path, columns: list[str] | None = None, keep: Callable[[Record], bool] | None = None
) -> pa.Table:
    """Read a file that ``write`` made: all columns or some, all records or those that ``keep``
    keeps.
    """
    import fastavro

    with path.open("rb") as file:
        reader = fastavro.reader(file)
        writer_schema: Any = reader.writer_schema
        fields = [
            field
            for field in writer_schema["fields"]
            if columns is None or field["name"] in columns
        ]
        if columns is not None:
            file.seek(0)
            reader = fastavro.reader(file, reader_schema={**writer_schema, "fields": fields})
        rows = cast(Iterator[Record], reader)
        records = [record for record in rows if keep(record)] if keep else list(rows)
    schema = pa.schema([(field["name"], arrow_type(field["type"][1])) for field in fields])
    return pa.Table.from_pylist(records, schema=schema)
