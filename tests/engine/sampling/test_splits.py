"""Splits: scikit-learn's folds by its own splitters, purging by brute force, empty folds by
counting all splits.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, scripts
from engine.errors import InputError
from engine.sampling import splits
from engine.sampling.splits import (
    LEFT_OUT,
    SCHEMES,
    TEST,
    TRAIN,
    Rows,
    Scores,
    SplitsParams,
    figure,
)
from engine.units import format_share
from tests.engine.printed import run_script


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("n_splits", [2, 5, 7])
def test_the_script_splits_with_scikit_learn_alone(scheme: Any, n_splits: int) -> None:
    params = SplitsParams(scheme=scheme, n_splits=n_splits, n_rows=1_000, rate=0.005, seed=n_splits)
    assert run_script(scripts.render(params)) == splits.run(params).headline()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_row_is_tested_once_and_groups_stay_together(scheme: Any) -> None:
    result = splits.run(SplitsParams(scheme=scheme))
    tested = (result.roles == TEST).sum(axis=0)
    assert tested.max() == 1 and (scheme == "time series" or tested.min() == 1)
    assert ((result.roles == LEFT_OUT).any()) == (scheme in ("time series", "purged, embargo"))
    days = (result.rows.hour // 24).astype(int)
    for role in result.roles:
        train, test = set(days[role == TRAIN].tolist()), set(days[role == TEST].tolist())
        assert "by day" not in scheme or not train & test
        if scheme == "time series":
            assert max(train) + 2 <= min(test) + 1, "two days of gap, to the row"
    if scheme.startswith("stratified"):
        by_day = splits.run(SplitsParams(scheme="by day"))
        assert np.ptp(result.positives(TEST)) < np.ptp(by_day.positives(TEST))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 300), min_size=6, max_size=40),
    st.integers(2, 4),
    st.integers(1, 40),
    st.integers(0, 48),
)
def test_purging_by_brute_force(
    hours: list[int], n_splits: int, horizon: int, embargo: int
) -> None:
    hour = np.sort(np.array(hours, dtype=float))
    for train, test in splits.purged(hour, n_splits, horizon, embargo):
        kept = set(train.tolist())
        end = hour[test].max() + horizon
        for row in set(range(len(hour))) - set(test.tolist()):
            spanned = hour[row] < end and hour[row] + horizon > hour[test].min()
            embargoed = end <= hour[row] < end + embargo
            assert (row in kept) is not (spanned or embargoed)
        meets = [
            hour[a] < hour[b] + horizon and hour[b] < hour[a] + horizon for a in kept for b in test
        ]
        assert not any(meets)


def test_overlaps_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    hour = np.sort(rng.integers(0, 200, 80)).astype(float)
    role = rng.integers(0, 3, 80)
    expected = [
        role[i] == TRAIN and any(abs(hour[i] - hour[j]) < 5 for j in np.flatnonzero(role == TEST))
        for i in range(80)
    ]
    assert splits.overlapping(hour, role, 5).tolist() == expected
    assert not splits.overlapping(hour, np.full(80, TRAIN), 5).any()


# ---- folds without positives


@pytest.mark.parametrize(
    ("n", "positives", "k"), [(6, 2, 3), (7, 3, 3), (8, 4, 2), (7, 2, 2), (9, 4, 4)]
)
def test_the_chance_of_an_empty_fold_counts_all_splits(n: int, positives: int, k: int) -> None:
    fold = np.repeat(np.arange(k), [n // k + (i < n % k) for i in range(k)])
    ways = list(itertools.combinations(range(n), positives))
    empty = sum(len(set(fold[list(way)])) < k for way in ways)
    assert splits.chance_of_empty(n, positives, k) == pytest.approx(empty / len(ways))


def test_the_chance_by_hand_and_simulated() -> None:
    assert splits.chance_of_empty(1_000, 1, 5) == 1, "one positive leaves four folds empty"
    assert splits.chance_of_empty(10, 10, 5) == 0
    exact = splits.chance_of_empty(1_500, 15, 5)
    assert splits.simulated_empty(1_500, 15, 5, 0) == pytest.approx(
        exact, abs=4 * (exact * (1 - exact) / 2_000) ** 0.5
    )


# ---- the label and the scores


def test_the_label_by_brute_force() -> None:
    rows = splits.year(500, 6)
    flights = (
        data.load("flights")
        .select(["origin", "dep_time", "time_hour", "month", "day", "hour"])
        .to_pandas()
    )
    hour = (flights["time_hour"].dt.dayofyear - 1) * 24 + flights["hour"]
    order = np.argsort(hour.to_numpy(), kind="stable")
    by_time = flights.sort_values("time_hour", kind="stable").index.to_numpy()
    order = by_time[np.argsort(hour.to_numpy()[by_time], kind="stable")]
    taken = order[np.linspace(0, len(order) - 1, 500).astype(int)]
    cancelled = flights["dep_time"].isna().to_numpy()
    for place in (0, 77, 250, 499):
        row = taken[place]
        ahead = (hour - hour[row]).to_numpy()
        same = (flights["origin"] == flights["origin"][row]).to_numpy() & (ahead >= 0) & (ahead < 6)
        assert rows.hour[place] == hour[row]
        assert rows.y[place] == (cancelled[same].mean() >= 0.05)


def test_later_rows_share_no_answer_with_earlier_ones() -> None:
    earlier, later = splits.development(SplitsParams(horizon_hours=100))
    assert later.hour.min() - earlier.hour.max() >= 100 and len(earlier.y) == 3_000


def test_shuffled_folds_estimate_too_high_and_purged_ones_come_closest() -> None:
    """As in Leakage, Time splits: the two tabs must teach the same."""
    steps = splits.score_steps(SplitsParams())
    seen = [next(steps)]
    try:
        while True:
            seen.append(next(steps))
    except StopIteration as end:
        scores = end.value
    assert len(seen) == 1 + 5 * len(SCHEMES) and not seen[-1].partial.complete
    assert seen[5].partial is None, "nothing is drawn before the first scheme has its scores"
    assert tuple(scores.by_scheme) == SCHEMES and scores.complete
    assert scores.mean("shuffled") > scores.later_auc + 0.1 > scores.mean("time series") + 0.1
    apart = {scheme: abs(scores.mean(scheme) - scores.later_auc) for scheme in SCHEMES}
    assert min(apart, key=lambda scheme: apart[scheme]) == "purged, embargo"


def test_the_preview_is_the_logistic_model_on_few_rows() -> None:
    asked = SplitsParams(n_splits=3)
    preview = splits.preview(asked)
    quick = splits.scores(SplitsParams(n_splits=3, model="logistic", n_rows=1_000))
    assert preview.by_scheme == quick.by_scheme and preview.is_preview and not preview.complete


def test_a_stratified_split_is_promised_no_more_than_it_holds() -> None:
    """Two positives cannot fill five folds."""
    few, enough = (splits.run(SplitsParams(rate=rate)).why[-1] for rate in (0.001, 0.005))
    assert "fewer positives than folds" in few and "fewer positives" not in enough


def test_scores_in_words_by_hand() -> None:
    scores = Scores({"shuffled": (0.9, 0.8), "by day": (0.7, float("nan"))}, 0.72)
    assert scores.verdict == (
        "Shuffled folds estimate AUC 0.850; the last quarter gave **0.720**. Closest estimate:"
        " “by day”, 0.700."
    )
    first, second = scores.rows()
    assert first["estimate − last quarter"] == "+0.130"
    assert second["folds with one class only"] == "1"
    one_class = Rows(np.zeros((3, 1)), np.zeros(3, int), np.arange(3.0))
    assert np.isnan(splits.score(one_class, one_class, "logistic", 0))


def test_a_gap_that_leaves_nothing_is_a_sentence() -> None:
    with pytest.raises(
        InputError, match="gap_days must leave rows to train on in the first fold. Got 30 days."
    ):
        splits.run(SplitsParams(scheme="time series", n_splits=10, gap_days=30))


# ---- figures


def test_figures_show_the_results_numbers() -> None:
    result = splits.run(SplitsParams(scheme="purged, embargo", n_rows=2_000))
    band = figure.bands(result)
    assert (
        np.array_equal(np.asarray(band.data[0].z), result.roles) and len(band.to_json()) < 100_000
    )
    assert band.layout.yaxis.ticktext[0] == f"fold 1 · {format_share(result.positives(TEST)[0])}"
    empty = figure.empty_folds(result)
    assert empty.data[0].y[0] == 100 and list(empty.data[0].y) == sorted(
        empty.data[0].y, reverse=True
    )
    scores = Scores({"shuffled": (0.9, 0.8), "by day": (0.7, float("nan"))}, 0.72)
    chart = figure.scheme_scores(scores)
    assert list(chart.data[0].x) == [0.9, 0.8, 0.7] and list(chart.data[2].x) == [0.72, 0.72]
    beside = figure.scheme_scores(scores, Scores({"shuffled": (0.5, 0.7)}, 0.6))
    (pinned,) = (trace for trace in beside.data if trace.name == "mean, run A")
    assert list(pinned.x) == [pytest.approx(0.6)] and list(pinned.y) == ["shuffled"]
    assert result.table().num_rows == 5 and result.table()["n_left_out"].to_pylist()[0] > 0
