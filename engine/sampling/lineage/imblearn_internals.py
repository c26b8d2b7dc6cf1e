"""imbalanced-learn's over-samplers that note, while they run, which rows each synthetic row was
made from: the one module that uses private parts of imbalanced-learn and scikit-learn.

Neither library has a public way to ask for those rows. ``requirements.in`` caps the minor versions
of both; ``tests/engine/sampling/test_imblearn_internals.py`` fails when a private part moves.

Real: the library does everything; each class here overrides one of its steps only to write down
what passes through. The numbers noted give the library's own rows to the bit: ``X[seed] + step *
(weight * (X[neighbour] - X[seed]))``. Methods: SMOTE (Chawla et al. 2002), Borderline-SMOTE (Han et
al. 2005), SVM-SMOTE (Nguyen et al. 2009), K-Means-SMOTE (Last et al. 2017), ADASYN (He et al.
2008), SMOTE-NC and SMOTEN (Chawla et al. 2002).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from imblearn import over_sampling
from sklearn.neighbors import NearestNeighbors

from engine.sampling.lineage.record import Record


def fitted_rows(neighbours: Any) -> np.ndarray:
    """Return the rows, in order, on which a nearest-neighbours model was last fitted."""
    rows: np.ndarray = neighbours._fit_X
    return rows


class _Recording:
    """Notes each call of ``_generate_samples``; a class says by ``_places`` which input rows its
    matrices hold.
    """

    def _fit_resample(self, X: Any, y: np.ndarray) -> Any:
        self.records_: list[Record] = []
        self.input_X_: Any = X
        self.input_y_: Any = y
        return super()._fit_resample(X, y)  # type: ignore[misc]

    def _places(self, X: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the input rows of the seeds' matrix ``X``, and those of the neighbours' matrix."""
        rows = np.flatnonzero(self.input_y_ == target)
        return rows, rows

    def _generate_samples(
        self,
        X: Any,
        nn_data: Any,
        nn_num: Any,
        rows: Any,
        cols: Any,
        steps: Any,
        y_type: Any = None,
        y: Any = None,
    ) -> Any:
        seeds, pool = self._places(X, y_type)
        neighbour = pool[nn_num[rows, cols]]
        weight = np.ones(len(rows))
        if y is not None:  # Borderline-2: the library draws these from its seed once more
            towards_majority = y[nn_num[rows, cols]] != y_type
            rng = np.random.RandomState(self.random_state)  # type: ignore[attr-defined]
            weight[towards_majority] = rng.uniform(
                low=0.0, high=0.5, size=(towards_majority.sum(), 1)
            )[:, 0]
        self.records_.append(
            Record(
                seed_index=seeds[rows],
                neighbour_index=neighbour,
                step=steps[:, 0],
                weight=weight,
                neighbours=pool[nn_num[rows]],
            )
        )
        return super()._generate_samples(X, nn_data, nn_num, rows, cols, steps, y_type, y)  # type: ignore[misc]


class SMOTE(_Recording, over_sampling.SMOTE):  # type: ignore[misc]
    """SMOTE: between a minority row and one of its k nearest minority rows."""


class SMOTENC(_Recording, over_sampling.SMOTENC):  # type: ignore[misc]
    """SMOTE-NC: numbers as in SMOTE, categories by the vote of the k neighbours."""


