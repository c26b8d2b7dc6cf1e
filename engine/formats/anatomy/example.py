"""What the footer of a Parquet file says of a column chunk: encodings, min and max, bytes."""

import pyarrow.parquet as pq

file = pq.ParquetFile("datasets/flights.parquet")
footer = file.metadata
print(
    f"{footer.num_row_groups} row groups, {footer.num_columns} columns"
)  # 6 row groups, 19 columns
chunk = footer.row_group(0).column(file.schema_arrow.get_field_index("carrier"))
print(
    chunk.compression, chunk.has_dictionary_page, chunk.encodings
)  # ZSTD True ('PLAIN', 'RLE', 'RLE_DICTIONARY')
print(chunk.statistics.min, chunk.statistics.max, chunk.statistics.null_count)  # 9E YV 0
print(chunk.total_compressed_size < chunk.total_uncompressed_size)  # True
