"""One column in three ways: built in, by a Python UDF per row, by a pandas UDF per batch."""

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
flights = spark.read.parquet("datasets/flights.parquet").where("dep_delay + arr_delay IS NOT NULL")


@F.udf("int")
def gain(dep, arr):  # a Python function, called for every row
    return dep - arr


@F.pandas_udf("int")
def gain_of_batch(dep: pd.Series, arr: pd.Series) -> pd.Series:
    return dep - arr


built_in = F.col("dep_delay") - F.col("arr_delay")
columns = [built_in, gain("dep_delay", "arr_delay"), gain_of_batch("dep_delay", "arr_delay")]
row = flights.where("month = 1").agg(*[F.sum(column) for column in columns]).collect()[0]
print(row[0] == row[1] == row[2])  # True
