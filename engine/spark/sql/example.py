"""A query is a plan: SQL and DataFrame give the same one, and its exchanges are the shuffles."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
flights = spark.read.parquet("datasets/flights.parquet")
flights.createOrReplaceTempView("flights")
query = spark.sql("SELECT dest, count(*) AS n FROM flights GROUP BY dest ORDER BY n DESC, dest")
frame = flights.groupBy("dest").agg(F.count("*").alias("n")).orderBy(F.desc("n"), "dest")
print(query.first().dest, query.collect() == frame.collect())  # ORD True
plans = [one._jdf.queryExecution().optimizedPlan() for one in (query, frame)]
print(plans[0].sameResult(plans[1]))  # True
