"""Partition count: AQE's number is that of the tasks that ran and that its plan names; words and
figures by hand.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from engine import data, scripts
from engine.spark import session, tuner
from engine.spark.tasks import Stage, Task, Trace
from engine.spark.tuner import Point, TunerParams, TunerResult, figure, jobs
from tests.engine.printed import run_script

SMALL = TunerParams(workload="group-by", max_partitions=16, target_kb=128, repeats=1)


@pytest.fixture(scope="module")
def result() -> TunerResult:
    return tuner.run(SMALL)


def test_each_number_asked_for_is_the_number_of_tasks_run(result: TunerResult) -> None:
    assert result.complete and [point.n for point in result.points] == [1, 4, 16]
    for point in result.points:
        assert point.trace.stages[-1].n_tasks == point.n and len(point.seconds) == 1
        assert 0 < point.overhead_share < 1 and point.trace.spill_bytes == 0
    flights = (
        data.load("flights")
        .select(["tailnum", "dest"])
        .group_by(["tailnum", "dest"])
        .aggregate([])
        .num_rows
    )
    read = sum(
        task.n_rows_read
        for task in result.points[0].trace.tasks_of(result.points[0].trace.stages[-1].id)
    )
    assert flights <= read <= 2 * flights, "partial sums of two map tasks"


def test_aqes_choice_is_in_its_final_plan_and_in_the_tasks_that_ran(result: TunerResult) -> None:
    assert result.adaptive is not None and 1 < result.aqe_partitions < 16
    live = session.session().newSession()
    for key, value in jobs.settings(16, SMALL.target_kb).items():
        live.conf.set(key, value)
    frame = jobs.frame(live, "group-by", 1)
    assert "AQEShuffleRead" not in frame._jdf.queryExecution().toString()
    frame.collect()
    plan = frame._jdf.queryExecution().executedPlan()
    read = (
        plan.executedPlan().plan().toString()
        if "QueryStage" in plan.executedPlan().nodeName()
        else plan.toString()
    )
    assert "AQEShuffleRead coalesced" in read
    assert frame._jdf.queryExecution().toRdd().getNumPartitions() == result.aqe_partitions


def test_the_script_prints_the_headline(result: TunerResult) -> None:
    assert run_script(scripts.render(SMALL)) == result.headline()
    assert run_script(scripts.render(replace(SMALL, copies=3)))["asked for"] == SMALL.numbers[-1]


def point(n: int, *seconds: float, spill: int = 0) -> Point:
    stage = Stage(1, "last", n, 8_000_000, 8_000_000, spill)
    task = Task(1, 0, 0, "driver", 0, 0.0, 0.4, 0.3, 10, 0, 0, spill, False)
    return Point(n, seconds, Trace(seconds[-1], 1, (stage,), (task,) * n))


def test_words_by_hand() -> None:
    start = TunerResult(TunerParams(max_partitions=16))
    low, high = start.at_cores
    assert f"Expected: **{low}–{high} partitions**" in start.verdict and len(start.why) == 3
    assert start.table().num_rows == 0 and start.by_size == 1
    shape = replace(
        start,
        points=(point(1, 2.0, 2.2), point(4, 1.0, 1.2), point(16, 3.0, 3.4)),
        adaptive=point(5, 1.5),
    )
    assert shape.best.n == 4 and shape.is_u and shape.aqe_partitions == 5 and shape.by_size == 8
    assert (
        shape.verdict
        == "**4 partitions** are fastest: 1.10 s. 1 takes 1.9× as long, 16 take 2.9× as long."
        " AQE chose 5."
    )
    assert shape.why[0].startswith("**A U:** ")
    assert "25% with 1 partition, 25% with 16 partitions" in shape.why[1]
    assert "8.00 MB with 1" in shape.why[2] and "Nothing spilled" in shape.why[2]
    flat = replace(start, points=(point(1, 1.0, 1.3), point(4, 1.0, 1.2), point(16, 0.9, 1.4)))
    assert "not significantly: 1 to 16 are within the spread" in flat.verdict
    rising = replace(start, points=(point(1, 1.0, 1.0), point(16, 2.0, 2.0)))
    assert rising.why[0].startswith("**No U here:** too many are slower, but 1 is within")
    falling = replace(start, points=(point(1, 2.0, 2.0, spill=3_000_000), point(16, 1.0, 1.0)))
    assert falling.why[0].startswith("**No U here:** too few are slower")
    assert "Up to 3.00 MB spilled to disk, with 1 partition." in falling.why[2]


def test_one_number_is_selected_beside_the_fastest_and_aqes(result: TunerResult) -> None:
    rows = result.rows(16)
    assert rows[0]["partitions"] == "16 (selected)" and rows[1]["partitions"].endswith("(fastest)")
    assert rows[2]["partitions"] == f"{result.aqe_partitions} (AQE)"
    assert result.table().num_rows == 4 and sum(result.table()["aqe"].to_pylist()) == 1


def test_figures(result: TunerResult) -> None:
    curve = figure.curve(result, 4, result)
    assert curve.layout.xaxis.type == "log" and list(curve.data[0].x) == [1, 4, 16]
    named = {trace.name: trace for trace in curve.data}
    assert list(named[f"AQE: {result.aqe_partitions}"].x) == [result.aqe_partitions]
    assert list(named["selected"].x) == [4] and any(
        re.match("2–4 per core", name) for name in named
    )
    predicted = {trace.name: trace for trace in figure.curve(TunerResult(SMALL)).data}
    assert list(predicted["not measured yet"].x) == [1, 4, 16] and "not measured yet" not in named
    bars = figure.overhead(result)
    whole = sum(task.seconds for task in result.points[-1].trace.tasks)
    assert bars.data[0].y[-1] + bars.data[1].y[-1] == pytest.approx(whole)
    gantt = figure.gantt(result, 16)
    assert sum(len(trace.y) for trace in gantt.data) == len(result.points[-1].trace.tasks)
