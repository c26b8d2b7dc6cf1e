"""Avro container files, in the types of their writer's schema."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from engine.errors import InputError, require
from engine.upload_reader.limits import check_nested, check_size

AVRO_BATCH_ROWS = 10_000


def read_avro(path: Path) -> pa.Table:
    """Read an Avro container file record by record, stopping at the row limit."""
    import fastavro

    try:
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            if (
                not isinstance(reader.writer_schema, dict)
                or reader.writer_schema.get("type") != "record"
            ):
                raise InputError(
                    "This Avro file must hold records. Wrap its values in a record with named"
                    " fields."
                )
            check_nested(
                field["name"]
                for field in reader.writer_schema["fields"]
                if _is_nested(field["type"])
            )
            batches: list[pa.RecordBatch] = []
            n_rows = 0
            records = cast("Iterator[dict[str, Any]]", reader)
            while rows := list(itertools.islice(records, AVRO_BATCH_ROWS)):
                n_rows += len(rows)
                check_size(n_rows, len(rows[0]))
                batches.append(
                    pa.RecordBatch.from_pylist(rows, schema=batches[0].schema if batches else None)
                )
            require(n_rows > 0, "This Avro file has no rows. Upload one with at least one row.")
            return pa.Table.from_batches(batches)
    except (InputError, MemoryError):
        raise
    # fastavro raises whatever its decoder met: EOFError, ValueError, IndexError, KeyError …
    except Exception as error:
        raise InputError(
            f"This Avro file is damaged or cut short ({type(error).__name__}: {str(error)[:200]}). "
            "Write it again from its source."
        ) from error


def _is_nested(type_: Any) -> bool:
    """Whether an Avro type is, or may be, an array, a map or a record."""
    if isinstance(type_, list):
        return any(_is_nested(choice) for choice in type_)
    kind = type_["type"] if isinstance(type_, dict) else type_
    return (isinstance(kind, dict | list) and _is_nested(kind)) or kind in (
        "array",
        "map",
        "record",
        "error",
    )
