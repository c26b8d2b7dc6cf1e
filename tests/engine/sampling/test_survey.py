"""Survey arena: every scheme on a tiny population against all its samples, formulas by hand,
intervals that cover.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from engine import data, scripts
from engine.sampling import survey
from engine.sampling.survey import SCHEMES, SurveyParams, SurveyResult, in_time, schemes
from engine.sampling.survey import figure as figures
from engine.sampling.survey.schemes import Draws, Population
from engine.units import format_share, format_signed
from tests.engine.printed import run_script

VALUES = np.array([3.0, 8.0, 1.0, 9.0, 4.0, 20.0])
TINY = Population(
    VALUES,
    np.array([0, 0, 0, 1, 1, 1]),
    np.array([0, 0, 1, 1, 2, 2]),
    np.array([1.0, 2.0, 1.0, 2.0, 1.0, 1.0]),
    np.array([True, True, True, False, False, False]),
    np.array([0, 0, 1, 1, 2, 2]),
)
N_MANY = 40_000


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def result() -> SurveyResult:
    return survey.run(SurveyParams())


# ---- draws, against every possible sample


def test_simple_draws_every_subset_alike() -> None:
    rows = schemes.simple_rows(rng(), 6, 3, N_MANY)
    counts = Counter(tuple(sorted(row)) for row in rows.tolist())
    assert set(counts) == set(itertools.combinations(range(6), 3))
    assert chisquare(list(counts.values())).pvalue > 1e-4


def test_a_reservoir_keeps_every_subset_alike() -> None:
    rows = schemes.reservoir_rows(rng(), 6, 2, N_MANY)
    counts = Counter(tuple(sorted(row)) for row in rows.tolist())
    assert set(counts) == set(itertools.combinations(range(6), 2))
    assert chisquare(list(counts.values())).pvalue > 1e-4


def test_systematic_takes_one_from_each_part() -> None:
    rows = schemes.systematic_rows(rng(), 10, 5, 1_000)
    assert {tuple(row) for row in rows.tolist()} == {(0, 2, 4, 6, 8), (1, 3, 5, 7, 9)}
    uneven = schemes.systematic_rows(rng(), 7, 3, N_MANY)
    chances = np.bincount(uneven.ravel(), minlength=7) / N_MANY
    assert chances == pytest.approx(np.full(7, 3 / 7), abs=0.01)


def test_pps_has_chances_in_proportion_to_size() -> None:
    rows = schemes.pps_rows(rng(), TINY.size, 3, N_MANY)
    chances = np.bincount(rows.ravel(), minlength=6) / N_MANY
    assert chances == pytest.approx(3 * TINY.size / TINY.size.sum(), abs=0.01)


@given(st.integers(4, 60), st.lists(st.integers(2, 40), min_size=2, max_size=5))
def test_allocation_sums_and_fits(n: int, capacity: list[int]) -> None:
    room = np.array(capacity)
    sizes = schemes.allocate(n, room.astype(float), room)
    assert (sizes >= 2).all() and (sizes <= room).all()
    assert sizes.sum() == min(max(n, 2 * len(room)), room.sum())


# ---- estimates


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda: schemes.simple(TINY, 3, N_MANY, rng()), 7.5),
        (lambda: schemes.systematic(TINY, 3, N_MANY, rng()), 7.5),
        (lambda: schemes.stratified(TINY, 4, N_MANY, rng(), neyman=False), 7.5),
        (lambda: schemes.stratified(TINY, 5, N_MANY, rng(), neyman=True), 7.5),
        (lambda: schemes.reservoir(TINY, 3, N_MANY, rng()), 7.5),
        (lambda: schemes.cluster(TINY, 4, N_MANY, rng()), 7.5),
        (lambda: schemes.convenience(TINY, 2, N_MANY, rng()), 4.0),
    ],
)
def test_the_mean_of_all_estimates(draw: Any, truth: float) -> None:
    """Equal clusters make their ratio unbiased; convenience finds its three easy rows' mean."""
    draws: Draws = draw()
    assert draws.estimate.mean() == pytest.approx(truth, abs=0.06)


