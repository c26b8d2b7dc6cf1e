"""A table is cached, read, and looked up in Spark's storage."""

import json

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.spark.cache import CacheParams

PARAMS = CacheParams()
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
columns = [F.rand(1_000 * PARAMS.seed + 10 + i).alias(f"c{i}") for i in range(8)]
table = spark.range(0, PARAMS.n_rows, 1, 8).select(*columns)
storage = spark.sparkContext._jsc.sc().getRDDStorageInfo
before = {info.id() for info in storage()}
if PARAMS.level != "none":
    table = table.persist(getattr(StorageLevel, PARAMS.level))  # lazy: nothing is kept yet
total = table.agg(F.sum("c0")).collect()[0][0]  # the first action keeps every partition
held = [info.numCachedPartitions() for info in storage() if info.id() not in before]
table.unpersist()
print(json.dumps({"cached partitions of table 1": sum(held), "sum of table 1": round(total, 3)}))
