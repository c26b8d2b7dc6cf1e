"""APIs: five ways give pandas' rows; doors and rows to Python as Spark has them; accumulators and
broadcasts by hand.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from engine import data, scripts
from engine.jobs import run_to_end
from engine.spark import apis, session
from engine.spark.apis import ApisParams, ApisResult, Operator, Outcome, jobs, shared_variables
from engine.spark.apis import figure as figures
from engine.spark.apis.jobs import APIS, JOBS
from engine.spark.apis.shared_variables import (
    CASES,
    LOST,
    AccumulatorParams,
    BroadcastParams,
    Count,
)
from tests.engine.printed import run_script

SMALL = ApisParams(months=1, repeats=1)
N_JANUARY, N_KNOWN, N_JFK = 27_004, 26_398, 9_161


@pytest.fixture(scope="module")
def gain() -> ApisResult:
    return apis.run(SMALL)


@pytest.fixture(scope="module")
def late() -> ApisResult:
    return apis.run(replace(SMALL, workload=JOBS[1], arrow_udf=True))


def january() -> pd.DataFrame:
    flights = data.load("flights").to_pandas()
    return flights[flights["month"] == 1]


def test_every_api_gives_the_rows_that_pandas_gives(gain: ApisResult, late: ApisResult) -> None:
    flights = january()
    flights["value"] = flights["dep_delay"] - flights["arr_delay"]
    gained = flights.dropna(subset="value").groupby("carrier")["value"].agg(["count", "sum"])
    chosen = (
        (flights["arr_delay"] > 30)
        & (flights["arr_delay"] > flights["dep_delay"])
        & (flights["origin"] == "JFK")
    )
    delayed = flights[chosen].groupby("dest")["arr_delay"].agg(["count", "sum"])
    for result, wanted in ((gain, gained), (late, delayed)):
        rows = tuple(
            (str(key), int(row["count"]), int(row["sum"]))
            for key, row in wanted.sort_index().iterrows()
        )
        assert result.complete and {outcome.api for outcome in result.outcomes} == set(APIS)
        assert (
            result.expected == rows
            and {outcome.answer for outcome in result.outcomes} == {rows}
            and result.same_answers
        )


def test_rows_reach_python_where_and_as_often_as_spark_says(
    gain: ApisResult, late: ApisResult
) -> None:
    flights = january()
    assert (
        len(flights) == N_JANUARY
        and (flights["dep_delay"] - flights["arr_delay"]).notna().sum() == N_KNOWN
    )
    assert (flights["origin"] == "JFK").sum() == N_JFK
    for result in (gain, late):
        assert result.rdd_rows == N_JANUARY and result.same_plan
        for api in ("DataFrame", "SQL"):
            outcome = result.outcome_of(api)
            assert outcome is not None and (
                outcome.door,
                outcome.rows_to_python,
                outcome.bytes_to_python,
            ) == ("none", 0, 0)
    # The filter on the UDF's result is moved down and calls it; above it, it is called again for
    # what is left.
    assert gain.udf_rows == N_JANUARY + N_KNOWN and gain.udf_door == "BatchEvalPython"
    assert late.udf_rows == N_JFK and late.udf_door == "ArrowEvalPython"
    pandas_udf = gain.outcome_of("pandas UDF")
    assert (
        pandas_udf is not None
        and pandas_udf.door == "ArrowEvalPython"
        and pandas_udf.rows_to_python == gain.udf_rows
    )


def test_marked_non_deterministic_a_udf_sees_each_row_once() -> None:
    once = apis.run(replace(SMALL, once=True))
    assert once.calls_a_row == 1.0 and once.same_answers
    assert "called once per flight" in "\n".join(once.why)
    assert run_script(scripts.render(once.params)) == once.headline()


def test_the_script_prints_the_headline(gain: ApisResult, late: ApisResult) -> None:
    for result in (gain, late):
        assert run_script(scripts.render(result.params)) == result.headline()


def test_a_lineage_is_read_from_the_source_on() -> None:
    text = (
        "(2) PythonRDD[61] at collect []\n |  ShuffledRDD[59] at\n +-(2) PairwiseRDD[58] at\n    | "
        " FileScanRDD[51] at"
    )
    assert [(step.name, step.python) for step in apis.lineage(text)] == [
        ("FileScanRDD", False),
        ("PairwiseRDD", False),
        ("ShuffledRDD", False),
        ("PythonRDD", True),
    ]


def outcome(api: jobs.Api, *seconds: float, rows: int = 0) -> Outcome:
    steps = (Operator("Scan", "Scan", False), Operator("PythonRDD", "PythonRDD", True))[
        : 1 + bool(rows)
    ]
    return Outcome(api, seconds, (("AA", 1, 2),), steps, "", rows, 0, 0)


def test_words_by_hand() -> None:
    start = ApisResult(SMALL, (("AA", 1, 2),))
    assert (
        start.verdict
        == "Not measured yet. Expected: **3 of 5** APIs hand up to 27,004 rows to Python."
    )
    assert len(start.why) == 3 and start.table().num_rows == 0 and start.udf_door == "none"
    two = replace(start, outcomes=(outcome("RDD", 2.0, 3.0, 2.5, rows=10), outcome("SQL", 0.5)))
    assert two.verdict == "So far **SQL** is fastest: 500 ms (2 of 5 APIs measured)."
    others = tuple(outcome(api, 1.0) for api in APIS[1:] if api != "SQL")
    assert (
        replace(two, outcomes=two.outcomes + others).verdict
        == "**SQL** is 5.0× faster than **RDD**: 500 ms against 2.50 s; 10 of its rows leave the"
        " JVM for Python."
    )
    level = replace(start, outcomes=tuple(outcome(api, 1.0, 1.2) for api in APIS))
    assert level.verdict.startswith("**No clear winner:** ") and "RDD (1.10 s)" in level.verdict
    wrong = replace(start, expected=(("AA", 1, 3),), outcomes=level.outcomes)
    assert "rows that DIFFER from Arrow's" in wrong.why[-1] and not wrong.same_answers


def test_figures(gain: ApisResult) -> None:
    race = figures.race(gain, gain)
    assert list(race.data[0].y) == ["DataFrame", "SQL"] and set(race.data[1].y) == {
        "RDD",
        "Python UDF",
        "pandas UDF",
    }
    plans = figures.plans(gain)
    doors = next(trace for trace in plans.data if trace.name == figures.OUTSIDE)
    assert (
        set(doors.y) == {"RDD", "Python UDF", "pandas UDF"}
        and list(doors.y).count("Python UDF") == 2
    )
    assert len(figures.plans(gain, "SQL").layout.shapes) == 1, (
        "the lane of the plan that is shown below"
    )
    predicted = figures.race(ApisResult(SMALL, ()))
    crossed = {api: bar.x[i] > 0 for bar in predicted.data for i, api in enumerate(bar.y)}
    assert crossed.pop(figures.DATASET) is False
    assert crossed == {outcome.api: outcome.rows_to_python > 0 for outcome in gain.outcomes}, (
        "what is expected is measured"
    )


def test_accumulators_count_what_can_be_counted_by_hand() -> None:
    """A shuffle file is really lost, in a Spark of its own, and both map tasks run again."""
    params = AccumulatorParams(n_rows=1_000, n_tasks=2, lost_shuffle=True)
    result = shared_variables.count_rows(params)
    found = {count.case: (count.counted, count.n_failed) for count in result.counts}
    assert result.complete and len(found) == len(CASES) + 1
    assert (
        found["map, no action"] == (0, 0)
        and found["foreach"] == (1_000, 0)
        and found["map, count"] == (1_000, 0)
    )
    assert found["map, take(5)"] == (5, 0)
    assert found["map, count, count"] == (2_000, 0) and found["map, cache, count, count"] == (
        1_000,
        0,
    )
    failing = [counted for case, counted in found.items() if "task fails" in case]
    assert failing == [(1_000, 1)] * 2, "updates of the failed attempt are dropped"
    assert found[LOST][0] == 2_000 and found[LOST][1] >= 1
    assert [count.case for count in result.wrong] == [
        "map, no action",
        "map, take(5)",
        "map, count, count",
        LOST,
    ]
    assert result.verdict.startswith("**4 of 9** accumulators") and "failed task" in result.verdict
    assert len(figures.counts(result).data[1].y) == 4
    for case, counted in found.items():
        if case != LOST:
            assert counted[0] == shared_variables.expected_count(case, 1_000), case


def test_the_cache_of_the_servers_spark_outlives_the_lost_shuffle() -> None:
    kept = session.session().range(100).cache()
    assert kept.count() == 100
    held = session.session().sparkContext._jsc.getPersistentRDDs
    before = held().size()
    run_to_end(shared_variables.accumulator_steps(AccumulatorParams(n_rows=100, n_tasks=1)))
    assert any(info["numCachedPartitions"] for info in session.rest("storage/rdd"))
    assert held().size() == before, "what it cached itself is let go"
    kept.unpersist()


def test_a_broadcast_is_unpickled_once_a_worker_and_a_closure_once_a_task() -> None:
    result = shared_variables.ship(BroadcastParams(n_tasks=6))
    closures, broadcasts = result.shipments_by("closure"), result.shipments_by("broadcast")
    assert len(closures) == len(broadcasts) == len(shared_variables.TABLE_BYTES)
    for closure, broadcast in zip(closures, broadcasts, strict=True):
        assert closure.n_copies == 6 and broadcast.n_copies == broadcast.n_workers < 6
        assert closure.function_bytes > closure.table_bytes and broadcast.function_bytes < 2_000
        assert closure.unpickled_bytes == 6 * closure.table_bytes
    assert "6 tasks" in result.verdict and "**6 times** from a closure" in result.verdict
    assert "(PySpark broadcasts it)" in result.rows()[-2]["function each task reads"]
    assert len(figures.shipments(result).data[0].x) == 4


def test_words_before_anything_is_counted() -> None:
    counting = shared_variables.AccumulatorResult(AccumulatorParams())
    assert counting.verdict.startswith("Not measured yet.")
    expected = next(bar for bar in figures.counts(counting).data if bar.name == "expected")
    assert list(expected.x) == [0, *[10_000] * 2, 5, 20_000, *[10_000] * 3]
    one = replace(counting, counts=(Count("foreach", 10_000, 4, 0, ""),))
    assert one.verdict == "**0 of 1** accumulators do not count 10,000 rows."
    shipping = shared_variables.BroadcastResult(BroadcastParams())
    assert "**16 copies**" in shipping.verdict
    assert [line.name for line in figures.shipments(shipping).data if line.showlegend is None] == [
        "closure (expected)",
        "broadcast (expected)",
    ]


def test_the_chart_says_why_python_has_no_dataset(gain: ApisResult) -> None:
    for drawn in (figures.race(gain), figures.race(ApisResult(SMALL, ()))):
        lanes = [*drawn.layout.yaxis.categoryarray]
        assert {*lanes} == {*APIS, figures.DATASET}
        (bar,) = [one for one in drawn.data if tuple(one.y) == (figures.DATASET,)]
        assert [*bar.x] == [0]
        assert [one.y for one in drawn.layout.annotations] == [figures.DATASET]
