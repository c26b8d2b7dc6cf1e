"""The code behind *schema evolution*: a script for the whole matrix, and a snippet for a single
cell.

Real: both write and read every file again with public libraries; neither uses the engine, so they
also check it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.formats.evolution.schema_changes import (
    AVRO_NULLABLE,
    DEFAULT_ORIGIN,
    INT8_MAX,
    NEW_NAME,
    OLD_NAME,
    Change,
    Format,
)
from engine.source_code import fill, literal

if TYPE_CHECKING:
    from engine.formats.evolution import EvolutionParams

_ROWS = """\
names = ["carrier", "flight", "sched_dep_time", "dep_delay", "distance", "origin"]
flights = pq.read_table("datasets/flights.parquet", columns=names)
cancelled = pc.indices_nonzero(flights["dep_delay"].is_null()).to_numpy()
rng = np.random.default_rng(@seed)
places = [rng.choice(cancelled), *rng.choice(flights.num_rows, @n_others, replace=False)]
rows = flights.take(pa.array(places, pa.int64()))
"""

_OLD = """\
old = pa.table({
    "carrier": rows["carrier"],
    "flight": rows["flight"],
    "sched_dep_time": pc.utf8_lpad(rows["sched_dep_time"].cast("string"), 4, "0"),
    "dep_delay": rows["dep_delay"].cast("int64"),
    "distance": rows["distance"],
})
"""

_FITTING = (
    f'rows = rows.filter(pc.fill_null(pc.less_equal(rows["dep_delay"], {INT8_MAX}), True))  # what'
    " int8 can hold\n"
)

# v2's table from v1's, by change; "narrow" as a cast, which only data that fits survives.
_NEW: dict[Change, str] = {
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

_WRITE: dict[Format, str] = {
    "CSV": "pa_csv.write_csv({table}, file)",
    "JSON": "pl.from_arrow({table}).write_ndjson(file)",
    "Avro": "fastavro.writer(file, avro({table}.schema), {table}.to_pylist())",
    "Parquet": "pq.write_table({table}, file)",
}

_READ_CSV = {
    "by header": (
        """\
pa_csv.read_csv(file, convert_options=pa_csv.ConvertOptions(
    column_types=schema, include_columns=schema.names, include_missing_columns=True))"""
    ),
    "by position": (
        """\
pa_csv.read_csv(
    file,
    read_options=pa_csv.ReadOptions(column_names=schema.names, skip_rows=1),
    convert_options=pa_csv.ConvertOptions(column_types=schema))"""
    ),
}

_READ: dict[Format, str] = {
    "JSON": (
        """\
pa_json.read_json(file, parse_options=pa_json.ParseOptions(
    explicit_schema=schema, unexpected_field_behavior="ignore"))"""
    ),
    "Avro": (
        """\
pa.Table.from_pylist(
    list(fastavro.reader(file, reader_schema={reader})), schema=schema)"""
    ),
    "Parquet": "pq.read_table(file, schema=schema)",
}

_AVRO = f"""\
def avro(schema, **more):  # more: entries of single fields, such as a default
    fields = []
    for column in schema:
        kind = {{"int8": "int", "int32": "int", "int64": "long"}}.get(str(column.type), "string")
        kind = ["null", kind] if column.name in {AVRO_NULLABLE} else kind
        fields.append({{"name": column.name, "type": kind}} | more.get(column.name, {{}}))
    return {{"type": "record", "name": "flight", "fields": fields}}
""".replace("'", '"')

_DEFAULT = f'origin={{"default": "{DEFAULT_ORIGIN}"}}'
_ALIAS = f'{NEW_NAME}={{"aliases": ["{OLD_NAME}"]}}'


def _indented(code: str, spaces: int) -> str:
    return code.replace("\n", "\n" + " " * spaces)


def _rows(params: EvolutionParams) -> str:
    return fill(_ROWS, seed=params.seed, n_others=params.n_rows - 1)


def _read(params: EvolutionParams, format: Format, reader: str) -> str:
    """Return the expression that reads ``file`` with ``schema``; ``reader`` is the Avro schema's
    expression.
    """
    return _READ_CSV[params.csv_columns] if format == "CSV" else _READ[format].format(reader=reader)


def _avro_reader(params: EvolutionParams, change: Change) -> str:
    """Return the expression of the Avro reader's schema for one change: v2's may have a default or
    an alias.
    """
    if params.direction == "backward" and change == "add with default":
        return f"avro(schema, {_DEFAULT})"
    if params.direction == "backward" and change == "rename" and params.aliases:
        return f"avro(schema, {_ALIAS})"
    return "avro(schema)"


def snippet(params: EvolutionParams) -> str:
    """Return a script for the selected cell: it prints what came back, or the exception, as one
    JSON line.
    """
    change, format = params.change, params.format
    backward = params.direction == "backward"
    external = {
        "CSV": [],
        "JSON": ["import polars as pl"],
        "Avro": ["import fastavro"],
        "Parquet": [],
    }[format]
    modules = {
        "CSV": ["import pyarrow.csv as pa_csv"],
        "JSON": ["import pyarrow.json as pa_json"],
    }.get(format, [])
    imports = [
        "import io",
        "import json",
        "",
        *sorted([*external, "import numpy as np", "import pyarrow as pa"]),
    ]
    imports += ["import pyarrow.compute as pc", *modules, "import pyarrow.parquet as pq"]
    refusal = "pa.ArrowException"
    if format == "Avro":
        imports.append("from fastavro.read import SchemaResolutionError")
        refusal = "SchemaResolutionError"
    code = ["\n".join(imports) + "\n\n", _rows(params)]
    if change == "narrow" and not backward:
        code.append(_FITTING)
    code.append(_OLD)
    if change == "narrow" and backward:
        code.append('schema = old.schema.set(3, pa.field("dep_delay", pa.int8()))\n')
    else:
        code.append(f"new = {_NEW[change]}\nschema = {'new' if backward else 'old'}.schema\n")
    if format == "Avro":
        code += ["\n\n", _AVRO, "\n"]
    table = "old" if backward else "new"
    code.append(
        f"\nfile = io.BytesIO()  # {'v1' if backward else 'v2'}"
        f" writes\n{_WRITE[format].format(table=table)}\n"
    )
    code.append(f"file.seek(0)\ntry:  # {'v2' if backward else 'v1'} reads\n")
    code.append(f"    read = {_indented(_read(params, format, _avro_reader(params, change)), 4)}\n")
    code.append('    print(json.dumps({"read": read.to_pydict()}))\n')
    code.append(f"except {refusal} as error:\n")
    code.append('    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))\n')
    return "".join(code)


_HEAD = """\
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