class BorderlineSMOTE(_Recording, over_sampling.BorderlineSMOTE):  # type: ignore[misc]
    """Borderline-SMOTE: seeds only where majority rows are near; kind 2 also goes towards them."""

    def _places(self, X: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
        members = np.flatnonzero(self.input_y_ == target)
        pool = members if self.kind == "borderline-1" else np.arange(len(self.input_y_))
        return self.in_danger_indices[target], pool


class SVMSMOTE(_Recording, over_sampling.SVMSMOTE):  # type: ignore[misc]
    """SVM-SMOTE: seeds are support vectors of the minority; those in danger step inwards, safe ones
    outwards.
    """

    def _fit_resample(self, X: Any, y: np.ndarray) -> Any:
        self.seeds_: list[np.ndarray] = []
        return super()._fit_resample(X, y)

    def _in_danger_noise(
        self, nn_estimator: Any, samples: Any, target_class: Any, y: Any, kind: str = "danger"
    ) -> Any:
        found = super()._in_danger_noise(nn_estimator, samples, target_class, y, kind)
        if kind == "noise":
            support = self.svm_estimator_.support_
            self.kept_ = support[y[support] == target_class][~found]
        else:
            self.seeds_ = [rows for rows in (self.kept_[found], self.kept_[~found]) if len(rows)]
        return found

    def _places(self, X: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
        return self.seeds_.pop(0), np.flatnonzero(self.input_y_ == target)


class KMeansSMOTE(_Recording, over_sampling.KMeansSMOTE):  # type: ignore[misc]
    """K-Means-SMOTE: SMOTE inside each cluster with enough minority rows."""

    def _fit_resample(self, X: Any, y: np.ndarray) -> Any:
        self.cluster_ = 0
        return super()._fit_resample(X, y)

    def _places(self, X: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
        labels = self.kmeans_estimator_.labels_
        while True:  # clusters come in order; those with too few minority rows are passed over
            rows = np.flatnonzero((labels == self.cluster_) & (self.input_y_ == target))
            self.cluster_ += 1
            if np.array_equal(self.input_X_[rows], X):
                return rows, rows


class SMOTEN(over_sampling.SMOTEN):  # type: ignore[misc]
    """SMOTEN: each category by the vote of the k + 1 nearest minority rows, the seed among them."""

    def _make_samples(
        self, X_class: Any, klass: Any, y_dtype: Any, nn_indices: Any, n_samples: int
    ) -> Any:
        members = np.flatnonzero(self.input_y_ == klass)
        rng = np.random.RandomState(self.random_state)  # the library's own draw, once more
        rows = rng.choice(np.arange(X_class.shape[0]), size=n_samples, replace=True)
        self.records_ = [Record.copies(members[rows], members[nn_indices[rows]])]
        return super()._make_samples(X_class, klass, y_dtype, nn_indices, n_samples)

    def _fit_resample(self, X: Any, y: np.ndarray) -> Any:
        self.records_ = []
        self.input_y_: Any = y
        return super()._fit_resample(X, y)


class RandomOverSampler(over_sampling.RandomOverSampler):  # type: ignore[misc]
    """RandomOverSampler: minority rows once more."""

    def _fit_resample(self, X: Any, y: np.ndarray) -> Any:
        answer = super()._fit_resample(X, y)
        seeds = self.sample_indices_[len(y) :]
        self.records_ = [Record.copies(seeds, seeds[:, np.newaxis])]
        return answer


class _Neighbours(NearestNeighbors):  # type: ignore[misc]
    """NearestNeighbors that keeps what it was asked for and what it answered."""

    def kneighbors(
        self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True
    ) -> Any:
        answer = super().kneighbors(X, n_neighbors, return_distance)
        self.answers_ = [*getattr(self, "answers_", []), answer]
        return answer


class ADASYN(over_sampling.ADASYN):  # type: ignore[misc]
    """ADASYN: more points where majority rows are near, each between two minority rows."""

    def __init__(
        self, *, sampling_strategy: Any = "auto", random_state: Any = None, n_neighbors: int = 5
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy, random_state=random_state, n_neighbors=n_neighbors
        )

    def _validate_estimator(self) -> None:
        self.nn_ = _Neighbours(n_neighbors=self.n_neighbors + 1)

    def _fit_resample(self, X: Any, y: np.ndarray) -> Any:
        answer = super()._fit_resample(X, y)
        target, n_wanted = next(found for found in self.sampling_strategy_.items() if found[1])
        members = np.flatnonzero(y == target)
        all_rows, within = (found[:, 1:] for found in self.nn_.answers_)
        near_majority = np.sum(y[all_rows] != target, axis=1) / self.n_neighbors
        counts = np.rint(near_majority / near_majority.sum() * n_wanted).astype(int)
        rows = np.repeat(np.arange(len(members)), counts)
        rng = np.random.RandomState(self.random_state)  # the library's own two draws, once more
        cols = rng.choice(self.n_neighbors, size=len(rows))
        step = rng.uniform(size=(len(rows), 1))[:, 0]
        self.records_ = [
            Record(
                seed_index=members[rows],
                neighbour_index=members[within[rows, cols]],
                step=step,
                weight=np.ones(len(rows)),
                neighbours=members[within[rows]],
            )
        ]
        return answer
