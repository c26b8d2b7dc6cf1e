"""Ways to split flights for validation: shuffled, grouped, in time order, with a gap, purged with
an embargo.

Real: scikit-learn's ``KFold``, ``GroupKFold`` and ``TimeSeriesSplit``, the last one over days, so
that no day is cut. Ours: purging and embargo (López de Prado, *Advances in Financial Machine
Learning*, 2018, chapter 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np

from engine.errors import require

Scheme = Literal[
    "shuffled",
    "by plane",
    "by day",
    "by week",
    "time series",
    "time series, gap",
    "purged, embargo",
]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
Folds = list[tuple[np.ndarray, np.ndarray]]
HORIZON_DAYS = 1  # a flight's answer is known within a day of its departure


def folds(
    scheme: Scheme,
    day: np.ndarray,
    plane: np.ndarray,
    *,
    n_splits: int,
    gap_days: int,
    embargo_days: int,
    seed: int,
) -> Folds:
    """Return (train, test) rows of each fold; ``day`` (n,) whole days in order of time, ``plane``
    (n,) codes.

    Raises
    ------
    InputError
        The gap leaves nothing to train on.
    """
    from sklearn.model_selection import GroupKFold, KFold

    if scheme == "purged, embargo":
        return list(purged(day, n_splits, embargo_days))
    if scheme.startswith("time series"):
        return list(in_time_order(day, n_splits, gap_days if scheme.endswith("gap") else 0))
    rows = np.zeros(len(day))
    schemes: dict[str, Iterator[Any]] = {  # generators: only the one asked for is run
        "shuffled": KFold(n_splits, shuffle=True, random_state=seed).split(rows),
        "by plane": GroupKFold(n_splits).split(rows, groups=plane),
        "by day": GroupKFold(n_splits).split(rows, groups=day),
        "by week": GroupKFold(n_splits).split(rows, groups=day // 7),
    }
    return list(schemes[scheme])


def in_time_order(
    day: np.ndarray, n_splits: int, gap_days: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (train, test) rows: train on the days before the test days, less ``gap_days``.

    Raises
    ------
    InputError
        The gap leaves nothing to train on in the first fold.
    """
    from sklearn.model_selection import TimeSeriesSplit

    days = np.unique(day)
    test_size = len(days) // (n_splits + 1)
    require(
        len(days) - gap_days - n_splits * test_size > 0,
        "gap_days must leave days to train on in the first fold. Got {} days. Lower the gap, or"
        " take fewer folds.",
        gap_days,
    )
    for train, test in TimeSeriesSplit(n_splits, gap=gap_days).split(days):
        yield np.flatnonzero(np.isin(day, days[train])), np.flatnonzero(np.isin(day, days[test]))


def purged(
    day: np.ndarray, n_splits: int, embargo_days: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (train, test) rows of folds of consecutive days, trained on both sides of the test
    days.

    Purged: a training row whose answer's days [day, day + HORIZON_DAYS] meet those of a test row.
    Embargo: none of the ``embargo_days`` after the last test answer is known.
    """
    for test_days in np.array_split(np.unique(day), n_splits):
        first, last = test_days[0], test_days[-1]
        clear = (day + HORIZON_DAYS < first) | (day > last + HORIZON_DAYS + embargo_days)
        yield np.flatnonzero(clear), np.flatnonzero((day >= first) & (day <= last))


def nearest_days(day: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return how many days each test row lies from the nearest training row (len(test),)."""
    trained = np.unique(day[train])
    place = np.searchsorted(trained, day[test])
    after = np.abs(trained[np.minimum(place, len(trained) - 1)] - day[test])
    before = np.abs(trained[np.maximum(place - 1, 0)] - day[test])
    return np.asarray(np.minimum(after, before))
