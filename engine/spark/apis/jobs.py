"""Two workloads on flights, each written in five APIs that give the same rows: RDD, DataFrame, SQL,
Python UDF, pandas UDF.

*mean gain by carrier* works row by row (gain = departure delay − arrival delay), then groups. *late
from JFK* filters by a condition of its own and, last in the code, by ``origin``: whether that
filter can run before the rows leave for Python is what sets the APIs apart. All sums are of whole
numbers, so that equal answers are equal to the last digit.

The functions that run in Python are nested on purpose: Spark then ships them by value, and workers
need no ``engine``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
import pyarrow.compute as pc

from engine import data

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame, SparkSession

Job = Literal["mean gain by carrier", "late from JFK by airport"]
JOBS: tuple[Job, ...] = get_args(Job)
Api = Literal["RDD", "DataFrame", "SQL", "Python UDF", "pandas UDF"]
APIS: tuple[Api, ...] = get_args(Api)
TO_PYTHON: tuple[Api, ...] = ("RDD", "Python UDF", "pandas UDF")  # the others stay in the JVM
JVM_ONLY: tuple[Api, ...] = ("DataFrame", "SQL")
Answer = list[tuple[str, int, int]]  # key, rows counted, sum; sorted
COLUMNS = {
    "mean gain by carrier": ("carrier", "dep_delay", "arr_delay"),
    "late from JFK by airport": ("dest", "dep_delay", "arr_delay", "origin"),
}
LATE_MINUTES = 30
SQL = {
    "mean gain by carrier": (
        """SELECT carrier, count(gain) AS n, sum(gain) AS total
FROM (SELECT carrier, dep_delay - arr_delay AS gain FROM picked)
WHERE gain IS NOT NULL
GROUP BY carrier"""
    ),
    "late from JFK by airport": (
        f"""SELECT dest, count(*) AS n, sum(arr_delay) AS total
FROM picked
WHERE arr_delay > {LATE_MINUTES} AND arr_delay > dep_delay
  AND origin = 'JFK'
