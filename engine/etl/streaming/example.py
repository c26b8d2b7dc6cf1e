"""A watermark in Spark Structured Streaming: a late row is dropped once its window has ended."""

import tempfile
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
folder = Path(tempfile.mkdtemp())
rows = spark.readStream.schema("at TIMESTAMP").json(str(folder))
counts = rows.withWatermark("at", "1 hour").groupBy(F.window("at", "1 hour")).count()
query = counts.writeStream.outputMode("append").format("memory").queryName("hours").start()
for name, hour in (("a", "09"), ("b", "12"), ("c", "08")):  # c comes behind the watermark, 11:00
    (folder / f"{name}.json").write_text(f'{{"at": "2013-07-10T{hour}:00:00"}}')
    query.processAllAvailable()
states = [one for progress in query.recentProgress for one in progress["stateOperators"]]
query.stop()
print([row["count"] for row in spark.table("hours").collect()])  # [1]
print(states[-1]["numRowsTotal"], sum(one["numRowsDroppedByWatermark"] for one in states))  # 1 1
