"""How far a batch of a feature has moved from its reference: PSI, KS and Wasserstein.

The reference is sorted once; each batch then costs the search of its own values in it, however
large the reference is. *PSI* takes ten bins with equal shares of the reference. *KS* is the largest
distance of the two distribution functions, *Wasserstein* the area between them over the reference's
standard deviation. Between two neighbouring values of the batch its own function is constant and
the reference's only rises: so the largest distance is at one of the two ends, and the area has at
most one point at which the functions cross (Vallender 1974 for the area).
"""

from __future__ import annotations

import numpy as np

N_BINS = 10
DISTANCES = ("psi", "ks", "wasserstein")


class Reference:
    """What batches are compared with: values without missing ones, in any order."""

    def __init__(self, values: np.ndarray) -> None:
        self._sorted = np.sort(np.asarray(values, float))
        self._sums = np.concatenate([[0.0], np.cumsum(self._sorted)])
        if len(self._sorted):
            inner = np.linspace(0, 1, N_BINS + 1)[1:-1]
            self._edges = np.unique(np.quantile(self._sorted, inner))
            self._shares = self._bins(self._sorted)
            self._deviation = self._sorted.std() or 1.0

    def drift(self, batch: np.ndarray) -> dict[str, float]:
        """Return the three distances of a batch without missing values; NaN where either is
        empty.
        """
        if not len(batch) or not len(self._sorted):
            return dict.fromkeys(DISTANCES, float("nan"))
        ordered = np.sort(np.asarray(batch, float))
        return {
            "psi": self._psi(ordered),
            "ks": self._ks(ordered),
            "wasserstein": float(self._area(ordered) / self._deviation),
        }

    def _bins(self, values: np.ndarray) -> np.ndarray:
        places = np.searchsorted(self._edges, values, side="right")
        return np.bincount(places, minlength=len(self._edges) + 1) / len(values)

    def _psi(self, batch: np.ndarray) -> float:
        least = 0.5 / len(batch)  # half a row stands for an empty bin
        got, expected = np.maximum(self._bins(batch), least), np.maximum(self._shares, least)
        return float(((got - expected) * np.log(got / expected)).sum())

    def _ks(self, batch: np.ndarray) -> float:
        n, own = len(self._sorted), np.arange(len(batch) + 1) / len(batch)
        before = np.searchsorted(self._sorted, batch, side="left") / n
        after = np.searchsorted(self._sorted, batch, side="right") / n
        starts, ends = (np.searchsorted(batch, batch, side=side) for side in ("left", "right"))
        return float(max(abs(own[starts] - before).max(), abs(own[ends] - after).max()))

    def _area(self, batch: np.ndarray) -> float:
        """Return the area between the two functions, piece by piece between values of the batch."""
        values = np.concatenate(
            [[min(batch[0], self._sorted[0])], batch, [max(batch[-1], self._sorted[-1])]]
        )
        left, right = values[:-1], values[1:]
        height = np.arange(len(batch) + 1) / len(batch)  # of the batch's function on each piece
        n = len(self._sorted)
        crossing = self._sorted[np.clip(np.ceil(height * n).astype(int) - 1, 0, n - 1)]
        middle = np.clip(crossing, left, right)
        below = height * (middle - left) - (self._under(middle) - self._under(left))
        above = self._under(right) - self._under(middle) - height * (right - middle)
        return float(np.abs(below).sum() + np.abs(above).sum())

    def _under(self, x: np.ndarray) -> np.ndarray:
        """Return the area under the reference's function from its least value up to ``x``."""
        n_below = np.searchsorted(self._sorted, x, side="right")
        area: np.ndarray = (n_below * x - self._sums[n_below]) / len(self._sorted)
        return area
