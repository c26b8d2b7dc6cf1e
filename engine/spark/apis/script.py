"""One job in five APIs: the same rows from each, and what the Python UDF received."""

import hashlib
import json

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from engine.spark.apis import ApisParams

PARAMS = ApisParams()
LATE_MINUTES = 30
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
year = spark.read.parquet("datasets/flights.parquet")
flights = year.where(F.col("month") <= PARAMS.months)
flights = flights.select("carrier", "origin", "dest", "dep_delay", "arr_delay")
flights.createOrReplaceTempView("flights")


def deterministic_or_not(udf):
    return udf.asNondeterministic() if PARAMS.once else udf


def python_udf(function, kind):
    return deterministic_or_not(F.udf(function, kind, useArrow=PARAMS.arrow_udf))


def batch_udf(function, kind):
    return deterministic_or_not(pandas_udf(function, kind))


def mean_gain_by_carrier():
    """Pairs of the RDD; the job as DataFrame, SQL, Python UDF and pandas UDF."""

    def gain(dep, arr):
        return None if dep is None or arr is None else dep - arr

    def gain_of_batch(dep: pd.Series, arr: pd.Series) -> pd.Series:
        return dep - arr

    def summed(gain):
        known = flights.withColumn("gain", gain).where("gain IS NOT NULL")
        return known.groupBy("carrier").agg(F.count("gain"), F.sum("gain"))

    pairs = flights.rdd.map(lambda row: (row.carrier, gain(row.dep_delay, row.arr_delay)))
    return pairs.filter(lambda pair: pair[1] is not None), {
        "DataFrame": summed(F.col("dep_delay") - F.col("arr_delay")),
        "SQL": spark.sql(
            """SELECT carrier, count(gain), sum(gain)
            FROM (SELECT carrier, dep_delay - arr_delay AS gain FROM flights)
            WHERE gain IS NOT NULL
            GROUP BY carrier"""
        ),
        "Python UDF": summed(python_udf(gain, "int")("dep_delay", "arr_delay")),
        "pandas UDF": summed(batch_udf(gain_of_batch, "int")("dep_delay", "arr_delay")),
    }


def late_from_jfk():
    """Pairs of the RDD; the job as DataFrame, SQL, Python UDF and pandas UDF."""

    def late(dep, arr):
        return dep is not None and arr is not None and arr > LATE_MINUTES and arr > dep

    def late_batch(dep: pd.Series, arr: pd.Series) -> pd.Series:
        return (arr > LATE_MINUTES) & (arr > dep)

    def summed(late):
        chosen = flights.where(late).where("origin = 'JFK'")
        return chosen.groupBy("dest").agg(F.count("*"), F.sum("arr_delay"))

    rows = flights.rdd.filter(lambda row: late(row.dep_delay, row.arr_delay))
    rows = rows.filter(lambda row: row.origin == "JFK")
    built_in = (F.col("arr_delay") > LATE_MINUTES) & (F.col("arr_delay") > F.col("dep_delay"))
    return rows.map(lambda row: (row.dest, row.arr_delay)), {
        "DataFrame": summed(built_in),
        "SQL": spark.sql(
            f"""SELECT dest, count(*), sum(arr_delay) FROM flights
            WHERE arr_delay > {LATE_MINUTES} AND arr_delay > dep_delay AND origin = 'JFK'
            GROUP BY dest"""
        ),
        "Python UDF": summed(python_udf(late, "boolean")("dep_delay", "arr_delay")),
        "pandas UDF": summed(batch_udf(late_batch, "boolean")("dep_delay", "arr_delay")),
    }


def rows_to_python(plan):
    """Rows that the Python operators of an executed plan received, by Spark's own metric."""
    name = plan.nodeName()
    if name.startswith("AdaptiveSparkPlan"):
        return rows_to_python(plan.executedPlan())
    if "QueryStage" in name:
        return rows_to_python(plan.plan())
    here = plan.metrics().apply("pythonNumRowsReceived").value() if "EvalPython" in name else 0
    children = plan.children()
    return here + sum(rows_to_python(children.apply(i)) for i in range(children.size()))


job = mean_gain_by_carrier if PARAMS.workload == "mean gain by carrier" else late_from_jfk
pairs, frames = job()
ones = pairs.mapValues(lambda value: (1, value))
totals = ones.reduceByKey(lambda a, b: (a[0] + b[0], a[1] + b[1])).collect()
answers = [sorted((key, n, total) for key, (n, total) in totals)]
answers += [sorted(tuple(row) for row in frame.collect()) for frame in frames.values()]
assert all(answer == answers[0] for answer in answers)

# after the action: with the numbers of the run
plan = frames["Python UDF"]._jdf.queryExecution().executedPlan()
doors = ("BatchEvalPython", "ArrowEvalPython")
numbers = {
    "answer": hashlib.sha256(repr(answers[0]).encode()).hexdigest()[:8],
    "groups": len(answers[0]),
    "rows to the RDD's functions": flights.count(),
    "rows to the Python UDF": rows_to_python(plan),
    "Python UDF enters through": next(name for name in doors if name in plan.toString()),
}
print(json.dumps(numbers))
