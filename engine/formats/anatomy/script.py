"""Sizes and pages of a Parquet file: totals from pyarrow's metadata, pages from the bytes."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.formats.anatomy import WRITTEN, AnatomyParams, write, written_table
from engine.formats.parquet.pages import DICTIONARY_ENCODINGS, pages

PARAMS = AnatomyParams()
if PARAMS.source == WRITTEN:
    file = write(written_table(PARAMS.cardinality, PARAMS.seed), PARAMS).to_pybytes()
else:
    path = PARAMS.upload if PARAMS.source == "upload" else f"datasets/{PARAMS.source}.parquet"
    file = Path(path).read_bytes()
metadata = pq.read_metadata(pa.BufferReader(file))
chunks = [
    metadata.row_group(group).column(column)
    for group in range(metadata.num_row_groups)
    for column in range(metadata.num_columns)
]
found = [page for chunk in chunks for page in pages(file, chunk)]
plain = [page for page in found if page.is_data and page.encoding not in DICTIONARY_ENCODINGS]
sizes: dict[str, int] = {}
for chunk in chunks:
    sizes[chunk.path_in_schema] = sizes.get(chunk.path_in_schema, 0) + chunk.total_compressed_size
largest = max(sizes, key=lambda name: sizes[name])
numbers = {
    "file_bytes": len(file),
    "n_row_groups": metadata.num_row_groups,
    "n_columns": metadata.num_columns,
    "n_pages": len(found),
    "n_dictionary_pages": sum(page.kind == "dictionary" for page in found),
    "n_plain_pages": len(plain),
    "largest_column": largest,
    "largest_column_bytes": sizes[largest],
}
print(json.dumps(numbers))
