"""The job of the cluster, on a Spark of this machine: the same answer."""

import json

import pyarrow.parquet as parquet
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.spark.cluster import ClusterParams

PARAMS = ClusterParams()  # whatever is killed, the answer is the same
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
)


def read(month):
    columns = ["tailnum", "dest", "arr_delay"]
    month_only = [("month", "=", month)]
    rows = parquet.read_table("datasets/flights.parquet", columns=columns, filters=month_only)
    for row in rows.to_pylist():
        if row["arr_delay"] is not None:
            yield (row["tailnum"], row["dest"]), (1, row["arr_delay"])


def added(left, right):
    return tuple(one + other for one, other in zip(left, right, strict=True))


def delay_by_airport():
    months = spark.sparkContext.parallelize(range(1, 13), 12)
    planes = months.flatMap(read).reduceByKey(added, 6)
    airports = planes.map(lambda row: (row[0][1], (1, *row[1]))).reduceByKey(added, 4)
    found = airports.collect()
    flights, late = (sum(row[1][i] for row in found) for i in (1, 2))
    return {"airports": len(found), "flights": flights, "minutes late": late}


def etl():
    keys = ["origin", "month", "day", "hour"]
    flights = spark.read.parquet("datasets/flights.parquet").where("arr_delay IS NOT NULL")
    hours = spark.read.parquet("datasets/weather.parquet").groupBy(*keys)
    joined = flights.join(hours.agg(F.max("wind_speed").alias("wind")), keys, "left")
    by_month = joined.groupBy("month").agg(F.count("*"), F.sum("arr_delay"), F.count("wind"))
    found = by_month.collect()
    rows, late, wind = (sum(row[i] for row in found) for i in (1, 2, 3))
    return {"months": len(found), "flights": rows, "minutes late": late, "with wind": wind}


print(json.dumps(etl() if PARAMS.work == "ETL" else delay_by_airport()))
