"""Shuffle partitions: 200 asked for, and what adaptive query execution (AQE) leaves of them."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
spark.conf.set("spark.sql.shuffle.partitions", 200)
flights = spark.read.parquet("datasets/flights.parquet")
by_plane = flights.groupBy("tailnum").agg(F.avg("arr_delay"))


def partitions():
    return by_plane.select("*").rdd.getNumPartitions()  # select: planned with the settings of now


spark.conf.set("spark.sql.adaptive.enabled", False)
fixed = partitions()
spark.conf.set("spark.sql.adaptive.enabled", True)  # merges small neighbours up to the target size
spark.conf.set("spark.sql.adaptive.advisoryPartitionSizeInBytes", "64m")
print(fixed, "→", partitions())  # 200 → 1
