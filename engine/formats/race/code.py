"""The script behind a race: writes each chosen format once, reads it back, prints sizes, rows found
and columns changed.
"""

from __future__ import annotations

from engine.formats.race.contestants import FORMATS
from engine.formats.race.params import RaceParams
from engine.source_code import Code, fill, literal

TEMPLATE = '''"""One round of the race: files written and read by pyarrow, Polars and fastavro."""
import json
import tempfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.ipc as ipc
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from engine.formats.race import RaceParams, avro_files, fidelity
from engine.formats.race.params import range_of, rows_of

PARAMS = @params
FORMATS = {  # family, codec, ending
@formats
}


def write(family, codec, path):
    if family == "CSV":
        with pa.CompressedOutputStream(path, codec) if codec else pa.OSFile(path, "wb") as sink:
            csv.write_csv(table, sink)
    elif family == "JSON Lines":
        pl.from_arrow(table).write_ndjson(path, compression=codec)
    elif family == "Avro":
        avro_files.write(table, Path(path), codec)
    elif family == "Parquet":
        pq.write_table(table, path, compression=codec, compression_level=PARAMS.zstd_level if codec == "zstd" else None)
    else:
        with ipc.new_file(path, table.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
            writer.write_table(table)


def read(family, path):
    if family == "CSV":
        return csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True))
    if family == "JSON Lines":
        return pa_json.read_json(path)
    if family == "Avro":
        return avro_files.read(Path(path))
    if family == "Parquet":
        return pq.read_table(path)
    with pa.OSFile(path) as source:
        return ipc.open_file(source).read_all()


table, _ = rows_of(PARAMS)
wanted = range_of(PARAMS, table)
kept = pc.and_(pc.greater_equal(table[wanted.column], wanted.low), pc.less_equal(table[wanted.column], wanted.high))
numbers = {"n_rows": table.num_rows, "n_matching": table.filter(kept).num_rows}
with tempfile.TemporaryDirectory() as folder:
    for name, (family, codec, ending) in FORMATS.items():
        path = f"{folder}/{name}{ending}"
        write(family, codec, path)
        numbers[f"{name} bytes"] = Path(path).stat().st_size
        changes = fidelity.compare(table, read(family, path))
        numbers[f"{name} columns changed"] = len({change.column for change in changes})
print(json.dumps(numbers))
'''


def script(params: RaceParams) -> str:
    """Return the script; it imports this project only for the rows, the Avro bridge and the
    comparison, which are its own.
    """
    shown = {
        name: (FORMATS[name].family, FORMATS[name].codec, FORMATS[name].suffix)
        for name in params.formats
    }
    formats = "\n".join(f"    {literal(name)}: {literal(entry)}," for name, entry in shown.items())
    return fill(TEMPLATE, params=params, formats=Code(formats))
