"""The flights that *time_splits* draws, and the folds of each scheme over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.leakage import flights
from engine.leakage.time_splits import splits
from engine.leakage.time_splits.params import TimeSplitsParams
from engine.leakage.time_splits.splits import Scheme

LATER_ROWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows that the schemes may use and the later ones, as places in ``flights.table()``, in
    time order.
    """

    used: np.ndarray
    later: np.ndarray
    day: np.ndarray  # (len(used),) whole days since the year began
    plane: np.ndarray  # (len(used),)


@lru_cache(maxsize=8)
def rows(n_rows: int, seed: int) -> Rows:
    """Draw rows of the first three quarters for the schemes, and rows of the last one, in time
    order.
    """
    table = flights.table()
    cut_day = int(table.hour[round(len(table.y) * (1 - flights.LATER_SHARE))] // 24)
    cut = int(np.searchsorted(table.hour // 24, cut_day))
    rng = np.random.default_rng([seed, 9])
    used = np.sort(rng.permutation(cut)[:n_rows])
    later = np.sort(cut + rng.permutation(len(table.y) - cut)[:LATER_ROWS])
    return Rows(used, later, (table.hour[used] // 24).astype(int), flights.plane_codes()[used])


def folds(scheme: Scheme, params: TimeSplitsParams) -> splits.Folds:
    """Return (train, test) of each fold of a scheme, as places in ``rows(…).used``."""
    drawn = rows(params.n_rows, params.seed)
    return splits.folds(
        scheme,
        drawn.day,
        drawn.plane,
        n_splits=params.n_splits,
        gap_days=params.gap_days,
        embargo_days=params.embargo_days,
        seed=params.seed,
    )
