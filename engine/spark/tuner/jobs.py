"""The workloads of *partition count*: a window, a join, a group-by and a sort over flights, each
with one shuffle that matters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from engine import data

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Job = Literal["window", "join", "group-by", "sort"]
JOBS: tuple[Job, ...] = get_args(Job)
CODE: dict[Job, str] = {
    "window": (
        'flights.selectExpr("tailnum", "time_hour", "avg(arr_delay) OVER (PARTITION BY tailnum'
        ' ORDER BY time_hour)")'
    ),
    "group-by": 'flights.groupBy("tailnum", "dest").agg(F.count("*"), F.avg("arr_delay"))',
    "join": 'flights.select("tailnum", "dest", "arr_delay").join(planes.hint("merge"), "tailnum")',
    "sort": (
        'flights.select("arr_delay", "time_hour", "carrier", "tailnum",'
        ' "dest").orderBy("arr_delay", "time_hour")'
    ),
}


def frame(live: SparkSession, job: Job, copies: int) -> DataFrame:
    """Return the workload over ``copies`` × 336,776 rows, built for each run: the code that the
    page shows.
    """
    from pyspark.sql import functions as sf

    flights = live.read.parquet(str(data.path_of("flights")))
    if copies > 1:
        flights = flights.crossJoin(sf.broadcast(live.range(copies)))
    planes = live.read.parquet(str(data.path_of("planes"))).select(
        "tailnum", "manufacturer", "seats"
    )
    made: DataFrame = eval(
        CODE[job], {"flights": flights, "planes": planes, "F": sf}
    )  # the text is one of CODE, never a visitor's
    return made


def settings(n_partitions: int, target_kb: int | None) -> dict[str, str]:
    """Return the SQL settings of a run; ``target_kb`` lets AQE merge partitions until each has
    about that size.
    """
    adaptive = target_kb is not None
    return {
        "spark.sql.shuffle.partitions": str(n_partitions),
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.sql.adaptive.autoBroadcastJoinThreshold": "-1",
        "spark.sql.adaptive.enabled": str(adaptive).lower(),
        "spark.sql.adaptive.coalescePartitions.enabled": "true",
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.sql.adaptive.coalescePartitions.minPartitionSize": "1KB",
        "spark.sql.adaptive.advisoryPartitionSizeInBytes": f"{target_kb or 64}KB",
    }
