"""A fixed query on Spark: its rows, and the exchanges of its executed plan."""

import json
import re

from pyspark.sql import SparkSession

from engine.spark.sql import SqlParams

PARAMS = SqlParams()
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
for name in ("airlines", "airports", "flights", "planes", "weather"):
    spark.read.parquet(f"datasets/{name}.parquet").createOrReplaceTempView(name)
frame = spark.sql(PARAMS.query)
rows = frame.collect()
plan = frame._jdf.queryExecution().executedPlan()  # after the action: what AQE made of it
final = plan.executedPlan() if plan.nodeName().startswith("AdaptiveSparkPlan") else plan
exchanges = re.findall(r"\b(?:Broadcast)?Exchange\b", final.toString())
print(json.dumps({"rows": len(rows), "exchanges": len(exchanges)}))
