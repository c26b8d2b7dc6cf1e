"""How often a plain split has a fold without positives: exactly, and by shuffling."""

from __future__ import annotations

from math import comb

import numpy as np

N_SHUFFLES = 2_000


def chance_of_empty(n: int, n_positive: int, n_splits: int) -> float:
    """Return the chance that a shuffled split into folds of n // n_splits rows has a fold without
    positives.

    Exact, by inclusion and exclusion over the folds; the first n % n_splits folds hold one row
    more, as in scikit-learn.
    """
    sizes = [n // n_splits + (i < n % n_splits) for i in range(n_splits)]
    big = n % n_splits
    total = 0.0
    for n_big in range(big + 1):
        for n_small in range(n_splits - big + 1):
            chosen = n_big + n_small
            if chosen:
                rows = n_big * sizes[0] + n_small * sizes[-1]
                ways = comb(big, n_big) * comb(n_splits - big, n_small)
                total -= (-1) ** chosen * ways * comb(n - rows, n_positive) / comb(n, n_positive)
    return min(1.0, max(0.0, total))


def simulated_empty(n: int, n_positive: int, n_splits: int, seed: int) -> float:
    """Return the share of N_SHUFFLES shuffled splits that have a fold without positives."""
    sizes = [n // n_splits + (i < n % n_splits) for i in range(n_splits)]
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(
        sizes, n_positive, size=N_SHUFFLES
    )
    return float((drawn == 0).any(axis=1).mean())
