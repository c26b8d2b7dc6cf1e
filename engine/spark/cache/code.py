"""The script behind *cache and memory*: one table persisted and read, by PySpark alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.source_code import Code, fill
from engine.spark.script_session import SESSION

if TYPE_CHECKING:
    from engine.spark.cache import CacheParams

SCRIPT = '''"""A table is cached, read, and looked up in Spark's storage."""
import json

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

LEVEL, N_ROWS, SEED = @level, @n_rows, @seed
@session
table = spark.range(0, N_ROWS, 1, 8).select(*[F.rand(1_000 * SEED + 10 + i).alias(f"c{i}") for i in range(8)])
storage = spark.sparkContext._jsc.sc().getRDDStorageInfo
before = {info.id() for info in storage()}
if LEVEL != "none":
    table = table.persist(getattr(StorageLevel, LEVEL))  # lazy: nothing is kept yet
total = table.agg(F.sum("c0")).collect()[0][0]  # the first action keeps every partition
held = [info.numCachedPartitions() for info in storage() if info.id() not in before]
table.unpersist()
print(json.dumps({"cached partitions of table 1": sum(held), "sum of table 1": round(total, 3)}))
'''


def script(params: CacheParams) -> str:
    """Return the script."""
    return fill(
        SCRIPT, session=Code(SESSION), level=params.level, n_rows=params.n_rows, seed=params.seed
    )
