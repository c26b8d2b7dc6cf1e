"""Alarms by day: the rank of each row within its day, and what a threshold or a budget picks."""

from __future__ import annotations

import numpy as np


def daily_ranks(day: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Return the place of each row among those of its day by falling chance, from 0; equal chances
    keep their order, all (n,).
    """
    order = np.lexsort((np.arange(len(day)), -chances, day))
    days, starts = np.unique(day[order], return_index=True)
    ranks = np.empty(len(day), int)
    ranks[order] = np.arange(len(day)) - starts[np.searchsorted(days, day[order])]
    return ranks


def threshold_for(chances: np.ndarray, share: float) -> float:
    """Return the threshold at or above which ``share`` of the rows are; ``chances`` (n,) fall.

    At least one row is.
    """
    place = min(len(chances), max(1, round(share * len(chances)))) - 1
    return float(chances[place])


def per_day(day: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Return how many rows of each day are marked, in the order of the days, (days,)."""
    days = np.unique(day)
    return np.bincount(np.searchsorted(days, day[marked]), minlength=len(days))
