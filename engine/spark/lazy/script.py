"""A chain of transformations: the jobs and stages before the action and for it."""

import json
import uuid

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.spark.lazy import LazyParams

PARAMS = LazyParams()
COLUMNS = ["air_time", "arr_delay", "carrier", "dep_delay", "dest", "origin", "tailnum"]
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
for key, value in PARAMS.settings.items():
    spark.conf.set(key, value)
airlines = spark.read.parquet("datasets/airlines.parquet")
flights = spark.read.parquet("datasets/flights.parquet").select(*COLUMNS)
context, tracker = spark.sparkContext, spark.sparkContext.statusTracker()


def jobs(group):
    context._jsc.sc().listenerBus().waitUntilEmpty()  # Spark reports what ended a moment later
    return tracker.getJobIdsForGroup(group)


def mean_delay(frame):
    means = [F.count("*").alias("n"), F.avg("dep_delay").alias("dep_delay")]
    return frame.groupBy("carrier").agg(*means)


TRANSFORMATIONS = {
    "filter late": lambda frame: frame.where("dep_delay > 15"),
    "select columns": lambda frame: frame.select("carrier", "dest", "dep_delay", "arr_delay"),
    "add gain": lambda frame: frame.withColumn("gain", F.col("dep_delay") - F.col("arr_delay")),
    "join airlines": lambda frame: frame.join(airlines, "carrier"),
    "group by carrier": mean_delay,
    "distinct routes": lambda frame: frame.select("carrier", "dest").distinct(),
    "sort by delay": lambda frame: frame.orderBy("dep_delay"),
    "repartition by dest": lambda frame: frame.repartition(8, "dest"),
    "coalesce to 2": lambda frame: frame.coalesce(2),
    "limit 1,000": lambda frame: frame.limit(1_000),
}
chain, action = uuid.uuid4().hex, uuid.uuid4().hex
context.setJobGroup(chain, "the transformations")
frame = flights
for name in PARAMS.chain:
    frame = TRANSFORMATIONS[name](frame)
before = jobs(chain)
context.setJobGroup(action, "the action")
if PARAMS.action == "count":
    rows = frame.count()
elif PARAMS.action == "collect":
    rows = frame.toArrow().num_rows
else:
    rows = frame.limit(20).toArrow().num_rows
found = [tracker.getJobInfo(job) for job in jobs(action)]
stages = {stage for job in found if job for stage in job.stageIds}
infos = [info for stage in stages if (info := tracker.getStageInfo(stage))]
ran = [info for info in infos if info.numCompletedTasks]  # not the skipped
print(json.dumps({"rows": rows, "jobs before the action": len(before), "stages": len(ran)}))
