"""Features: what was known of each airport, plane and airport's weather, at each moment at which
it changed.

Computed by Spark. A row of a feature says from when on it was known (``event_timestamp``): the
last departures of an airport at each full hour, a plane's last landings when it lands, a weather
row when it arrived in the stream. Which row is right for a flight is Feast's question, not this
stage's.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from engine.feature_store.feast_repo import CREATED, EVENT
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages.load import TABLE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RECENT_HOURS, N_LANDINGS = 3, 5
HOUR = 3_600  # seconds
WEATHER = ("temp", "humid", "wind_speed", "precip", "visib")


def airport_rows(flights: DataFrame) -> DataFrame:
    """Return, for each airport and full hour, the departures of the last ``RECENT_HOURS``: how many
    and their mean delay (minutes).

    A departure counts from its own moment on. The sums are by hour: a window over single departures
    would cost the square of their number.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812 - as every Spark program calls it

    at = F.unix_seconds("departed")
    left = flights.where("departed IS NOT NULL").select(
        "origin",
        F.ceil(at / HOUR).alias("hour"),  # the first full hour that knows it
        (at % HOUR == 0).alias("edge"),  # it counts RECENT_HOURS later still
        F.col("dep_delay").cast("double").alias("delay"),
    )
    sums = left.groupBy("origin", "hour").agg(
        F.count("delay").alias("n"),
        F.sum("delay").alias("total"),
        F.count(F.when(F.col("edge"), F.col("delay"))).alias("n_edge"),
        F.sum(F.when(F.col("edge"), F.col("delay"))).alias("total_edge"),
    )
    ends = sums.groupBy("origin").agg(F.min("hour").alias("first"), F.max("hour").alias("last"))
    hours = ends.select("origin", F.explode(F.sequence("first", "last")).alias("hour"))
    every = hours.join(sums, ["origin", "hour"], "left").fillna(0)
    order = Window.partitionBy("origin").orderBy("hour")
    recent = order.rangeBetween(-RECENT_HOURS + 1, 0)
    first = order.rangeBetween(-RECENT_HOURS, -RECENT_HOURS)

    def over(name: str) -> Any:
        edge = F.coalesce(F.sum(f"{name}_edge").over(first), F.lit(0))
        return F.sum(name).over(recent) + edge

    known = F.timestamp_seconds(F.col("hour") * HOUR)
    return every.select(
        "origin",
        known.alias(EVENT),
        known.alias(CREATED),
        over("n").alias("recent_departures"),
        F.try_divide(over("total"), over("n")).alias("recent_delay"),
    )


def plane_rows(flights: DataFrame) -> DataFrame:
    """Return, for each landing of a plane, the delay it arrived with and the mean of its last
    ``N_LANDINGS`` (minutes).
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    landings = flights.where("landed IS NOT NULL AND tailnum IS NOT NULL AND arr_delay IS NOT NULL")
    order = Window.partitionBy("tailnum").orderBy("landed", "sched_dep", "carrier", "flight")
    last = order.rowsBetween(-N_LANDINGS + 1, 0)
    return landings.select(
        "tailnum",
        F.col("landed").alias(EVENT),
        F.col("landed").alias(CREATED),
        F.col("arr_delay").cast("double").alias("last_delay"),
        F.avg("arr_delay").over(last).alias("mean_delay"),
        F.count("arr_delay").over(last).alias("landings"),
    )


def weather_rows(weather: DataFrame) -> DataFrame:
    """Return the weather of each airport and hour, known from its arrival on."""
    from pyspark.sql import functions as F  # noqa: N812

    return weather.select(
        "origin",
        F.col("time_hour").alias(EVENT),
        F.col("arrived_at").alias(CREATED),
        *(F.col(name).cast("double") for name in WEATHER),
    )


def write(frame: DataFrame, folder: Path, name: str, keys: list[str]) -> int:
    """Write a table as one Parquet file in order of ``keys``, and return its rows."""
    target = folder / f"_{name}"
    frame.repartition(1).sortWithinPartitions(*keys).write.mode("overwrite").parquet(str(target))
    (part,) = target.glob("part-*.parquet")
    place = folder / f"{name}.parquet"
    part.replace(place)
    for left in target.iterdir():
        left.unlink()
    target.rmdir()
    return int(pq.read_metadata(place).num_rows)


def compute(
    live: SparkSession, loaded: Path, weather: Path, folder: Path, cores: int
) -> dict[str, Any]:
    """Compute the three tables in Spark, and return their rows."""
    live.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    live.conf.set("spark.sql.shuffle.partitions", str(2 * cores))
    flights = live.read.parquet(str(loaded))
    made = {}
    for name, frame, key in (
        ("airports", airport_rows(flights), "origin"),
        ("planes", plane_rows(flights), "tailnum"),
        ("weather", weather_rows(live.read.parquet(str(weather))), "origin"),
    ):
        made[name] = write(frame, folder, name, [key, EVENT, CREATED])
    return made


def work(task: Task) -> Count:
    """Compute the features; the flights themselves pass unchanged."""
    from engine.jobs import Progress
    from engine.spark import session

    for _ in session.begin():
        task.report(0.0)
    loaded, weather = task.read("load", TABLE), task.read("validate", "weather.parquet")
    cores = session.ENGINE.cores
    call = partial(compute, loaded=loaded, weather=weather, folder=task.folder, cores=cores)
    steps = session.act(call, Progress(0.5, "features in Spark"))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made = end.value
            break
        task.report(0.5)
    n = sum(pq.read_metadata(path).num_rows for path in loaded.rglob("*.parquet"))
    engine = {"spark": session.ENGINE.target.kind, "cores": cores}
    return Count(n, n, details={"rows": made, **engine})


STAGE = Stage("features", "Features", ("validate", "load"), (), work)
