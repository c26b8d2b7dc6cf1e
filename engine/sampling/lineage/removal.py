"""Why an under-sampler removed a row: its rule, and the neighbours that decided, for each row that
imbalanced-learn took out.

Real: which rows go is the library's own answer. The reason is found again from the method's
definition, and the tests hold the two against each other: every removed row, and no other, has the
reason that its rule asks for. Methods: NearMiss (Mani & Zhang 2003), Tomek links (Tomek 1976),
edited nearest neighbours (Wilson 1972; repeated and all k-NN: Tomek 1976), condensed (Hart 1968),
one-sided selection (Kubat & Matwin 1997), neighbourhood cleaning (Laurikkala 2001), instance
hardness threshold (Smith et al. 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.sampling.samplers import Task

NOBODY = -1  # pads the lists of neighbours
RANDOM = "the rows that stay are drawn at random, and this one is not among them"
NEAR = (
    "its mean distance to its nearest minority rows is {value:.3f}; rows that stay have at most"
    " {limit:.3f}"
)
NEAR_ALL = (
    "its mean distance to its farthest minority rows is {value:.3f}; rows that stay have at most"
    " {limit:.3f}"
)
NEAR_TO_NOBODY = "no minority row has it among its nearest majority rows"
NEAR_FARTHEST = (
    "its mean distance to its nearest minority rows is {value:.3f}; rows that stay have at least"
    " {limit:.3f}"
)
TOMEK = "it and a row of the other class are each other's nearest neighbour: a Tomek link"
DISAGREE = (
    "{value:.0f} of its {n} nearest neighbours are of the other class; to stay, all must be of"
    " its own"
)
DISAGREE_ROUND = (
    "in round {limit:.0f}, {value:.0f} of its {n} nearest remaining neighbours are of the other"
    " class"
)
OUTVOTED = "{value:.0f} of its {n} nearest neighbours are of the other class: a majority"
TIED = (
    "half of its {n} nearest neighbours are of the other class, which the library takes in a tie:"
    " it comes first"
)
CONDENSED = "the row nearest to it among those kept is of its own class, so it adds no information"
UNTESTED = "the library confuses row numbers and never tests this row"
SPOILS = "it is a neighbour of a minority row whose neighbours vote for the majority"
HARD = (
    "a forest trained without it gives its class probability {value:.2f}; rows that stay have at"
    " least {limit:.2f}"
)
COPIES = "rows with the same numbers are in the table, and the library's order of them decided"
CENTROID = "the centroid of its cluster replaces it and {limit:.0f} others"
REASONS: tuple[str, ...] = (
    RANDOM, NEAR, NEAR_ALL, NEAR_TO_NOBODY, NEAR_FARTHEST, TOMEK, DISAGREE, DISAGREE_ROUND,
    OUTVOTED, CONDENSED, UNTESTED, SPOILS, HARD, CENTROID, COPIES, TIED,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """Removed rows in ascending order, each with its reason and the rows that decided."""

    index: np.ndarray  # (r,) rows of what was cleaned: input rows, then synthetic ones
    reason: np.ndarray  # (r,) place in REASONS
    value: np.ndarray  # (r,) the number that decided, or nan
    limit: np.ndarray  # (r,) what it was compared with, or nan
    neighbours: np.ndarray  # (r, m) rows that decided, nearest first, padded with NOBODY

    @staticmethod
    def empty() -> Removal:
        """Return the removal of no row."""
        none, nan = np.empty(0, int), np.empty(0)
        return Removal(none, none, nan, nan, np.empty((0, 0), int))

    def describe(self, place: int) -> str:
        """Return the reason of the ``place``-th removed row as a sentence's end."""
        near = self.neighbours[place][self.neighbours[place] != NOBODY]
        reason = str(REASONS[self.reason[place]]).format(
            value=self.value[place], limit=self.limit[place], n=len(near)
        )
        rows = ", ".join(f"{row:,}" for row in near)
        return f"{reason} (row{'s' * (len(near) > 1)} {rows})" if len(near) else reason

    def groups(self) -> list[tuple[int, int]]:
        """Return (rows, place of the first) of each kind of reason, most rows first."""
        _, first, counts = np.unique(self.reason, return_index=True, return_counts=True)
        return sorted(zip(counts.tolist(), first.tolist(), strict=True), reverse=True)


