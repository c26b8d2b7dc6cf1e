"""What the cluster computes: planes, flights and minutes late for each airport, in three stages.

The job is written on RDDs, whose plan is the chain of steps as written: that chain is the lineage
from which lost partitions are computed again. Functions are nested, so that they travel to the
executors by value.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine import data

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext
    from pyspark.sql import SparkSession

N_MONTHS, N_PLANES, N_AIRPORTS = 12, 6, 4  # partitions: of the months, planes, airports
N_TASKS = (N_MONTHS, N_PLANES, N_AIRPORTS)  # of each stage
STAGES = (
    "read a month, sum per plane and airport",
    "sum per airport",
    "answer",
)  # what a task of each does
KILL_STAGE = 2  # of whose tasks two have finished when the executor is killed
Answer = list[list[Any]]  # airport, planes, flights, minutes late; by airport


def plan(context: SparkContext, wait_seconds: float) -> RDD[tuple[str, tuple[int, int, int]]]:
    """Return the RDD of the job; each of its tasks waits ``wait_seconds``, to be seen."""
    path = str(data.path_of("flights"))

    def read(month: int) -> Any:
        import time

        import pyarrow.parquet as parquet

        time.sleep(wait_seconds)
        columns = ["tailnum", "dest", "arr_delay"]
        month_only = [("month", "=", month)]
        rows = parquet.read_table(path, columns=columns, filters=month_only).to_pydict()
        for plane, airport, late in zip(*(rows[name] for name in columns), strict=True):
            if late is not None:
                yield (plane, airport), (1, late)

    def waited(rows: Any) -> Any:
        import time

        time.sleep(wait_seconds)
        yield from rows

    def added(left: Any, right: Any) -> Any:
        return tuple(one + other for one, other in zip(left, right, strict=True))

    months = context.parallelize(range(1, N_MONTHS + 1), N_MONTHS)
    planes = months.flatMap(read).reduceByKey(added, N_PLANES).mapPartitions(waited)
    airports = planes.map(lambda row: (row[0][1], (1, *row[1]))).reduceByKey(added, N_AIRPORTS)
    return airports.mapPartitions(waited)


def prepare(
    live: SparkSession, wait_seconds: float, folder: Path
) -> tuple[Callable[[], Answer], str]:
    """Return the job, not yet run, and its lineage as Spark writes it; it needs no ``folder``."""
    wanted = plan(live.sparkContext, wait_seconds)
    lineage = wanted.toDebugString() or b""
    return lambda: answer(wanted.collect()), lineage.decode()


def files(folder: Path) -> list[dict[str, Any]]:
    """Return the files that the job wrote: none."""
    return []


def answer(found: list[tuple[str, tuple[int, int, int]]]) -> Answer:
    """Return what ``plan`` collects in the order of the airports."""
    return sorted([airport, *map(int, numbers)] for airport, numbers in found)


def expected() -> Answer:
    """Return the same answer by pandas, on one core."""
    rows = data.load("flights").select(["tailnum", "dest", "arr_delay"]).to_pandas()
    groups = rows.dropna(subset=["arr_delay"]).groupby("dest")
    columns = [groups["tailnum"].nunique(), groups.size(), groups["arr_delay"].sum().astype(int)]
    return [[name, *map(int, row)] for name, *row in pd.concat(columns, axis=1).itertuples()]


def headline(found: Answer) -> dict[str, int | float | str]:
    """Return the numbers of an answer that a script reproduces."""
    flights, late = (sum(row[i] for row in found) for i in (2, 3))
    return {"airports": len(found), "flights": flights, "minutes late": late}
