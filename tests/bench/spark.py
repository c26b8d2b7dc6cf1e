"""The Spark lab in the bench."""

from __future__ import annotations

import statistics
from dataclasses import replace

import numpy as np
import pyarrow as pa

from engine.jobs import timed
from engine.spark import partitioning, session
from engine.spark.partitioning import PartitioningParams, figure, hash_partition
from tests.bench import spark_crossover
from tests.bench.harness import N_TWEAKS, Tab, measure, payloads, slider

TABS = (
    Tab(
        "Partition explorer (partitions)",
        "spark",
        slider("partitioning_n_partitions"),
        "partitioning_rows",
    ),
    Tab(
        "Lazy ledger (measured, view)",
        "spark?spark_tab=Lazy+ledger",
        ".st-key-lazy_view [role=radio]",
        "lazy_plan",
    ),
    Tab(
        "Cache and memory (heap)",
        "spark?spark_tab=Cache+and+memory",
        slider("cache_heap_gb"),
        "cache_memory",
    ),
    spark_crossover.TAB,
    Tab(
        "Spark SQL (measured, rows shown)",
        "spark?spark_tab=Spark+SQL",
        slider("sql_n_rows"),
        "sql_answer",
    ),
    Tab(
        "APIs (measured, plan of)",
        "spark?spark_tab=APIs",
        ".st-key-apis_plan_of [role=radio]",
        "apis_plans",
    ),
    Tab(
        "Partition count (measured, look at)",
        "spark?partitioning_subject=How+many",
        slider("tuner_at"),
        "tuner_curve",
    ),
)


def compute() -> None:
    """Print what a preview costs, how fast keys are hashed, and what a warm small action takes from
    end to end.
    """
    asked = PartitioningParams(table="zipf", keys=("key",), n_rows=1_000_000)
    shown = measure(
        "Partitions of 1,000,000 Zipf keys",
        lambda i: partitioning.run(replace(asked, n_partitions=8 + i)),
    )
    keys = pa.array(np.random.default_rng(0).integers(-(2**31), 2**31, 1_000_000).astype(np.int32))
    seconds = [timed(lambda: hash_partition([keys], 16))[0] for _ in range(N_TWEAKS)]
    print(
        f"  {1e-6 * len(keys) / statistics.median(seconds):,.0f} M whole-number keys hashed a"
        " second (goal ≥ 20)"
    )
    live = session.session()
    seconds = [timed(lambda: live.range(1_000).repartition(4).count())[0] for _ in range(N_TWEAKS)]
    text = (
        f"median {statistics.median(seconds[5:]):.2f} s, {min(seconds[5:]):.2f} …"
        f" {max(seconds[5:]):.2f}"
    )
    print(f"  A warm small action: {text} (goal ≤ 1)")
    spark_crossover.compute()
    session.ENGINE.stop()
    payloads({"Partitions": figure.partitions(shown), "Routes": figure.routes(shown)})
