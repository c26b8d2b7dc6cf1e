"""One run of *dose*: a model on a leaky pipeline's matrices, the score that it reports and the
score in production.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np

from engine.leakage import logistic, pipeline, process
from engine.leakage.pipeline import MAX_MODELS, MECHANISMS, Doses, Mechanism, Prepared
from engine.leakage.process import World

Model = Literal["logistic", "boosting"]
MODELS: tuple[Model, ...] = get_args(Model)
AUC, ACCURACY = 0, 1  # places in a score
REPORTED, PRODUCTION = 0, 1
Predict = Callable[[np.ndarray], np.ndarray]


def fit(model: Model, X: np.ndarray, y: np.ndarray, seed: int) -> Predict:
    """Fit a model and return what gives the probability of 1 for each row of a matrix."""
    if model == "logistic":
        weights = logistic.fit(X, y)
        return lambda rows: logistic.probabilities(rows @ weights[:-1] + weights[-1])
    from sklearn.ensemble import HistGradientBoostingClassifier

    booster = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=8, random_state=seed, early_stopping=False
    )
    booster.fit(X, y)
    return lambda rows: np.asarray(booster.predict_proba(rows)[:, 1])


def candidates(n_columns: int, n_models: int, seed: int) -> list[np.ndarray]:
    """Return the columns that each model compared on the test set sees: the first one all, each
    other a random half.
    """
    rng = np.random.default_rng([seed, 7])
    halves = [
        np.sort(rng.permutation(n_columns)[: max(1, n_columns // 2)]) for _ in range(MAX_MODELS - 1)
    ]
    return [np.arange(n_columns), *halves][:n_models]


@lru_cache(maxsize=8)
def _prepared(world: World, doses: Doses) -> Prepared:
    return pipeline.prepare(process.draw(world, len(MECHANISMS)), doses)


@lru_cache(maxsize=16_384)
def one_score(world: World, doses: Doses, model: Model, place: int) -> np.ndarray:
    """Return (2, 2), [reported, in production] × [AUC, accuracy], of the model with the columns of
    one candidate.
    """
    prepared = _prepared(world, doses)
    columns = candidates(prepared.X_train.shape[1], place + 1, world.seed)[place]
    predict = fit(model, prepared.X_train[:, columns], prepared.y_train, world.seed)
    parts = ((prepared.X_test, prepared.y_test), (prepared.X_production, prepared.y_production))
    predicted = [(y, predict(X[:, columns])) for X, y in parts]
    result = np.array([[logistic.auc(y, p), float(((p >= 0.5) == y).mean())] for y, p in predicted])
    result.flags.writeable = False  # shared by everyone who asks again
    return result


def score(world: World, doses: Doses, model: Model) -> np.ndarray:
    """Return (2, 2), [reported, in production] × [AUC, accuracy], of the model that is best on the
    test set by AUC.
    """
    alone = replace(doses, snooping=0.0)
    tried = [one_score(world, alone, model, place) for place in range(doses.n_models)]
    return max(tried, key=lambda result: float(result[REPORTED, AUC]))


def scores(worlds: Sequence[World], doses: Doses, model: Model) -> np.ndarray:
    """Return (n_seeds, 2, 2): the scores on each data set."""
    return np.array([score(world, doses, model) for world in worlds])


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95% t interval of the mean over seeds, as (mean, half-width); nan where there is
    one seed alone.
    """
    from scipy.stats import t

    n = len(values)
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / n**0.5) if n > 1 else float("nan")
    return float(values.mean()), half


def with_dose(doses: Doses, mechanism: Mechanism, dose: float) -> Doses:
    """Return the strengths with one of them changed."""
    changed: dict[str, Any] = {mechanism: dose}
    return replace(doses, **changed)
