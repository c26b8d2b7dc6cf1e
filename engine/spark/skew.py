"""The join of *skew clinic*, written six ways; all give the same answer.

Rows with a Zipf key are joined with a table of one row per key; the answer is the sum and the count
of amounts by region. Amounts are whole numbers, so that sums agree to the last digit in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from engine.spark import keys
from engine.spark.keys import N_DISTINCT, Source

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Remedy = Literal[
    "plain join", "AQE skew join", "salting", "broadcast", "pre-aggregation", "isolate hot key"
]
REMEDIES: tuple[Remedy, ...] = get_args(Remedy)
PLAIN: Remedy = "plain join"
N_REGIONS = 12
N_MAP_TASKS = 16  # AQE splits a partition only along map outputs: more of them, finer pieces


def facts(source: Source) -> pa.Table:
    """Return the many rows: ``key``, ``amount`` (0 … 999) and ``row``."""
    key = keys.load(source)["key"]
    row = np.arange(len(key))
    return pa.table({"key": key, "amount": pa.array(row * 7919 % 1000), "row": pa.array(row)})


def regions() -> pa.Table:
    """Return one row for each key: ``key`` and ``region``."""
    key = np.arange(1, N_DISTINCT + 1)
    return pa.table(
        {
            "key": pa.array(key),
            "region": pa.array([f"region {k % N_REGIONS}" for k in key.tolist()]),
        }
    )


def settings(remedy: Remedy, n_partitions: int, threshold_kb: int) -> dict[str, str]:
    """Return the SQL settings of a remedy. Broadcasting is off unless it is the remedy: these
    tables are always small enough.
    """
    adaptive = remedy == "AQE skew join"
    return {
        "spark.sql.leafNodeDefaultParallelism": str(N_MAP_TASKS),
        "spark.sql.shuffle.partitions": str(n_partitions),
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.sql.adaptive.enabled": str(adaptive).lower(),
        "spark.sql.adaptive.autoBroadcastJoinThreshold": "-1",
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
        "spark.sql.adaptive.skewJoin.skewedPartitionFactor": "2",
        "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": f"{threshold_kb}KB",
        "spark.sql.adaptive.advisoryPartitionSizeInBytes": f"{threshold_kb}KB",
    }


def _summed(joined: DataFrame) -> DataFrame:
    from pyspark.sql import functions as sf

    return joined.groupBy("region").agg(sf.sum("amount").alias("amount"), sf.sum("n").alias("n"))


def _salted(fact: DataFrame, dim: DataFrame, n_salts: int) -> DataFrame:
    """Join on (key, salt): a key's rows go to n_salts partitions, each of which needs a copy of the
    key's one row.
    """
    from pyspark.sql import functions as sf

    salts = sf.explode(sf.array(*[sf.lit(i) for i in range(n_salts)]))
    return fact.withColumn("salt", (sf.col("row") % n_salts).cast("int")).join(
        dim.withColumn("salt", salts), ["key", "salt"]
    )


def _hot_isolated(fact: DataFrame, dim: DataFrame) -> DataFrame:
    """Join the most frequent key by itself, broadcast, and all others as before."""
    from pyspark.sql import functions as sf

    hot = sf.col("key") == 1
    cold = fact.where(~hot).join(dim, "key")
    return cold.unionByName(fact.where(hot).join(sf.broadcast(dim.where(hot)), "key"))


def _pre_aggregated(fact: DataFrame, dim: DataFrame) -> DataFrame:
    """Sum by key before the join: one row per key is left to shuffle."""
    from pyspark.sql import functions as sf

    return (
        fact.groupBy("key")
        .agg(sf.sum("amount").alias("amount"), sf.sum("n").alias("n"))
        .join(dim, "key")
    )


def query(
    live: SparkSession, remedy: Remedy, source: Source, n_salts: int
) -> Callable[[], list[tuple[Any, ...]]]:
    """Return the action of a remedy: its call gives the sorted rows (region, amount, n); its
    settings are set before.
    """
    from pyspark.sql import functions as sf

    fact = live.createDataFrame(facts(source)).withColumn("n", sf.lit(1))
    dim = live.createDataFrame(regions())
    if remedy == "salting":
        joined = _salted(fact, dim, n_salts)
    elif remedy == "broadcast":
        joined = fact.join(sf.broadcast(dim), "key")
    elif remedy == "pre-aggregation":
        joined = _pre_aggregated(fact, dim)
    else:
        joined = _hot_isolated(fact, dim) if remedy == "isolate hot key" else fact.join(dim, "key")
    answer = _summed(joined)
    return lambda: sorted(tuple(row) for row in answer.collect())


def digest(rows: list[tuple[Any, ...]]) -> str:
    """Return eight hex digits that are the same only for the same rows."""
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:8]
