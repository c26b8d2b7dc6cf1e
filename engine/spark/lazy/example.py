"""Transformations only make a plan; its exchanges are the shuffles, and a broadcast saves one."""

from pyspark.sql import SparkSession

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
spark.read.parquet("datasets/flights.parquet").createOrReplaceTempView("flights")
spark.read.parquet("datasets/planes.parquet").createOrReplaceTempView("planes")


def shuffles(hint):
    plan = spark.sql(f"""
        EXPLAIN SELECT /*+ {hint} */ manufacturer, avg(arr_delay)
        FROM flights JOIN planes USING (tailnum) GROUP BY manufacturer""").collect()[0][0]
    return plan.count("Exchange hashpartitioning")  # nothing has run yet


print(shuffles("MERGE(planes)"), shuffles("BROADCAST(planes)"))  # 3 1