def test_errors_are_those_of_all_samples() -> None:
    """The mean of the estimated variances is the variance over all samples (Cochran, chapters 2 and
    5).
    """
    means = [VALUES[list(rows)].mean() for rows in itertools.combinations(range(6), 3)]
    simple = schemes.simple(TINY, 3, N_MANY, rng())
    assert (simple.error**2).mean() == pytest.approx(np.var(means), rel=0.03)
    halves = itertools.product(
        itertools.combinations(range(3), 2), itertools.combinations(range(3, 6), 2)
    )
    means = [(VALUES[list(a)].mean() + VALUES[list(b)].mean()) / 2 for a, b in halves]
    stratified = schemes.stratified(TINY, 4, N_MANY, rng(), neyman=False)
    assert (stratified.error**2).mean() == pytest.approx(np.var(means), rel=0.03)
    totals = [11.0, 10.0, 24.0]
    means = [(a + b) / 4 for a, b in itertools.combinations(totals, 2)]
    cluster = schemes.cluster(TINY, 4, N_MANY, rng())
    assert (cluster.error**2).mean() == pytest.approx(np.var(means), rel=0.03)


def test_weighted_means_by_hand() -> None:
    estimate, error = schemes.weighted(np.array([[2.0, 4.0]]), np.array([[3.0, 1.0]]))
    assert estimate.tolist() == [2.5]
    assert error[0] == pytest.approx(np.sqrt(2 * ((3 * -0.5 / 4) ** 2 + (1.5 / 4) ** 2)))


def test_inverse_sizes_undo_pps() -> None:
    order = rng().permutation(3_000)  # a period would meet the systematic draw's
    columns = (
        np.tile(getattr(TINY, name), 500)[order]
        for name in ("stratum", "cluster", "size", "easy", "place")
    )
    large = Population((np.tile(VALUES, 500) + np.repeat(np.arange(500), 6) % 7)[order], *columns)
    draws = schemes.pps(large, 300, 2_000, rng())
    assert draws.estimate.mean() == pytest.approx(large.truth, abs=0.05)
    assert 1 < draws.error.mean() / draws.estimate.std() < 1.5, (
        "as if with replacement: too wide when a tenth is drawn"
    )


def test_quotas_are_filled_from_what_is_easy() -> None:
    rows = schemes.quota_rows(TINY, 4, 500, rng())
    assert rows.shape == (500, 4)
    assert set(rows[:, :2].ravel().tolist()) == {0, 1, 2}
    assert set(rows[:, 2:].ravel().tolist()) == {3, 4}, "none is easy there: its first ones"


def test_post_stratification_by_hand() -> None:
    """Group 0 is half of the people; in the sample it is a third, so it counts one and a half times
    as much.
    """
    estimate, _ = survey.post_stratified(TINY, np.array([[0, 3, 4]]), TINY.stratum)
    assert estimate[0] == pytest.approx((3.0 + (9.0 + 4.0) / 2) / 2)
    alone, _ = survey.post_stratified(TINY, np.array([[0, 1]]), TINY.stratum)
    assert alone[0] == 5.5, "a group that nobody asked stays unknown"


# ---- the arena


def test_every_scheme_is_tallied_and_random_ones_cover(result: SurveyResult) -> None:
    assert [tally.name for tally in result.tallies] == list(SCHEMES) and result.complete
    assert result.tallies[7].name == "convenience", "a prediction asks for its coverage by place"
    flights = data.load("flights").to_pandas()["dep_delay"].dropna()
    assert result.truth == pytest.approx(flights.mean()) and result.n_rows == len(flights)
    for tally in result.tallies:
        if tally.name in survey.NOT_RANDOM:
            assert abs(tally.bias) > 1.5
        else:
            assert (
                abs(tally.bias) < 4 * tally.deviation / np.sqrt(500) and 0.88 < tally.coverage <= 1
            )
    assert result.number("convenience", "coverage") == 0 and result.cluster_factor > 2


