"""The script behind *APIs*: the job in all five, by PySpark alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.source_code import Code, fill
from engine.spark.apis.jobs import COLUMNS, JOBS, LATE_MINUTES, SQL
from engine.spark.script_session import SESSION

if TYPE_CHECKING:
    from engine.spark.apis import ApisParams

HEAD = '''"""One job in five APIs: the same rows from each."""
import hashlib
import json

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

@session
every = spark.read.parquet("datasets/flights.parquet")
flights = every.where(F.col("month") <= @months).select(*@columns)
flights.createOrReplaceTempView("picked")
'''
GAIN = '''

def gain(dep, arr):
    return None if dep is None or arr is None else dep - arr


def gain_of_batch(dep: pd.Series, arr: pd.Series) -> pd.Series:
    return dep - arr


def summed(column):
    known = flights.withColumn("gain", column).where("gain IS NOT NULL")
    return known.groupBy("carrier").agg(F.count("gain"), F.sum("gain"))


pairs = flights.rdd.map(lambda row: (row[0], gain(row[1], row[2])))
pairs = pairs.filter(lambda pair: pair[1] is not None)
udf = summed(F.udf(gain, "int", useArrow=@arrow)@once("dep_delay", "arr_delay"))
frames = [
    summed(F.col("dep_delay") - F.col("arr_delay")),
    spark.sql("""@sql"""),
    udf,
    summed(F.pandas_udf(gain_of_batch, "int")@once("dep_delay", "arr_delay")),
]
'''
LATE = '''

def late(dep, arr):
    return dep is not None and arr is not None and arr > @late and arr > dep


def late_batch(dep: pd.Series, arr: pd.Series) -> pd.Series:
    return (arr > @late) & (arr > dep)


def summed(condition):
    kept = flights.where(condition).where("origin = 'JFK'")
    return kept.groupBy("dest").agg(F.count("*"), F.sum("arr_delay"))


rows = flights.rdd.filter(lambda row: late(row[1], row[2])).filter(lambda row: row[3] == "JFK")
pairs = rows.map(lambda row: (row[0], row[2]))
udf = summed(F.udf(late, "boolean", useArrow=@arrow)@once("dep_delay", "arr_delay"))
frames = [
    summed((F.col("arr_delay") > @late) & (F.col("arr_delay") > F.col("dep_delay"))),
    spark.sql("""@sql"""),
    udf,
    summed(F.pandas_udf(late_batch, "boolean")@once("dep_delay", "arr_delay")),
]
'''
TAIL = """
ones = pairs.mapValues(lambda value: (1, value))
totals = ones.reduceByKey(lambda a, b: (a[0] + b[0], a[1] + b[1])).collect()
answers = [sorted((key, n, total) for key, (n, total) in totals)]
answers += [sorted(tuple(row) for row in frame.collect()) for frame in frames]
assert all(answer == answers[0] for answer in answers)


def rows_to_python(plan):
    name = plan.nodeName()
    if name.startswith("AdaptiveSparkPlan"):
        return rows_to_python(plan.executedPlan())
    if "QueryStage" in name:
        return rows_to_python(plan.plan())
    here = plan.metrics().apply("pythonNumRowsReceived").value() if "EvalPython" in name else 0
    children = plan.children()
    return here + sum(rows_to_python(children.apply(i)) for i in range(children.size()))


plan = udf._jdf.queryExecution().executedPlan()  # after the action: with the numbers of the run
doors = ("BatchEvalPython", "ArrowEvalPython")
print(json.dumps({
    "answer": hashlib.sha256(repr(answers[0]).encode()).hexdigest()[:8],
    "groups": len(answers[0]),
    "rows to the RDD's functions": flights.count(),
    "rows to the Python UDF": rows_to_python(plan),
    "Python UDF enters through": next(name for name in doors if name in plan.toString()),
}))
"""


def script(params: ApisParams) -> str:
    """Return the script."""
    text = HEAD + (GAIN if params.workload == JOBS[0] else LATE) + TAIL
    return fill(
        text,
        session=Code(SESSION),
        arrow=params.arrow_udf,
        once=Code(".asNondeterministic()" if params.once else ""),
        months=params.months,
        columns=COLUMNS[params.workload],
        sql=Code(SQL[params.workload]),
        late=LATE_MINUTES,
    )
