"""ML on Spark: the same model as scikit-learn's, and both at the minimum of the loss by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine.spark.crossover import ml, ml_figure
from engine.spark.crossover.ml import FEATURES, MlParams, MlResult


@pytest.fixture(scope="module")
def result() -> MlResult:
    return ml.run(MlParams(flights=3_000, penalty=0.01, fits=1))


def gradient(coefficients: tuple[float, ...], n_rows: int, penalty: float) -> np.ndarray:
    """Return the gradient of the mean log loss plus the penalty, by its formula."""
    x, y = ml.training(n_rows)
    x = np.column_stack([np.ones(n_rows), x])
    weights = np.array(coefficients)
    error = 1 / (1 + np.exp(-x @ weights)) - y
    return x.T @ error / n_rows + penalty * np.concatenate([[0.0], weights[1:]])


def test_spark_and_scikit_learn_find_the_same_model(result: MlResult) -> None:
    ((spark, sklearn),) = result.pairs
    assert result.complete and result.same_model
    assert spark.coefficients == pytest.approx(sklearn.coefficients, abs=ml.CLOSE)
    assert spark.auc == pytest.approx(sklearn.auc, abs=1e-4) and 0.7 < spark.auc < 1
    for fit in (spark, sklearn):
        assert np.abs(gradient(fit.coefficients, 3_000, 0.01)).max() < ml.CLOSE


def test_another_penalty_is_another_model(result: MlResult) -> None:
    other = ml.fit_sklearn(3_000, 0.1)
    assert sum(map(abs, other.coefficients[1:])) < sum(
        map(abs, result.of("scikit-learn")[0].coefficients[1:])
    )


def test_the_charts_show_both_models(result: MlResult) -> None:
    drawn = ml_figure.coefficients(result)
    assert [len(trace.x) for trace in drawn.data] == [len(FEATURES) + 1] * 2
    assert [len(trace.x) for trace in ml_figure.seconds(result).data] == [1, 1]
    assert not any(trace.x for trace in ml_figure.seconds(MlResult(MlParams())).data)
