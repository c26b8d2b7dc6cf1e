"""The same rows as CSV, Avro and Parquet, and the bytes that a real reader touches of each."""

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from engine.data import SyntheticParams, make_synthetic, read_upload
from engine.formats.bytes_read import BytesReadParams
from engine.formats.tables import thin, to_stored_types
from engine.formats.trace import TracedFile

PARAMS = BytesReadParams()

if PARAMS.table == "upload":
    table = thin(to_stored_types(read_upload(Path(PARAMS.upload))), PARAMS.n_rows)
else:
    if PARAMS.table == "synthetic":
        made = SyntheticParams(n_rows=PARAMS.n_rows, cardinality=100, seed=PARAMS.seed)
        table, time = make_synthetic(made), "event_time"
    else:
        table, time = pq.read_table(f"datasets/{PARAMS.table}.parquet"), "time_hour"
        n_rows = min(PARAMS.n_rows, table.num_rows)
        table = table.take(pa.array(np.arange(n_rows) * table.num_rows // n_rows))  # evenly spaced
    place = table.column_names.index(time)
    table = table.set_column(place, time, table[time].cast(pa.timestamp("us")))  # UTC, no zone

values = table[PARAMS.predicate_column].combine_chunks().drop_null()
if pa.types.is_floating(values.type):
    values = values.filter(pc.invert(pc.is_nan(values)))
values = values.take(pc.sort_indices(values))
low, high = (values[round(share * (len(values) - 1))] for share in PARAMS.window)
if PARAMS.order == "shuffled":
    table = table.take(pa.array(np.random.default_rng(PARAMS.seed).permutation(table.num_rows)))
elif PARAMS.order == "by predicate column":
    table = table.sort_by(PARAMS.predicate_column)
columns = list(PARAMS.columns)

sink = io.BytesIO()
pa_csv.write_csv(table, sink)
csv_file = TracedFile(sink.getvalue())
pa_csv.read_csv(
    pa.PythonFile(csv_file, mode="r"),
    read_options=pa_csv.ReadOptions(use_threads=False),
    parse_options=pa_csv.ParseOptions(newlines_in_values=True),
    convert_options=pa_csv.ConvertOptions(include_columns=columns, column_types=table.schema),
)

sink = io.BytesIO()
batches = table.combine_chunks().to_batches(max_chunksize=1_000)  # one Avro block each
pl.DataFrame(pl.from_arrow(pa.Table.from_batches(batches), rechunk=False)).write_avro(sink)
avro_file: Any = TracedFile(sink.getvalue())
for _ in fastavro.block_reader(avro_file):  # asks for the same bytes as fastavro.reader
    pass

sink = io.BytesIO()
pq.write_table(table, sink, row_group_size=PARAMS.rows_per_group)
column = pc.field(PARAMS.predicate_column)
wanted = (column >= low) & (column <= high)
parquet_file = TracedFile(sink.getvalue())
rows = pq.read_table(
    pa.PythonFile(parquet_file, mode="r"),
    columns=columns,
    filters=wanted,
    use_threads=False,
    pre_buffer=False,
)
fragment = ds.ParquetFileFormat().make_fragment(pa.BufferReader(sink.getvalue()))

numbers = {
    "csv_touched_bytes": csv_file.touched().n_bytes,
    "avro_touched_bytes": avro_file.touched().n_bytes,
    "parquet_touched_bytes": parquet_file.touched().n_bytes,
    "parquet_file_bytes": parquet_file.size(),
    "row_groups": fragment.num_row_groups,
    "row_groups_kept": fragment.subset(wanted).num_row_groups,
    "rows_matching": rows.num_rows,
}
print(json.dumps(numbers))
