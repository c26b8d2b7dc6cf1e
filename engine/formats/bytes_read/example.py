"""Read two columns and only the row groups that can match: projection and predicate pushdown."""

import tempfile

import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

flights = pq.read_table("datasets/flights.parquet")
wanted = (pc.field("distance") >= 1_000) & (pc.field("distance") <= 1_100)
with tempfile.TemporaryDirectory() as folder:
    path = f"{folder}/sorted.parquet"
    pq.write_table(flights.sort_by("distance"), path, row_group_size=20_000)  # sorted once
    rows = pq.read_table(path, columns=["carrier", "distance"], filters=wanted)
    file = next(ds.dataset(path).get_fragments())
    kept = file.subset(wanted)  # by the min and max of each group, in the footer
    print(f"{kept.num_row_groups} of {file.num_row_groups} row groups")  # 3 of 17 row groups
print(f"{rows.num_rows:,} rows of {rows.column_names}")  # 49,327 rows of ['carrier', 'distance']
