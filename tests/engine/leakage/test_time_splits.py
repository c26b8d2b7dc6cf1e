"""Time splits: folds against scikit-learn's own, purging and distances by brute force, the ladder
of promises.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit

from engine import scripts
from engine.errors import InputError
from engine.jobs import run_to_end
from engine.leakage import flights, time_splits
from engine.leakage.time_splits import (
    BOTH,
    NEVER,
    TEST,
    TRAIN,
    Distance,
    Scores,
    TimeSplitsParams,
    figure,
    scores,
    splits,
)
from engine.leakage.time_splits.splits import SCHEMES
from tests.engine.printed import run_script

DAY = np.repeat(np.arange(40), 3)
PLANE = np.arange(120) * 7 % 11


def folds(scheme: Any, **settings: int) -> splits.Folds:
    given = {"n_splits": 4, "gap_days": 0, "embargo_days": 0, "seed": 5} | settings
    return splits.folds(scheme, DAY, PLANE, **given)


# ---- the schemes


@pytest.mark.parametrize(
    ("scheme", "theirs"),
    [
        ("shuffled", lambda: KFold(4, shuffle=True, random_state=5).split(DAY)),
        ("by plane", lambda: GroupKFold(4).split(DAY, groups=PLANE)),
        ("by day", lambda: GroupKFold(4).split(DAY, groups=DAY)),
        ("by week", lambda: GroupKFold(4).split(DAY, groups=DAY // 7)),
    ],
)
def test_folds_are_scikit_learns(scheme: str, theirs: Any) -> None:
    for (train, test), (their_train, their_test) in zip(folds(scheme), theirs(), strict=True):
        assert train.tolist() == their_train.tolist() and test.tolist() == their_test.tolist()


def test_time_series_cuts_between_days_and_keeps_its_gap() -> None:
    for gap in (0, 3):
        ours = folds("time series, gap", gap_days=gap)
        for (train, test), (days, tested) in zip(
            ours, TimeSeriesSplit(4, gap=gap).split(np.arange(40)), strict=True
        ):
            assert (
                set(DAY[train]) == set(days)
                and set(DAY[test]) == set(tested)
                and len(train) == 3 * len(days)
            )
            assert DAY[test].min() - DAY[train].max() == gap + 1
    assert [len(train) for train, _ in folds("time series", gap_days=9)] == [
        len(train) for train, _ in folds("time series")
    ]
    with pytest.raises(
        InputError, match="gap_days must leave days to train on in the first fold. Got 8 days."
    ):
        folds("time series, gap", gap_days=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=8, max_size=50), st.integers(2, 4), st.integers(0, 12))
def test_purging_by_brute_force(days: list[int], n_splits: int, embargo: int) -> None:
    day = np.sort(np.array(days))
    if len(np.unique(day)) < n_splits:
        return
    seen = []
    for train, test in splits.purged(day, n_splits, embargo):
        kept, first, last = set(train.tolist()), day[test].min(), day[test].max()
        seen += test.tolist()
        for row in set(range(len(day))) - set(test.tolist()):
            meets = any(day[row] <= day[other] + 1 and day[other] <= day[row] + 1 for other in test)
            spanned = day[row] + 1 >= first and day[row] <= last + 1
            embargoed = last + 1 < day[row] <= last + 1 + embargo
            assert (row in kept) is not (meets or spanned or embargoed)
        assert not kept & set(test.tolist())
    assert sorted(seen) == list(range(len(day)))


def test_nearest_days_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    day = np.sort(rng.integers(0, 90, 60))
    order = rng.permutation(60)
    train, test = order[:20], order[20:]
    expected = [min(abs(int(day[i]) - int(day[j])) for j in train) for i in test]
    assert splits.nearest_days(day, train, test).tolist() == expected


# ---- on the flights


def test_rows_are_in_time_order_and_the_later_ones_later() -> None:
    drawn, table = time_splits.rows(2_000, 0), flights.table()
    assert (np.diff(drawn.day) >= 0).all() and len(drawn.used) == 2_000
    assert table.hour[drawn.later].min() // 24 > drawn.day.max()
    assert 0.24 < (len(table.y) - drawn.later.min()) / len(table.y) < 0.26


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_days_hold_and_how_far_training_is(scheme: Any) -> None:
    params = TimeSplitsParams(scheme=scheme)
    result = time_splits.run(params)
    shared = scheme in ("shuffled", "by plane")
    assert result.mixed_share == (pytest.approx(1, abs=0.01) if shared else 0)
    assert ((result.roles[scheme] == BOTH).mean() > 0.9) == shared
    assert (NEVER in result.roles[scheme]) == (scheme in ("time series, gap", "purged, embargo"))
    assert {TRAIN, TEST} <= set(result.roles[scheme].tolist()) or shared
    assert run_script(scripts.render(params)) == result.headline()
    assert result.table().num_rows == len(SCHEMES) * len(result.roles[scheme])


def test_the_estimates_step_down_to_what_came() -> None:
    scores: Scores = run_to_end(time_splits.score_steps(TimeSplitsParams()))
    assert tuple(scores.by_scheme) == SCHEMES and scores.complete
    assert scores.mean("shuffled") > scores.mean("by day") + 0.01 > scores.mean("by week") + 0.02
    assert abs(scores.mean("by plane") - scores.mean("shuffled")) < 0.01, "no measurable effect"
    assert scores.mean("by week") > scores.later_auc + 0.04
    assert all(abs(scores.mean(name) - scores.later_auc) < 0.08 for name in SCHEMES[4:])


def test_distance_rows_stay_away_and_are_as_many() -> None:
    day = (flights.table().hour // 24).astype(int)
    tests = []
    for days in (0, 1, 7, 28):
        train, test = scores.distance_rows(days, 3, 2_000, 0)
        tests.append(test)
        near = splits.nearest_days(day, train, test)
        assert len(train) == 2_000 and not set(train.tolist()) & set(test.tolist())
        assert near.min() >= days and (days or (near == 0).mean() > 0.5)
        assert set((day[test] - 9) % 60) == {0}
    assert all(test.tolist() == tests[0].tolist() for test in tests), (
        "the same rows are tested at each distance"
    )


def test_the_score_falls_with_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "DISTANCES", (0, 28))
    found = run_to_end(time_splits.distance_steps(TimeSplitsParams(n_rows=3_000)))
    assert (
        found.complete
        and [len(aucs) for aucs in found.aucs.values()] == [20, 20]
        and found.n_test_days == 122
    )
    assert found.lost[0] > 0.02
    curve = Distance(10, 5, {0: np.array([0.7, 0.8]), 28: np.array([0.6, 0.7])})
    assert (
        curve.lost == (pytest.approx(0.1), pytest.approx(0))
        and "cost **0.100** ± 0.000 AUC" in curve.verdict
    )
    assert Distance(10, 5, {}).verdict == "The first distance is being fitted."


def test_scores_in_words_by_hand() -> None:
    scores = Scores({"shuffled": (0.9, 0.8), "by day": (0.7, 0.72)}, 0.72)
    assert (
        scores.verdict
        == "Shuffled folds estimate AUC 0.850; the last quarter gave **0.720**. Closest estimate:"
        " “by day”, 0.710."
    )
    assert [row["too high by"] for row in scores.rows()] == ["+0.130", "−0.010"]
    assert Scores({}, float("nan")).verdict == "The first folds are being fitted."


def test_a_gap_too_wide_is_a_sentence() -> None:
    with pytest.raises(InputError, match="Lower the gap, or take fewer folds"):
        time_splits.run(TimeSplitsParams(n_splits=10, gap_days=60))


# ---- figures


def test_figures_show_the_results_numbers() -> None:
    result = time_splits.run(TimeSplitsParams(scheme="by week"))
    days = figure.days(result)
    assert (
        np.array_equal(np.asarray(days.data[0].z), np.array(list(result.roles.values())))
        and len(days.to_json()) < 100_000
    )
    assert (
        f"{result.nearest_days:.1f} days" in days.layout.title.text
        and "<b>by week</b>" in days.data[0].y
    )
    scores = Scores({"shuffled": (0.9, 0.8), "by day": (0.7, 0.72)}, 0.72)
    chart = figure.scheme_scores(scores)
    assert list(chart.data[0].x) == [0.9, 0.8, 0.7, 0.72] and list(chart.data[2].x) == [0.72, 0.72]
    curve = figure.distance(Distance(10, 5, {0: np.array([0.7, 0.8]), 28: np.array([0.6, 0.7])}))
    assert list(curve.data[-1].y) == pytest.approx([0.75, 0.65])
    assert replace(result.params, scheme="shuffled") == time_splits.shared(result.params)
