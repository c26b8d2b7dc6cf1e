"""How many shuffle partitions does AQE leave? The tasks of the last stage say."""

import json
import uuid

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.spark.tuner import TunerParams, jobs

PARAMS = TunerParams()
ASKED = PARAMS.numbers[-1]
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
for key, value in jobs.settings(ASKED, PARAMS.target_kb).items():
    spark.conf.set(key, value)
flights = spark.read.parquet("datasets/flights.parquet")
if PARAMS.copies > 1:
    flights = flights.crossJoin(F.broadcast(spark.range(PARAMS.copies)))
planes = spark.read.parquet("datasets/planes.parquet").select("tailnum", "manufacturer", "seats")
if PARAMS.workload == "window":
    mean = "avg(arr_delay) OVER (PARTITION BY tailnum ORDER BY time_hour)"
    frame = flights.selectExpr("tailnum", "time_hour", mean)
elif PARAMS.workload == "group-by":
    frame = flights.groupBy("tailnum", "dest").agg(F.count("*"), F.avg("arr_delay"))
elif PARAMS.workload == "join":
    delays = flights.select("tailnum", "dest", "arr_delay")
    frame = delays.join(planes.hint("merge"), "tailnum")
else:
    columns = ("arr_delay", "time_hour", "carrier", "tailnum", "dest")
    frame = flights.select(*columns).orderBy("arr_delay", "time_hour")
group = uuid.uuid4().hex
spark.sparkContext.setJobGroup(group, "the action")
frame.write.format("noop").mode("overwrite").save()  # every row is computed, none is kept
# Spark reports what ended a moment later
spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
tracker = spark.sparkContext.statusTracker()
found = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
stages = sorted(stage for job in found if job for stage in job.stageIds)
infos = [info for stage in stages if (info := tracker.getStageInfo(stage))]
ran = [info for info in infos if info.numCompletedTasks]  # not the skipped
print(json.dumps({"AQE's partitions": ran[-1].numTasks, "asked for": ASKED}))
