"""Focal loss: the gradient against finite differences, γ = 0 against scikit-learn, scores against
scikit-learn's metrics.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    roc_auc_score,
)

from engine import data, scripts
from engine.errors import InputError
from engine.sampling import flight_rows, focal
from engine.sampling.flight_rows import SPLITS, TARGETS
from engine.sampling.focal import FocalParams, FocalResult, losses
from engine.sampling.focal import figure as figures
from engine.units import format_share
from tests.engine.printed import run_script


@pytest.fixture(scope="module")
def result() -> FocalResult:
    return focal.run(FocalParams())


def points(seed: int = 0, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (rng.random(n) < 1 / (1 + np.exp(3 - X[:, 0]))).astype(int)


# ---- the loss


def test_loss_gradient_and_weight_by_hand() -> None:
    assert losses.modulation(0.9, 2) == pytest.approx(0.01)
    assert losses.loss(0.5, 2) == pytest.approx(0.25 * np.log(2))
    assert losses.loss(0.5, 0) == pytest.approx(np.log(2))
    assert losses.gradient_size(0.9, 0) == pytest.approx(0.1), "that of cross-entropy is 1 - p"
    assert losses.gradient_size(np.array([0.0, 1.0]), 2).tolist() == [1.0, 0.0]


@given(st.floats(-6, 6), st.floats(0, 5))
def test_the_gradient_is_the_slope_of_the_loss_by_log_odds(z: float, gamma: float) -> None:
    def by_odds(at: float) -> float:
        return float(losses.loss(1 / (1 + np.exp(-at)), gamma))

    step = 1e-5
    slope = (by_odds(z + step) - by_odds(z - step)) / (2 * step)
    assert losses.gradient_size(1 / (1 + np.exp(-z)), gamma) == pytest.approx(-slope, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 5), st.floats(0.05, 0.95), st.integers(0, 50))
def test_the_gradient_is_exact(gamma: float, alpha: float, seed: int) -> None:
    X, y = points(seed, 60)
    weights = np.random.default_rng(seed).normal(size=4)
    row_weights = losses.by_alpha(y, alpha)

    def value(w: np.ndarray) -> float:
        return losses.objective(w, X, y, gamma, row_weights)[0]

    def slope(w: np.ndarray) -> np.ndarray:
        return losses.objective(w, X, y, gamma, row_weights)[1]

    assert check_grad(value, slope, weights) < 1e-4 * max(1, np.linalg.norm(slope(weights)))


def test_extreme_odds_stay_finite() -> None:
    X = np.array([[1_000.0], [-1_000.0]])
    for y in ([1, 0], [0, 1]):
        value, slope = losses.objective(np.array([5.0, 0.0]), X, np.array(y), 2.0, np.ones(2))
        assert np.isfinite(value) and np.isfinite(slope).all()


# ---- the model


def test_gamma_zero_is_scikit_learns_logistic_regression() -> None:
    for seed in range(3):
        X, y = points(seed)
        ours = losses.fit(X, y, 0.0, losses.by_alpha(y, 0.5))
        theirs = LogisticRegression(C=1, tol=1e-10, max_iter=10_000).fit(X, y)
        assert ours == pytest.approx(np.append(theirs.coef_[0], theirs.intercept_), abs=1e-5)


def test_on_flights_gamma_zero_and_balanced_weights_are_scikit_learns(result: FocalResult) -> None:
    rows = flight_rows.take("cancelled", "original", 5_000, 0)
    train, test = rows.split("random", 0)
    X, X_test = flight_rows.standardise(rows.X[train], rows.X[test])
    y = rows.y[train]
    zero = focal.run(FocalParams(gamma=0.0))
    for fit, weight in ((zero.focal, None), (result.fits[0], None), (result.fits[1], "balanced")):
        theirs = LogisticRegression(C=1, tol=1e-10, max_iter=20_000, class_weight=weight).fit(X, y)
        assert fit.chances == pytest.approx(theirs.predict_proba(X_test)[:, 1], abs=1e-5)
    assert losses.balanced(y).sum() == pytest.approx(len(y))
    assert losses.balanced(y)[y == 1].sum() == pytest.approx(len(y) / 2)


def test_the_optimum_does_not_depend_on_the_start() -> None:
    X, y = points(4, 500)
    weights = losses.by_alpha(y, 0.5)
    here = losses.fit(X, y, 2.0, weights)
    there = losses.fit(X, y, 2.0, weights, losses.fit(X, y, 0.0, weights))
    assert here == pytest.approx(there, abs=1e-3)


def test_scores_are_scikit_learns(result: FocalResult) -> None:
    for fit, row in zip(result.fits, result.scores(), strict=True):
        assert fit.average_precision == pytest.approx(
            average_precision_score(result.test_y, fit.chances)
        )
        assert fit.auc == pytest.approx(roc_auc_score(result.test_y, fit.chances))
        assert fit.brier == pytest.approx(brier_score_loss(result.test_y, fit.chances))
        (_, false), (missed, right) = confusion_matrix(result.test_y, fit.chances >= 0.5)
        assert result.alarms(fit) == (false + right, right, missed)
        assert (
            row["alarms at 0.5"] == f"{false + right:,}"
            and row["recall"] == f"{format_share(right / (right + missed))}"
        )


def test_what_the_hardest_carry_by_hand() -> None:
    assert losses.carried(np.array([1.0, 5.0, 3.0, 1.0]), 0.5) == 0.8
    assert losses.carried(np.array([1.0, 1.0]), 0.01) == 0.5, "at least one row"


def test_reliability_by_hand() -> None:
    chances, y = np.arange(20) / 20, np.repeat([0, 1], 10)
    said, true, n = focal.reliability(chances, y)
    assert said == pytest.approx(np.arange(10) / 10 + 0.025) and n.tolist() == [2] * 10
    assert true.tolist() == [0] * 5 + [1] * 5


def test_words_follow_the_numbers(result: FocalResult) -> None:
    assert (
        f"{result.overstated_factor:.1f}× the true rate" in result.verdict
        and abs(result.ranking_gain) < 0.02
    )
    assert f"make {format_share(result.hardest_share)} of the gradient" in result.why[1]
    assert "right on average" in focal.run(FocalParams(gamma=0.0)).verdict
    assert result.overstated_factor > 3 > focal.run(FocalParams(gamma=0.0)).overstated_factor


# ---- the rows


@pytest.mark.parametrize("target", TARGETS)
def test_targets_are_counted_from_the_flights(target: Any) -> None:
    flights = data.load("flights").to_pandas()
    flown = flights["arr_delay"].notna()
    expected = (
        flights["dep_time"].isna().mean()
        if target == "cancelled"
        else (flights["arr_delay"][flown] > 180).mean()
    )
    rows = flight_rows.table(target)
    assert rows.y.mean() == pytest.approx(expected)
    assert len(rows.y) == (len(flights) if target == "cancelled" else flown.sum())
    assert np.isfinite(rows.X).all() and rows.X.shape[1] == len(rows.names)
    assert not {"dep_delay", "air_time", "dep_time", "arr_delay"} & set(rows.names), (
        "known before departure only"
    )


def test_features_are_those_of_their_flight() -> None:
    rows = flight_rows.take("cancelled", "original", 1_000, 3)
    flights = data.load("flights").to_pandas().iloc[rows.row]
    column = dict(zip(rows.names, rows.X.T, strict=True))
    assert column["distance"].tolist() == flights["distance"].tolist()
    assert column["origin JFK"].tolist() == (flights["origin"] == "JFK").astype(float).tolist()
    assert rows.y.tolist() == flights["dep_time"].isna().astype(int).tolist()
    assert flights["time_hour"].is_monotonic_increasing
    weather = data.load("weather").to_pandas().set_index(["origin", "time_hour"])["visib"]
    known = weather[~weather.index.duplicated()].reindex(
        list(zip(flights["origin"], flights["time_hour"], strict=True))
    )
    there = known.notna().to_numpy()
    assert column["visib"][there].tolist() == known.to_numpy()[there].tolist()


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_cuts_rows_apart(split: Any) -> None:
    rows = flight_rows.take("cancelled", "original", 3_000, 1)
    train, test = rows.split(split, 1)
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(3_000)) and len(
        test
    ) == pytest.approx(900, abs=1)
    if split == "in time order":
        assert train.max() < test.min()
    else:
        assert rows.y[test].sum() == round(0.3 * rows.y.sum())


def test_thinned_rows_have_a_thousandth_of_positives() -> None:
    assert flight_rows.take("cancelled", "0.1%", 20_000, 0).y.sum() == 20
    with pytest.raises(
        InputError, match="n_rows must leave at least ten positives: 10,000 at 0.1%. Got 5,000."
    ):
        flight_rows.take("cancelled", "0.1%", 5_000, 0)
    with pytest.raises(
        InputError, match="The test rows must hold two rows of each class at least. Got 3 and 1."
    ):
        flight_rows.check_n_positives(np.array([0, 0, 0, 1]), "The test rows")


@pytest.mark.parametrize(
    "params",
    [
        FocalParams(),
        FocalParams(gamma=0.5, alpha=0.8, target="late over 3 h", split="in time order"),
    ],
)
def test_the_script_prints_the_headline(params: FocalParams) -> None:
    assert run_script(scripts.render(params)) == pytest.approx(
        focal.run(params).headline(), abs=2e-4
    )


# ---- figures


def test_figures_show_the_results_numbers(result: FocalResult) -> None:
    lines = {line.name: line for line in figures.curve(result, "loss", result).data}
    assert set(lines) == {"cross-entropy, γ = 0", "focal loss, γ = 2", "run A, γ = 2"}
    assert lines["focal loss, γ = 2"].y[0] == pytest.approx(losses.loss(0.005, 2), abs=1e-4)
    carriers = figures.carriers(result, result)
    assert [line.y[-1] for line in carriers.data] == [100] * 4
    assert carriers.data[2].y[5] == pytest.approx(100 * result.hardest_share, abs=1)
    calibration = figures.calibration(result, result)
    weighed = np.average(
        np.array(calibration.data[2].x), weights=np.array(calibration.data[2].customdata)
    )
    assert weighed == pytest.approx(100 * result.mean_chance)
    for figure in (carriers, calibration, figures.boundaries(result)):
        assert len(figure.to_json()) < 100_000 and figure.layout.title.text


def test_the_hardest_flights_are_named(result: FocalResult) -> None:
    """The first flight named is the training row with the largest gradient, described as in the
    flights table.
    """
    place = int(np.argmax(result.focal.train_gradient))
    flight = data.load("flights").slice(int(result.train_row[place]), 1).to_pylist()[0]
    first, *others = result.hardest()
    assert first["flight"].startswith(
        f"{flight['carrier']} {flight['flight']:.0f}, {flight['origin']} to {flight['dest']}, 2013-"
    )
    assert (
        (first["class"] == "cancelled")
        == (flight["dep_time"] is None)
        == bool(result.train_y[place])
    )
    assert (
        first["predicted probability of it"] == f"{format_share(result.focal.train_chances[place])}"
        and len(others) == 4
    )
    assert (
        float(first["gradient share, focal"].rstrip("%"))
        >= float(others[-1]["gradient share, focal"].rstrip("%"))
        > 0
    )


def test_boundaries_pass_where_the_model_says_a_half(result: FocalResult) -> None:
    for place, (a, b, c) in enumerate(result.boundaries):
        line = figures.boundaries(result).data[2 + place]
        for x, y in zip(line.x, line.y, strict=True):
            assert a * x + b * y + c == pytest.approx(0, abs=1e-9)
    n_alarms = [int((result.plane.X @ (a, b) + c >= 0).sum()) for a, b, c in result.boundaries]
    assert n_alarms[1] > n_alarms[0], "class weights move the line outwards"
