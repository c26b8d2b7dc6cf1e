"""Architecture: what each call touches against what is known of Feast, rows and ages against the
landings themselves.
"""

from __future__ import annotations

import sqlite3
import sys
from datetime import timedelta

import numpy as np
import pytest

from engine import scripts, workspace
from engine.feature_store import calls, skew
from engine.feature_store.calls import CallsParams, figure
from engine.feature_store.calls.result import CALLS, EXPECTED, code_of
from engine.feature_store.calls.trace import watching
from engine.feature_store.feast_repo import EVENT
from tests.engine.printed import run_script

BOTH, ONLINE = CallsParams(), CallsParams(push="online")


@pytest.mark.parametrize("params", [BOTH, ONLINE], ids=["both", "online"])
def test_each_call_touches_the_components_that_are_expected(params: CallsParams) -> None:
    result = calls.run(params)
    early = calls.expected(params)
    assert {call.name: set(call.touched) for call in result.calls} == {
        call.name: set(call.touched) for call in early.calls
    }
    assert early.verdict.startswith("Not measured yet. Expected: ")
    assert set(EXPECTED) == set(CALLS) == {call.name for call in result.calls}
    for call in result.calls:
        assert set(call.seconds) == set(call.entries) and min(call.seconds.values()) >= 0
        if "online store" not in call.touched:
            assert not call.statements, "no SQL without the online store"


def test_rows_and_ages_are_those_of_the_landings() -> None:
    result = calls.run(BOTH)
    frame = calls.landings().to_pandas()
    mine = frame[frame["tailnum"] == result.plane]
    cut = calls.NOW - timedelta(hours=BOTH.batch_hours)
    loaded = frame[frame[EVENT] <= cut]
    assert result.named("apply").n_rows == result.named("serve too soon").n_rows == 0
    assert result.named("serve too soon").age_hours is None
    n_rows = len(calls.FEATURES) * loaded["tailnum"].nunique()
    assert result.named("materialize").n_rows == result.named("push").n_rows == n_rows
    before, after = mine[mine[EVENT] <= cut].iloc[-1], mine.iloc[-1]
    for name, row in (("serve", before), ("serve again", after)):
        call = result.named(name)
        assert call.value == pytest.approx(row["mean_delay"])
        age = (calls.NOW - row[EVENT]).total_seconds() / 3600
        assert call.age_hours == pytest.approx(age, abs=1 / 3600)
    assert result.age_after_hours < 1 < BOTH.batch_hours <= result.age_before_hours
    assert result.skew_lost == skew.run(skew.SkewParams()).auc_lost > 0.05


def test_the_sql_of_the_online_store_is_seen() -> None:
    result = calls.run(BOTH)
    table = f"playground_{calls.VIEW}"
    inserted = dict(result.named("materialize").statements)[f"INSERT {table}"]
    assert inserted == result.named("materialize").n_rows
    assert dict(result.named("push").statements)[f"INSERT {table}"] == len(calls.FEATURES)
    assert dict(result.named("serve").statements) == {f"SELECT {table}": 1}
    entered = {what for where, what, _ in result.named("serve").functions if where != "SDK"}
    assert any("online" in what for what in entered)


def test_training_sees_a_push_only_where_it_went_to_both() -> None:
    assert calls.run(BOTH).training_sees_push == "yes"
    result = calls.run(ONLINE)
    assert result.training_sees_push == "no"
    assert result.named("train again").value == result.named("train").value
    assert any(reason.startswith("**Pushed online only**") for reason in result.why)


def test_the_script_prints_the_headline() -> None:
    params = CallsParams(batch_hours=24, push="online")
    assert run_script(scripts.render(params)) == calls.run(params).headline()
    assert not list((workspace.server() / "scratch").glob("feast-calls-*"))


def test_figures_light_what_was_touched_and_looking_elsewhere_asks_for_nothing() -> None:
    result = calls.run(CallsParams(call="serve"))
    assert result.calls is calls.run(BOTH).calls
    drawn = figure.architecture(result)
    lit = {trace.name: set(trace.ids or ()) for trace in drawn.data if trace.mode == "markers"}
    assert lit["passed"] == {"your code", *result.shown.touched}
    assert {"offline store", "feature server"} <= lit["not passed"]
    bars = figure.freshness(result).data[0].x
    assert list(bars) == [0.0, result.age_before_hours, result.age_after_hours]
    assert result.plane in code_of(result.params, result.plane)
    assert result.table().num_rows == sum(len(call.touched) for call in result.calls)


def test_the_watcher_leaves_nothing_behind() -> None:
    connection = sqlite3.connect(":memory:")
    before = sys.getprofile()
    with watching() as trace:
        connection.execute('CREATE TABLE "t" (a)')
        connection.executemany('INSERT INTO "t" VALUES (?)', [(1,), (2,)])
    connection.execute('SELECT * FROM "t"')
    assert sys.getprofile() is before
    assert dict(trace.statements) == {"CREATE t": 1, "INSERT t": 2}
    assert not trace.entries and not np.any(list(trace.seconds.values()))
