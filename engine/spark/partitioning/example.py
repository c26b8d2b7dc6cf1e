"""Rows per partition by hash of a key, and in turns: the most frequent key decides the largest."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
flights = spark.read.parquet("datasets/flights.parquet").select("origin", "dest", "month")


def rows_per_partition(frame):
    counts = frame.groupBy(F.spark_partition_id()).count().collect()
    return sorted((row["count"] for row in counts), reverse=True)


by_origin = rows_per_partition(flights.repartition(8, "origin"))  # three keys: at most three
in_turns = rows_per_partition(flights.repartition(8))
print(len(by_origin) <= 3)  # True
print(len(in_turns), max(in_turns) - min(in_turns) < 100)  # 8 True
