"""Change capture: every target against a replay of the change stream in dicts, freshness and
history by brute force.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import scripts
from engine.etl import change_capture, flight_days
from engine.etl.change_capture import (
    STRATEGIES,
    ChangeCaptureParams,
    ChangeCaptureResult,
    figure,
    targets,
)
from engine.etl.change_capture import changes as change_stream
from tests.engine.printed import run_script

SMALL: dict[str, Any] = {"n_flights": 60, "poll_minutes": 240, "batch_minutes": 60}
Rows = dict[str, dict[str, Any]]


def replay(changes: list[dict[str, Any]], guarded: bool) -> Rows:
    """Apply changes one by one to a dict; guarded: never an older one over a newer one."""
    rows: Rows = {}
    highest: dict[str, int] = {}
    for change in changes:
        flight = change["flight"]
        if guarded and change["lsn"] <= highest.get(flight, 0):
            continue
        highest[flight] = change["lsn"]
        if change["op"] == "delete":
            rows.pop(flight, None)
        else:
            rows[flight] = change
    return rows


def held(table: Any) -> dict[str, tuple[Any, ...]]:
    return {
        row["flight"]: (row["lsn"], row["dep_delay"], row["arr_delay"], row["updated_at"])
        for row in table.to_pylist()
    }


def wanted(rows: Rows) -> dict[str, tuple[Any, ...]]:
    return {
        flight: (c["lsn"], c["dep_delay"], c["arr_delay"], c["changed_at"])
        for flight, c in rows.items()
    }


def inputs(params: ChangeCaptureParams) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    day = (params.day, params.n_flights, params.n_revisions, params.seed)
    log = change_stream.deliver(*day, params.reorder_minutes, params.duplicate_share)
    return change_stream.stream(*day).table.to_pylist(), log.to_pylist()


def batches(log: list[dict[str, Any]], minutes: int, guarded: bool) -> list[dict[str, Any]]:
    """The last change of each flight in each batch, batch by batch."""
    kept: dict[tuple[int, str], dict[str, Any]] = {}
    for change in log:
        place = (int(np.ceil(change["arrived_at"] / minutes)), change["flight"])
        if place not in kept or not guarded or change["lsn"] > kept[place]["lsn"]:
            kept[place] = change
    return [{**kept[place], "batch": place[0]} for place in sorted(kept)]


@settings(max_examples=6, deadline=None)
@given(
    st.integers(0, 240),
    st.sampled_from([0.0, 0.3, 0.5]),
    st.sampled_from(targets.APPLIES),
    st.integers(0, 3),
    st.integers(0, 99),
)
def test_every_target_equals_its_replay(
    reorder: int, twice: float, apply: Any, revisions: int, seed: int
) -> None:
    params = ChangeCaptureParams(
        **SMALL,
        reorder_minutes=reorder,
        duplicate_share=twice,
        apply=apply,
        n_revisions=revisions,
        seed=seed,
    )
    result, (changes, log) = change_capture.run(params), inputs(params)
    guarded = apply == "by log position"
    truth = replay(changes, guarded=False)
    reload, cursor, logged, batched = (held(outcome.loaded.target) for outcome in result.outcomes)
    assert reload == wanted(truth)
    assert {flight: row for flight, row in cursor.items() if flight in truth} == wanted(truth)
    assert len(cursor) - len(truth) == result.cursor_undeleted
    assert logged == wanted(replay(log, guarded))
    assert batched == wanted(replay(batches(log, params.batch_minutes, guarded), guarded))
    if guarded:
        assert (
            result.outcome("change log").n_wrong == 0 and result.outcome("micro-batch").ledger.exact
        )


def polled_states(
    result: ChangeCaptureResult, changes: list[dict[str, Any]]
) -> list[tuple[float, Rows]]:
    moments = targets.polls(result.stream, result.params.poll_minutes)
    return [
        (at, replay([change for change in changes if change["changed_at"] <= at], False))
        for at in moments.tolist()
    ]


def test_full_reload_and_cursor_move_what_their_queries_return() -> None:
    result = change_capture.run(ChangeCaptureParams(**SMALL))
    changes, _ = inputs(result.params)
    states = polled_states(result, changes)
    assert result.outcome("full reload").loaded.n_moved == sum(len(rows) for _, rows in states)
    newer, cursor = 0, -1.0
    for _, rows in states:
        new = [change["changed_at"] for change in rows.values() if change["changed_at"] > cursor]
        newer, cursor = newer + len(new), max([cursor, *new])
    assert result.outcome("cursor").loaded.n_moved == newer
    assert result.outcome("full reload").n_versions == len(
        {c["lsn"] for _, rows in states for c in rows.values()}
    )


@pytest.mark.parametrize("apply", targets.APPLIES)
def test_minutes_until_visible_by_brute_force(apply: Any) -> None:
    params = ChangeCaptureParams(
        **{**SMALL, "n_flights": 25}, apply=apply, reorder_minutes=90, duplicate_share=0.3
    )
    result, (changes, log) = change_capture.run(params), inputs(params)
    guarded = apply == "by log position"
    at_batch = [(c["batch"] * 60.0, c) for c in batches(log, 60, guarded)]
    for name, applied in (
        ("change log", [(c["arrived_at"], c) for c in log]),
        ("micro-batch", at_batch),
    ):
        for place, change in enumerate(changes):
            times = [
                at
                for at, c in applied
                if c["flight"] == change["flight"] and c["lsn"] >= change["lsn"]
            ]
            waited = max(0.0, min(times, default=np.inf) - change["changed_at"])
            assert result.outcome(name).minutes[place] == pytest.approx(waited)  # type: ignore[arg-type]
    states = polled_states(result, changes)
    cursor = result.outcome("cursor").minutes
    for place, change in enumerate(changes):
        later = [
            at
            for at, rows in states
            if rows.get(change["flight"], {"lsn": 0})["lsn"] >= change["lsn"]
        ]
        assert cursor[place] == (
            pytest.approx(later[0] - change["changed_at"]) if later else np.inf
        )


@pytest.mark.parametrize("apply", targets.APPLIES)
def test_wrong_rows_at_any_moment_by_replay(apply: Any) -> None:
    params = ChangeCaptureParams(**SMALL, apply=apply, reorder_minutes=90, duplicate_share=0.3)
    result, (changes, log) = change_capture.run(params), inputs(params)
    moments = np.array([100.0, 700.0, 1100.0, 1500.0, 5000.0])
    wrong = change_capture.wrong_rows(result, moments)
    flights = {change["flight"] for change in changes}
    for place, moment in enumerate(moments):
        truth = replay([c for c in changes if c["changed_at"] <= moment], False)
        there = replay([c for c in log if c["arrived_at"] <= moment], apply == "by log position")
        lsn = lambda rows, flight: rows[flight]["lsn"] if flight in rows else 0  # noqa: E731
        assert wrong["change log"][place] == sum(
            lsn(truth, flight) != lsn(there, flight) for flight in flights
        )
    assert wrong["cursor"][-1] == result.cursor_undeleted and wrong["full reload"][-1] == 0


def test_the_log_by_position_keeps_the_whole_history_and_arrival_order_does_not() -> None:
    kept = change_capture.run(
        ChangeCaptureParams(**SMALL, reorder_minutes=240, duplicate_share=0.5)
    )
    assert (
        kept.outcome("change log").history.exact
        and kept.outcome("change log").n_versions == kept.n_versions
    )
    rows = kept.outcome("change log").loaded.history.to_pylist()
    changes, _ = inputs(kept.params)
    for row in rows:
        later = [c for c in changes if c["flight"] == row["flight"] and c["lsn"] > row["lsn"]]
        assert row["valid_to"] == (later[0]["changed_at"] if later else None)
    naive = change_capture.run(
        ChangeCaptureParams(
            **SMALL, reorder_minutes=240, duplicate_share=0.5, apply="as they arrive"
        )
    )
    assert (
        naive.outcome("change log").history.n_duplicated > 0
        and naive.outcome("change log").n_wrong > 0
    )


def test_the_stream_is_the_days_changes_with_estimates_before_they_leave() -> None:
    bare = change_stream.stream(39, 1_000, 0, 0)
    real = flight_days.changes(38, 1)
    assert (
        bare.table["op"].to_pylist() == real["op"].to_pylist()
        and bare.n_flights == 930
        and bare.deleted.sum() == 472
    )
    assert bare.table["dep_delay"].equals(real["dep_delay"]) and bare.table["arr_delay"].equals(
        real["arr_delay"]
    )
    more = change_stream.stream(39, 1_000, 3, 0)
    assert more.n == bare.n + 3 * 930 and (np.diff(more.at) >= 0).all()
    seen: dict[str, str] = {}
    for row in more.table.to_pylist():
        assert (row["flight"] in seen) == (row["op"] != "insert") and seen.get(
            row["flight"]
        ) != "delete"
        seen[row["flight"]] = row["op"]


def test_the_log_delivers_every_change_and_a_share_twice() -> None:
    changes = change_stream.stream(39, 1_000, 2, 0)
    log = change_stream.deliver(39, 1_000, 2, 0, 45, 0.25)
    counts = np.bincount(log["lsn"].to_numpy())[1:]
    assert (
        counts.min() == 1
        and counts.max() == 2
        and (counts == 2).mean() == pytest.approx(0.25, abs=0.03)
    )
    arrived = log["arrived_at"].to_numpy()
    assert (np.diff(arrived) >= 0).all()
    assert (arrived - log["changed_at"].to_numpy()).min() >= 0
    ordered = change_stream.deliver(39, 1_000, 2, 0, 0, 0.0)
    assert ordered["lsn"].to_pylist() == list(range(1, changes.n + 1))


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {
            "apply": "as they arrive",
            "reorder_minutes": 120,
            "duplicate_share": 0.4,
            "seed": 4,
            "poll_minutes": 60,
        },
    ],
)
def test_the_script_applies_change_by_change_in_sqlite(setting: dict[str, Any]) -> None:
    params = ChangeCaptureParams(**{**SMALL, **setting})
    assert run_script(scripts.render(params)) == change_capture.run(params).headline()


def test_words_and_figures_follow_the_numbers() -> None:
    result = change_capture.run(ChangeCaptureParams(**SMALL))
    naive = change_capture.run(
        ChangeCaptureParams(
            **SMALL, apply="as they arrive", reorder_minutes=240, duplicate_share=0.5
        )
    )
    assert (
        f"**{result.n_deletes:,} deletes**" in result.verdict
        and "CDC matches the source" in result.verdict
    )
    assert (
        f"{naive.outcome('change log').n_wrong:,} wrong rows**" in naive.verdict
        and len(naive.why) == 4
    )
    quiet = change_capture.run(ChangeCaptureParams(**{**SMALL, "n_flights": 20}, day=300))
    assert quiet.cursor_undeleted == quiet.n_deletes == 0 and "deletes**" not in quiet.verdict
    race = figure.race(result, naive)
    bars = {trace.y[0]: trace.x[0] for trace in race.data if trace.type == "bar"}
    assert bars == {outcome.strategy: outcome.loaded.n_moved for outcome in result.outcomes}
    assert [note.text for note in race.layout.annotations] == [
        "exact",
        f"{result.cursor_undeleted:,} not<br>deleted",
        "exact",
        "exact",
    ]
    wrong = figure.wrong_rows(result)
    assert [trace.name for trace in wrong.data] == list(STRATEGIES) and wrong.data[1].y[
        -1
    ] == result.cursor_undeleted
    key = result.most_divergent()
    lanes = figure.history(result, key)
    flight = result.stream.labels[key].as_py()
    source = [
        row for row in result.outcomes[0].history.source.to_pylist() if row["flight"] == flight
    ]
    assert sum(trace.y[0] == "source" for trace in lanes.data) == len(source)
    assert result.table().num_rows == 4 and len(result.rows()) == 4
    assert all(len(chart.to_json()) < 300_000 for chart in (race, wrong, lanes))
