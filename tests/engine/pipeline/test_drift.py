"""The distances against scipy and by hand; their false alarms by rows and by whole days; river's
detectors on streams with and without a change.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import drift as river_drift
from scipy.stats import ks_2samp, wasserstein_distance

from engine.jobs import run_to_end
from engine.pipeline import store
from engine.pipeline.drift import Reference
from engine.pipeline.records import Run
from engine.pipeline.stages import monitor
from engine.pipeline.stages.training_set import NAMES
from engine.pipeline.weeks import streams
from engine.pipeline.weeks.streams import DETECTORS, StreamsParams


def test_days_that_differ_alarm_by_day_though_not_by_row() -> None:
    rng = np.random.default_rng(0)
    alike = [rng.normal(0, 1, 900) for _ in range(8)]
    weather = [rng.normal(center, 1, 900) for center in (0, 0, 3, 3, 0, 3, 0, 3)]
    rows = np.concatenate(weather)
    assert set(monitor.false_alarms(rows, 2_000, rng).values()) == {0.0}
    assert set(monitor.false_alarms_by_day(alike, 4, rng).values()) == {0.0}
    by_day = monitor.false_alarms_by_day(weather, 4, rng)
    # only the deals with two warm days and two cold ones, 36 of 70, are alike
    assert all(abs(share - 34 / 70) < 0.3 for share in by_day.values())
    assert monitor.false_alarms_by_day(alike, 8, rng) == {}


def test_the_run_has_both_rates_with_their_sizes(run: Run) -> None:
    record = run.stages[-1]
    path = store.place("monitor", record.key) / "monitor.json"
    made = json.loads(path.read_text("utf-8"))
    assert set(made["false_alarms_by_day"]) == set(made["false_alarms"]) == set(NAMES)
    assert (made["draws"], made["deals"]) == (monitor.N_DRAWS, monitor.N_DEALS)
    temp = made["false_alarms_by_day"]["temp"]["ks"]
    assert made["false_alarms"]["temp"]["ks"] == 0 and temp > 0.5
    assert 1 <= made["batch_days"] <= 7


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_says_what_river_says_and_sees_a_jump(name: str) -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0, 1, 300), rng.normal(6, 1, 300)])
    found = streams.alarms(name, values)
    assert found and 300 <= found[0] < 420
    reader = river_drift.KSWIN(seed=0) if name == "KSWIN" else getattr(river_drift, name)()
    expected = []
    for place, value in enumerate(values):
        reader.update(float(value))
        if reader.drift_detected:
            expected.append(place)
    assert found == expected


def test_the_share_of_false_alarms_counts_streams_not_alarms() -> None:
    flat = streams.false_share("ADWIN", lambda number: np.zeros(200))
    jumps = streams.false_share("ADWIN", lambda number: np.repeat([0.0, 9.0, 0.0, 9.0], 200))
    half = streams.false_share("ADWIN", lambda number: np.repeat([0.0, 9.0 * (number % 2)], 200))
    assert (flat, jumps, half) == (0.0, 1.0, 0.5)


def test_the_streams_of_a_run_are_those_after_the_learned_days(run: Run) -> None:
    result = run_to_end(streams.steps(StreamsParams()))
    assert [(one.values, one.detector) for one in result.watched] == [
        (values, name) for values in (streams.ERROR, "temp") for name in DETECTORS
    ]
    frame, p, learned = streams.read("")
    reference, later, column = streams.standardized(frame, p, learned, "temp")
    assert reference.mean() == pytest.approx(0, abs=1e-9) and reference.std() == pytest.approx(1)
    assert len(later) == len(column) and later["event_timestamp"].is_monotonic_increasing
    assert set(later["flight_date"]).isdisjoint(frame.loc[learned, "flight_date"])
    for one in result.watched:
        assert 0 <= one.false_share <= 1 and (one.first is None) == (one.n_alarms == 0)
    assert len(result.rows()) == 6


@given(st.integers(0, 10_000))
def test_distances_are_nothing_for_the_reference_itself_and_grow_with_a_shift(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.normal(0, 2, 500)
    near, far = (Reference(reference).drift(reference + shift) for shift in (0.0, 4.0))
    assert all(abs(value) < 1e-9 for value in near.values())
    assert far["psi"] > 1 and far["ks"] > 0.5
    assert far["wasserstein"] == pytest.approx(4.0 / reference.std())


def test_psi_is_the_sum_over_ten_bins_worked_by_hand() -> None:
    reference = np.arange(100.0)
    batch = np.concatenate([np.arange(50.0), np.arange(50.0)])  # nothing in the upper half
    floor = 0.5 / 100
    expected = 5 * (0.2 - 0.1) * np.log(2) + 5 * (floor - 0.1) * np.log(floor / 0.1)
    assert Reference(reference).drift(batch)["psi"] == pytest.approx(expected)


NUMBERS = st.lists(st.integers(-5, 5) | st.floats(-50, 50), min_size=1, max_size=40)


@given(NUMBERS, NUMBERS)
def test_ks_and_wasserstein_are_those_of_scipy(batch: list[float], reference: list[float]) -> None:
    values = np.array(reference, float)
    found = Reference(values).drift(np.array(batch, float))
    assert found["ks"] == pytest.approx(ks_2samp(batch, reference, method="asymp").statistic)
    area = wasserstein_distance(batch, reference) / (values.std() or 1.0)
    assert found["wasserstein"] == pytest.approx(area, rel=1e-9, abs=1e-9)


def test_without_rows_there_is_no_distance() -> None:
    nothing, some = np.array([]), np.arange(3.0)
    for batch, reference in ((nothing, some), (some, nothing)):
        assert np.isnan(list(Reference(reference).drift(batch).values())).all()
