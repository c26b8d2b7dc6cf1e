"""The script of *anatomy*: what the code panel shows."""

from __future__ import annotations

from engine.formats.anatomy import WRITTEN, AnatomyParams
from engine.source_code import Code, constructor, fill, literal

SCRIPT = '''"""Sizes and pages of a Parquet file: totals from pyarrow's metadata, pages from the bytes."""
import json

import pyarrow as pa
import pyarrow.parquet as pq

from engine.formats.anatomy import AnatomyParams, write, written_table
from engine.formats.parquet.pages import DICTIONARY_ENCODINGS, pages

@file
metadata = pq.read_metadata(pa.BufferReader(file))
chunks = [metadata.row_group(g).column(c) for g in range(metadata.num_row_groups) for c in range(metadata.num_columns)]
found = [page for chunk in chunks for page in pages(file, chunk)]
sizes = {}
for chunk in chunks:
    sizes[chunk.path_in_schema] = sizes.get(chunk.path_in_schema, 0) + chunk.total_compressed_size
largest = max(sizes, key=sizes.get)
print(json.dumps({
    "file_bytes": len(file),
    "n_row_groups": metadata.num_row_groups,
    "n_columns": metadata.num_columns,
    "n_pages": len(found),
    "n_dictionary_pages": sum(page.kind == "dictionary" for page in found),
    "n_plain_pages": sum(page.is_data and page.encoding not in DICTIONARY_ENCODINGS for page in found),
    "largest_column": largest,
    "largest_column_bytes": sizes[largest],
}))
'''


def script(params: AnatomyParams) -> str:
    """Return the script for these settings."""
    if params.source == WRITTEN:
        written = "write(written_table(PARAMS.cardinality, PARAMS.seed), PARAMS).to_pybytes()"
        made = f"PARAMS = {constructor(params)}\nfile = {written}"
    else:
        path = params.upload if params.source == "upload" else f"datasets/{params.source}.parquet"
        made = f'PATH = {literal(path)}\nwith open(PATH, "rb") as source:\n    file = source.read()'
    return fill(SCRIPT, file=Code(made))
