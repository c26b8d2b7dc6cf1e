"""Alarms by day: the rank of each row within its day, and what a threshold or a budget picks."""

from __future__ import annotations

import numpy as np


def daily_ranks(day: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Return the place of each row among those of its day by falling chance, from 0; equal chances
    keep their order, all (n,).
    """
    order = np.argsort(-chances, kind="stable")
    order = order[np.argsort(day[order].astype(np.int16), kind="stable")]  # 16 bits: a radix sort
    counts = np.bincount(day)
    ranks = np.empty(len(day), int)
    ranks[order] = np.arange(len(day)) - (np.cumsum(counts) - counts)[day[order]]
    return ranks


def threshold_for(chances: np.ndarray, share: float) -> float:
    """Return the threshold at or above which ``share`` of the rows are; ``chances`` (n,) fall.

    At least one row is.
    """
    place = min(len(chances), max(1, round(share * len(chances)))) - 1
    return float(chances[place])


def per_day(day: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Return how many rows of each day are marked, in the order of the days, (days,)."""
    counts = np.bincount(day)
    return np.bincount(day[marked], minlength=len(counts))[counts > 0]


def different(day: np.ndarray) -> np.ndarray:
    """Return the days that there are, rising."""
    return np.flatnonzero(np.bincount(day))
