"""From a measured sample to one terabyte: dollars per month, and what 30 scans of a column read."""

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

PRICE, SCANS = 23.0, 30  # USD per TB and month; scans per month
sample = pq.read_table("datasets/flights.parquet", filters=[("month", "=", 1)])
text, binary = pa.BufferOutputStream(), pa.BufferOutputStream()
csv.write_csv(sample, text)
pq.write_table(sample, binary, compression="zstd")
csv_size, parquet_size = text.getvalue().size, binary.getvalue().size
footer = pq.ParquetFile(binary.getvalue()).metadata
place = sample.column_names.index("arr_delay")
chunks = [footer.row_group(i).column(place) for i in range(footer.num_row_groups)]
column = sum(chunk.total_compressed_size for chunk in chunks)
print(f"CSV: {PRICE:.0f} USD, {SCANS} TB read")  # CSV: 23 USD, 30 TB read
tb = f"{SCANS * column / csv_size:.1f} TB read"  # Parquet reads the chunks of one column
print(f"Parquet: {PRICE * parquet_size / csv_size:.0f} USD, {tb}")  # Parquet: 4 USD, 0.3 TB read
