"""The second job of the cluster: extract, transform and load on executors. CSV files are read and
cleaned, joined with the weather, and written as Parquet by month.

Real: the raw files are a month of flights each, as text; Spark casts the types, drops flights
without an arrival, keeps one weather row per hour, and each task of the last stage writes the files
of its months. Simplified: the plan is fixed (no adaptive execution, no broadcast), so that its
stages are the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
from pyarrow import csv, parquet

from engine import data

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

N_TASKS = (12, 1, 6, 4)  # of each stage
STAGES = ("read a CSV file, clean", "read the weather", "join", "write the files of months")
KILL_STAGE = 3  # of whose tasks two have finished when the executor is killed
COLUMNS = ("month", "day", "hour", "origin", "dest", "carrier", "tailnum", "arr_delay")
KEYS = ("origin", "month", "day", "hour")
Answer = list[list[Any]]  # month, rows, minutes late, rows whose wind is known; by month


def land(folder: Path) -> Path:
    """Write the raw files, one CSV for each month, unless they are there; return their folder."""
    raw = folder / "raw"
    if raw.exists():
        return raw
    raw.mkdir()
    flights = data.load("flights").select(list(COLUMNS))
    for month in range(1, 13):
        rows = flights.filter(pc.equal(flights["month"], month))
        csv.write_csv(rows, raw / f"flights-2013-{month:02d}.csv")
    return raw


def prepare(
    live: SparkSession, wait_seconds: float, folder: Path
) -> tuple[Callable[[], Answer], str]:
    """Return the job, not yet run, and its plan as Spark writes it. Each call of the job writes to
    a folder of its own below ``folder / "loaded"``.
    """
    from pyspark.sql import functions

    def waited(batches: Any) -> Any:
        import time

        time.sleep(wait_seconds)
        yield from batches

    settings = {
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.sql.shuffle.partitions": str(N_TASKS[2]),
        "spark.sql.files.minPartitionNum": str(N_TASKS[0]),
        "spark.sql.files.openCostInBytes": str(4 * 2**20),
    }
    for key, value in settings.items():
        live.conf.set(key, value)
    schema = ", ".join(f"{name} STRING" for name in COLUMNS)
    text = live.read.schema(schema).csv(str(land(folder)), header=True)
    numbers = [functions.col(name).cast("int").alias(name) for name in ("month", "day", "hour")]
    late = functions.col("arr_delay").cast("int").alias("arr_delay")
    clean = text.where("arr_delay IS NOT NULL").select(
        *numbers, "origin", "dest", "carrier", "tailnum", late
    )
    clean = clean.mapInArrow(waited, clean.schema)
    hours = live.read.parquet(str(data.path_of("weather"))).groupBy(*KEYS)
    joined = clean.join(hours.agg(functions.max("wind_speed").alias("wind")), [*KEYS], "left")
    loaded = joined.repartition(N_TASKS[3], "month")
    loaded = loaded.mapInArrow(waited, loaded.schema)

    def load() -> Answer:
        target = folder / "loaded" / str(len([*folder.glob("loaded/*")]))
        loaded.write.partitionBy("month").parquet(str(target))
        return read_back(target)

    plan = loaded._jdf.queryExecution().executedPlan().toString()
    return load, plan.replace(str(folder), "…").replace(str(data.path_of("flights").parent), "…")


def read_back(target: Path) -> Answer:
    """Return what the written files hold, month by month."""
    found = []
    for month in range(1, 13):
        written = target.glob(f"month={month}/*.parquet")
        tables = [parquet.ParquetFile(path).read() for path in written]
        n_rows = sum(one.num_rows for one in tables)
        late = sum(pc.sum(one["arr_delay"]).as_py() or 0 for one in tables)
        wind = sum(one.num_rows - one["wind"].null_count for one in tables)
        found.append([month, n_rows, late, wind])
    return found


def files(folder: Path) -> list[dict[str, Any]]:
    """Return each file that the last call of the job wrote, in order of month; ``partition`` is
    that of the task that wrote it.
    """
    targets = sorted(folder.glob("loaded/*"), key=lambda path: int(path.name))
    written = targets[-1].glob("month=*/*.parquet") if targets else ()
    return sorted(
        (
            {
                "month": int(path.parent.name.removeprefix("month=")),
                "partition": int(path.name.split("-")[1]),
                "size_bytes": path.stat().st_size,
                "n_rows": parquet.ParquetFile(path).metadata.num_rows,
            }
            for path in written
        ),
        key=lambda file: (file["month"], file["partition"]),
    )


def expected() -> Answer:
    """Return the same answer by DuckDB from the tables, in one query."""
    import duckdb  # heavy: pages import this module

    flights, weather = (str(data.path_of(name)) for name in ("flights", "weather"))
    on = " AND ".join(f"f.{key} = w.{key}" for key in KEYS)
    query = f"""
        SELECT f.month, count(*), sum(f.arr_delay), count(w.wind)
        FROM read_parquet(?) AS f LEFT JOIN (
            SELECT {", ".join(KEYS)}, max(wind_speed) AS wind FROM read_parquet(?)
            GROUP BY {", ".join(KEYS)}) AS w ON {on}
        WHERE f.arr_delay IS NOT NULL GROUP BY f.month ORDER BY f.month"""
    with duckdb.connect() as database:
        return [[*map(int, row)] for row in database.execute(query, [flights, weather]).fetchall()]


def headline(found: Answer) -> dict[str, int | float | str]:
    """Return the numbers of an answer that a script reproduces."""
    rows, late, wind = (sum(row[i] for row in found) for i in (1, 2, 3))
    return {"months": len(found), "flights": rows, "minutes late": late, "with wind": wind}
