"""The lab attached by Spark Connect: a real Connect server. What it cannot do is said; what it can,
agrees.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from engine.jobs import Progress, run_to_end
from engine.spark import apis, cache, crossover, lazy, session, skew_clinic, sql, tuner
from engine.spark.apis import shared_variables
from engine.spark.partitioning import PartitioningParams, real
from engine.spark.session import ENGINE
from engine.spark.target import Target
from tests.engine.spark import cluster

NEEDS_A_CONTEXT: dict[str, Callable[[], Any]] = {
    "skew clinic": lambda: skew_clinic.run(skew_clinic.SkewClinicParams()),
    "lazy ledger": lambda: lazy.run(lazy.LazyParams()),
    "cache": lambda: cache.run(cache.CacheParams()),
    "Spark or pandas": lambda: crossover.run(crossover.CrossoverParams(n_rows=10_000, repeats=1)),
    "APIs": lambda: apis.run(apis.ApisParams()),
    "Spark SQL": lambda: sql.run(sql.SqlParams()),
    "accumulators": lambda: shared_variables.count_rows(shared_variables.AccumulatorParams()),
    "broadcast": lambda: shared_variables.ship(shared_variables.BroadcastParams()),
    "partition count": lambda: tuner.run(tuner.TunerParams()),
}


@pytest.fixture(scope="module", autouse=True)
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder: Path = tmp_path_factory.mktemp("connect")
    with cluster.attached("PLAYGROUND_SPARK_REMOTE", cluster.connect(folder)) as place:
        yield place


@pytest.mark.parametrize("strategy", ["hash", "bucketing"])
def test_spark_connect_partitions_as_the_preview_shows(connected: Target, strategy: Any) -> None:
    measured = real.run_on_spark(PartitioningParams(strategy=strategy, keys=("origin",)))
    assert not measured.n_other and measured.where == f"Spark Connect at {connected.address}"


def test_what_a_run_sets_over_spark_connect_concerns_nobody_else() -> None:
    run_to_end(
        session.act(
            lambda spark: spark.conf.set("spark.sql.shuffle.partitions", "77"), Progress(0.1)
        )
    )
    assert session.session().conf.get("spark.sql.shuffle.partitions") != "77"


def test_a_cancel_over_spark_connect_stops_its_own_run_alone() -> None:
    slow = (
        "select count(*) from range(0, 4, 1, 2) where reflect('java.lang.Thread', 'sleep', 300000L)"
        " is null"
    )
    doomed = session.act(lambda spark: spark.sql(slow).collect(), Progress(0.1, "sleeping"))
    next(doomed)
    time.sleep(1)
    began = time.monotonic()
    doomed.close()
    assert time.monotonic() - began < 60
    assert run_to_end(session.act(lambda spark: spark.range(10).count(), Progress(0.1))) == 10


@pytest.mark.parametrize("experiment", NEEDS_A_CONTEXT)
def test_what_spark_connect_cannot_do_is_said(experiment: str) -> None:
    with pytest.raises(
        InputError, match=r"Spark Connect has no .+\. Unset PLAYGROUND_SPARK_REMOTE, or attach with"
    ):
        NEEDS_A_CONTEXT[experiment]()


def test_after_spark_connect_the_lab_can_have_a_spark_of_its_own_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ENGINE.stop()
    monkeypatch.delenv("PLAYGROUND_SPARK_REMOTE")
    assert session.session().range(5).count() == 5 and ENGINE.target.kind == "local"
