"""The strategies of the *arena* against rare positives: the baseline (no resampling), resampling,
weights and focal loss, as trained pipelines.

Real: imbalanced-learn's ``Pipeline`` resamples when it is fitted, and never when it predicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from engine.errors import InputError
from engine.ranges import SEED, Choices, Params, Range
from engine.sampling import flight_rows
from engine.sampling.flight_rows import Positives, Split, Target
from engine.sampling.focal import losses
from engine.sampling.samplers import BOTH, METHODS, edges, sampler_settings

Model = Literal["logistic", "k-NN", "tree", "boosting"]
BASELINE, WEIGHTS, FOCAL = "baseline", "class weights", "focal loss"
MOVED = (
    "baseline, moved threshold"  # always a row: the scores of BASELINE at a threshold of its own
)
SAMPLERS = tuple(method for method in METHODS if method != "none")
MIXED = ("SMOTE-NC", "SMOTEN")  # take categories as such, not as columns of 0 and 1
STRATEGIES = (WEIGHTS, FOCAL, *SAMPLERS)  # the baseline always takes part
N_ROWS = (3_000, 5_000, 10_000, 20_000, 50_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArenaParams(Params):
    """Which strategies are compared with the baseline, on which rows. Threshold and costs belong to
    the view.
    """

    strategies: Annotated[tuple[str, ...], Choices(STRATEGIES, least=0)] = (
        WEIGHTS,
        "random over",
        "SMOTE",
        "random under",
    )
    model: Model = "logistic"
    target: Target = "cancelled"
    positives: Positives = "original"
    split: Split = "random"
    n_rows: Annotated[int, Range(1_000, 50_000, options=N_ROWS)] = 5_000
    ratio: Annotated[float, Range(0.1, 1, step=0.1)] = 1.0  # positives by negatives afterwards
    k_neighbors: Annotated[int, Range(1, 20)] = 5  # of the samplers that look at neighbours
    repeats: Annotated[int, Range(2, 10)] = 5  # splits: seeds, or cuts in time
    seed: Annotated[int, SEED] = 0

    @property
    def entered(self) -> tuple[str, ...]:
        """The baseline, then the strategies."""
        return (BASELINE, *self.strategies)


def classifier(model: Model, seed: int, *, weighted: bool) -> Any:
    """Return an unfitted classifier, with balanced class weights or without."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    weight = "balanced" if weighted else None
    if model == "logistic":
        return LogisticRegression(max_iter=2_000, class_weight=weight)
    if model == "k-NN":
        return KNeighborsClassifier(25)
    if model == "tree":
        return DecisionTreeClassifier(min_samples_leaf=20, random_state=seed, class_weight=weight)
    return HistGradientBoostingClassifier(max_iter=50, random_state=seed, class_weight=weight)


def refusal(strategy: str, model: Model) -> str:
    """Return why a strategy cannot be used with a model, or nothing."""
    if strategy == WEIGHTS and model == "k-NN":
        return "k-NN has no class weights."
    return (
        "only the logistic model has it here." if strategy == FOCAL and model != "logistic" else ""
    )


def mixed(
    X: np.ndarray, y: np.ndarray, *, sampler: Any, groups: list[list[int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows with those of SMOTE-NC or SMOTEN, which vote on whole categories.

    Parameters
    ----------
    groups
        Columns of each category, one for each value; in a row the largest is the one that holds.
    """
    numbers = (
        np.setdiff1d(np.arange(X.shape[1]), np.concatenate(groups))
        if groups
        else np.arange(X.shape[1])
    )
    bounds = [edges(column) for column in X[:, numbers].T]
    binned = not hasattr(sampler, "categorical_features")  # SMOTEN knows categories only
    values = (
        [np.digitize(X[:, c], b[1:-1]) for c, b in zip(numbers, bounds, strict=True)]
        if binned
        else X[:, numbers].T
    )
    table, resampled = sampler.fit_resample(
        np.column_stack([*values, *(X[:, group].argmax(axis=1) for group in groups)]), y
    )
    new = np.zeros((len(table) - len(X), X.shape[1]))
    for place, (column, bound) in enumerate(zip(numbers, bounds, strict=True)):
        found = table[len(X) :, place]
        new[:, column] = ((bound[:-1] + bound[1:]) / 2)[found.astype(int)] if binned else found
    for place, group in enumerate(groups, start=len(numbers)):
        codes, first = np.unique(X[:, group].argmax(axis=1), return_index=True)
        alike = first[
            np.searchsorted(codes, table[len(X) :, place].astype(int))
        ]  # any row with that value
        new[:, group] = X[np.ix_(alike, group)]
    return np.vstack([X, new]), resampled


def sampler_of(strategy: str, params: ArenaParams, names: tuple[str, ...]) -> Any:
    """Return imbalanced-learn's sampler of a strategy, or "passthrough"; ``names`` are the
    columns'.
    """
    from imblearn import FunctionSampler, over_sampling, under_sampling
    from imblearn.combine import SMOTEENN, SMOTETomek

    if strategy not in SAMPLERS:
        return "passthrough"
    inner = "SMOTE" if strategy in BOTH else strategy
    name, settings = sampler_settings(inner, params.k_neighbors, params.ratio, params.seed)
    if strategy in MIXED:
        groups = [
            [i for i, name in enumerate(names) if name.startswith(f"{of} ")]
            for of in flight_rows.CATEGORIES
        ]
        groups = [group for group in groups if group]
        if strategy == "SMOTE-NC":
            first = len(names) - sum(map(len, groups))  # categories are last in its table
            settings["categorical_features"] = list(range(first, first + len(groups)))
    sampler = getattr(
        over_sampling if name.startswith("over") else under_sampling, name.split(".")[1]
    )(**settings)
    if strategy in MIXED:
        return FunctionSampler(
            func=mixed, kw_args={"sampler": sampler, "groups": groups}, validate=False
        )
    return (
        (SMOTEENN if strategy == "SMOTE + ENN" else SMOTETomek)(smote=sampler)
        if strategy in BOTH
        else sampler
    )


def fitted(
    strategy: str, X: np.ndarray, y: np.ndarray, params: ArenaParams, names: tuple[str, ...] = ()
) -> Any:
    """Return a function from rows to chances, trained on ``X`` (n, d) with columns ``names`` and
    ``y`` (n,) alone.

    Raises
    ------
    InputError
        The sampler refuses these rows, in imbalanced-learn's words.
    """
    from imblearn import pipeline
    from scipy.special import expit
    from sklearn.preprocessing import StandardScaler

    if strategy == FOCAL:
        scaler = StandardScaler().fit(X)
        weights = losses.fit(scaler.transform(X), y, 2.0, np.ones(len(y)))
        return lambda rows: expit(scaler.transform(rows) @ weights[:-1] + weights[-1])
    sampler = sampler_of(strategy, params, names)
    model = classifier(params.model, params.seed, weighted=strategy == WEIGHTS)
    try:
        trained = pipeline.Pipeline(
            [("scale", StandardScaler()), ("sample", sampler), ("model", model)]
        ).fit(X, y)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"imbalanced-learn refuses: {str(error).splitlines()[0]}") from error
    return lambda rows: trained.predict_proba(rows)[:, 1]
