"""The script behind *partition explorer*: the real Spark alone counts the rows of each partition.

For range cuts Spark is told to sample every row, as the preview does; nothing else differs from what a person would write.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
'''.replace("@session", SESSION)
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
    '# look at every row, not at a sample\nspark.conf.set("spark.sql.execution.rangeExchange.sampleSizePerPartition", 10**9)\n'
)
FILES = {
    "partitionBy files": """with tempfile.TemporaryDirectory() as folder:
    frame.withColumn("row", F.lit(1)).write.partitionBy(*KEYS).mode("overwrite").parquet(folder)
    found = spark.createDataFrame(spark.read.parquet(folder).groupBy(*KEYS).count().toArrow())
n = found.count()
""",
    "bucketing": """with tempfile.TemporaryDirectory() as folder:
    frame.write.bucketBy(N_PARTITIONS, *KEYS).mode("overwrite").option("path", folder).saveAsTable("bucketed")
    bucket = F.regexp_extract(F.input_file_name(), r"_(\\d+)\\.c\\d+", 1)  # Spark writes it into the file's name
    found = spark.createDataFrame(spark.read.parquet(folder).groupBy(bucket.alias("bucket")).count().toArrow())
    spark.sql("DROP TABLE bucketed")
n = N_PARTITIONS
""",
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
    table = (
        'pq.read_table("datasets/flights.parquet", columns=KEYS)'
        if plain
        else f"keys.load(keys.{params.source!r}).select(KEYS)"
    )
    head = HEAD.replace("import pyarrow.parquet as pq\n", "" if not plain else "import pyarrow.parquet as pq\n")
    head = head.replace("\nfrom engine.spark import keys\n", "" if plain else "\nfrom engine.spark import keys\n")
    if params.table == "upload":
        head = head.replace("KEYS =", f"PATH = {json.dumps(params.upload)}\nKEYS =")
        table = table.replace(repr(params.upload), "PATH")
    values = {"keys": repr(list(params.keys)), "n_partitions": params.n_partitions, "n_input": params.n_input, "table": table}
    for name, value in values.items():
        head = head.replace(f"@{name}", str(value))
    if params.strategy in FILES:
        return head + FILES[params.strategy] + TAIL
    head = head.replace("import tempfile\n", "")
    sample = SAMPLE_ALL if params.strategy == "range" else ""
    return head + sample + BY_ID.replace("@call", CALLS[params.strategy]) + TAIL
