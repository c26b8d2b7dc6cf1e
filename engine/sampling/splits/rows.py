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
    X, order, hour, mean, spread = _in_time_order()
    taken = np.linspace(0, len(hour) - 1, n_rows).astype(int)
    labels = _labels(horizon_hours)
    return Rows((X[order[taken]] - mean) / spread, labels[taken], hour[taken])


@lru_cache(maxsize=1)
def _in_time_order() -> tuple[np.ndarray, ...]:
    """Return all flights' features, (n, d), their order by hour and the hours in it, each (n,);
    then mean and deviation of each feature, (d,).
    """
    everything = flight_rows.table("cancelled")
    X, names = everything.X, everything.names
    hour = (X[:, names.index("day of the year")] - 1) * 24 + X[:, names.index("hour")]
    order = np.argsort(hour, kind="stable")
    return X, order, hour[order], *flight_rows.scale(X)


@lru_cache(maxsize=8)
def _labels(horizon_hours: int) -> np.ndarray:
    """Return whether a disruption follows each flight, in time order, (n,)."""
    everything = flight_rows.table("cancelled")
    X, order, hour, *_ = _in_time_order()
    cancelled = everything.y[order].astype(float)
    y = np.zeros(len(hour), int)
    for column, name in enumerate(everything.names):
        if not name.startswith("origin "):
            continue
        here = np.flatnonzero(X[order, column] == 1)
        before = np.concatenate([[0.0], np.cumsum(cancelled[here])])
        first, end = (
            np.searchsorted(hour[here], hour[here] + ahead, side="left")
            for ahead in (0, horizon_hours)
        )
        y[here] = (before[end] - before[first]) / (end - first) >= DISRUPTED_SHARE
    return y
