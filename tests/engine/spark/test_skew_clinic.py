"""Skew clinic: every cure on the real Spark gives NumPy's rows; words and alerts by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from engine import scripts
from engine.spark import session, skew, skew_clinic
from engine.spark.partitioning import hash_partition
from engine.spark.skew_clinic import REMEDIES, Outcome, SkewClinicParams, SkewClinicResult
from engine.spark.skew_clinic import figure as figures
from engine.spark.tasks import Stage, Task, Trace
from tests.engine.printed import run_script

SMALL = SkewClinicParams(n_rows=20_000, exponent=1.5, n_partitions=6, n_salts=4, threshold_kb=16)


@pytest.fixture(scope="module")
def result() -> SkewClinicResult:
    return skew_clinic.run(SMALL)


def test_every_cure_gives_the_rows_that_numpy_gives(result: SkewClinicResult) -> None:
    assert [outcome.remedy for outcome in result.outcomes] == list(REMEDIES) and result.complete
    assert {outcome.answer for outcome in result.outcomes} == {
        result.expected
    } and result.same_answers
    assert {outcome.n_joined for outcome in result.outcomes} == {20_000}


def test_tasks_read_what_the_preview_says(result: SkewClinicResult) -> None:
    """A joining task reads its rows of the large table, and those of the small one that fall
    to it.
    """
    plain, salted = result.outcome_of("plain join"), result.outcome_of("salting")
    assert plain is not None and salted is not None
    assert 0 <= plain.largest - result.plain_largest <= 1_000
    assert 0 <= salted.largest - result.salted_largest <= 4_000
    assert len(plain.trace.widest) == 6 and plain.trace.spill_bytes == 0
    adaptive, broadcast = result.outcome_of("AQE skew join"), result.outcome_of("broadcast")
    assert adaptive is not None and len(adaptive.trace.widest) > 6, "the skewed partition was cut"
    assert adaptive.largest < plain.largest
    assert (
        broadcast is not None
        and broadcast.largest == 0
        and broadcast.trace.shuffle_bytes < plain.trace.shuffle_bytes / 5
    )


def test_lanes_are_the_cores_of_the_executor(result: SkewClinicResult) -> None:
    cores = session.session().sparkContext.defaultParallelism
    for outcome in result.outcomes:
        assert {task.executor for task in outcome.trace.tasks} == {"driver"}
        assert {task.lane for task in outcome.trace.tasks} <= set(range(cores))
        assert min(task.start_seconds for task in outcome.trace.tasks) == 0.0


def test_the_script_prints_the_headline(result: SkewClinicResult) -> None:
    assert run_script(scripts.render(SMALL)) == result.headline()


def test_the_expected_answer_by_brute_force() -> None:
    table = skew.facts(SMALL.source).to_pydict()
    sums: dict[int, list[int]] = {}
    for key, amount in zip(table["key"], table["amount"], strict=True):
        cell = sums.setdefault(key % skew.N_REGIONS, [0, 0])
        cell[0] += amount
        cell[1] += 1
    rows = sorted((f"region {region}", total, n) for region, (total, n) in sums.items())
    assert skew_clinic.expected_answer(SMALL.source) == skew.digest(rows)


def task(seconds: float, rows: int = 10, stage: int = 1, lane: int = 0, start: float = 0.0) -> Task:
    return Task(stage, 0, 0, "driver", lane, start, seconds, seconds, rows, 0, 0, 0, False)


def outcome(*seconds: float, read: int = 200_000, spill: int = 0) -> Outcome:
    tasks = tuple(
        task(s, rows=round(100 * s), lane=i % 2, start=i / 10) for i, s in enumerate(seconds)
    )
    return Outcome(
        "plain join",
        Trace(2.0, 1, (Stage(1, "join", len(tasks), read, 50, spill),), tasks),
        "abc",
        20_000,
    )


def test_alerts_name_the_rule_that_fired() -> None:
    (skewed,) = outcome(0.1, 0.1, 0.5).alerts
    assert (skewed.kind, skewed.finding) == (
        "Skew",
        "5.0× the median of 3",
    ) and skewed.rule.startswith("longest task of the join > 3")
    assert outcome(0.3, 0.3, 0.5).alerts == []
    (spill,) = outcome(0.3, 0.3, spill=2_000_000).alerts
    assert (spill.finding, spill.rule) == ("2.00 MB went to disk", "spilled bytes > 0")
    tiny = outcome(*[0.01] * 20).alerts
    assert [alert.kind for alert in tiny] == ["Tiny tasks", "Wasted cores"] and tiny[
        0
    ].finding == "half of 20 take less than 10 ms"
    twice = replace(
        skew_clinic.preview(SMALL), outcomes=(outcome(0.1, 0.1, 0.5), outcome(0.1, 0.1, 0.6))
    )
    (line,) = twice.alerts
    assert line.startswith(
        "**Skew** · plain join (5.0× the median of 3), plain join (6.0× the median of 3)"
    )


def test_words_by_hand() -> None:
    start = skew_clinic.preview(SMALL)
    assert (
        start.verdict.startswith("Not measured yet. Expected from the hash: ")
        and start.table().num_rows == 0
    )
    alone = replace(start, outcomes=(outcome(0.3, 0.5),))
    assert alone.verdict == "The plain join takes 2.00 s; its largest task has 50 rows."
    slower = replace(alone.outcomes[0], remedy="salting", trace=Trace(3.0, 1, (), ()))
    fastest = replace(alone, outcomes=(*alone.outcomes, slower))
    assert fastest.verdict.startswith("The **plain join** is fastest (2.00 s)")
    assert "rows that DIFFER from NumPy's" in alone.why[-1]
    better = Outcome("broadcast", Trace(1.0, 1, (), ()), start.expected, 20_000)
    both = replace(start, outcomes=(outcome(0.3, 0.5), better))
    assert (
        both.verdict
        == "**broadcast** is 2.0× faster than the plain join: 1.00 s against 2.00 s. No task of 50"
        " rows is left: the large table is not shuffled."
    )
    assert both.salting_gain == start.plain_largest / start.salted_largest > 1


def test_the_figure_marks_the_longest_task(result: SkewClinicResult) -> None:
    figure = figures.gantt(result, result)
    n_tasks = sum(len(outcome.trace.tasks) for outcome in result.outcomes)
    assert len(figure.data[0].y) + len(figure.data[1].y) + len(figure.data[2].y) == n_tasks
    assert (
        len(figure.data[1].y) == len(REMEDIES) and "core 1" in figure.layout.yaxis.categoryarray[-1]
    )
    start = skew_clinic.preview(SMALL)
    assert list(figures.gantt(start).data[0].x)[:2] == [start.plain_largest, start.salted_largest]


def test_salted_sizes_are_counted_row_by_row() -> None:
    table = skew.facts(SMALL.source)
    salt = pa.array([row % 4 for row in table["row"].to_pylist()], pa.int32())
    sizes = np.bincount(hash_partition([table["key"], salt], 6))
    assert skew_clinic.preview(SMALL).salted_largest == sizes.max()
