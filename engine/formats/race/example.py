"""Write one table as CSV and as Parquet, read both back: bytes, and the types that a CSV loses."""

import tempfile
from pathlib import Path

import pyarrow.csv as csv
import pyarrow.parquet as pq

flights = pq.read_table("datasets/flights.parquet", filters=[("month", "=", 1)])
with tempfile.TemporaryDirectory() as folder:
    csv.write_csv(flights, f"{folder}/flights.csv")
    pq.write_table(flights, f"{folder}/flights.parquet", compression="zstd")
    sizes = {file.suffix: file.stat().st_size for file in Path(folder).iterdir()}
    text = csv.read_csv(f"{folder}/flights.csv")
    binary = pq.read_table(f"{folder}/flights.parquet")
print(sizes[".csv"] > 5 * sizes[".parquet"])  # True
print(binary.equals(flights))  # True
print(flights.schema.field("month").type, "→", text.schema.field("month").type)  # int32 → int64
