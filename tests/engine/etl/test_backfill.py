"""Backfill: the plan by hand, the outcome against the script and the source, the race of two
writers, cancelling.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc
import pytest

from engine import data, scripts
from engine.etl import backfill, flight_days, ledger
from engine.etl.backfill import BackfillParams, partitions, sources
from engine.etl.backfill import figure as figures
from engine.etl.backfill.partitions import FIRST_DAY, N_DAYS, TODAY
from tests.engine.printed import run_script

WEEK = (date(2013, 6, 24), date(2013, 6, 30))


@pytest.mark.parametrize(
    "params",
    [
        BackfillParams(latency_ms=0),
        BackfillParams(
            dates=WEEK, mode="all", guard="compare and swap", latency_ms=0, parallelism=2
        ),
        BackfillParams(
            dates=(date(2013, 5, 20), date(2013, 6, 2)), mode="missing", latency_ms=0, seed=3
        ),
        BackfillParams(dates=WEEK, dry_run=True),
        BackfillParams(dates=WEEK, daily_run=False, latency_ms=0),
    ],
)
def test_what_happens_against_the_script(params: BackfillParams) -> None:
    result = backfill.run(params)
    assert result.complete and run_script(scripts.render(params)) == result.headline()
    done = [task.day for task in result.tasks if task.worker >= 0]
    expected = [] if params.dry_run else [line.day for line in result.partitions if line.runs]
    assert sorted(done) == expected, "each partition of the plan once, and no other"
    assert result.table().num_rows == len(params.days)


def test_the_plan_by_hand() -> None:
    codes = partitions.initial_codes(0)
    assert codes.count("") == partitions.N_FAILED + 1 and codes[-1] == ""
    for mode, runs in (
        ("missing", {""}),
        ("missing or old code", {"", "v1"}),
        ("all", {"", "v1", "v2"}),
    ):
        params = BackfillParams(dates=(date(2013, 4, 1), date(2013, 6, 30)), mode=mode)  # type: ignore[arg-type]
        lines = backfill.plan(params, list(range(N_DAYS)))
        assert [line.runs for line in lines] == [code in runs for code in codes]
        assert [line.n_rows for line in lines] == list(range(N_DAYS))
        for line, code in zip(lines, codes, strict=True):
            says = {"": "missing", "v1": "made by v1", "v2": "has v2, forced"}
            assert line.reason == (says[code] if line.runs else f"skipped: has {code}")


def test_who_wins_today() -> None:
    race: dict[str, Any] = {"dates": WEEK, "latency_ms": 0}
    last = backfill.run(BackfillParams(**race))
    older, newer = (
        flight_days.rows_at(flight_days.midnight(TODAY + 1), TODAY),
        flight_days.truth(TODAY),
    )
    expected = ledger.reconcile(
        partitions.transform(newer, "v2"), partitions.transform(older, "v2"), flight_days.KEYS
    )
    assert (
        last.winner == "backfill"
        and last.today_wrong == expected.n_stale + expected.n_undeleted > 0
    )
    assert "the backfill wrote last" in last.verdict
    swap = backfill.run(BackfillParams(**race, guard="compare and swap"))
    assert swap.winner == "daily run" and swap.today_wrong == 0
    (left,) = [task for task in swap.tasks if task.outcome != "written"]
    assert (left.day, left.outcome) == (TODAY, "not written: another run wrote first")


def test_skipped_partitions_by_v2_still_lack_their_late_rows() -> None:
    result = backfill.run(BackfillParams(dates=WEEK, latency_ms=0, guard="compare and swap"))
    left = [
        n for n, line in zip(result.wrong_after, result.partitions, strict=True) if not line.runs
    ]
    assert (
        all(left)
        and sum(left) == result.n_wrong_after
        and f"{sum(left):,} wrong rows" in " ".join(result.why)
    )
    everything = backfill.run(
        BackfillParams(dates=WEEK, latency_ms=0, guard="compare and swap", mode="all")
    )
    assert everything.n_wrong_after == 0


def test_a_cancelled_backfill_leaves_whole_partitions_and_no_threads(tmp_path: Path) -> None:
    import threading

    steps = backfill.steps(BackfillParams(latency_ms=20, parallelism=2))
    seen = next(
        progress
        for progress in steps
        if progress.partial is not None and len(progress.partial.tasks) >= 2
    ).partial
    steps.close()
    assert not [
        thread
        for thread in threading.enumerate()
        if "work" in thread.name and thread.daemon and "jobs" not in thread.name
    ]
    assert 2 <= len(seen.tasks) < seen.n_will_run and not seen.complete
    assert f"**{len(seen.tasks)}** are done" in seen.verdict


def test_a_partition_is_replaced_only_if_it_is_the_one_that_was_read() -> None:
    with duckdb.connect() as connection:
        partitions.create(connection, 0)
        day = partitions.DEPLOYED
        rows = partitions.truth(day)
        assert (
            partitions.version(connection, day) == 1 and partitions.version(connection, TODAY) == 0
        )
        assert not partitions.write(connection, day, rows.slice(5), "v2", "late", expected=0)
        assert partitions.write(connection, day, rows, "v2", "backfill", expected=1)
        assert not partitions.write(connection, day, rows.slice(5), "v2", "late", expected=1)
        (found,), notes = partitions.read_back(connection, [day])
        assert (
            found.exact
            and notes[day] == ("v2", "backfill")
            and partitions.version(connection, day) == 2
        )


def test_the_new_rule_counts_fifteen_minutes_as_late() -> None:
    rows = flight_days.truth(FIRST_DAY)
    old, new = (partitions.transform(rows, code)["late"] for code in ("v1", "v2"))
    exactly = pc.sum(pc.equal(rows["arr_delay"], 15)).as_py()
    assert pc.sum(new).as_py() - pc.sum(old).as_py() == exactly > 0


def test_the_database_holds_the_flights_of_each_day() -> None:
    path = sources.settled(FIRST_DAY, N_DAYS)
    assert sources.read_day(path, FIRST_DAY + 5).equals(flight_days.truth(FIRST_DAY + 5))
    assert sources.read_day(path, FIRST_DAY + N_DAYS).num_rows == 0
    flights = data.load("flights").select(["month", "dep_time"]).to_pandas()
    flown = flights[flights["month"].between(4, 6)]["dep_time"].notna().sum()
    assert sum(sources.count_days(path, FIRST_DAY, N_DAYS)) == flown


def test_figures_show_the_calendar_and_the_workers() -> None:
    result = backfill.run(BackfillParams(dates=WEEK, latency_ms=0))
    figure = figures.calendar(result)
    codes = [row for week in zip(*figure.data[0].z, strict=True) for row in week]
    assert (
        codes == [partitions.CODES.index(code) for code in result.codes]
        and len(figure.to_json()) < 60_000
    )
    assert len(figure.layout.shapes) == result.n_will_run
    dots = next(trace for trace in figure.data if trace.name == "still wrong")
    assert len(dots.x) == sum(n > 0 for n in result.wrong_after)
    lanes = figures.workers(result)
    assert len(lanes.data[0].x) == len(result.tasks) and set(lanes.data[0].y) >= {"daily run"}
    dry = backfill.run(BackfillParams(dates=WEEK, dry_run=True))
    assert dry.verdict.startswith(f"Dry run: **{dry.n_will_run} of {dry.n_partitions}**")
    ahead = backfill.planned(BackfillParams(dates=WEEK))
    assert ahead.partitions == result.partitions and not ahead.complete and not ahead.tasks
    assert len(figures.calendar(ahead).layout.shapes) == result.n_will_run and ahead.why