class _Notes:
    """Reasons by row, as they are found; the first one found stays."""

    def __init__(self, n_rows: int) -> None:
        self.reason = np.full(n_rows, -1)
        self.value, self.limit = np.full(n_rows, np.nan), np.full(n_rows, np.nan)
        self.lists: list[tuple[np.ndarray, np.ndarray]] = []

    def add(
        self,
        rows: np.ndarray,
        reason: str,
        value: Any = np.nan,
        limit: Any = np.nan,
        near: np.ndarray | None = None,
    ) -> None:
        new = self.reason[rows] < 0
        kept = rows[new]
        self.reason[kept] = REASONS.index(reason)
        self.value[kept] = np.broadcast_to(value, len(rows))[new]
        self.limit[kept] = np.broadcast_to(limit, len(rows))[new]
        if near is not None:
            self.lists.append((kept, near[new]))

    def removal(self, removed: np.ndarray) -> Removal:
        width = max((near.shape[1] for _, near in self.lists), default=0)
        neighbours = np.full((len(self.reason), width), NOBODY)
        for rows, near in self.lists:
            neighbours[rows, : near.shape[1]] = near
        return Removal(
            removed,
            self.reason[removed],
            self.value[removed],
            self.limit[removed],
            neighbours[removed],
        )


def nearest(
    X: np.ndarray, pool: np.ndarray, rows: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return distances and indices, both (len(rows), k), of the rows of ``pool`` nearest to
    ``rows``; itself is left out first.

    As in the library: a row that is in the pool finds itself first, so k + 1 are asked for and the
    first is dropped.
    """
    from sklearn.neighbors import NearestNeighbors

    itself = int(np.isin(rows, pool).all())
    found = NearestNeighbors(n_neighbors=min(k + itself, len(pool))).fit(X[pool])
    distances, places = found.kneighbors(X[rows])
    return distances[:, itself:], pool[places[:, itself:]]


def explain(
    method: str,
    sampler: Any,
    given: Task,
    kept: np.ndarray,
    k: int,
    answer: tuple[np.ndarray, np.ndarray] | None = None,
) -> Removal:
    """Return the reason of every row that is not ``kept`` (indices of rows that stay) under
    ``method``.

    Parameters
    ----------
    sampler
        The fitted under-sampler of imbalanced-learn.
    given
        What the sampler was given.
    k
        Neighbours that the sampler looks at.
    answer
        The sampler's rows and labels, for cluster centroids alone.
    """
    X, y = given.X, given.y
    removed = np.setdiff1d(np.arange(len(y)), kept)
    notes = _Notes(len(y))
    if not len(removed):
        return notes.removal(removed)
    if method == "random under":
        notes.add(removed, RANDOM)
    elif method.startswith("NearMiss"):
        _near_miss(notes, method[-1], given, removed, kept[y[kept] != given.minority], k)
    elif method == "Tomek links":
        _tomek(notes, X, y, np.arange(len(y)), removed)
    elif method == "ENN":
        _disagreeing(notes, X, y, np.arange(len(y)), removed, k, DISAGREE)
    elif method in ("repeated ENN", "all k-NN"):
        _rounds(notes, X, y, removed, k, growing=method == "all k-NN")
    elif method in ("condensed", "one-sided"):
        _condensed(notes, method, sampler, given, removed)
    elif method == "neighbourhood cleaning":
        _neighbourhood(notes, sampler, given, removed, k)
    elif method == "instance hardness":
        _hardness(notes, sampler, X, y, removed, kept)
    elif method == "cluster centroids" and answer is not None:
        _centroids(notes, X, y, removed, *answer)
    notes.add(removed, COPIES)
    return notes.removal(removed)


def _near_miss(
    notes: _Notes,
    version: str,
    given: Task,
    removed: np.ndarray,
    kept: np.ndarray,
    k: int,
) -> None:
    X, y = given.X, given.y
    minority, majority = np.flatnonzero(y == given.minority), np.flatnonzero(y != given.minority)
    if version == "3":
        _, found = nearest(X, majority, minority, 3)
        notes.add(np.setdiff1d(removed, found), NEAR_TO_NOBODY)
    distances, rows = nearest(X, minority, majority, len(minority) if version == "2" else k)
    score = np.full(len(y), np.nan)
    score[majority] = distances[:, -k:].mean(axis=1)
    near = np.full((len(y), min(k, rows.shape[1])), NOBODY)
    near[majority] = rows[:, -k:]
    limit = score[kept].min() if version == "3" else score[kept].max()
    reason = {"1": NEAR, "2": NEAR_ALL, "3": NEAR_FARTHEST}[version]
    notes.add(removed, reason, score[removed], limit, near[removed])


def _tomek(
    notes: _Notes, X: np.ndarray, y: np.ndarray, alive: np.ndarray, removed: np.ndarray
) -> None:
    _, found = nearest(X, alive, alive, 1)
    partner = np.full(len(y), NOBODY)
    partner[alive] = found[:, 0]
    linked = np.array(
        [row for row in removed if row in alive and partner[partner[row]] == row], dtype=int
    )
    linked = linked[y[partner[linked]] != y[linked]]
    notes.add(linked, TOMEK, near=partner[linked][:, np.newaxis])


def _disagreeing(
    notes: _Notes,
    X: np.ndarray,
    y: np.ndarray,
    alive: np.ndarray,
    rows: np.ndarray,
    k: int,
    reason: str,
    turn: float = np.nan,
) -> np.ndarray:
    """Note those of ``rows`` with a neighbour of another class among the k nearest that are alive;
    return them.
    """
    rows = np.intersect1d(rows, alive)
    if not len(rows):
        return rows
    _, near = nearest(X, alive, rows, k)
    n_other = (y[near] != y[rows][:, np.newaxis]).sum(axis=1)
    away = n_other > 0
    notes.add(rows[away], reason, n_other[away], turn, near[away])
    return np.asarray(rows[away])


def _rounds(
    notes: _Notes, X: np.ndarray, y: np.ndarray, removed: np.ndarray, k: int, *, growing: bool
) -> None:
    """Edit round by round, as the library does, until every removed row has its round.

    After a round the library holds the rows class by class, which decides between rows of the same
    numbers.
    """
    alive = np.arange(len(y))
    for turn in range(1, k + 1 if growing else 101):
        gone = _disagreeing(
            notes, X, y, alive, removed, turn if growing else k, DISAGREE_ROUND, turn
        )
        if not len(gone) and not growing:
            return
        alive = _by_class(np.setdiff1d(alive, gone), y)


def _by_class(rows: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(rows[np.argsort(y[rows], kind="stable")])


def _condensed(notes: _Notes, method: str, sampler: Any, given: Task, removed: np.ndarray) -> None:
    """The store is what the sampler's own 1-NN classifier was last fitted on: the minority, then
    rows of the others.
    """
    from engine.sampling.lineage.imblearn_internals import fitted_rows

    X, y, classifier = given.X, given.y, sampler.estimators_[-1]
    minority, others = np.flatnonzero(y == given.minority), np.flatnonzero(y != given.minority)
    rows_of = {tuple(X[row]): row for row in others}
    more = [rows_of[tuple(row)] for row in fitted_rows(classifier)[len(minority) :]]
    store = np.concatenate([minority, np.array(more, dtype=int)])
    found = classifier.kneighbors(X[removed], n_neighbors=1, return_distance=False)
    near = store[found]
    agrees = y[near[:, 0]] == y[removed]
    if method == "one-sided":
        wrong = others[classifier.predict(X[others]) == given.minority]
        _tomek(notes, X, y, _by_class(np.union1d(store, wrong), y), removed)
    notes.add(removed[agrees], CONDENSED, near=near[agrees])
    notes.add(removed[~agrees], UNTESTED, near=near[~agrees])


def _neighbourhood(notes: _Notes, sampler: Any, given: Task, removed: np.ndarray, k: int) -> None:
    X, y = given.X, given.y
    _, near = nearest(X, np.arange(len(y)), removed, k)
    n_other = (y[near] != y[removed][:, np.newaxis]).sum(axis=1)
    out = 2 * n_other > near.shape[1]
    notes.add(removed[out], OUTVOTED, n_other[out], near=near[out])
    tied = (2 * n_other == near.shape[1]) & (given.minority < y[removed])
    notes.add(removed[tied], TIED, n_other[tied], near=near[tied])
    minority = np.flatnonzero(y == given.minority)
    wrong = minority[sampler.nn_.predict(X[minority]) != given.minority]
    spoiled = np.full(len(y), NOBODY)
    if len(wrong):
        _, around = nearest(X, np.arange(len(y)), wrong, k)
        for place, row in enumerate(wrong):
            spoiled[around[place]] = row
    others = removed[~(out | tied)]
    others = others[spoiled[others] != NOBODY]
    notes.add(others, SPOILS, near=spoiled[others][:, np.newaxis])


def _hardness(
    notes: _Notes, sampler: Any, X: np.ndarray, y: np.ndarray, removed: np.ndarray, kept: np.ndarray
) -> None:
    """The library keeps no probabilities: its cross-validation is run again, from the same
    seed.
    """
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(
        n_splits=sampler.cv, shuffle=True, random_state=np.random.RandomState(sampler.random_state)
    )
    found = cross_val_predict(clone(sampler.estimator_), X, y, cv=folds, method="predict_proba")
    chances = found[np.arange(len(y)), y]
    for code in np.unique(y[removed]):
        gone = removed[y[removed] == code]
        notes.add(gone, HARD, chances[gone], chances[kept[y[kept] == code]].min())


def _centroids(
    notes: _Notes,
    X: np.ndarray,
    y: np.ndarray,
    removed: np.ndarray,
    centroids: np.ndarray,
    labels: np.ndarray,
) -> None:
    """The cluster of a row is that of the nearest centroid of its class."""
    from sklearn.metrics import pairwise_distances_argmin

    for code in np.unique(y[removed]):
        gone = removed[y[removed] == code]
        cluster = pairwise_distances_argmin(X[gone], centroids[labels == code])
        notes.add(gone, CENTROID, np.nan, np.bincount(cluster)[cluster] - 1)