def test_a_tally_by_hand() -> None:
    draws = Draws(np.array([1.0, 3.0]), np.array([1.0, 0.1]), np.array([4, 6]))
    tally = survey.tally("x", draws, 2.0)
    assert (tally.mean, tally.bias, tally.rmse, tally.coverage, tally.n_places) == (2, 0, 1, 0.5, 5)


def test_weights_undo_self_selection_only(result: SurveyResult) -> None:
    assert abs(result.number("self-selected", "bias")) > 2
    assert abs(result.number("self-selected, inverse probability", "bias")) < 0.3
    assert abs(result.number("self-selected, post-stratified by hour", "bias")) < 0.3
    assert result.number("convenience, post-stratified", "bias") < -4
    assert "estimates" not in result.table().column_names
    assert (
        result.number("self-selected, inverse probability", "n_places")
        == result.number("self-selected", "n_places")
        > 0
    )


def test_days_are_described_by_hand() -> None:
    days = np.arange(28)
    daily = 10 + 0.5 * days + np.where(days % 7 == 2, 7.0, 0.0)
    level, trend, *profile = in_time.describe(daily, days)
    assert level == pytest.approx(10 + 0.5 * 13.5 + 1) and len(profile) == 7
    assert profile[2] - profile[1] == pytest.approx(7.5) and trend == pytest.approx(15, abs=1)
    assert np.isnan(in_time.describe(daily, days[::7])[3:]).all()


def test_every_seventh_day_sees_one_weekday(result: SurveyResult) -> None:
    series = {tally.name: tally for tally in result.series}
    assert series["every 7 days"].n_unseen == 6 and series["random days"].n_unseen < 0.5
    assert series["one block of days"].trend > 5 * series["random days"].trend


def test_words_follow_the_numbers(result: SurveyResult) -> None:
    assert result.verdict.startswith(
        f"**{format_share(result.number('convenience', 'coverage'))}**"
    )
    assert format_signed(result.number("quota", "bias"), 2) in result.why[1]
    assert f"{format_signed(-100 * result.neyman_gain, 1)}%" in result.why[2]


def test_the_preview_has_every_scheme_with_fewer_samples() -> None:
    asked = SurveyParams(n=100, seed=3)
    assert next(iter(survey.steps(asked))).partial is None
    result = survey.preview(asked)
    assert result.params == replace(asked, n_samples=100) and not result.complete
    assert [tally.n_samples for tally in result.tallies] == [100] * len(SCHEMES)
    assert result.mitigations and result.series


def test_the_script_prints_the_headline(result: SurveyResult) -> None:
    assert run_script(scripts.render(result.params)) == result.headline()


def test_figures_show_the_results_numbers(result: SurveyResult) -> None:
    figure = figures.estimates(result, result)
    assert list(figure.data[0].base) == [tally.low for tally in result.tallies]
    assert list(figure.data[-1].x) == [result.truth] * 2 and len(figure.to_json()) < 100_000
    weighted = figures.mitigations(result)
    assert list(weighted.data[1].x) == [tally.mean for tally in result.mitigations]
    violins = [trace for trace in figure.data if trace.type == "violin"]
    assert len(violins) == 2 * len(SCHEMES), (
        "the whole sampling distribution of each scheme, now and pinned"
    )
    assert (
        np.mean(violins[0].x) == pytest.approx(result.tallies[0].mean, abs=1e-4)
        and len(violins[0].x) == 500
    )
    temporal = figures.in_time(result, result)
    assert [trace.name for trace in temporal.data[3:]] == ["run A"] * 3
    assert "6 weekdays not sampled" in temporal.data[0].x[1]
