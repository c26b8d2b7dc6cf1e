"""How far a score is from what chance gives: a permutation test of several scores at once.

Source: Fisher (1935), randomization test; p with the observed order counted in (Phipson and Smyth
2010, "Permutation p-values should never be zero"); the maximum over the scores controls the
family-wise error of trying them all (Westfall and Young 1993). Permuting inside strata keeps what
the strata tell (conditional randomization): what is left over is what the labels add to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

N_ORDERS = 399  # random orders of a test; the smallest p is 1 / 400
LEAST_SPREAD = 0.01  # of a score, AUC or R²: what strata hold almost fixed is not far from chance
MAX_P = 0.0025  # of a finding: one honest id or table in 400 comes this far by chance


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """``seen`` (k,): the scores; ``usual`` (k,): their means over random orders; ``best``: place of
    the one most standard deviations above; ``p``: share of the orders in which some score is as far
    above as that.
    """

    seen: np.ndarray
    usual: np.ndarray
    best: int
    p: float

    def beats(self, least: float) -> bool:
        """Whether the best score is ``least`` above chance, and chance rarely comes as far."""
        return bool(self.seen[self.best] - self.usual[self.best] >= least and self.p <= MAX_P)


def shuffled(strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random order of the places (n,): each place gets one of its own stratum (n,)."""
    order = np.empty(len(strata), dtype=np.int64)
    order[np.argsort(strata, kind="stable")] = np.lexsort((rng.random(len(strata)), strata))
    return order


Scores = Callable[[np.ndarray], np.ndarray]  # an order of the labels (n,) -> scores (k,)


def test(scores: Scores, strata: np.ndarray, n_orders: int = N_ORDERS) -> Chance:
    """Return how far the scores are from those of random orders inside the strata (n,)."""
    rng = np.random.default_rng(0)
    seen = scores(np.arange(len(strata)))
    by_chance = np.array([scores(shuffled(strata, rng)) for _ in range(n_orders)])
    usual = by_chance.mean(axis=0)
    spread = np.maximum(by_chance.std(axis=0), LEAST_SPREAD)
    far = (seen - usual) / spread
    as_far = (((by_chance - usual) / spread).max(axis=1) >= far.max()).sum()
    return Chance(seen, usual, int(np.argmax(far)), float((1 + as_far) / (1 + n_orders)))
