"""The script behind *bytes read*: the same files and the same traced reads, with public libraries
and our traced handle.

Real: everything that it prints is measured again. Only the handle, the synthetic table and the
reading of uploads are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from engine.formats import byte_files
from engine.source_code import fill, literal

if TYPE_CHECKING:
    from engine.formats.bytes_read import BytesReadParams


def _script_rows(params: BytesReadParams) -> list[str]:
    """Return the script's lines that make the rows, in the source's order."""
    if params.table == "upload":
        return [
            f"PATH = {literal(params.upload)}",
            f"table = thin(plain(read_upload(Path(PATH))), {literal(params.n_rows)})",
        ]
    if params.table == "synthetic":
        size = f"n_rows={literal(params.n_rows)}, cardinality=100, seed={literal(params.seed)}"
        lines = [f"table = make_synthetic(SyntheticParams({size}))"]
    else:
        lines = [
            f"table = pq.read_table({literal(f'datasets/{params.table}.parquet')})",
            f"n_rows = min({literal(params.n_rows)}, table.num_rows)",
            (
                "table = table.take(pa.array(np.arange(n_rows) * table.num_rows // n_rows))  #"
                " evenly spaced"
            ),
        ]
    time_column = {"synthetic": "event_time"}.get(params.table, "time_hour")
    lines.append(f'place = table.column_names.index("{time_column}")')
    lines.append(
        f'table = table.set_column(place, "{time_column}", table[place].cast(pa.timestamp("us"))) '
        " # UTC without a zone"
    )
    return lines


def _script_order(params: BytesReadParams) -> list[str]:
    """Return the script's lines that take the range's bounds and put the rows in order."""
    floating = pa.types.is_floating(
        byte_files.schema(params.table, params.upload).field(params.predicate_column).type
    )
    lines = [f"values = table[{literal(params.predicate_column)}].combine_chunks().drop_null()"]
    if floating:
        lines.append("values = values.filter(pc.invert(pc.is_nan(values)))")
    lines.append("values = values.take(pc.sort_indices(values))")
    window = literal(params.window)
    lines.append(f"low, high = (values[round(share * (len(values) - 1))] for share in {window})")
    if params.order == "shuffled":
        rng = f"np.random.default_rng({literal(params.seed)})"
        lines.append(f"table = table.take(pa.array({rng}.permutation(table.num_rows)))")
    elif params.order == "by predicate column":
        lines.append(f"table = table.sort_by({literal(params.predicate_column)})")
    return lines


_SCRIPT_READS = """
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
pl.from_arrow(pa.Table.from_batches(batches), rechunk=False).write_avro(sink)
avro_file = TracedFile(sink.getvalue())
for block in fastavro.block_reader(avro_file):  # asks for the same bytes as fastavro.reader
    pass

sink = io.BytesIO()
pq.write_table(table, sink, row_group_size=@rows_per_group)
wanted = (pc.field(@column) >= low) & (pc.field(@column) <= high)
parquet_file = TracedFile(sink.getvalue())
rows = pq.read_table(
    pa.PythonFile(parquet_file, mode="r"), columns=columns, filters=wanted, use_threads=False, pre_buffer=False
)
fragment = ds.ParquetFileFormat().make_fragment(pa.BufferReader(sink.getvalue()))

print(json.dumps({
    "csv_touched_bytes": csv_file.touched().n_bytes,
    "avro_touched_bytes": avro_file.touched().n_bytes,
    "parquet_touched_bytes": parquet_file.touched().n_bytes,
    "parquet_file_bytes": parquet_file.size(),
    "row_groups": fragment.num_row_groups,
    "row_groups_kept": fragment.subset(wanted).num_row_groups,
    "rows_matching": rows.num_rows,
}))
"""


def script(params: BytesReadParams) -> str:
    """Return a script that writes the three files again, reads them through a traced handle and
    prints the headline.
    """
    imports = ["import io", "import json"] + (
        ["from pathlib import Path"] if params.table == "upload" else []
    )
    imports += [
        "",
        "import fastavro",
        "import numpy as np",
        "import polars as pl",
        "import pyarrow as pa",
    ]
    imports += [
        "import pyarrow.compute as pc",
        "import pyarrow.csv as pa_csv",
        "import pyarrow.dataset as ds",
    ]
    imports += ["import pyarrow.parquet as pq", ""]
    if params.table == "synthetic":
        imports.append("from engine.data import SyntheticParams, make_synthetic")
    if params.table == "upload":
        imports += [
            "from engine.data import read_upload",
            "from engine.formats.byte_files import plain, thin",
        ]
    imports += ["from engine.formats.trace import TracedFile", ""]
    imports.append(f"columns = {literal(list(params.columns))}")
    column = params.predicate_column
    reads = fill(_SCRIPT_READS, rows_per_group=params.rows_per_group, column=column)
    return "\n".join(imports + _script_rows(params) + _script_order(params)) + "\n" + reads
