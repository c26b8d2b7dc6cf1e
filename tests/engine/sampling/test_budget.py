"""Budget: ranks, alarms and thresholds against loops over rows and days; the real run against
pandas.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import scripts
from engine.sampling import budget
from engine.sampling.budget import STRATEGIES, BudgetParams, BudgetResult, days
from engine.sampling.budget import figure as figures
from engine.sampling.budget.result import MOST, Ranking
from tests.engine.printed import run_script

ROWS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()),
    min_size=1,
    max_size=30,
)
FAST = BudgetParams(n_rows=20_000)


@pytest.fixture(scope="module")
def result() -> BudgetResult:
    return budget.run(FAST)


def made(rows: list[tuple[int, float, bool]], per_day: int) -> BudgetResult:
    """Return a result over a few rows, whose training rows are the same ones."""
    day, chances, y = (np.array(column) for column in zip(*rows, strict=True))
    chances = chances.astype(np.float32)
    ranks = np.sort(days.daily_ranks(day, chances)[y])
    rankings = (Ranking("baseline", ranks, chances),)
    unseen = np.sort(chances)[::-1]
    n_days = len(set(day.tolist()))
    return BudgetResult(
        replace(FAST, per_day=per_day),
        len(y),
        int(y.sum()),
        day,
        y.astype(np.int8),
        len(y) / n_days,
        unseen,
        rankings,
        complete=True,
    )


@given(ROWS, st.integers(5, 12))
def test_the_top_of_each_day_by_a_loop(rows: list[tuple[int, float, bool]], per_day: int) -> None:
    found, alarms = 0, 0
    for wanted in {day for day, _, _ in rows}:
        of_day = [row for row in rows if row[0] == wanted]
        taken = sorted(of_day, key=lambda row: -row[1])[:per_day]  # stable, as the ranks are
        alarms += len(taken)
        found += sum(row[2] for row in taken)
    result = made(rows, per_day)
    assert result.n_alarms(per_day) == alarms
    assert result.n_found("baseline", per_day) == found
    n_positive = sum(row[2] for row in rows)
    assert result.baseline_recall == pytest.approx(found / max(1, n_positive))
    assert result.precision("baseline", per_day) == pytest.approx(found / alarms)
    assert result.best_precision >= result.precision("baseline", per_day) - 1e-9


@given(ROWS, st.integers(5, 12))
def test_the_days_of_a_fixed_threshold_by_a_loop(
    rows: list[tuple[int, float, bool]], per_day: int
) -> None:
    result = made(rows, per_day)
    counts = []
    for wanted in sorted({day for day, _, _ in rows}):
        reached = [np.float32(c) >= result.threshold for day, c, _ in rows if day == wanted]
        counts.append(sum(reached))
    assert result.fixed_per_day.tolist() == counts
    assert result.n_days_over == sum(count > per_day for count in counts)


def test_a_threshold_lets_the_share_pass() -> None:
    falling = np.array([0.9, 0.8, 0.4, 0.1])
    assert days.threshold_for(falling, 0.5) == 0.8
    assert days.threshold_for(falling, 0.0) == 0.9 and days.threshold_for(falling, 2.0) == 0.1


def test_the_later_days_are_whole_and_one_in_a_thousand_is_positive(result: BudgetResult) -> None:
    train, test, day, per_day = budget.periods(FAST.training())
    assert (train.y.sum(), len(train.y)) == (20, 20_000)
    assert day.min() > budget.LAST_TRAINING_DAY and result.n_days == 92
    assert test.y.mean() == pytest.approx(0.001, abs=1e-5) and 850 < per_day < 980
    assert set(train.row.tolist()).isdisjoint(test.row.tolist())
    original = budget.periods(replace(FAST, positives="original"))[1]
    assert original.y.mean() > 0.01


def test_a_larger_budget_finds_more_and_all_rows_find_all(result: BudgetResult) -> None:
    assert [one.strategy for one in result.rankings] == list(STRATEGIES) and result.complete
    budgets = np.arange(1, MOST + 1)
    for one in result.rankings:
        assert (np.diff(one.recall(budgets)) >= 0).all()
        assert one.recall(int(result.rows_per_day.max())) == 1
        assert len(one.positive_ranks) == result.n_positive
    # better than a random order by far, and far from all
    assert 0.3 < result.baseline_recall < 0.95
    assert result.fixed_per_day.max() > FAST.per_day and result.n_days_over > 3


def test_another_budget_asks_for_no_new_models(result: BudgetResult) -> None:
    assert BudgetParams(per_day=20, n_rows=20_000).training() == FAST
    few = replace(result, params=replace(FAST, per_day=20))
    assert few.baseline_recall < result.baseline_recall and few.threshold > result.threshold
    assert few.verdict.startswith("**20 alarms a day**") and len(few.rows()) == 4


def test_the_preview_is_the_baseline_alone() -> None:
    found = budget.preview(BudgetParams(model="boosting"))
    assert [one.strategy for one in found.rankings] == ["baseline"] and not found.complete
    assert found.verdict and found.why and found.table().num_rows == MOST


def test_the_script_prints_the_headline(result: BudgetResult) -> None:
    assert run_script(scripts.render(result.params)) == result.headline()


def test_figures_show_the_results_numbers(result: BudgetResult) -> None:
    figure = figures.recall(result, result)
    assert list(figure.data[-1].y) == [result.baseline_recall]
    bars = figures.fixed_threshold(result)
    assert list(bars.data[0].y) == result.fixed_per_day.tolist()
    assert sum(bars.data[0].y > np.float64(FAST.per_day)) == result.n_days_over
    assert len(figures.precision(result).data) == 4
