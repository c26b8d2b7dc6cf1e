"""The samplers of imbalanced-learn by the names of the page: their classes, their settings, the
features that they take.

Simplified: K-Means-SMOTE takes a cluster in from a tenth of minority rows on (the library asks for
half, and then refuses most tables); SMOTEN sees each feature cut into twelve bins.
"""

from __future__ import annotations

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


def sampler_settings(method: str, k: int, ratio: float, seed: int) -> tuple[str, dict[str, Any]]:
    """Return the class of imbalanced-learn, as ``module.Class``, and its arguments."""
    over = {"sampling_strategy": ratio, "random_state": seed}
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
                {"sampling_strategy": ratio, "version": v, "n_neighbors": k},
            )
            for v in (1, 2, 3)
        },
        "Tomek links": ("under_sampling.TomekLinks", {}),
        "ENN": ("under_sampling.EditedNearestNeighbours", {"n_neighbors": k}),
        "repeated ENN": ("under_sampling.RepeatedEditedNearestNeighbours", {"n_neighbors": k}),
        "all k-NN": ("under_sampling.AllKNN", {"n_neighbors": k}),
        "condensed": ("under_sampling.CondensedNearestNeighbour", {"random_state": seed}),
        "one-sided": ("under_sampling.OneSidedSelection", {"random_state": seed}),
        "neighbourhood cleaning": ("under_sampling.NeighbourhoodCleaningRule", {"n_neighbors": k}),
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
    return method in BOTH or (
        method != "none" and "sampling_strategy" in sampler_settings(method, 1, 1.0, 0)[1]
    )


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
