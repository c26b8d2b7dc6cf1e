"""The same group-by in pandas and in Spark: the same answer, and one keeps everything in memory."""

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
path = "datasets/flights.parquet"
in_pandas = pd.read_parquet(path, columns=["carrier", "distance"]).groupby("carrier").sum()
lazily = spark.read.parquet(path).groupBy("carrier").agg(F.sum("distance").alias("distance"))
in_spark = lazily.toPandas().set_index("carrier").sort_index()  # only the small result is collected
print(in_spark["distance"].equals(in_pandas["distance"].astype("int64")))  # True
