"""The cluster that the page starts: pandas' answer, before and after an executor is killed in
mid-shuffle, loopback only, and nothing left of it.
"""

from __future__ import annotations

import time
from dataclasses import replace

import psutil
import pytest

from engine import scripts, workspace
from engine.spark import cluster
from engine.spark.cluster import ClusterParams, delays, etl, figure
from engine.spark.cluster.result import ClusterResult, Executor, Run, TaskAttempt, Worker
from tests.engine.printed import run_script

BY_HAND = ClusterParams(kill="by hand", wait_seconds=0.5)


def children() -> set[psutil.Process]:
    return {*psutil.Process().children(recursive=True)}


def press_while_it_runs(params: ClusterParams, executor: str) -> tuple[ClusterResult, bool]:
    """Run, and press the button of an executor once the second stage is half way; return the result
    and whether the button was there.
    """
    steps, pressed = cluster.steps(params), False
    while True:
        try:
            partial = next(steps).partial
        except StopIteration as stop:
            return stop.value, pressed
        if partial is not None and not pressed and executor in partial.can_kill:
            done = sum(one.n_done for one in partial.run.stages if one.stage == 2)
            if done >= 2:
                cluster.kill(params, executor)
                pressed = True


@pytest.fixture(scope="module")
def result() -> ClusterResult:
    before = children()
    found, pressed = press_while_it_runs(BY_HAND, "1")
    assert pressed
    for _ in range(100):  # killed processes are gone a moment later
        if children() <= before:
            break
        time.sleep(0.1)
    assert children() <= before
    assert not [*(workspace.server() / "scratch").glob("cluster-*")]
    return found


def test_the_answer_is_that_of_pandas_before_and_after_the_loss(result: ClusterResult) -> None:
    first, second = result.runs
    assert result.complete and result.same_answers
    assert first.answer == second.answer == delays.expected()
    assert result.headline()["flights"] == 327_346
    assert run_script(scripts.render(BY_HAND)) == result.headline()


def test_the_undisturbed_run_needs_each_task_once(result: ClusterResult) -> None:
    first = result.runs[0]
    assert len(first.tasks) == first.n_done == sum(delays.N_TASKS) and not first.again
    assert [one.n_tasks for one in first.stages] == [*delays.N_TASKS]
    assert {task.executor for task in first.tasks} == {"0", "1"}


def test_what_the_lost_executor_held_runs_again_and_no_more(result: ClusterResult) -> None:
    second = result.runs[1]
    assert [name for name, _ in second.killed] == ["1"]
    held = {
        (task.stage, task.partition)
        for task in second.tasks
        if task.executor == "1" and task.status == "SUCCESS"
    }
    again = {(task.stage, task.partition) for task in second.again}
    assert again and again <= held and second.n_again == len(again)
    assert len(second.stages) > len(delays.N_TASKS), "a stage has a second attempt"
    (lost,) = [one for one in second.executors if one.id == "1"]
    assert lost.removed is not None
    assert second.n_done == sum(delays.N_TASKS)


def test_every_process_listens_on_loopback_alone(result: ClusterResult) -> None:
    assert result.addresses and {one.removeprefix("::ffff:") for one in result.addresses} <= {
        "127.0.0.1",
        "::1",
    }
    assert len(result.workers) == 2 and {one.cores for one in result.workers} == {1}
    assert 0 < result.held_bytes < 4e9


def test_the_etl_writes_what_duckdb_finds_although_it_loses_an_executor() -> None:
    params = ClusterParams(work="ETL", wait_seconds=0.3)
    found = cluster.run(params)
    assert found.same_answers and found.runs[1].answer == etl.expected()
    assert [name for name, _ in found.run.killed] == ["1"] and found.n_again
    for run in found.runs:  # each month is in one folder, each row once
        assert [file.month for file in run.files] == [*range(1, 13)]
        rows = {month: rows for month, rows, *_ in run.answer or ()}
        assert {file.month: file.n_rows for file in run.files} == rows
        assert {run.executor_of(file) for file in run.files} <= {"0", "1", "2"}
    assert sum(len(bar.x) for bar in figure.files(found).data) == 12
    assert run_script(scripts.render(params)) == found.headline()


def test_the_figure_has_a_lane_for_each_executor_and_marks_what_ran_again(
    result: ClusterResult,
) -> None:
    drawn = figure.cluster(result)
    bars = {trace.name: trace for trace in drawn.data if trace.type == "bar"}
    assert len(bars[figure.AGAIN].x) == len(result.run.again)
    assert len(bars[figure.FAILED].x) == result.run.n_failed
    assert sum(len(bar.x) for bar in bars.values()) == len(result.run.tasks)
    texts = " ".join(str(one.text) for one in drawn.layout.annotations)
    assert "executor 1 killed" in texts and "lost after" in texts


def test_a_task_ran_again_only_if_it_had_finished() -> None:
    def task(partition: int, executor: str, start: float, status: str) -> TaskAttempt:
        return TaskAttempt(1, 0, partition, executor, start, 1.0, status)

    finished, cut = task(0, "1", 0.0, "SUCCESS"), task(1, "1", 1.0, "FAILED")
    unfetched, anew = task(0, "0", 2.0, "FAILED"), task(0, "0", 3.0, "SUCCESS")
    retried = task(1, "0", 4.0, "SUCCESS")
    run = Run("disturbed", tasks=(finished, cut, unfetched, anew, retried))
    assert run.again == {anew} and run.n_again == 1 and run.n_failed == 2 and run.n_done == 2


def test_only_a_run_that_goes_on_offers_to_kill_and_only_who_is_there() -> None:
    there = (Executor("0", 1, -1.0, None), Executor("1", 1, -1.0, 2.0))
    on = ClusterResult(BY_HAND, runs=(Run("undisturbed"), Run("disturbed", executors=there)))
    assert on.can_kill == ("0",)
    assert not replace(on, runs=on.runs[1:]).can_kill and not replace(on, complete=True).can_kill
    cluster.kill(ClusterParams(wait_seconds=1.9), "0")  # of a cluster that is not there: nothing


def test_before_the_start_only_the_picture_is_drawn() -> None:
    drawn = figure.cluster(ClusterResult(ClusterParams()))
    assert not any(trace.type == "bar" for trace in drawn.data)
    assert len(drawn.layout.shapes) == 4
    worker = Worker(1, 1, 2**30, ())
    started = figure.cluster(ClusterResult(ClusterParams(), workers=(worker,)))
    assert "no executor yet" in " ".join(str(one.text) for one in started.layout.annotations)
