"""Bytes of one Parquet file by codec; sorting the rows first saves more than a stronger codec."""

import pyarrow as pa
import pyarrow.parquet as pq


def size(table, codec, level=None):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=codec, compression_level=level)
    return sink.getvalue().size


columns = ["carrier", "tailnum", "origin", "dest", "distance", "air_time"]
flights = pq.read_table("datasets/flights.parquet", columns=columns)
by_codec = {codec: size(flights, codec) for codec in ("none", "snappy", "zstd")}
print(sorted(by_codec, key=by_codec.__getitem__))  # ['zstd', 'snappy', 'none']
by_plane = flights.sort_by([("carrier", "ascending"), ("tailnum", "ascending")])
print(size(by_plane, "snappy") < size(flights, "zstd", level=15))  # True
