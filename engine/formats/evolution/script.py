"""Nine schema changes in four formats: each file written with one schema and read with another."""

import io
import json
from collections import Counter

import fastavro
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq
from fastavro.read import SchemaResolutionError

from engine.formats.evolution import EvolutionParams

PARAMS = EvolutionParams()
BACKWARD = PARAMS.direction == "backward"  # v2 reads v1's files; else v1 reads v2's

names = ["carrier", "flight", "sched_dep_time", "dep_delay", "distance", "origin"]
flights = pq.read_table("datasets/flights.parquet", columns=names)
cancelled = pc.indices_nonzero(flights["dep_delay"].is_null()).to_numpy()
rng = np.random.default_rng(PARAMS.seed)
places = [rng.choice(cancelled), *rng.choice(flights.num_rows, PARAMS.n_rows - 1, replace=False)]
rows = flights.take(pa.array(places, pa.int64()))
old = pa.table(
    {
        "carrier": rows["carrier"],
        "flight": rows["flight"],
        "sched_dep_time": pc.utf8_lpad(rows["sched_dep_time"].cast("string"), 4, "0"),
        "dep_delay": rows["dep_delay"].cast("int64"),
        "distance": rows["distance"],
    }
)
new = {
    "add with default": old.append_column("origin", rows["origin"]),
    "add without default": old.append_column("origin", rows["origin"]),
    "drop": old.drop_columns("dep_delay"),
    "rename": old.rename_columns({"dep_delay": "departure_delay"}),
    "reorder": old.select(["carrier", "flight", "sched_dep_time", "distance", "dep_delay"]),
    "widen": old.set_column(4, "distance", old["distance"].cast("int64")),
    "number to text": old.set_column(3, "dep_delay", old["dep_delay"].cast("string")),
    "text to number": old.set_column(2, "sched_dep_time", old["sched_dep_time"].cast("int32")),
}
narrow = old.schema.set(3, pa.field("dep_delay", pa.int8()))
if BACKWARD:  # what is written, the reader's schema, what should come back
    cases = {change: (old, table.schema, table) for change, table in new.items()}
    for change, value in (("add with default", "unknown"), ("add without default", None)):
        due = old.append_column("origin", pa.array([value] * len(old), "string"))
        cases[change] = old, due.schema, due
    cases["narrow"] = old, narrow, old
else:
    cases = {change: (table, old.schema, old) for change, table in new.items()}
    due = old.set_column(3, "dep_delay", pa.nulls(len(old), "int64"))
    cases["drop"] = new["drop"], old.schema, due
    fitting = old.filter(pc.fill_null(pc.less_equal(old["dep_delay"], 127), True))  # in int8
    cases["narrow"] = fitting.cast(narrow), old.schema, fitting


def avro(schema, change=""):
    """Return the Avro schema; that of v2's reader may name a default or an alias."""
    fields = []
    for column in schema:
        kind = {"int8": "int", "int32": "int", "int64": "long"}.get(str(column.type), "string")
        nullable = column.name in ("dep_delay", "departure_delay")
        fields.append({"name": column.name, "type": ["null", kind] if nullable else kind})
        if change == "add with default" and column.name == "origin":
            fields[-1]["default"] = "unknown"
        if change == "rename" and column.name == "departure_delay" and PARAMS.aliases:
            fields[-1]["aliases"] = ["dep_delay"]
    return {"type": "record", "name": "flight", "fields": fields}


def write(format, table, file):
    if format == "CSV":
        pa_csv.write_csv(table, file)
    elif format == "JSON":
        pl.DataFrame(table).write_ndjson(file)
    elif format == "Avro":
        fastavro.writer(file, avro(table.schema), table.to_pylist())
    else:
        pq.write_table(table, file)


def read(format, file, schema, change):
    if format == "CSV" and PARAMS.csv_columns == "by header":
        options = pa_csv.ConvertOptions(
            column_types=schema, include_columns=schema.names, include_missing_columns=True
        )
        return pa_csv.read_csv(file, convert_options=options)
    if format == "CSV":
        return pa_csv.read_csv(
            file,
            read_options=pa_csv.ReadOptions(column_names=schema.names, skip_rows=1),
            convert_options=pa_csv.ConvertOptions(column_types=schema),
        )
    if format == "JSON":
        how = pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        return pa_json.read_json(file, parse_options=how)
    if format == "Avro":
        records = fastavro.reader(file, reader_schema=avro(schema, change if BACKWARD else ""))
        return pa.Table.from_pylist(list(records), schema=schema)
    return pq.read_table(file, schema=schema)


def outcome(format, change):
    written, schema, due = cases[change]
    file = io.BytesIO()
    write(format, written, file)
    file.seek(0)
    try:
        found = read(format, file, schema, change)
    except (pa.ArrowException, SchemaResolutionError):
        return "error"
    columns = [(found[name].to_pylist(), due[name].to_pylist()) for name in schema.names]
    pairs = [pair for column in columns for pair in zip(*column, strict=True)]
    if any(value is not None and value != wanted for value, wanted in pairs):
        return "silently wrong"
    if any(value is None and wanted is not None for value, wanted in pairs):
        return "nulls"
    if BACKWARD and change == "add with default":
        return "filled"
    absent = "add without default" if BACKWARD else "drop"  # the file does not have the column
    return "nulls" if change == absent else "same"


outcomes = {
    (change, format): outcome(format, change)
    for change in cases
    for format in ("CSV", "JSON", "Avro", "Parquet")
}
n = Counter(outcomes.values())
numbers = {
    "n_rows": len(old),
    "n_same": n["same"],
    "n_filled": n["filled"],
    "n_nulls": n["nulls"],
    "n_silently_wrong": n["silently wrong"],
    "n_errors": n["error"],
    "outcome": outcomes[PARAMS.change, PARAMS.format],
}
print(json.dumps(numbers))
