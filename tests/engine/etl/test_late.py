"""Late data: every count by brute force over rows and runs, the cursor by real SQL over open
transactions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import scripts
from engine.errors import InputError
from engine.etl import late
from engine.etl.late import LateParams, Rows, figure
from engine.etl.late import cursor as late_cursor
from engine.etl.late.cursor import Commits
from tests.engine.printed import run_script

SMALL = {"n_days": 5}


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"watermark_hours": 0, "lookback_days": 0, "lag_minutes": 30, "first_day": 38},
        {"lookback_days": 9, "seed": 3},
    ],
)
def test_the_script_runs_every_day_and_every_transaction_in_duckdb(setting: dict[str, Any]) -> None:
    params = LateParams(**{**SMALL, **setting})
    assert run_script(scripts.render(params)) == late.run(params).headline()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 95), st.floats(0, 200)), min_size=1, max_size=30),
    st.integers(0, 72),
    st.integers(0, 5),
)
def test_runs_by_brute_force(
    drawn: list[tuple[float, float]], watermark: int, look_back: int
) -> None:
    event = np.array([hour for hour, _ in drawn])
    rows = Rows(event, event + np.array([delay for _, delay in drawn]), (event // 24).astype(int))
    late_by = late.runs_late(rows, watermark)
    for day, arrival, found in zip(
        rows.day.tolist(), rows.arrival_hour.tolist(), late_by.tolist(), strict=True
    ):
        run = day
        while (run + 1) * 24 + watermark < arrival:
            run += 1
        assert found == run - day
    counted = [sum(late_by <= days) / len(late_by) for days in (0, look_back)]
    assert late.completeness(rows, np.array([float(watermark)]), (0, look_back))[
        0
    ].tolist() == pytest.approx(counted)


def test_rewritten_rows_by_brute_force() -> None:
    result = late.run(LateParams(**SMALL, lookback_days=2))
    rows, p = result.rows, result.params
    written = touched = 0
    for run in range(60):
        now, before = (run + 1) * 24 + p.watermark_hours, run * 24 + p.watermark_hours
        there = rows.arrival_hour <= now
        for day in range(p.n_days):
            of_day = rows.day == day
            n = int((of_day & there).sum())
            if run - p.lookback_days <= day <= run:
                written += n
            if day == run or (day < run and (of_day & there & (rows.arrival_hour > before)).any()):
                touched += n
    assert (result.n_rewritten, result.n_rewritten_touched) == (written, touched)
    assert result.n_first + result.n_corrected + result.n_missed == result.n_rows


def test_lookback_needed_is_the_least_that_misses_none() -> None:
    needed = late.run(LateParams(**SMALL, late_hours=6)).lookback_needed
    assert late.run(LateParams(**SMALL, late_hours=6, lookback_days=needed)).n_missed == 0
    assert late.run(LateParams(**SMALL, late_hours=6, lookback_days=needed - 1)).n_missed > 0


def test_the_outage_holds_back_only_la_guardia() -> None:
    quiet, down = (late.stream(LateParams(**SMALL, outage_hours=hours)) for hours in (0, 48))
    start = (5 // 3) * 24 + 12
    moved = quiet.arrival_hour != down.arrival_hour
    assert moved.any() and np.array_equal(quiet.event_hour, down.event_hour)
    assert (quiet.arrival_hour[moved] >= start).all() and (
        quiet.arrival_hour[moved] < start + 48
    ).all()
    assert (
        (down.arrival_hour[moved] >= start + 48) & (down.arrival_hour[moved] <= start + 48.5)
    ).all()


# ---- the cursor


def test_a_cursor_by_hand() -> None:
    """Rows stamped 1, 2, 3; the first commits at 15, after the read at 10 has seen 3."""
    stream = Commits(
        np.array([1.0, 2.0, 3.0]),
        np.array([15.0, 2.0, 3.0]),
        np.array([True, False, False]),
        np.array([10.0, 20.0]),
    )
    import duckdb

    with duckdb.connect() as connection:
        visible = late_cursor.transact(connection, stream)
    assert visible.tolist() == [1, 0, 0]
    assert late_cursor.follow(stream, visible, 0)[0].tolist() == [False, True, True]
    taken, n_reread = late_cursor.follow(stream, visible, 3)
    assert taken.all() and n_reread == 2
    assert late_cursor.needed_lag(stream, visible) == 3, (
        "2 minutes behind the cursor, and the window must reach beyond it"
    )


@pytest.mark.parametrize(("poll", "seed"), [(15, 0), (60, 1), (120, 2)])
def test_the_lag_needed_skips_none_and_a_minute_less_does(poll: int, seed: int) -> None:
    run = late.run(LateParams(**SMALL, poll_minutes=poll, slow_share=0.1, seed=seed)).cursor
    assert run.n_missed > 0 and run.lag_needed > 1
    assert late_cursor.follow(run.commits, run.visible, run.lag_needed)[0].all()
    assert not late_cursor.follow(run.commits, run.visible, run.lag_needed - 1)[0].all()


def test_duckdb_shows_a_row_at_the_first_read_after_its_commit() -> None:
    run = late.run(LateParams(**SMALL)).cursor
    expected = [int(np.argmax(run.commits.polls >= at)) for at in run.commits.committed_at]
    assert run.visible.tolist() == expected


def test_without_slow_transactions_the_cursor_is_whole() -> None:
    run = late.run(LateParams(**SMALL, slow_share=0.0)).cursor
    assert run.n_missed <= 1 and run.n_slow == 0


# ---- words, figures, rules


def test_words_follow_the_numbers() -> None:
    result = late.run(LateParams(**SMALL))
    assert (
        f"**{result.n_missed:,} of {result.n_rows:,} rows" in result.verdict
        and len(result.verdict) <= 190
    )
    whole = late.run(LateParams(**SMALL, lookback_days=14, late_hours=1))
    assert whole.verdict.startswith(f"**All {whole.n_rows:,} rows** are counted")
    assert any(
        f"{result.cursor.n_missed:,} of {result.cursor.n_rows:,}" in why for why in result.why
    )
    table = result.table()
    assert (
        sum(table["n_rows"].to_pylist()) == result.n_rows
        and sum(table["n_missed"].to_pylist()) == result.n_missed
    )
    assert sum(table["n_rewritten"].to_pylist()) == result.n_rewritten


def test_figures_show_the_results_numbers_and_stay_small() -> None:
    result = late.run(LateParams(n_days=28, first_day=100))
    chart = figure.scatter(result, late.run(LateParams(**SMALL)))
    marks = [trace for trace in chart.data if trace.mode == "markers"]
    assert (
        sum(len(trace.x) for trace in marks) <= figure.MAX_MARKS and len(chart.to_json()) < 300_000
    )
    assert (
        any(f"never counted: {result.n_missed:,}" in trace.name for trace in marks)
        and "sample" in marks[0].name
    )
    assert str(result.n_missed) in chart.layout.title.text
    days = figure.by_day(result)
    assert sum(days.data[0].y) == result.n_corrected and sum(days.data[1].y) == result.n_missed
    cursor = figure.cursor(result)
    assert len(cursor.data[0].x) + len(cursor.data[1].x) == result.cursor.n_rows
    trade = figure.trade_off(result)
    at_six = list(trade.data[1].x).index(6)
    assert trade.data[1].y[at_six] == pytest.approx(100 * result.missed_share, abs=1e-3)


def test_the_days_must_lie_within_the_year() -> None:
    with pytest.raises(InputError, match="first_day must be 1–352 for 14 days. Got 360."):
        LateParams(first_day=360)
