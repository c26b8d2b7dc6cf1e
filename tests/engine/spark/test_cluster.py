"""The lab attached to a cluster that is not its own: a real standalone master with two workers of
one core each.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.spark import apis, cache, crossover, lazy, session, skew_clinic, sql, tuner
from engine.spark.apis import shared_variables
from engine.spark.cache import model
from engine.spark.partitioning import PartitioningParams, real
from engine.spark.partitioning.params import STRATEGIES
from engine.spark.session import ENGINE
from engine.spark.target import Target
from tests.engine.spark import cluster as spark_cluster

SMALL_SKEW = skew_clinic.SkewClinicParams(n_rows=50_000, cures=("AQE skew join", "salting"))
SMALL_CACHE = cache.CacheParams(n_tables=2, n_rows=20_000)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder: Path = tmp_path_factory.mktemp("cluster")
    with spark_cluster.attached(
        "PLAYGROUND_SPARK_MASTER", spark_cluster.standalone(folder)
    ) as place:
        yield place


def _tasks_by_executor() -> dict[str, int]:
    return {
        executor["id"]: executor["totalTasks"]
        for executor in session.rest("executors")
        if executor["id"] != "driver"
    }


@pytest.fixture
def on_both_executors(cluster: Target) -> Iterator[None]:
    """Run a test on the cluster, and see that both executors worked for it."""
    for _ in range(
        100
    ):  # an executor is a JVM of its own: it registers some seconds after the driver
        session.session()
        if len(_tasks_by_executor()) == 2:
            break
        time.sleep(0.2)
    before = _tasks_by_executor()
    assert len(before) == 2 and ENGINE.target == cluster
    # other tests of this process have ended a Java process, which the status then tells
    assert ENGINE.status.startswith(f"Spark on {cluster.address}.")
    yield
    after = _tasks_by_executor()
    assert all(after[executor] > before[executor] for executor in before), (before, after)


@pytest.mark.usefixtures("on_both_executors")
@pytest.mark.parametrize("strategy", [strategy for strategy in STRATEGIES if strategy != "range"])
def test_each_strategy_gives_on_a_cluster_what_the_preview_shows(strategy: Any) -> None:
    measured = real.run_on_spark(PartitioningParams(strategy=strategy, keys=("origin",)))
    assert not measured.n_other and measured.where.startswith("Spark on spark://")
    assert measured.rows.tolist() == measured.expected.tolist()


@pytest.mark.usefixtures("on_both_executors")
def test_every_cure_of_the_skew_answers_alike_on_a_cluster() -> None:
    result = skew_clinic.run(SMALL_SKEW)
    assert result.same_answers and len(result.outcomes) == len(SMALL_SKEW.asked)
    assert {task.executor for outcome in result.outcomes for task in outcome.trace.tasks} == {
        "0",
        "1",
    }


@pytest.mark.usefixtures("on_both_executors")
def test_the_lazy_ledger_names_the_executors_of_a_cluster() -> None:
    params = lazy.LazyParams(chain=("repartition by dest", "add gain"), action="collect")
    result = lazy.run(params)
    assert result.jobs_before_action == 0 and {task.executor for task in result.trace.tasks} == {
        "0",
        "1",
    }


@pytest.mark.usefixtures("on_both_executors")
def test_the_cache_of_a_cluster_is_that_of_its_executors() -> None:
    result = cache.run(SMALL_CACHE)
    assert result.n_executors == 2 and result.storage_limit_bytes == 2 * result.executor_limit_bytes
    assert (
        model.regions(result.heap_bytes, session.MEMORY_FRACTION).unified
        == result.executor_limit_bytes
    )
    assert result.evicted == 0 and "All 2 executors can hold" in " ".join(result.why)


@pytest.mark.usefixtures("on_both_executors")
def test_spark_beside_pandas_works_on_a_cluster() -> None:
    result = crossover.run(
        crossover.CrossoverParams(work="join", n_rows=100_000, contestants=(), repeats=1)
    )
    assert result.same_answers and {cell.contestant for cell in result.cells} == {"pandas", "Spark"}


@pytest.mark.usefixtures("on_both_executors")
def test_every_api_answers_alike_on_a_cluster() -> None:
    result = apis.run(apis.ApisParams(months=1, repeats=1))
    assert result.same_answers and len(result.outcomes) == 5


@pytest.mark.usefixtures("on_both_executors")
def test_accumulators_and_broadcast_variables_reach_both_executors() -> None:
    counts = shared_variables.count_rows(shared_variables.AccumulatorParams())
    assert counts.complete and counts.wrong
    shipped = shared_variables.ship(shared_variables.BroadcastParams())
    assert shipped.complete


@pytest.mark.usefixtures("on_both_executors")
def test_the_console_and_the_partition_count_answer_on_a_cluster() -> None:
    found = sql.run(sql.SqlParams(n_rows=1_000))
    assert found.same and sum(found.answer.rows()["flights"]) == 336_776
    result = tuner.run(tuner.TunerParams(max_partitions=4, repeats=1))
    executors = {task.executor for point in result.points for task in point.trace.tasks}
    assert executors == {"0", "1"} and result.aqe_partitions >= 1
    assert (
        result.cores == ENGINE.cores == 2
    )  # two workers of one core each, whatever this machine has
