"""One round of the race: files written and read by pyarrow, Polars and fastavro."""

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

from engine.formats.race import FORMATS, RaceParams, avro_files, fidelity
from engine.formats.race.params import range_of, rows_of

PARAMS = RaceParams()


def write(family, codec, path):
    if family == "CSV":
        with pa.CompressedOutputStream(path, codec) if codec else pa.OSFile(path, "wb") as sink:
            csv.write_csv(table, sink)
    elif family == "JSON Lines":
        pl.DataFrame(table).write_ndjson(path, compression=codec)
    elif family == "Avro":
        avro_files.write(table, Path(path), codec)
    elif family == "Parquet":
        level = PARAMS.zstd_level if codec == "zstd" else None
        pq.write_table(table, path, compression=codec, compression_level=level)
    else:
        options = ipc.IpcWriteOptions(compression=codec)
        with ipc.new_file(path, table.schema, options=options) as writer:
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
values = table[wanted.column]
kept = pc.and_(pc.greater_equal(values, wanted.low), pc.less_equal(values, wanted.high))
numbers = {"n_rows": table.num_rows, "n_matching": table.filter(kept).num_rows}
with tempfile.TemporaryDirectory() as folder:
    for name in PARAMS.formats:
        format_ = FORMATS[name]
        path = f"{folder}/{name}{format_.suffix}"
        write(format_.family, format_.codec, path)
        numbers[f"{name} bytes"] = Path(path).stat().st_size
        changes = fidelity.compare(table, read(format_.family, path))
        numbers[f"{name} columns changed"] = len({change.column for change in changes})
print(json.dumps(numbers))
