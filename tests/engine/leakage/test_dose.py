"""Leak simulator: the clean pipeline by hand, each full leak against the textbook's, the model
against scikit-learn.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from engine import scripts
from engine.jobs import run_to_end
from engine.leakage import dose, logistic, pipeline, process, trial
from engine.leakage.dose import DoseParams
from engine.leakage.dose import figure as figures
from engine.leakage.dose.result import NULL, Overview
from engine.leakage.pipeline import MECHANISMS, N_KEPT, Doses
from engine.leakage.process import N_LEVELS, WINDOW, World
from engine.leakage.trial import AUC, PRODUCTION, REPORTED
from tests.engine.printed import run_script

SMALL = World(n_rows=150, n_noise=100, seed=1)


def drawn(world: World = SMALL) -> process.Drawn:
    return process.draw(world, len(MECHANISMS))


# ---- the model and its score


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 80), st.integers(1, 6), st.booleans())
def test_the_model_is_scikit_learns(seed: int, n: int, d: int, separable: bool) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    y = (X[:, 0] > 0).astype(int) if separable else rng.integers(0, 2, n)
    y[:2] = 0, 1
    theirs = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12, max_iter=1_000).fit(
        X, y
    )
    ours = logistic.fit(X, y)
    assert ours == pytest.approx([*theirs.coef_[0], theirs.intercept_[0]], abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=2, max_size=40))
def test_auc_with_ties_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    y, score = (np.array(column) for column in zip(*pairs, strict=True))
    if len(set(y.tolist())) < 2:
        assert np.isnan(logistic.auc(y, score))
    else:
        assert logistic.auc(y, score) == pytest.approx(roc_auc_score(y, score))


def test_the_interval_by_hand() -> None:
    mean, half = trial.interval(np.array([1.0, 2.0, 3.0]))
    assert mean == 2 and half == pytest.approx(4.3027 / 3**0.5, abs=1e-3), (
        "t of two degrees of freedom"
    )


# ---- no dose: the clean pipeline, written out with scikit-learn's pieces


def test_without_a_dose_it_is_the_clean_pipeline() -> None:
    rows = drawn()
    train, test = rows.train, rows.test(np.zeros(50, bool), np.zeros(50, bool))
    made = pipeline.prepare(rows, Doses())
    correlation = [abs(np.corrcoef(column, train.y)[0, 1]) for column in train.noise.T]
    kept = np.sort(np.argsort(correlation)[-N_KEPT:])
    level = np.array(
        [
            (train.y[train.level == i].sum() + 5 * train.y.mean()) / ((train.level == i).sum() + 5)
            for i in range(40)
        ]
    )
    imputer = SimpleImputer().fit(train.measures)

    def columns(part: process.Rows) -> np.ndarray:
        past = part.outcomes[:, :WINDOW].mean(axis=1)
        parts = [
            np.zeros(len(part.y)),
            past,
            imputer.transform(part.measures),
            level[part.level],
            part.traits,
        ]
        return np.column_stack([*parts, part.noise[:, kept]])

    scaler = StandardScaler().fit(columns(train))
    n = len(train.y)
    assert made.X_train[:n] == pytest.approx(scaler.transform(columns(train)), abs=1e-6)
    assert made.X_test == pytest.approx(scaler.transform(columns(test)), abs=1e-6)
    assert made.y_test.tolist() == test.y.tolist() and made.in_test.tolist() == list(
        range(n, n + 50)
    )
    assert made.y_train.mean() == 0.5 and set(made.in_train[n:]) <= set(np.flatnonzero(train.y)), (
        "copies of training rows"
    )
    assert made.names[0] == "refund" and len(made.names) == made.X_train.shape[1]
    assert test.month.min() > train.month.max() and not set(test.customer) & set(train.customer)
    assert (
        not set(rows.production.customer) & set(train.customer)
        and rows.production.month.min() > train.month.max()
    )


@pytest.mark.parametrize("name", MECHANISMS)
def test_production_sees_nothing_of_the_test_part_and_a_dose_changes_what_it_says(
    name: str,
) -> None:
    rows = drawn()
    clean, leaky = (
        pipeline.prepare(rows, Doses()),
        pipeline.prepare(rows, trial.with_dose(Doses(), name, 1.0)),
    )  # type: ignore[arg-type]
    assert clean.y_production.tolist() == leaky.y_production.tolist()
    refund = leaky.X_production[:, 0]
    assert np.ptp(refund) == 0, "no refund is known there"
    same = all(
        np.array_equal(getattr(clean, part), getattr(leaky, part))
        for part in ("X_train", "y_train", "X_test", "y_test")
    )
    assert same == (name == "snooping"), "snooping alone changes no row"


# ---- full dose: the textbook's leak


def test_a_full_target_leak_is_the_answer_itself() -> None:
    made = pipeline.prepare(drawn(), Doses(target_leak=1.0))
    assert np.corrcoef(made.X_test[:, 0], made.y_test)[0, 1] == pytest.approx(1)
    reported = trial.score(SMALL, Doses(target_leak=1.0), "logistic")[REPORTED]
    assert reported[AUC] == 1


def test_full_duplicates_report_the_training_score() -> None:
    made = pipeline.prepare(drawn(), Doses(duplicates=1.0))
    train = {row.tobytes() for row in made.X_train}
    assert all(row.tobytes() in train for row in made.X_test)
    half = pipeline.prepare(drawn(), Doses(duplicates=0.5))
    n_copied = sum(row.tobytes() in {row.tobytes() for row in half.X_train} for row in half.X_test)
    assert n_copied == 25


def test_steps_on_all_rows_are_fitted_on_exactly_all_rows() -> None:
    rows = drawn()
    train, test = pipeline.deal(rows, Doses())
    both = train.stacked(test)
    scaled = pipeline.prepare(rows, Doses(scaling=1.0))
    n = len(train.y)
    assert np.concatenate([scaled.X_train[:n], scaled.X_test]).mean(axis=0) == pytest.approx(
        0, abs=1e-6
    )
    encoded = pipeline.encoding(both)
    by_hand = [
        (both.y[both.level == i].sum() + 5 * both.y.mean()) / ((both.level == i).sum() + 5)
        for i in range(N_LEVELS)
    ]
    assert encoded == pytest.approx(by_hand)
    leaky = pipeline.prepare(rows, Doses(target_encoding=1.0))
    assert np.corrcoef(leaky.X_test[:, 7], encoded[test.level])[0, 1] == pytest.approx(1)
    kept = pipeline.select(both)
    assert pipeline.prepare(rows, Doses(selection=1.0)).names[-N_KEPT:] == tuple(
        f"noise_{i}" for i in kept
    )
    filled = pipeline.prepare(rows, Doses(imputation=1.0))
    missing = np.isnan(test.measures[:, -1])
    clean = pipeline.prepare(rows, Doses())
    assert np.nanmean(both.measures[:, -1]) != np.nanmean(train.measures[:, -1])
    assert not np.allclose(filled.X_test[missing, 6], clean.X_test[missing, 6], atol=1e-6)


def test_full_group_overlap_and_random_split_deal_as_they_say() -> None:
    rows = drawn()
    train, test = pipeline.deal(rows, Doses(group_overlap=1.0, random_split=1.0))
    assert set(test.customer) <= set(train.customer) and test.month.max() < process.MONTHS
    _, some = pipeline.deal(rows, Doses(group_overlap=0.5))
    assert np.isin(some.customer, train.customer).sum() == 25


def test_the_window_moves_to_the_future() -> None:
    rows = drawn().train
    assert pipeline.rolling(rows, 0.0) == pytest.approx(rows.outcomes[:, :8].mean(axis=1))
    assert pipeline.rolling(rows, 0.5) == pytest.approx(rows.outcomes[:, 4:12].mean(axis=1))
    assert pipeline.rolling(rows, 1.0) == pytest.approx(rows.outcomes[:, 8:].mean(axis=1))
    assert rows.outcomes[:, WINDOW].tolist() == rows.y.tolist(), (
        "the row's own answer lies right after the honest window"
    )


def test_copies_before_the_split_reach_both_sides() -> None:
    y = np.array([1, 0, 0, 0, 1, 0, 0])
    train, test = pipeline.copies(y, 4, 1.0, np.random.default_rng(0))
    assert (
        train[:4].tolist() == [0, 1, 2, 3]
        and test[:3].tolist() == [4, 5, 6]
        and len(train) == 6
        and len(test) == 4
    )
    draws = [pipeline.copies(y, 4, 1.0, np.random.default_rng(seed)) for seed in range(40)]
    assert (
        {int(i) for train, _ in draws for i in train[4:]}
        == {0, 4}
        == {int(i) for _, test in draws for i in test[3:]}
    )
    train, test = pipeline.copies(y, 4, 0.0, np.random.default_rng(0))
    assert train.tolist() == [0, 1, 2, 3, 0, 0] and test.tolist() == [4, 5, 6]


def test_snooping_reports_the_best_of_its_models() -> None:
    assert [Doses(snooping=d).n_models for d in (0.0, 0.4, 1.0)] == [1, 4, 32]
    tried = [trial.one_score(SMALL, Doses(), "logistic", place) for place in range(32)]
    best = trial.score(SMALL, Doses(snooping=1.0), "logistic")
    assert best[REPORTED, AUC] == max(result[REPORTED, AUC] for result in tried)
    assert any(np.array_equal(best, result) for result in tried)
    assert trial.candidates(10, 3, 0)[0].tolist() == list(range(10)) and [
        len(c) for c in trial.candidates(10, 3, 0)[1:]
    ] == [
        5,
        5,
    ]


# ---- what is found


def test_noise_alone_goes_from_a_coin_flip_to_near_certainty_and_a_scaler_adds_nothing() -> None:
    noise = DoseParams(focus="Feature selection on all rows", signal=0.0, n_rows=150, n_noise=5_000)
    result = dose.run(noise)
    low = result.curve[0].values[:, :, AUC].mean(axis=0)
    assert (
        abs(low - 0.5).max() < 0.06
        and result.reported_auc > 0.95
        and abs(result.production_auc - 0.5) < 0.03
    )
    scaler = dose.run(DoseParams(focus="Scaling on all rows", n_rows=300))
    assert abs(scaler.inflation) < 0.005 and scaler.verdict.startswith("No measurable effect")


def test_without_signal_every_clean_score_is_a_coin_flip() -> None:
    worlds = DoseParams(signal=0.0, n_seeds=12, n_rows=300).worlds(False)
    scores = trial.scores(worlds, Doses(), "logistic")
    for where in (REPORTED, PRODUCTION):
        mean, half = trial.interval(scores[:, where, AUC])
        assert abs(mean - 0.5) < max(half * 1.5, 0.01)


def test_the_overview_orders_the_leaks() -> None:
    overview = run_to_end(dose.overview_steps(DoseParams()))
    assert set(overview.inflation) == set(MECHANISMS) and overview.complete
    for name in ("scaling", "imputation"):
        assert abs(overview.inflation[name][0]) < NULL
    for name in set(MECHANISMS) - {"scaling", "imputation"}:
        mean, half = overview.inflation[name]
        assert mean > half, f"{name} inflates beyond its interval"
    assert "target leak, +0.38" in overview.verdict and "No measurable effect" in overview.verdict
    assert "being measured" in Overview(DoseParams(), {}).verdict


def test_boosting_fills_in_and_can_be_cancelled_between_fits() -> None:
    seen = list(dose.steps(DoseParams(focus="Duplicates across the split", n_rows=150)))
    partial = [progress.partial for progress in seen if progress.partial is not None]
    assert len(seen) >= 7 * 6 and not partial[0].complete and partial[0].model == "boosting"
    result = run_to_end(dose.steps(DoseParams(focus="Duplicates across the split", n_rows=150)))
    assert result.complete and len(result.here.values) == 6 and result.reported_auc > 0.9
    snooping = dose.steps(DoseParams(focus="Best of N on the test set", n_rows=150, dose=0.4))
    messages = [progress.message for progress in itertools.islice(snooping, 20)]
    assert "boosting, model 1 of 4" in messages and "boosting, model 4 of 4" in messages


def test_the_focus_has_one_dose_and_the_others_theirs() -> None:
    params = DoseParams(focus="Duplicates across the split", dose=0.5, duplicates=0.9, scaling=0.2)
    assert params.doses == Doses(duplicates=0.5, scaling=0.2) and params.others == Doses(
        scaling=0.2
    )
    assert (
        not params.wide
        and DoseParams(focus="Feature selection on all rows").wide
        and DoseParams(selection=0.1).wide
    )
    assert "**Also active:** scaling on all rows." in dose.run(replace(params, n_rows=150)).why[1]


@pytest.mark.parametrize(
    "params",
    [
        DoseParams(),
        DoseParams(
            focus="Best of N on the test set", dose=0.4, duplicates=0.3, selection=0.5, n_rows=150
        ),
    ],
)
def test_the_script_gives_the_headline(params: DoseParams) -> None:
    assert run_script(scripts.render(params)) == dose.run(params).headline()


# ---- figures


def test_figures_show_the_results_numbers() -> None:
    result = dose.run(DoseParams())
    figure = figures.curve(result, "AUC", result)
    assert len(figure.to_json()) < 20_000
    lines = {trace.name: trace for trace in figure.data}
    assert list(lines["reported"].y) == [point.mean(REPORTED) for point in result.curve]
    assert (
        lines["in production"].line.color == "#149E77"
        and lines["run A: reported"].line.color == "#E69F00"
    )
    accuracy = figures.curve(result, "accuracy")
    assert {trace.name: trace for trace in accuracy.data}["reported"].y[
        -1
    ] == result.reported_accuracy
    assert [trace.name for trace in figures.boosting(result, None).data] == [
        "logistic, reported",
        "logistic, in production",
    ]
    both = figures.boosting(result, replace(result, model="boosting"))
    assert len(both.data) == 4 and list(both.data[2].y) == list(lines["reported"].y)
    overview = run_to_end(dose.overview_steps(DoseParams()))
    leaks = figures.leaks(overview)
    assert leaks.data[0].y[0] == "Target leak" and sorted(leaks.data[0].x, reverse=True) == list(
        leaks.data[0].x
    )
    assert result.table().num_rows == 5 * 5
