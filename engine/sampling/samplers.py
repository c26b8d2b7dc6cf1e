"""The samplers of imbalanced-learn by the names of the page: their classes, their settings, the
features that they take.

Simplified: K-Means-SMOTE takes a cluster in from a tenth of minority rows on (the library asks for
half, and then refuses most tables); SMOTEN sees each feature cut into twelve bins. With more than
two classes the methods of ``AGAINST_REST`` see two, the minority and the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from engine.sampling.points import Points

OverMethod = Literal[
    "random over", "SMOTE", "Borderline-1", "Borderline-2", "SVM-SMOTE", "K-Means-SMOTE", "ADASYN",
    "SMOTE-NC", "SMOTEN",
]  # fmt: skip
UnderMethod = Literal[
    "random under", "NearMiss 1", "NearMiss 2", "NearMiss 3", "Tomek links", "ENN", "repeated ENN",
    "all k-NN", "condensed", "one-sided", "neighbourhood cleaning", "cluster centroids",
    "instance hardness",
]  # fmt: skip
BothMethod = Literal["SMOTE + ENN", "SMOTE + Tomek"]
Method = Literal["none", OverMethod, UnderMethod, BothMethod]
METHODS: tuple[Method, ...] = get_args(Method)
OVER: tuple[OverMethod, ...] = get_args(OverMethod)
UNDER: tuple[UnderMethod, ...] = get_args(UnderMethod)
BOTH: tuple[BothMethod, ...] = get_args(BothMethod)
SLOW: tuple[Method, ...] = ("condensed", "instance hardness")  # about half a second at 2,000 rows
N_BINS = 12


CLEANING: tuple[Method, ...] = (
    "Tomek links", "ENN", "repeated ENN", "all k-NN", "condensed", "one-sided",
    "neighbourhood cleaning",
)  # fmt: skip
# Whichever class should be the minority, inside these the library takes the rarest for it.
AGAINST_REST: tuple[Method, ...] = (
    "NearMiss 1", "NearMiss 2", "NearMiss 3", "condensed", "one-sided", "neighbourhood cleaning",
)  # fmt: skip
# A ratio (two classes), rows by class (more), or the classes that a cleaning method reduces.
Strategy = float | dict[int, int] | list[int] | Literal["all"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What the library is given: the features, the labels, the minority's label, the strategy."""

    X: np.ndarray
    y: np.ndarray
    minority: int
    strategy: Strategy


def task(method: Method, ratio: float, rows: Points) -> Task:
    """Return what the library is given to bring the minority to ``ratio``: minority rows for each
    row of the largest other class.
    """
    y, minority = rows.labels, rows.minority
    if rows.has_more_classes and method in AGAINST_REST:
        y, minority = rows.y, 1
    sizes = np.bincount(y)
    others = [code for code in np.flatnonzero(sizes).tolist() if code != minority]
    strategy: Strategy = ratio
    if method in CLEANING:
        strategy = others
    elif len(others) > 1 and method in UNDER:
        most = int(sizes[minority] / ratio)
        strategy = {code: most for code in others if sizes[code] > most}
    elif len(others) > 1:
        strategy = {minority: int(ratio * sizes[others].max())}
    return Task(features(method, rows), y, minority, strategy)


def sampler_settings(
    method: str, k: int, strategy: Strategy, seed: int
) -> tuple[str, dict[str, Any]]:
    """Return the class of imbalanced-learn, as ``module.Class``, and its arguments."""
    over = {"sampling_strategy": strategy, "random_state": seed}
    clean = {"sampling_strategy": strategy} if isinstance(strategy, list) else {}
    seeded = {**clean, "random_state": seed}
    known: dict[str, tuple[str, dict[str, Any]]] = {
        "random over": ("over_sampling.RandomOverSampler", over),
        "SMOTE": ("over_sampling.SMOTE", {**over, "k_neighbors": k}),
        "Borderline-1": (
            "over_sampling.BorderlineSMOTE",
            {**over, "k_neighbors": k, "kind": "borderline-1"},
        ),
        "Borderline-2": (
            "over_sampling.BorderlineSMOTE",
            {**over, "k_neighbors": k, "kind": "borderline-2"},
        ),
        "SVM-SMOTE": ("over_sampling.SVMSMOTE", {**over, "k_neighbors": k}),
        "K-Means-SMOTE": (
            "over_sampling.KMeansSMOTE",
            {**over, "k_neighbors": k, "cluster_balance_threshold": 0.1},
        ),
        "ADASYN": ("over_sampling.ADASYN", {**over, "n_neighbors": k}),
        "SMOTE-NC": (
            "over_sampling.SMOTENC",
            {**over, "k_neighbors": k, "categorical_features": [2]},
        ),
        "SMOTEN": ("over_sampling.SMOTEN", {**over, "k_neighbors": k}),
        "random under": ("under_sampling.RandomUnderSampler", over),
        **{
            f"NearMiss {v}": (
                "under_sampling.NearMiss",
                {"sampling_strategy": strategy, "version": v, "n_neighbors": k},
            )
            for v in (1, 2, 3)
        },
        "Tomek links": ("under_sampling.TomekLinks", clean),
        "ENN": ("under_sampling.EditedNearestNeighbours", {**clean, "n_neighbors": k}),
        "repeated ENN": (
            "under_sampling.RepeatedEditedNearestNeighbours",
            {**clean, "n_neighbors": k},
        ),
        "all k-NN": ("under_sampling.AllKNN", {**clean, "n_neighbors": k}),
        "condensed": ("under_sampling.CondensedNearestNeighbour", seeded),
        "one-sided": ("under_sampling.OneSidedSelection", seeded),
        "neighbourhood cleaning": (
            "under_sampling.NeighbourhoodCleaningRule",
            {**clean, "n_neighbors": k},
        ),
        "cluster centroids": ("under_sampling.ClusterCentroids", over),
        "instance hardness": ("under_sampling.InstanceHardnessThreshold", over),
    }
    return known[method]


def uses_k(method: Method) -> bool:
    """Whether the method looks at k neighbours."""
    if method in ("none", *BOTH):
        return method != "none"
    return bool({"k_neighbors", "n_neighbors"} & set(sampler_settings(method, 1, 1.0, 0)[1]))


def uses_ratio(method: Method) -> bool:
    """Whether the method aims at a ratio; cleaning methods take out what their rule finds."""
    return method not in ("none", *CLEANING)


def features(method: Method, rows: Points) -> np.ndarray:
    """Return the rows as the method wants them: SMOTE-NC with a category, SMOTEN in bins, all
    others as they are.
    """
    if method == "SMOTE-NC":
        return np.column_stack([rows.X.astype(object), rows.category])
    if method == "SMOTEN":
        return np.column_stack([np.digitize(column, edges(column)[1:-1]) for column in rows.X.T])
    return rows.X


def edges(column: np.ndarray) -> np.ndarray:
    """Return the N_BINS + 1 evenly spaced edges of a feature's bins."""
    return np.linspace(column.min(), column.max(), N_BINS + 1)


def coordinates(method: Method, X: np.ndarray, rows: Points) -> np.ndarray:
    """Return resampled rows as numbers in the plane: a bin stands for its middle."""
    if method == "SMOTEN":
        middles = [(edges(column)[:-1] + edges(column)[1:]) / 2 for column in rows.X.T]
        return np.column_stack([middle[X[:, i].astype(int)] for i, middle in enumerate(middles)])
    return np.asarray(X[:, : rows.X.shape[1]].astype(float))
