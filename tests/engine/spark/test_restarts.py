"""A run whose Spark dies under it: it is repeated by itself, once, with the right result; a second
death is said.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from engine.jobs import Progress, Steps, run_to_end
from engine.spark import apis, cache, crossover, lazy, restarts, session, skew_clinic, sql, tuner
from engine.spark.apis import shared_variables
from engine.spark.apis.jobs import APIS
from engine.spark.partitioning import PartitioningParams, real
from engine.spark.session import ENGINE
from engine.spark.skew_clinic import SkewClinicParams

RUNS: dict[str, tuple[Callable[[Any], Steps], Any, Callable[[Any], bool]]] = {
    "partitioning": (
        real.steps,
        PartitioningParams(strategy="hash", keys=("origin",)),
        lambda found: found.n_other == 0,
    ),
    "skew clinic": (
        skew_clinic.steps,
        SkewClinicParams(n_rows=10_000, cures=("plain join",)),
        lambda found: found.complete and found.same_answers,
    ),
    "lazy": (
        lazy.steps,
        lazy.LazyParams(),
        lambda found: found.n_rows > 0 and found.trace.n_jobs > 0,
    ),
    "cache": (
        cache.steps,
        cache.CacheParams(n_tables=2, n_rows=10_000),
        lambda found: found.complete and len(found.moments) == 3,
    ),
    "crossover": (
        crossover.steps,
        crossover.CrossoverParams(n_rows=10_000, contestants=(), repeats=1),
        lambda found: (
            found.complete and found.same_answers and not any(cell.refused for cell in found.cells)
        ),
    ),
    "apis": (
        apis.steps,
        apis.ApisParams(months=1, repeats=1),
        lambda found: found.complete and found.same_answers and len(found.outcomes) == len(APIS),
    ),
    "accumulators": (
        shared_variables.accumulator_steps,
        shared_variables.AccumulatorParams(n_rows=1_000),
        lambda found: found.complete and len(found.wrong) == 3,
    ),
    "broadcast": (
        shared_variables.broadcast_steps,
        shared_variables.BroadcastParams(n_tasks=4),
        lambda found: found.complete and all(one.n_copies for one in found.shipments),
    ),
    "sql": (
        sql.steps,
        sql.SqlParams(),
        lambda found: found.same and found.n_rows > 200,
    ),
    "tuner": (
        tuner.steps,
        tuner.TunerParams(max_partitions=4, repeats=1),
        lambda found: found.complete and found.aqe_partitions >= 1,
    ),
}

KILLED = (
    "skew clinic",  # several calls, under the wrapper that all the others have
    "cache",  # tidies up in the Java process that is gone
    "crossover",  # repeats a cell, not the run
)
OTHERS = [name for name in RUNS if name not in KILLED]


def kill() -> None:
    """End the Java process of this server's Spark by its own id, as the kernel does when memory is
    short.
    """
    jvm = psutil.Process(session.session().sparkContext._gateway.proc.pid)
    jvm.kill()


def kill_at_work(stop: threading.Event) -> None:
    """End it as soon as a Spark job runs: in the middle of what the steps wait for."""
    while not stop.wait(0.002):
        live = ENGINE.alive() and session.session()
        if live and live.sparkContext.statusTracker().getActiveJobsIds():
            kill()
            return


def test_a_run_starts_spark_that_died_before_it() -> None:
    steps, params, right = RUNS["partitioning"]
    kill()
    before = ENGINE.n_restarts
    assert ENGINE.cores and ENGINE.status, "what a page asks while nothing runs"
    assert right(run_to_end(steps(params))) and ENGINE.n_restarts == before + 1


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_runs_have_the_same_wrapper_and_are_right_on_a_new_java_process(
    name: str,
) -> None:
    steps, params, right = RUNS[name]
    assert steps.__code__ is restarts.repeat_if_spark_ends(steps).__code__
    if not ENGINE.n_restarts:
        session.session()
        kill()
    assert right(run_to_end(steps(params))) and ENGINE.n_restarts


@pytest.mark.parametrize("name", KILLED)
def test_a_run_is_repeated_when_spark_dies_under_it(name: str) -> None:
    steps, params, right = RUNS[name]
    session.session()
    before, stop, said = ENGINE.n_restarts, threading.Event(), []
    killer = threading.Thread(target=kill_at_work, args=(stop,))
    killer.start()
    running = steps(params)
    try:
        while True:
            said.append(next(running).message)
    except StopIteration as end:
        found = end.value
    finally:
        stop.set()
        killer.join()
    assert right(found) and ENGINE.n_restarts == before + 1
    ended = said.index(restarts.ENDED)
    assert ended > 0, "what died before the run is started, and nothing is said to be repeated"
    assert said[ended + 1].startswith(f"{restarts.ENDED} Now: ")
    assert not any(message.startswith(restarts.ENDED) for message in said[:ended])
    assert "was started again" in ENGINE.status


def test_a_death_between_two_calls_is_seen_although_nothing_failed() -> None:
    turns: list[int] = []

    def steps(_: int) -> Steps:
        turns.append(0)
        yield from session.act(lambda live: live.range(3).count(), Progress(0.1, "one"))
        if len(turns) == 1:
            kill()
        return (yield from session.act(lambda live: live.range(4).count(), Progress(0.5, "two")))

    assert run_to_end(restarts.repeat_if_spark_ends(steps)(0)) == 4 and len(turns) == 2


def test_a_second_death_is_said() -> None:
    before = ENGINE.n_restarts

    def steps(_: int) -> Steps:
        yield from session.begin()
        kill()
        yield from session.act(lambda live: live.range(3).count(), Progress(0.1))
        raise AssertionError("the process had ended")

    with pytest.raises(
        restarts.SparkEnded,
        match=r"ended twice during this run.*choose a smaller size, then Run again",
    ):
        run_to_end(restarts.repeat_if_spark_ends(steps)(0))
    assert session.session().range(5).count() == 5 and ENGINE.n_restarts > before


def test_an_error_that_is_no_death_is_left_as_it_is() -> None:
    def steps(_: int) -> Steps:
        yield from session.begin()
        raise KeyError("own")

    before = ENGINE.n_restarts
    with pytest.raises(KeyError, match="own"):
        run_to_end(restarts.repeat_if_spark_ends(steps)(0))
    assert ENGINE.n_restarts == before


def test_a_cancelled_run_is_not_repeated() -> None:
    ended: list[str] = []

    def steps(_: int) -> Steps:
        try:
            yield Progress(0.1, "first")
            yield Progress(0.2, "second")
        finally:
            ended.append("closed")

    running = restarts.repeat_if_spark_ends(steps)(0)
    next(running)
    running.close()
    assert ended == ["closed"]