GROUP BY dest"""
    ),
}


@dataclass(frozen=True, slots=True)
class Query:
    """A job in one API, not yet run: ``act()`` is the action; ``frame`` or ``rdd`` is what it
    runs.
    """

    act: Callable[[], Answer]
    frame: DataFrame  # for the RDD the frame that feeds it
    rdd: RDD[Any] | None = None


def picked(live: SparkSession, job: Job, months: int) -> DataFrame:
    """Return the columns of the job for the flights of the first months."""
    flights = live.read.parquet(str(data.path_of("flights"))).where(f"month <= {months}")
    return flights.select(*COLUMNS[job])


def query(live: SparkSession, api: Api, job: Job, months: int, arrow: bool, once: bool) -> Query:
    """Return the job in an API, built for each run: Spark would reuse a shuffle that has run.

    ``arrow``: rows reach the Python UDF in Arrow batches. ``once``: both UDFs are marked
    nondeterministic, so that Spark may neither call them twice nor move a filter below them.
    """
    rows = picked(live, job, months)
    if api == "RDD":
        rdd = _gain_rdd(rows) if job == JOBS[0] else _late_rdd(rows)
        return Query(
            lambda: sorted((key, n, total) for key, (n, total) in rdd.collect()), rows, rdd
        )
    if api == "SQL":
        rows.createOrReplaceTempView("picked")
        frame = live.sql(SQL[job])
    else:
        udfs = UDFS[api](arrow, once) if api in UDFS else None
        frame = _gain(rows, udfs) if job == JOBS[0] else _late(rows, udfs)
    return Query(lambda: sorted((row[0], row[1], row[2]) for row in frame.collect()), frame)


Udfs = tuple[Any, Any]  # gain and late, called with two columns


def _row_udfs(arrow: bool, once: bool) -> Udfs:
    from pyspark.sql import functions as sf

    limit = LATE_MINUTES

    def gain(dep: Any, arr: Any) -> Any:
        return None if dep is None or arr is None else dep - arr

    def late(dep: Any, arr: Any) -> Any:
        return dep is not None and arr is not None and arr > limit and arr > dep

    made = sf.udf(gain, "int", useArrow=arrow), sf.udf(late, "boolean", useArrow=arrow)
    return (made[0].asNondeterministic(), made[1].asNondeterministic()) if once else made


def _batch_udfs(_: bool, once: bool) -> Udfs:
    from pyspark.sql.pandas.functions import pandas_udf

    limit = LATE_MINUTES

    def gain(dep: pd.Series, arr: pd.Series) -> pd.Series:
        return dep - arr

    def late(dep: pd.Series, arr: pd.Series) -> pd.Series:
        return (arr > limit) & (arr > dep)

    make: Any = pandas_udf  # its overloads know older kinds of function
    made = make(gain, "int"), make(late, "boolean")
    return (made[0].asNondeterministic(), made[1].asNondeterministic()) if once else made


UDFS: dict[Api, Callable[[bool, bool], Udfs]] = {"Python UDF": _row_udfs, "pandas UDF": _batch_udfs}


def _gain(rows: DataFrame, udfs: Udfs | None) -> DataFrame:
    from pyspark.sql import functions as sf

    gain = udfs[0]("dep_delay", "arr_delay") if udfs else sf.col("dep_delay") - sf.col("arr_delay")
    known = rows.withColumn("gain", gain).where("gain IS NOT NULL")
    return known.groupBy("carrier").agg(sf.count("gain").alias("n"), sf.sum("gain").alias("total"))


def _late(rows: DataFrame, udfs: Udfs | None) -> DataFrame:
    from pyspark.sql import functions as sf

    built_in = (sf.col("arr_delay") > LATE_MINUTES) & (sf.col("arr_delay") > sf.col("dep_delay"))
    late = udfs[1]("dep_delay", "arr_delay") if udfs else built_in
    chosen = rows.where(late).where("origin = 'JFK'")
    return chosen.groupBy("dest").agg(sf.count("*").alias("n"), sf.sum("arr_delay").alias("total"))


def _gain_rdd(rows: DataFrame) -> RDD[Any]:
    def gain(row: Any) -> tuple[str, int | None]:
        return row[0], None if row[1] is None or row[2] is None else row[1] - row[2]

    return _summed(rows.rdd.map(gain).filter(lambda pair: pair[1] is not None))


def _late_rdd(rows: DataFrame) -> RDD[Any]:
    limit = LATE_MINUTES

    def late(row: Any) -> bool:
        return row[1] is not None and row[2] is not None and row[2] > limit and row[2] > row[1]

    return _summed(
        rows.rdd.filter(late).filter(lambda row: row[3] == "JFK").map(lambda row: (row[0], row[2]))
    )


def _summed(pairs: RDD[Any]) -> RDD[Any]:
    return pairs.mapValues(lambda value: (1, value)).reduceByKey(
        lambda a, b: (a[0] + b[0], a[1] + b[1])
    )


@lru_cache(maxsize=12)
def n_rows(months: int) -> int:
    """Return how many flights the first months have."""
    found: int = pc.sum(pc.less_equal(data.load("flights")["month"], months)).as_py()
    return found


@lru_cache(maxsize=32)
def expected(job: Job, months: int) -> tuple[tuple[str, int, int], ...]:
    """Return the answer by Arrow alone, without Spark."""
    flights = data.load("flights")
    flights = flights.filter(pc.less_equal(flights["month"], months))
    arr, dep = flights["arr_delay"], flights["dep_delay"]
    if job == JOBS[0]:
        key, value, kept = (
            flights["carrier"],
            pc.subtract(dep, arr),
            pc.is_valid(pc.subtract(dep, arr)),
        )
    else:
        late = pc.and_(pc.greater(arr, LATE_MINUTES), pc.greater(arr, dep))
        key, value, kept = flights["dest"], arr, pc.and_(late, pc.equal(flights["origin"], "JFK"))
    found = flights.select([]).append_column("key", key).append_column("value", value).filter(kept)
    grouped = found.group_by("key").aggregate([("value", "count"), ("value", "sum")])
    counts, sums = grouped["value_count"].to_pylist(), grouped["value_sum"].to_pylist()
    return tuple(sorted(zip(grouped["key"].to_pylist(), counts, sums, strict=True)))
