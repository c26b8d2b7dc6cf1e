"""The code behind one cell of *schema evolution*: its change, its format and nothing else.

Real: the cell's file is written and read again with public libraries; the engine is not imported,
so this also checks it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.formats.evolution import EvolutionParams
from engine.formats.evolution.schema_changes import (
    DEFAULT_ORIGIN,
    INT8_MAX,
    NEW_NAME,
    OLD_NAME,
    Change,
    CsvColumns,
    Format,
)
from engine.source_code import Code, fill

TEMPLATE = """\
import io
import json

@imports

names = ["carrier", "flight", "sched_dep_time", "dep_delay", "distance", "origin"]
flights = pq.read_table("datasets/flights.parquet", columns=names)
cancelled = pc.indices_nonzero(flights["dep_delay"].is_null()).to_numpy()
rng = np.random.default_rng(@seed)
places = [rng.choice(cancelled), *rng.choice(flights.num_rows, @n_others, replace=False)]
rows = flights.take(pa.array(places, pa.int64()))@fitting
old = pa.table({
    "carrier": rows["carrier"],
    "flight": rows["flight"],
    "sched_dep_time": pc.utf8_lpad(rows["sched_dep_time"].cast("string"), 4, "0"),
    "dep_delay": rows["dep_delay"].cast("int64"),
    "distance": rows["distance"],
})
@versions@avro

file = io.BytesIO()  # @writer writes
@write
file.seek(0)
try:  # @reader reads
    read = @read
    print(json.dumps({"read": read.to_pydict()}))
except @refusal as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
"""

# v2's table from v1's
NEW: dict[Change, str] = {
    "add with default": 'old.append_column("origin", rows["origin"])',
    "add without default": 'old.append_column("origin", rows["origin"])',
    "drop": 'old.drop_columns("dep_delay")',
    "rename": f'old.rename_columns({{"{OLD_NAME}": "{NEW_NAME}"}})',
    "reorder": 'old.select(["carrier", "flight", "sched_dep_time", "distance", "dep_delay"])',
    "widen": 'old.set_column(4, "distance", old["distance"].cast("int64"))',
    "narrow": 'old.set_column(3, "dep_delay", old["dep_delay"].cast("int8"))',
    "number to text": 'old.set_column(3, "dep_delay", old["dep_delay"].cast("string"))',
    "text to number": 'old.set_column(2, "sched_dep_time", old["sched_dep_time"].cast("int32"))',
}
NARROW_SCHEMA = 'schema = old.schema.set(3, pa.field("dep_delay", pa.int8()))'
FITTING = f"""
rows = rows.filter(pc.fill_null(pc.less_equal(rows["dep_delay"], {INT8_MAX}), True))\
  # what int8 can hold"""
AVRO = f"""


def avro(schema, **more):  # more: entries of single fields, such as a default
    fields = []
    for column in schema:
        kind = {{"int8": "int", "int32": "int", "int64": "long"}}.get(str(column.type), "string")
        kind = ["null", kind] if column.name in ("{OLD_NAME}", "{NEW_NAME}") else kind
        fields.append({{"name": column.name, "type": kind}} | more.get(column.name, {{}}))
    return {{"type": "record", "name": "flight", "fields": fields}}
"""


@dataclass(frozen=True, slots=True)
class Library:
    """How a format is written and read; ``@table`` is written, ``@wanted`` is Avro's schema."""

    imports: str
    write: str
    read: str
    refusal: str = "pa.ArrowException"


LIBRARIES: dict[Format, Library] = {
    "CSV": Library(
        imports="""\
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq""",
        write="pa_csv.write_csv(@table, file)",
        read="",  # as READ_CSV says
    ),
    "JSON": Library(
        imports="""\
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json
import pyarrow.parquet as pq""",
        write="pl.from_arrow(@table).write_ndjson(file)",
        read="""\
pa_json.read_json(file, parse_options=pa_json.ParseOptions(
        explicit_schema=schema, unexpected_field_behavior="ignore"))""",
    ),
    "Avro": Library(
        imports="""\
import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastavro.read import SchemaResolutionError""",
        write="fastavro.writer(file, avro(@table.schema), @table.to_pylist())",
        read="""\
pa.Table.from_pylist(
        list(fastavro.reader(file, reader_schema=@wanted)), schema=schema)""",
        refusal="SchemaResolutionError",
    ),
    "Parquet": Library(
        imports="""\
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq""",
        write="pq.write_table(@table, file)",
        read="pq.read_table(file, schema=schema)",
    ),
}
READ_CSV: dict[CsvColumns, str] = {
    "by header": """\
pa_csv.read_csv(file, convert_options=pa_csv.ConvertOptions(
        column_types=schema, include_columns=schema.names, include_missing_columns=True))""",
    "by position": """\
pa_csv.read_csv(
        file,
        read_options=pa_csv.ReadOptions(column_names=schema.names, skip_rows=1),
        convert_options=pa_csv.ConvertOptions(column_types=schema))""",
}


def snippet(params: EvolutionParams) -> str:
    """Return a script for the selected cell: it prints what came back, or the exception, as one
    JSON line.
    """
    backward, narrow = params.direction == "backward", params.change == "narrow"
    library = LIBRARIES[params.format]
    read = READ_CSV[params.csv_columns] if params.format == "CSV" else library.read
    versions = f"new = {NEW[params.change]}\nschema = {'new' if backward else 'old'}.schema"
    return fill(
        TEMPLATE,
        imports=Code(library.imports),
        seed=params.seed,
        n_others=params.n_rows - 1,
        fitting=Code(FITTING if narrow and not backward else ""),
        versions=Code(NARROW_SCHEMA if narrow and backward else versions),
        avro=Code(AVRO if params.format == "Avro" else ""),
        writer=Code("v1" if backward else "v2"),
        write=Code(fill(library.write, table=Code("old" if backward else "new"))),
        reader=Code("v2" if backward else "v1"),
        read=Code(fill(read, wanted=Code(_wanted_schema(params)))),
        refusal=Code(library.refusal),
    )


def _wanted_schema(params: EvolutionParams) -> str:
    """Return the expression of the Avro reader's schema: v2's may have a default or an alias."""
    more = ""
    if params.direction == "backward" and params.change == "add with default":
        more = f', origin={{"default": "{DEFAULT_ORIGIN}"}}'
    elif params.direction == "backward" and params.change == "rename" and params.aliases:
        more = f', {NEW_NAME}={{"aliases": ["{OLD_NAME}"]}}'
    return f"avro(schema{more})"