"""


def _versions(params: EvolutionParams) -> str:
    """Return the lines that make, for each change, what is written, the reader's schema and what
    should come back.
    """
    backward = params.direction == "backward"
    lines = ["new = {\n"]
    lines += [f'    "{change}": {code},\n' for change, code in _NEW.items() if change != "narrow"]
    lines.append("}\n")
    narrow = 'narrow = old.schema.set(3, pa.field("dep_delay", pa.int8()))\n'
    if backward:
        lines.append(
            "cases = {change: (old, table.schema, table) for change, table in new.items()}  #"
            " written, reader, expected\n"
        )
        for change, value in (
            ("add with default", f'"{DEFAULT_ORIGIN}"'),
            ("add without default", "None"),
        ):
            origin = f'pa.array([{value}] * len(old), "string")'
            lines.append(f'expected = new["{change}"].set_column(5, "origin", {origin})\n')
            lines.append(f'cases["{change}"] = old, expected.schema, expected\n')
        lines.append(narrow + 'cases["narrow"] = old, narrow, old\n')
    else:
        lines.append(
            "cases = {change: (table, old.schema, old) for change, table in new.items()}  #"
            " written, reader, expected\n"
        )
        lines.append('expected = old.set_column(3, "dep_delay", pa.nulls(len(old), "int64"))\n')
        lines.append('cases["drop"] = new["drop"], old.schema, expected\n')
        fits = f'pc.fill_null(pc.less_equal(old["dep_delay"], {INT8_MAX}), True)'
        lines.append(narrow + f"fitting = old.filter({fits})  # what int8 can hold\n")
        lines.append('cases["narrow"] = fitting.cast(narrow), old.schema, fitting\n')
    return "".join(lines)


_TRY = """

def outcome(format, written, schema, expected, **more):
    file = io.BytesIO()
    try:
        if format == "CSV":
            {write_csv}
            file.seek(0)
            read = {read_csv}
        elif format == "JSON":
            {write_json}
            file.seek(0)
            read = {read_json}
        elif format == "Avro":
            {write_avro}
            file.seek(0)
            read = {read_avro}
        else:
            {write_parquet}
            read = {read_parquet}
    except (pa.ArrowException, SchemaResolutionError):
        return "error"
    columns = [(read[name].to_pylist(), expected[name].to_pylist()) for name in schema.names]
    pairs = [pair for got, due in columns for pair in zip(got, due, strict=True)]
    if any(got is not None and got != due for got, due in pairs):
        return "silently wrong"
    if any(got is None and due is not None for got, due in pairs):
        return "nulls"
    return "same"


absent = {absent}  # outcome for a column that the file does not have
outcomes = {{}}
for change, (written, schema, expected) in cases.items():
    for format in ("CSV", "JSON", "Avro", "Parquet"):
        more = {more}
        found = outcome(format, written, schema, expected, **more)
        outcomes[change, format] = absent.get(change, "same") if found == "same" else found

n = Counter(outcomes.values())
print(json.dumps({{
    "n_rows": len(old),
    "n_same": n["same"],
    "n_filled": n["filled"],
    "n_nulls": n["nulls"],
    "n_silently_wrong": n["silently wrong"],
    "n_errors": n["error"],
    "outcome": outcomes[{change}, {format}],
}}))
"""


def script(params: EvolutionParams) -> str:
    """Return a script that writes and reads all 36 cells again and prints the headline."""
    more, absent = [], '{"drop": "nulls"}'
    if params.direction == "backward":
        absent = '{"add with default": "filled", "add without default": "nulls"}'
        more.append(f'"add with default": {{"origin": {{"default": "{DEFAULT_ORIGIN}"}}}}')
        if params.aliases:
            more.append(f'"rename": {{"{NEW_NAME}": {{"aliases": ["{OLD_NAME}"]}}}}')
    parts = {f"write_{name.lower()}": _WRITE[name].format(table="written") for name in _WRITE}
    parts |= {
        f"read_{name.lower()}": _indented(_read(params, name, "avro(schema, **more)"), 12)
        for name in _WRITE
    }
    body = _TRY.format(
        **parts,
        absent=absent,
        more=f"{{{', '.join(more)}}}.get(change, {{}})" if more else "{}",
        change=literal(params.change),
        format=literal(params.format),
    )
    return "".join([_HEAD, _rows(params), _OLD, _versions(params), "\n\n", _AVRO, body])
