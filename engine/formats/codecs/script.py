"""Bytes of one Parquet file by codec, level and order of the rows, written by pyarrow."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from engine.formats.codecs import CodecsParams, rows_of

PARAMS = CodecsParams()
orders = rows_of(PARAMS)
numbers = {"n_rows": orders["as is"].num_rows}
for codec, level in PARAMS.trials:
    for order, table in orders.items():
        sink = pa.BufferOutputStream()
        pq.write_table(
            table,
            sink,
            compression=codec,
            compression_level=level,
            use_dictionary=PARAMS.dictionary,
        )
        name = codec if level is None else f"{codec} {level}"
        numbers[f"{name}, {order}"] = sink.getvalue().size
print(json.dumps(numbers))
