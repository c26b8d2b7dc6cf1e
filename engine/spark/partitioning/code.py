"""The script behind *partition explorer*: the real Spark alone counts the rows of each partition.

For range cuts Spark is told to sample every row, as the preview does; nothing else differs from
what a person would write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.source_code import Code, constructor, fill
from engine.spark.script_session import SESSION

if TYPE_CHECKING:
    from engine.spark.partitioning import PartitioningParams

HEAD = '''"""Rows of each partition, counted by Spark itself."""
import json
import tempfile

import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.spark import keys

KEYS = @keys
N_PARTITIONS = @n_partitions
table = @table
@session
spark.conf.set("spark.sql.leafNodeDefaultParallelism", @n_input)  # partitions of the input
frame = spark.createDataFrame(table)
'''
BY_ID = """split = @call
found = split.groupBy(F.spark_partition_id()).count()
n = split.rdd.getNumPartitions()
"""
CALLS = {
    "hash": "frame.repartition(N_PARTITIONS, *KEYS)",
    "range": "frame.repartitionByRange(N_PARTITIONS, *KEYS)",
    "round-robin": "frame.repartition(N_PARTITIONS)",
    "coalesce": "frame.coalesce(N_PARTITIONS)",
}
SAMPLE_ALL = (
    "# look at every row, not at a"
    ' sample\nspark.conf.set("spark.sql.execution.rangeExchange.sampleSizePerPartition", 10**9)\n'
)
FILES = {
    "partitionBy files": (
        """with tempfile.TemporaryDirectory() as folder:
    frame.withColumn("row", F.lit(1)).write.partitionBy(*KEYS).mode("overwrite").parquet(folder)
    found = spark.createDataFrame(spark.read.parquet(folder).groupBy(*KEYS).count().toArrow())
n = found.count()
"""
    ),
    "bucketing": (
        """with tempfile.TemporaryDirectory() as folder:
    frame.write.bucketBy(N_PARTITIONS, *KEYS).mode("overwrite").option("path", folder).saveAsTable("bucketed")
    bucket = F.regexp_extract(F.input_file_name(), r"_(\\d+)\\.c\\d+", 1)  # Spark writes it into the file's name
    found = spark.createDataFrame(spark.read.parquet(folder).groupBy(bucket.alias("bucket")).count().toArrow())
    spark.sql("DROP TABLE bucketed")
n = N_PARTITIONS
"""
    ),
}
TAIL = """counts = [row["count"] for row in found.collect()]
print(json.dumps({
    "rows": sum(counts),
    "partitions": n,
    "non-empty": len(counts),
    "largest partition": max(counts),
    "largest by mean": round(max(counts) / (sum(counts) / n), 3),
}))
"""


def script(params: PartitioningParams) -> str:
    """Return the script: PySpark alone, but for tables that only the lab makes."""
    plain = params.table == "flights" and "date" not in params.keys
    head = HEAD if plain else HEAD.replace("import pyarrow.parquet as pq\n", "")
    head = head.replace("\nfrom engine.spark import keys\n", "") if plain else head
    table = Code(f"keys.load(keys.{constructor(params.source)}).select(KEYS)")
    if plain:
        table = Code('pq.read_table("datasets/flights.parquet", columns=KEYS)')
    if params.strategy not in FILES:
        head = head.replace("import tempfile\n", "")
    head = fill(
        head,
        session=Code(SESSION),
        keys=list(params.keys),
        n_partitions=params.n_partitions,
        n_input=params.n_input,
        table=table,
    )
    if params.strategy in FILES:
        return head + FILES[params.strategy] + TAIL
    sample = SAMPLE_ALL if params.strategy == "range" else ""
    return head + sample + fill(BY_ID, call=Code(CALLS[params.strategy])) + TAIL
