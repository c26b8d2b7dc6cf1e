"""Load: each day's flights, joined with airline and plane, as one folder of a partitioned Parquet
table.

A day is written beside its place and renamed into it: whoever reads the table finds a whole day or
none, and a load that was interrupted goes on with the days that are missing.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from engine.etl.flight_days import TAXI_MINUTES
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task

TABLE = "flights"
# a flight lands its air time and TAXI_MINUTES after it left: the data has no landing time in UTC
SQL = f"""
SELECT f.file, f.line, f.carrier, a.name AS airline, f.flight, f.tailnum, f.origin, f.dest,
  f.distance, f.time_hour + to_minutes(f.minute) AS sched_dep, f.time_hour, f.hour,
  f.dep_delay, f.arr_delay, f.air_time,
  f.time_hour + to_minutes(f.minute + f.dep_delay) AS departed,
  f.time_hour + to_minutes(f.minute + f.dep_delay + f.air_time + {TAXI_MINUTES}) AS landed,
  p.year AS plane_year, p.seats, p.engines, p.manufacturer
FROM flights f LEFT JOIN airlines a ON f.carrier = a.carrier
  LEFT JOIN planes p ON f.tailnum = p.tailnum
ORDER BY f.file, f.line
"""


def work(task: Task) -> Count:
    """Load every day that is not there yet."""
    import duckdb

    table = task.folder / TABLE
    n_in = n_out = n_no_airline = n_no_plane = 0
    with duckdb.connect() as connection:
        for name in ("planes", "airlines"):
            connection.register(name, pq.read_table(task.read("validate", f"{name}.parquet")))
        connection.execute("SET timezone = 'UTC'")
        for number, day in enumerate(task.params.dates):
            place = table / f"flight_date={day}" / "part-0.parquet"
            flights = pq.read_table(task.read("validate", f"flights-{day}.parquet"))
            if not place.exists():
                connection.register("flights", flights)
                rows = connection.sql(SQL).to_arrow_table()
                place.parent.mkdir(parents=True, exist_ok=True)
                partial = place.with_name(".part-0.parquet")
                pq.write_table(rows.cast(_micros(rows.schema)), partial)
                partial.rename(place)
            stored = pq.read_table(
                place, columns=["airline", "plane_year", "seats"], partitioning=None
            )
            n_in, n_out = n_in + len(flights), n_out + len(stored)
            n_no_airline += stored["airline"].null_count
            n_no_plane += stored["seats"].null_count
            task.report((number + 1) / task.params.n_days)
    details = {
        "days": task.params.n_days,
        "without_airline": n_no_airline,
        "without_plane": n_no_plane,
    }
    return Count(n_in, n_out, details=details)


def _micros(schema: pa.Schema) -> pa.Schema:
    """Return the schema with times in microseconds of UTC, as Spark and Feast take them."""
    return pa.schema(
        pa.field(field.name, pa.timestamp("us", "UTC"))
        if pa.types.is_timestamp(field.type)
        else field
        for field in schema
    )


STAGE = Stage("load", "Enrich and load", ("validate",), ("days",), work)
