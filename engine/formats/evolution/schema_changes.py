"""Schema changes on real flights: the two versions of a table, and the write and the read that let
them meet.

Real: every file is written by its format's own writer with one schema and read by its reader with
the other: pyarrow's CSV, JSON and Parquet readers, fastavro's schema resolution; JSON Lines are
written by Polars, which pyarrow cannot do. Simplified: a handful of rows in memory; one change at a
time; in Avro only the delay may be null. What a reader *should* return is worked out from the
definition of the change alone, without any file (``Meeting.expected``).
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from engine import data

Change = Literal[
    "add with default",
    "add without default",
    "drop",
    "rename",
    "reorder",
    "widen",
    "narrow",
    "number to text",
    "text to number",
]
Format = Literal["CSV", "JSON", "Avro", "Parquet"]
Direction = Literal["backward", "forward"]
CsvColumns = Literal["by header", "by position"]
CHANGES: tuple[Change, ...] = get_args(Change)
FORMATS: tuple[Format, ...] = get_args(Format)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
CSV_COLUMNS: tuple[CsvColumns, ...] = get_args(CsvColumns)

COLUMNS = ("carrier", "flight", "sched_dep_time", "dep_delay", "distance", "origin")
DEFAULT_ORIGIN = "unknown"
OLD_NAME, NEW_NAME = "dep_delay", "departure_delay"  # of the rename
INT8_MAX = 127
AVRO_TYPES = {
    pa.string(): "string",
    pa.int8(): "int",
    pa.int32(): "int",
    pa.int64(): "long",
}  # Avro has no 8-bit integer
AVRO_NULLABLE = (OLD_NAME, NEW_NAME)
WHAT_CHANGES: dict[Change, str] = {
    "add with default": f"v2 adds origin, by default {DEFAULT_ORIGIN!r}",
    "add without default": "v2 adds origin, without a default",
    "drop": "v2 drops dep_delay",
    "rename": f"v2 calls {OLD_NAME} {NEW_NAME}",
    "reorder": "v2 has distance before dep_delay",
    "widen": "distance goes from 32 to 64 bits",
    "narrow": "dep_delay goes from 64 to 8 bits (Avro: to 32, its narrowest)",
    "number to text": "dep_delay becomes text",
    "text to number": "sched_dep_time goes from text such as 0515 to the number 515",
}


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """One version's data and the other version's reader: what is written, what is asked for, what
    should come back.
    """

    written: pa.Table
    reader: pa.Schema  # of the version that reads
    expected: pa.Table  # columns of ``reader``; integers may be wider, values are what counts
    added: str = ""  # the column that the reader has and the file has not
    defaults: dict[str, str] = field(
        default_factory=dict
    )  # column -> default value in the reader's schema
    aliases: dict[str, list[str]] = field(default_factory=dict)  # column -> its earlier names


@lru_cache(maxsize=1)
def _cancelled() -> np.ndarray:
    """Return the row numbers of the flights without a delay: they never left."""
    numbers: np.ndarray = pc.indices_nonzero(data.load("flights")["dep_delay"].is_null()).to_numpy()
    return numbers


def sample(n_rows: int, seed: int) -> pa.Table:
    """Return ``n_rows`` flights with ``COLUMNS``, the first a cancelled one (a null delay), in v1's
    types.
    """
    flights = data.load("flights").select(COLUMNS)
    rng = np.random.default_rng(seed)
    places = [rng.choice(_cancelled()), *rng.choice(flights.num_rows, n_rows - 1, replace=False)]
    rows = flights.take(pa.array(places, pa.int64())).combine_chunks()
    hhmm = pc.utf8_lpad(rows["sched_dep_time"].cast(pa.string()), 4, "0")
    rows = rows.set_column(COLUMNS.index("sched_dep_time"), "sched_dep_time", hhmm)
    return rows.set_column(
        COLUMNS.index("dep_delay"), "dep_delay", rows["dep_delay"].cast(pa.int64())
    )


def _replace(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _new_version(
    change: Change, old: pa.Table, origin: pa.ChunkedArray
) -> tuple[pa.Table, pa.Schema]:
    """Return the rows of ``old`` as v2 means them, and v2's schema (narrower than the values for
    ``narrow``).
    """
    new = old
    match change:
        case "add with default" | "add without default":
            new = old.append_column("origin", origin)
        case "drop":
            new = old.drop_columns("dep_delay")
        case "rename":
            new = old.rename_columns({OLD_NAME: NEW_NAME})
        case "reorder":
            new = old.select(["carrier", "flight", "sched_dep_time", "distance", "dep_delay"])
        case "widen":
            new = _replace(old, "distance", old["distance"].cast(pa.int64()))
        case "narrow":
            place = old.column_names.index("dep_delay")
            return old, old.schema.set(place, pa.field("dep_delay", pa.int8()))
        case "number to text":
            new = _replace(old, "dep_delay", old["dep_delay"].cast(pa.string()))
        case "text to number":
            new = _replace(old, "sched_dep_time", old["sched_dep_time"].cast(pa.int32()))
    return new, new.schema


def meet(change: Change, direction: Direction, rows: pa.Table) -> Meeting:
    """Return what is written and read for one change: v1's data by v2's reader (backward), or the
    other way (forward).

    Forward and ``narrow``: delays that 8 bits cannot hold are left out, v2 has no way to write
    them.
    """
    if change == "narrow" and direction == "forward":
        rows = rows.filter(pc.fill_null(pc.less_equal(rows["dep_delay"], INT8_MAX), True))
    old = rows.drop_columns("origin")
    new, new_schema = _new_version(change, old, rows["origin"])
    if direction == "forward":
        if change == "drop":
            expected = _replace(old, "dep_delay", pa.nulls(len(old), pa.int64()))
            return Meeting(new, old.schema, expected, added="dep_delay")
        return Meeting(new.cast(new_schema), old.schema, old)
    if change == "add with default":
        expected = _replace(new, "origin", pa.array([DEFAULT_ORIGIN] * len(new)))
        return Meeting(
            old, new_schema, expected, added="origin", defaults={"origin": DEFAULT_ORIGIN}
        )
    if change == "add without default":
        return Meeting(
            old,
            new_schema,
            _replace(new, "origin", pa.nulls(len(new), pa.string())),
            added="origin",
        )
    if change == "rename":
        return Meeting(old, new_schema, new, aliases={NEW_NAME: [OLD_NAME]})
    return Meeting(old, new_schema, new)


def avro_schema(
    schema: pa.Schema,
    defaults: dict[str, str] | None = None,
    aliases: dict[str, list[str]] | None = None,
) -> dict[str, Any]:
    """Return an Arrow schema as an Avro record schema, with defaults and aliases for the fields
    that have them.
    """
    fields = []
    for column in schema:
        name, kind = column.name, AVRO_TYPES[column.type]
        entry: dict[str, Any] = {
            "name": name,
            "type": ["null", kind] if name in AVRO_NULLABLE else kind,
        }
        if defaults and name in defaults:
            entry["default"] = defaults[name]
        if aliases and name in aliases:
            entry["aliases"] = aliases[name]
        fields.append(entry)
    return {"type": "record", "name": "flight", "fields": fields}


def write(table: pa.Table, format: Format) -> bytes:
    """Return ``table`` as a file of ``format``, written by that format's own writer."""
    import fastavro
    import polars as pl

    sink = io.BytesIO()
    if format == "CSV":
        pa_csv.write_csv(table, sink)
    elif format == "JSON":
        cast(pl.DataFrame, pl.from_arrow(table)).write_ndjson(sink)
    elif format == "Avro":
        fastavro.writer(sink, avro_schema(table.schema), table.to_pylist())
    else:
        pq.write_table(table, sink)
    return sink.getvalue()


def read(
    content: bytes, format: Format, meeting: Meeting, *, csv_columns: CsvColumns, aliases: bool
) -> pa.Table:
    """Return the file read with the reader's schema, as that reader resolves it.

    Raises
    ------
    pa.ArrowException, fastavro.read.SchemaResolutionError
        The reader refuses: that is an outcome, not a fault.
    """
    import fastavro

    source, schema = io.BytesIO(content), meeting.reader
    if format == "CSV" and csv_columns == "by position":
        return pa_csv.read_csv(
            source,
            read_options=pa_csv.ReadOptions(column_names=schema.names, skip_rows=1),
            convert_options=pa_csv.ConvertOptions(column_types=schema),
        )
    if format == "CSV":
        options = pa_csv.ConvertOptions(
            column_types=schema, include_columns=schema.names, include_missing_columns=True
        )
        return pa_csv.read_csv(source, convert_options=options)
    if format == "JSON":
        how = pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        return pa_json.read_json(source, parse_options=how)
    if format == "Avro":
        wanted = avro_schema(schema, meeting.defaults, meeting.aliases if aliases else None)
        return pa.Table.from_pylist(
            list(fastavro.reader(source, reader_schema=wanted)), schema=schema
        )
    return pq.read_table(source, schema=schema)
