"""Streaming: the expected batches against a brute force of the definition, and against Spark's."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import scripts, workspace
from engine.etl import streaming
from engine.etl.streaming import StreamingParams, StreamingResult, figure, real
from engine.etl.streaming.params import WINDOWS, Mode
from engine.etl.streaming.result import ALL
from engine.etl.streaming.source import Rows, rows_of
from engine.jobs import run_to_end
from engine.spark import restarts, session
from tests.engine.printed import run_script

MODES = get_args(Mode)


def rows_like(files: list[tuple[int, list[int]]]) -> Rows:
    """Return rows of the files given: the hour of each, and the event minutes in it."""
    hour = np.array([hour for hour, events in files for _ in events], np.int64)
    event = np.array([event for _, events in files for event in events], np.int64)
    names = np.array([f"row {i}" for i in range(len(event))], object)
    return Rows(names, event, hour * 60, hour)


def some_rows(seed: int = 0) -> Rows:
    """Return 240 rows in 4 files, a third of them late by up to five hours."""
    rng = np.random.default_rng(seed)
    files = []
    for hour in (6, 7, 8, 10):
        events = 60 * hour + rng.integers(-15, 60, 60)
        files.append((hour, (events - (rng.random(60) < 0.3) * rng.integers(0, 300, 60)).tolist()))
    # the third file is late as a whole: the watermark does not move
    files[2] = (8, [min(event, 7 * 60) for event in files[2][1]])
    return rows_like(files)


@given(
    st.lists(st.lists(st.integers(0, 900), min_size=1, max_size=8), min_size=1, max_size=6),
    st.sampled_from(WINDOWS),
    st.sampled_from([0, 15, 60, 240]),
    st.sampled_from(MODES),
)
def test_files_are_counted_as_the_definition_says(
    files: list[list[int]], window: int, delay: int, mode: Mode
) -> None:
    params = StreamingParams(delay_minutes=delay, window_minutes=window, mode=mode)
    result = streaming.count(rows_like(list(enumerate(files, 4))), params)
    fates: list[bool] = []
    counts: dict[int, int] = {}
    written: set[int] = set()
    for number, (events, file) in enumerate(zip(files, result.files, strict=True)):
        before = [event for earlier in files[:number] for event in earlier]
        watermark = max(before) - delay if before else None
        after = max(before + events) - delay
        lost = set()
        for event in events:
            start = event - event % window
            drop = mode != "complete" and watermark is not None and start + window <= watermark
            fates.append(drop)
            if drop:
                lost.add(start)
            else:
                counts[start] = counts.get(start, 0) + 1
        ended = {start for start in counts if mode != "complete" and start + window <= after}
        touched = {event - event % window for event in events} - lost
        out = {"append": ended - written, "update": touched, "complete": set(counts)}[mode]
        written |= ended
        assert file.out == tuple(sorted((start, counts[start]) for start in out))
        assert file.state == tuple(sorted((s, n) for s, n in counts.items() if s not in ended))
        assert file.batches[0].n_dropped == len(lost) and file.batches[0].newest == max(events)
        assert file.batches[0].watermark == watermark
        assert file.batches[-1].n_state == len(file.state)
        moved = watermark is None or after > watermark
        assert len(file.batches) == 1 + (moved and mode != "complete")
    assert result.dropped.tolist() == fates


@pytest.fixture(scope="module")
def measured() -> dict[str, StreamingResult]:
    """Return what Spark makes of the same rows in each output mode."""
    return {
        mode: run_to_end(real.arriving(some_rows(), StreamingParams(mode=mode))) for mode in MODES
    }


@pytest.mark.parametrize("mode", MODES)
def test_spark_reports_what_is_expected_of_every_micro_batch(
    mode: Mode, measured: dict[str, StreamingResult]
) -> None:
    result = measured[mode]
    assert result.complete and len(result.measured) == 4 and result.differing() == []
    sizes = [batch.state_bytes for file in result.measured for batch in file.batches]
    assert all(size and size > 0 for size in sizes)
    counted = sum(n for file in result.measured for _, n in file.out)
    if mode == "append":  # each row is written once, waits in the state, or was dropped
        assert counted + sum(n for _, n in result.measured[-1].state) + result.n_dropped == 240
    if mode == "complete":
        assert counted > 240 and result.n_dropped == 0
        assert sum(n for _, n in result.measured[-1].out) == 240


def test_late_rows_are_kept_dropped_and_reported_less_often(
    measured: dict[str, StreamingResult],
) -> None:
    result = measured["append"]
    assert 0 < result.n_dropped < result.n_late
    reported = sum(batch.n_dropped for file in result.measured for batch in file.batches)
    assert reported == result.n_reported < result.n_dropped
    assert len(result.measured[2].batches) == 1, "a file that moves no watermark is one batch"
    other = replace(result.measured[0], out=((0, 1),))
    wrong = replace(result, measured=(other, *result.measured[1:]))
    assert [file.hour for file in wrong.differing()] == [6]


def test_a_cancelled_run_stops_its_query_and_deletes_its_files() -> None:
    steps = real.arriving(some_rows(), StreamingParams())
    while not (progress := next(steps)).partial.measured:
        pass
    folders = list((workspace.server() / "scratch").glob("streaming-*"))
    assert len(folders) == 1 and (folders[0] / "in" / "06.json").exists()
    assert not progress.partial.complete
    steps.close()
    assert not folders[0].exists()
    jobs = session.session().sparkContext.statusTracker().getActiveJobsIds()
    assert list(jobs) == []


def test_a_run_is_repeated_when_spark_dies_between_two_files() -> None:
    assert real.steps.__code__ is restarts.repeat_if_spark_ends(real.steps).__code__
    rows = some_rows()
    few = Rows(*(getattr(rows, name)[:120] for name in Rows.__slots__))
    steps = restarts.repeated(lambda: real.arriving(few, StreamingParams()))
    while not next(steps).partial.measured:
        pass
    session.ENGINE.kill()
    result = run_to_end(steps)
    assert len(result.measured) == 2 and result.complete and result.differing() == []
    assert list((workspace.server() / "scratch").glob("streaming-*")) == []


def test_the_script_reproduces_the_headline() -> None:
    params = StreamingParams(origin="LGA", day=10, delay_minutes=0, mode="update")
    assert run_script(scripts.render(params)) == streaming.run(params).headline()


def test_the_rows_are_the_flights_that_left() -> None:
    rows = rows_of(StreamingParams())
    assert len(rows.event) == 305 and (np.diff(rows.arrival) >= 0).all()
    assert rows.hour.min() >= 4 and rows.hour.max() <= 29
    (late,) = np.flatnonzero((rows.event == 13 * 60) & (rows.arrival > 23 * 60))
    assert rows.arrival[late] - rows.event[late] == 634  # the longest delay of the day


def test_stepping_draws_what_has_arrived() -> None:
    result = streaming.run(StreamingParams())
    for until in (4, 12, ALL):
        figure_at = figure.arrivals(result, until, result)
        shown = sum(len(trace.x) for trace in figure_at.data[:3])
        assert shown == int((result.rows.hour < until).sum())
        state = result.arrived(until)[-1].state if until > 4 else ()
        assert len(figure_at.layout.shapes) == len(state)
        assert len(result.late_rows(until)) == int((result.late & (result.rows.hour < until)).sum())
        figure.state(result, until)
    assert "46 of 305 flights dropped" in result.verdict and result.n_late == 59
    assert [row["outcome"] for row in result.late_rows(ALL)].count("dropped") == 46
    assert result.table().num_rows == sum(len(file.batches) for file in result.files)
