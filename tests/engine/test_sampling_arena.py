"""Arena: scores by scikit-learn's metrics, costs by brute force, no test row in training, the threshold from training alone."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, confusion_matrix, precision_recall_curve, roc_auc_score

from engine.errors import InputError
from engine.sampling import arena, strategies
from engine.sampling.arena import ArenaParams, ArenaResult, Outcome
from engine.sampling.figures import arena as figures
from engine.sampling.flight_rows import SPLITS
from engine.sampling.strategies import MODELS, MOVED, NOTHING, STRATEGIES

QUICK: dict[str, Any] = {"n_rows": 2_000, "repeats": 2}


@pytest.fixture(scope="module")
def result() -> ArenaResult:
    return arena.run(ArenaParams(**QUICK, strategies=("class weights", "SMOTE", "focal loss")))


def printed(code: str) -> str:
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink):
        exec(compile(code, "<script>", "exec"), {"__name__": "__main__"})
    return sink.getvalue()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("split", SPLITS)
def test_strategies_are_imbalanced_learns_own_pipelines(model: Any, split: Any) -> None:
    params = ArenaParams(
        **QUICK, model=model, split=split, strategies=("class weights", "SMOTE", "random under", "Tomek links")
    )
    assert json.loads(printed(arena.script(params))) == arena.run(params).headline()


def test_every_sampler_enters_or_says_why_not() -> None:
    params = ArenaParams(n_rows=1_500, repeats=2, strategies=STRATEGIES)
    result = arena.run(params)
    assert set(result.names) - {MOVED} | set(result.refused) == set(STRATEGIES)
    assert (
        all(reason.startswith("imbalanced-learn refuses: ") for reason in result.refused.values()) and len(result.refused) < 4
    )
    assert json.loads(printed(arena.script(params))) == result.headline()


def test_what_a_model_cannot_do_is_said() -> None:
    result = arena.run(ArenaParams(**QUICK, model="k-NN", strategies=("class weights", "focal loss")))
    assert set(result.refused) == {"class weights", "focal loss"} and result.names == [NOTHING, MOVED]
    assert "class weights did not enter: k-NN has no class weights" in " ".join(result.why)
    assert "add a strategy" in result.verdict


def test_scores_are_scikit_learns(result: ArenaResult) -> None:
    assert len(result.outcomes) == 2 * 4 and result.complete
    for outcome in result.outcomes:
        assert outcome.average_precision == pytest.approx(average_precision_score(outcome.y, outcome.chances))
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
        Outcome(NOTHING, 0, y, chances, 0.5, 0.7, 0.1, train_y, train_chances),
        Outcome("SMOTE", 0, y, chances[::-1], 0.6, 0.3, 0.4, empty, none),
        Outcome(NOTHING, 1, y, chances, 0.7, 0.7, 0.1, train_y, train_chances),
        Outcome("SMOTE", 1, y, chances[::-1], 0.6, 0.3, 0.4, empty, none),
    )
    return ArenaResult(ArenaParams(repeats=2), outcomes, {}, {}, True)


def test_bills_by_hand() -> None:
    result = by_hand()
    bill = result.bill(NOTHING, 0.5, 10, 1)
    assert (bill.right_alarms, bill.false_alarms, bill.missed, bill.quiet) == (2, 2, 2, 4)
    assert bill.cost == pytest.approx((2 * 10 + 2 * 1) / 10) and (bill.recall, bill.precision) == (0.5, 0.5)
    moved = result.bill(MOVED, 0.5, 10, 1)
    assert moved.threshold == 0.35, "where the training rows cost nothing"
    assert (moved.right_alarms, moved.false_alarms, moved.missed) == (4, 2, 0) and moved.cost == pytest.approx(0.2)
    rows = {row["strategy"]: row for row in result.rows(0.5, 10, 1)}
    assert rows[MOVED]["cost a row"] == "0.200 ← least" and rows[NOTHING]["threshold"] == "0.500"


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=1, max_size=30),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_the_cheapest_threshold_by_brute_force(rows: list[tuple[int, int]], missed: int, alarm: int) -> None:
    y, chances = np.array([label for label, _ in rows]), np.array([chance / 10 for _, chance in rows])

    def cost(threshold: float) -> int:
        alarms = chances >= threshold
        return int((~alarms & (y == 1)).sum() * missed + (alarms & (y == 0)).sum() * alarm)

    found = arena.cheapest(y, chances, missed, alarm)
    assert cost(found) == min(cost(threshold) for threshold in [*chances, 2.0])


@given(st.floats(0, 1))
def test_counts_are_the_confusion_matrix(threshold: float) -> None:
    result = by_hand()
    y, chances = result.pooled("SMOTE")
    (quiet, false), (missed, right) = confusion_matrix(y, chances >= threshold, labels=[0, 1])
    bill = result.bill("SMOTE", threshold, 1, 1)
    assert (bill.quiet, bill.false_alarms, bill.missed, bill.right_alarms) == (quiet, false, missed, right)


def test_the_moved_threshold_comes_from_rows_their_model_has_not_seen(result: ArenaResult) -> None:
    params = result.params
    rows, train, _ = next(arena.splits(params))
    X, y = rows.X[train], rows.y[train]
    first = result.of(NOTHING)[0]
    assert np.array_equal(first.train_y, y)
    assert first.train_chances == pytest.approx(arena.inner_chances(X, y, params))
    seen = strategies.fitted(NOTHING, X, y, params)(X)
    assert brier_score_loss(y, first.train_chances) > brier_score_loss(y, seen), "worse than on rows that it has seen"


def test_words_by_hand(result: ArenaResult) -> None:
    assert by_hand().verdict == (
        "No strategy beats doing nothing by more than the splits differ: the best other, SMOTE, moves average precision by "
        "**+0.000** from 0.600 (splits differ by 0.141)."
    )
    assert by_hand().worst_brier_factor == pytest.approx(4) and "SMOTE has 4.0 times the Brier score" in by_hand().why[1]
    early = next(iter(arena.steps(ArenaParams(**QUICK)))).partial
    assert early.verdict == "The first strategy is being trained." and early.why == [] and early.table().num_rows == 0
    assert result.worst_brier_factor > 2, "weights and SMOTE spoil the chances"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"strategies": ()}, "strategies must name at least one. Got none."),
        ({"strategies": ("prayer",)}, "strategies must be one of"),
        ({"model": "oracle"}, "model must be one of"),
        ({"target": "early"}, "target must be one of"),
        ({"positives": "many"}, "positives must be one of"),
        ({"split": "by hand"}, "split must be one of"),
        ({"n_rows": 10}, "n_rows must be 1,000 … 20,000. Got 10."),
        ({"ratio": 0}, "ratio must be 0.1 … 1. Got 0."),
        ({"k_neighbors": 0}, "k_neighbors must be 1 … 20. Got 0."),
        ({"repeats": 1}, "repeats must be 2 … 10. Got 1."),
        ({"seed": -1}, "seed must be 0 … 2,147,483,647. Got -1."),
    ],
)
def test_each_setting_says_its_rule(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ArenaParams(**setting)
    assert str(caught.value).startswith(message)


# ---- figures


def test_curves_are_scikit_learns(result: ArenaResult) -> None:
    figure = figures.precision_recall(result, 0.5)
    line = figure.data[0]
    y, chances = result.pooled(NOTHING)
    precision, recall, _ = precision_recall_curve(y, chances)
    known = {(round(float(r), 5), round(float(p), 5)) for r, p in zip(recall, precision, strict=True)}
    drawn = {(round(float(r), 5), round(float(p), 5)) for r, p in zip(line.x, line.y, strict=True)}
    assert drawn <= known and len(drawn) > 50
    roc = figures.roc(result, 0.5).data[0]
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(roc_auc_score(y, chances), abs=0.02)


def test_the_cost_curve_is_the_bill_at_every_threshold(result: ArenaResult) -> None:
    line = figures.costs(result, 0.5, 7, 2).data[0]
    for place in (0, 40, 100, 199):
        assert line.y[place] == pytest.approx(result.bill(NOTHING, float(line.x[place]), 7, 2).cost, abs=0.02)


def test_every_figure_is_small_and_titled(result: ArenaResult) -> None:
    lanes = figures.lanes(result, result)
    assert list(lanes.data[1].x) == [result.mean(name, "average_precision") for name in result.names if name != MOVED]
    drawn = [lanes, figures.calibration(result), figures.boundaries(result, 0.5), figures.costs(result, 0.5, 10, 1)]
    assert all(len(figure.to_json()) < 300_000 and figure.layout.title.text for figure in drawn)
    empty = ArenaResult(ArenaParams(), (), {}, {})
    assert figures.lanes(empty).layout.title.text == "The first strategy is being trained"
    alarms = figures.boundaries(result, 0.5).data[0].z
    assert np.array_equal(np.asarray(alarms), result.planes[NOTHING] >= 0.5)


def test_the_grid_holds_each_strategys_chances(result: ArenaResult) -> None:
    made = arena.plane(result.params)
    across, up = arena.grid(made)
    predict = strategies.fitted("SMOTE", made.X, made.y, result.params)
    assert result.planes["SMOTE"][3, 5] == pytest.approx(predict(np.array([[across[5], up[3]]]))[0])
