"""The rows that *splits* assigns to folds: flights in time order, labelled by what follows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.sampling import flight_rows

DISRUPTED_SHARE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Flights in time order: ``hour`` (n,) since the year began, ``y`` (n,) whether a disruption
    follows.
    """

    X: np.ndarray
    y: np.ndarray
    hour: np.ndarray

    def take(self, places: np.ndarray | slice) -> Rows:
        """Return some of the rows."""
        return Rows(self.X[places], self.y[places], self.hour[places])


@lru_cache(maxsize=16)
def year(n_rows: int, horizon_hours: int) -> Rows:
    """Return evenly spaced flights of the year with their label, in time order."""
    everything = flight_rows.table("cancelled")
    names = list(everything.names)
    hour = (everything.X[:, names.index("day of the year")] - 1) * 24 + everything.X[
        :, names.index("hour")
    ]
    order = np.argsort(hour, kind="stable")
    hour, cancelled = hour[order], everything.y[order].astype(float)
    y = np.zeros(len(hour), int)
    for name in [name for name in names if name.startswith("origin ")]:
        here = np.flatnonzero(everything.X[order, names.index(name)] == 1)
        before = np.concatenate([[0.0], np.cumsum(cancelled[here])])
        first, end = (
            np.searchsorted(hour[here], hour[here] + ahead, side="left")
            for ahead in (0, horizon_hours)
        )
        y[here] = (before[end] - before[first]) / (end - first) >= DISRUPTED_SHARE
    taken = np.linspace(0, len(hour) - 1, n_rows).astype(int)
    X = flight_rows.standardise(everything.X)[0][order[taken]]
    return Rows(X, y[taken], hour[taken])
