"""Arena: scores by scikit-learn's metrics, costs by brute force, no test row in training, the
threshold from training alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTEN, SMOTENC
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
)
from sklearn.preprocessing import StandardScaler

from engine import scripts
from engine.sampling import arena
from engine.sampling.arena import ArenaParams, ArenaResult, Outcome, strategies
from engine.sampling.arena import figure as figures
from engine.sampling.arena.result import cheapest
from engine.sampling.arena.strategies import BASELINE, MOVED, STRATEGIES, Model
from engine.sampling.flight_rows import SPLITS
from tests.engine.printed import run_script

QUICK: dict[str, Any] = {"n_rows": 2_000, "repeats": 2}


@pytest.fixture(scope="module")
def result() -> ArenaResult:
    return arena.run(ArenaParams(**QUICK, strategies=("class weights", "SMOTE", "focal loss")))


@pytest.mark.parametrize("model", get_args(Model))
@pytest.mark.parametrize("split", SPLITS)
def test_strategies_are_imbalanced_learns_own_pipelines(model: Any, split: Any) -> None:
    params = ArenaParams(
        **QUICK,
        model=model,
        split=split,
        strategies=("class weights", "SMOTE", "random under", "Tomek links"),
    )
    assert run_script(scripts.render(params)) == arena.run(params).headline()


def test_every_sampler_enters_or_says_why_not() -> None:
    params = ArenaParams(n_rows=1_500, repeats=2, strategies=STRATEGIES)
    result = arena.run(params)
    assert set(result.names) - {MOVED} | set(result.refused) == {BASELINE, *STRATEGIES}
    assert (
        all(reason.startswith("imbalanced-learn refuses: ") for reason in result.refused.values())
        and len(result.refused) < 4
    )
    assert run_script(scripts.render(params)) == result.headline()


@pytest.mark.parametrize("strategy", ["SMOTE-NC", "SMOTEN"])
def test_categories_are_voted_on_whole(strategy: Any) -> None:
    """The library itself, given categories as text, answers the same synthetic rows."""
    params = ArenaParams(**QUICK)
    rows, train, _ = next(arena.splits(params))
    scaled, y = StandardScaler().fit_transform(rows.X[train]), rows.y[train]
    sampler = strategies.sampler_of(strategy, params, rows.names)
    resampled, resampled_y = sampler.fit_resample(scaled, y)
    table = pd.DataFrame(scaled, columns=list(rows.names))
    numbers = [name for name in rows.names if not name.startswith(("origin ", "carrier "))]
    if strategy == "SMOTEN":
        for name in numbers:
            edges = np.linspace(table[name].min(), table[name].max(), 13)
            table[name] = np.digitize(table[name], edges[1:-1])
    for of in ("origin ", "carrier "):
        columns = [name for name in rows.names if name.startswith(of)]
        table[of] = table[columns].idxmax(axis=1)
        table = table.drop(columns=columns)
    library = (
        SMOTENC(["origin ", "carrier "], random_state=0)
        if strategy == "SMOTE-NC"
        else SMOTEN(random_state=0)
    )
    answer, answer_y = library.fit_resample(table, y)
    assert np.array_equal(resampled_y, answer_y) and np.array_equal(
        resampled[: len(scaled)], scaled
    )
    made = pd.DataFrame(resampled, columns=list(rows.names))
    for of in ("origin ", "carrier "):
        columns = [name for name in rows.names if name.startswith(of)]
        assert (made[columns].idxmax(axis=1) == answer[of]).all() and (
            np.sum(made[columns] > 0, axis=1) == 1
        ).all()
    if strategy == "SMOTE-NC":
        assert made[numbers].to_numpy() == pytest.approx(answer[numbers].to_numpy())
    else:
        name = "wind_speed"
        edges = np.linspace(
            scaled[:, numbers.index(name)].min(), scaled[:, numbers.index(name)].max(), 13
        )
        assert (np.digitize(made[name], edges[1:-1]) == answer[name]).all()


def test_the_preview_has_the_baseline_on_few_rows() -> None:
    asked = ArenaParams(positives="0.1%", n_rows=50_000, model="tree")
    result = arena.preview(asked)
    assert result.params.n_rows == 10_000 and not result.complete and result.planes
    assert set(result.names) == {BASELINE, MOVED, "class weights"}


def test_what_a_model_cannot_do_is_said() -> None:
    result = arena.run(
        ArenaParams(**QUICK, model="k-NN", strategies=("class weights", "focal loss"))
    )
    assert set(result.refused) == {"class weights", "focal loss"} and result.names == [
        BASELINE,
        MOVED,
    ]
    assert "class weights: k-NN has no class weights" in " ".join(result.why)
    assert "Add a strategy" in arena.run(ArenaParams(**QUICK, strategies=())).verdict


def test_scores_are_scikit_learns(result: ArenaResult) -> None:
    assert len(result.outcomes) == 2 * 4 and result.complete
    for outcome in result.outcomes:
        assert outcome.average_precision == pytest.approx(
            average_precision_score(outcome.y, outcome.chances)
        )
        assert outcome.auc == pytest.approx(roc_auc_score(outcome.y, outcome.chances))
        assert outcome.brier == pytest.approx(brier_score_loss(outcome.y, outcome.chances))


@pytest.mark.parametrize("split", SPLITS)
def test_no_row_is_trained_on_and_tested(split: Any) -> None:
    for rows, train, test in arena.splits(ArenaParams(**QUICK, split=split)):
        assert not set(rows.row[train].tolist()) & set(rows.row[test].tolist())
        assert len(set(rows.row.tolist())) == len(rows.row) == 2_000
        assert split == "random" or train.max() < test.min()


def test_training_never_sees_the_test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other test rows, the same model: what is fitted depends on the training rows alone."""
    rows, train, test = next(arena.splits(ArenaParams(**QUICK)))
    params = ArenaParams(**QUICK)
    whole = arena.meet("SMOTE", rows, train, test, 0, params)
    half = arena.meet("SMOTE", rows, train, test[: len(test) // 2], 0, params)
    assert whole.chances[: len(half.chances)] == pytest.approx(half.chances)


# ---- thresholds and costs


def by_hand() -> ArenaResult:
    y, chances = np.array([1, 0, 1, 0, 0]), np.array([0.9, 0.8, 0.4, 0.3, 0.1])
    train_y, train_chances = np.array([1, 0, 0, 0]), np.array([0.35, 0.3, 0.2, 0.1])
    none, empty = np.empty(0), np.empty(0, int)
    outcomes = (
        Outcome(BASELINE, 0, y, chances, 0.5, 0.7, 0.1, train_y, train_chances),
        Outcome("SMOTE", 0, y, chances[::-1], 0.6, 0.3, 0.4, empty, none),
        Outcome(BASELINE, 1, y, chances, 0.7, 0.7, 0.1, train_y, train_chances),
        Outcome("SMOTE", 1, y, chances[::-1], 0.6, 0.3, 0.4, empty, none),
    )
    return ArenaResult(ArenaParams(repeats=2), outcomes, {}, {}, True)


def test_bills_by_hand() -> None:
    result = by_hand()
    bill = result.bill(BASELINE, 0.5, 10, 1)
    assert (bill.right_alarms, bill.false_alarms, bill.missed, bill.quiet) == (2, 2, 2, 4)
    assert bill.cost == pytest.approx((2 * 10 + 2 * 1) / 10) and (bill.recall, bill.precision) == (
        0.5,
        0.5,
    )
    moved = result.bill(MOVED, 0.5, 10, 1)
    assert moved.threshold == 0.35, "where the training rows cost nothing"
    assert (moved.right_alarms, moved.false_alarms, moved.missed) == (
        4,
        2,
        0,
    ) and moved.cost == pytest.approx(0.2)
    rows = {row["strategy"]: row for row in result.rows(0.5, 10, 1)}
    assert (
        rows[MOVED]["cost per row"] == "0.200 ← lowest" and rows[BASELINE]["threshold"] == "0.500"
    )


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=1, max_size=30),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_the_cheapest_threshold_by_brute_force(
    rows: list[tuple[int, int]], missed: int, alarm: int
) -> None:
    y, chances = (
        np.array([label for label, _ in rows]),
        np.array([chance / 10 for _, chance in rows]),
    )

    def cost(threshold: float) -> int:
        alarms = chances >= threshold
        return int((~alarms & (y == 1)).sum() * missed + (alarms & (y == 0)).sum() * alarm)

    found = cheapest(y, chances, missed, alarm)
    assert cost(found) == min(cost(threshold) for threshold in [*chances, 2.0])


@given(st.floats(0, 1))
def test_counts_are_the_confusion_matrix(threshold: float) -> None:
    result = by_hand()
    y, chances = result.pooled("SMOTE")
    (quiet, false), (missed, right) = confusion_matrix(y, chances >= threshold, labels=[0, 1])
    bill = result.bill("SMOTE", threshold, 1, 1)
    assert (bill.quiet, bill.false_alarms, bill.missed, bill.right_alarms) == (
        quiet,
        false,
        missed,
        right,
    )


def test_the_moved_threshold_comes_from_rows_their_model_has_not_seen(result: ArenaResult) -> None:
    params = result.params
    rows, train, _ = next(arena.splits(params))
    X, y = rows.X[train], rows.y[train]
    first = result.outcomes_of(BASELINE)[0]
    assert np.array_equal(first.train_y, y)
    assert first.train_chances == pytest.approx(arena.inner_chances(X, y, params))
    seen = strategies.fitted(BASELINE, X, y, params)(X)
    assert brier_score_loss(y, first.train_chances) > brier_score_loss(y, seen), (
        "worse than on rows that it has seen"
    )


def test_a_strategy_that_is_better_on_every_split_is_significantly_better() -> None:
    """Three splits, gains .10, .11, .12: mean .11, deviation .01; t(.975, 2) = 4.303, over √3
    splits.
    """
    none, empty = np.empty(0), np.empty(0, int)
    outcomes = tuple(
        Outcome(name, i, np.array([1, 0]), np.array([0.9, 0.1]), score, 0.5, 0.1, empty, none)
        for i in range(3)
        for name, score in ((BASELINE, 0.3 * i), ("SMOTE", 0.3 * i + 0.10 + 0.01 * i))
    )
    result = ArenaResult(ArenaParams(repeats=3), outcomes, {}, {}, True)
    gain, half = result.gain("SMOTE")
    assert gain == pytest.approx(0.11) and half == pytest.approx(4.3027 * 0.01 / 3**0.5, abs=1e-5)
    assert (
        result.verdict
        == "**SMOTE is significantly better than the baseline**: +0.110 average precision (95% CI"
        " +0.085 to +0.135)."
    )
    first = ArenaResult(ArenaParams(repeats=3), outcomes[:2], {}, {})
    assert "After one split" in first.verdict and first.gain("SMOTE")[1] == float("inf")
    more = tuple(
        replace(outcome, strategy="random over")
        for outcome in outcomes
        if outcome.strategy == "SMOTE"
    )
    assert (
        ArenaResult(ArenaParams(repeats=3), outcomes + more, {}, {}, True).gain("SMOTE")[1] > half
    ), "two to choose from"


def test_words_by_hand(result: ArenaResult) -> None:
    assert (
        by_hand().verdict
        == "**No strategy is significantly better than the baseline.** Best: SMOTE, 0.000 average"
        " precision (95% CI −1.271 to +1.271)."
    )
    assert (
        by_hand().worst_brier_factor == pytest.approx(4)
        and "SMOTE has 4.0× the baseline's Brier score" in by_hand().why[2]
    )
    seen = [progress.partial for progress in arena.steps(ArenaParams(**QUICK))]
    first = next(partial for partial in seen if partial is not None)
    assert seen[0] is None and first.names == [BASELINE, MOVED]
    assert "the strategies follow" in first.verdict and len(first.why) == 4
    assert result.worst_brier_factor > 2, "weights and SMOTE spoil the chances"


# ---- figures


def test_curves_are_scikit_learns(result: ArenaResult) -> None:
    figure = figures.precision_recall(result, 0.5, 10, 1)
    line = figure.data[0]
    y, chances = result.pooled(BASELINE)
    precision, recall, _ = precision_recall_curve(y, chances)
    known = {
        (round(float(r), 5), round(float(p), 5)) for r, p in zip(recall, precision, strict=True)
    }
    drawn = {(round(float(r), 5), round(float(p), 5)) for r, p in zip(line.x, line.y, strict=True)}
    assert drawn <= known and len(drawn) > 50
    moved = result.bill(MOVED, 0.5, 10, 1)
    (star,) = (trace for trace in figure.data if trace.name == MOVED)
    assert (star.x[0], star.y[0]) == (moved.recall, moved.precision)
    roc = figures.roc(result, 0.5, 10, 1).data[0]
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(roc_auc_score(y, chances), abs=0.02)


def test_the_cost_curve_is_the_bill_at_every_threshold(result: ArenaResult) -> None:
    line = figures.costs(result, 0.5, 7, 2).data[0]
    for place in (0, 40, 100, 199):
        assert line.y[place] == pytest.approx(
            result.bill(BASELINE, float(line.x[place]), 7, 2).cost, abs=0.02
        )


def test_every_figure_is_small_and_titled(result: ArenaResult) -> None:
    lanes = figures.lanes(result, result)
    assert list(lanes.data[1].x) == [
        result.mean(name, "average_precision") for name in result.names if name != MOVED
    ]
    drawn = [
        lanes,
        figures.calibration(result, 0.3),
        figures.boundaries(result, 0.5),
        figures.costs(result, 0.5, 10, 1),
    ]
    assert all(len(figure.to_json()) < 300_000 and figure.layout.title.text for figure in drawn)
    assert [shape.x0 for shape in drawn[1].layout.shapes] == [0.3], (
        "the threshold is in the reliability curve as well"
    )
    alarms = figures.boundaries(result, 0.5).data[0].z
    assert np.array_equal(np.asarray(alarms), result.planes[BASELINE] >= 0.5)


def test_the_grid_holds_each_strategys_chances(result: ArenaResult) -> None:
    made = arena.plane(result.params)
    across, up = arena.grid(made)
    predict = strategies.fitted("SMOTE", made.X, made.y, result.params)
    assert result.planes["SMOTE"][3, 5] == pytest.approx(predict(np.array([[across[5], up[3]]]))[0])
