"""Sizes and pages of a Parquet file, read from its bytes: the footer, then each page header."""

import json
from pathlib import Path

from engine.formats.anatomy import WRITTEN, AnatomyParams, write, written_table
from engine.formats.parquet.footer import read_footer
from engine.formats.parquet.pages import DICTIONARY_ENCODINGS, pages

PARAMS = AnatomyParams()
if PARAMS.source == WRITTEN:
    file = write(written_table(PARAMS.cardinality, PARAMS.seed), PARAMS).to_pybytes()
else:
    path = PARAMS.upload if PARAMS.source == "upload" else f"datasets/{PARAMS.source}.parquet"
    file = Path(path).read_bytes()
footer = read_footer(file)
found = []
sizes = dict.fromkeys(footer.columns, 0)
for _, chunk in footer.chunks:
    of_chunk = pages(file, chunk)
    found += of_chunk
    sizes[chunk.path_in_schema] += sum(page.end - page.offset for page in of_chunk)
plain = [page for page in found if page.is_data and page.encoding not in DICTIONARY_ENCODINGS]
largest = max(sizes, key=lambda name: sizes[name])
numbers = {
    "file_bytes": len(file),
    "n_row_groups": len(footer.row_groups),
    "n_columns": len(footer.columns),
    "n_pages": len(found),
    "n_dictionary_pages": sum(page.kind == "dictionary" for page in found),
    "n_plain_pages": len(plain),
    "largest_column": largest,
    "largest_column_bytes": sizes[largest],
}
print(json.dumps(numbers))
