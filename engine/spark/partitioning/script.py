"""Rows of each partition, counted by Spark itself."""

import json
import tempfile

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.spark import keys
from engine.spark.column_types import TIME_SETTING
from engine.spark.partitioning.params import PartitioningParams

PARAMS = PartitioningParams()
N = PARAMS.n_partitions
# names of our own: Spark's ignore case, and a dot in one is a field of a struct
KEYS = [f"k{i}" for i in range(len(PARAMS.keys))]
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
spark.conf.set("spark.sql.leafNodeDefaultParallelism", PARAMS.n_input)  # partitions of the input
# range cuts: look at every row, not at a sample
spark.conf.set("spark.sql.execution.rangeExchange.sampleSizePerPartition", 10**9)
spark.conf.set("spark.sql.session.timeZone", "UTC")
spark.conf.set(TIME_SETTING, "true")  # the type time is off by default
table = keys.load(PARAMS.source).select(PARAMS.keys)  # as Spark reads them
frame = spark.createDataFrame(table.rename_columns(KEYS))

with tempfile.TemporaryDirectory() as folder:
    if PARAMS.strategy == "partitionBy files":
        one = frame.withColumn("row", F.lit(1))
        one.write.partitionBy(*KEYS).mode("overwrite").parquet(folder)
        # folder names as they are: "01" is not 1
        spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
        found = spark.read.parquet(folder).groupBy(*KEYS).count().collect()
        n = len(found)
    elif PARAMS.strategy == "bucketing":
        bucketed = frame.write.bucketBy(N, *KEYS).mode("overwrite").option("path", folder)
        bucketed.saveAsTable("bucketed")
        # Spark writes the bucket into the file's name
        bucket = F.regexp_extract(F.input_file_name(), r"_(\d+)\.c\d+", 1)
        found = spark.read.parquet(folder).groupBy(bucket.alias("bucket")).count().collect()
        spark.sql("DROP TABLE bucketed")
        n = N
    else:
        if PARAMS.strategy == "hash":
            split = frame.repartition(N, *KEYS)
        elif PARAMS.strategy == "range":
            split = frame.repartitionByRange(N, *KEYS)
        elif PARAMS.strategy == "round-robin":
            split = frame.repartition(N)
        else:
            split = frame.coalesce(N)
        found = split.groupBy(F.spark_partition_id()).count().collect()
        n = split.rdd.getNumPartitions()
counts = [row["count"] for row in found]
numbers = {
    "rows": sum(counts),
    "partitions": n,
    "non-empty": len(counts),
    "largest partition": max(counts),
    "largest by mean": round(max(counts) / (sum(counts) / n), 3),
}
print(json.dumps(numbers))
