"""What one column alone says about the target: cross-fitted, by target mean in each of its bins,
without a model.

AUC for two classes (Mann-Whitney, ties count half), R² for numbers. Each row's bin mean comes from
the other folds, shrunk towards the overall mean, so a column of noise with many values scores 0.5,
not 1 (Micci-Barreca 2001, out of fold).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.leakage.table_columns import Column, Subject, cells

SHRINK_ROWS = 5.0  # how many rows of the overall mean each bin is given


@dataclass(frozen=True, slots=True)
class Score:
    """``value``: AUC in 0–1 or R² (at most 1, below 0 for worse than the mean); ``error``: its
    standard error.
    """

    value: float
    error: float
    binary: bool

    @property
    def text(self) -> str:
        """The score in words."""
        return f"{'AUC' if self.binary else 'R²'} {self.value:.3f}"

    @property
    def lower(self) -> float:
        """The value less four standard errors."""
        return self.value - 4 * self.error


def auc_error(auc: float, n_positive: float, n_negative: float) -> float:
    """Return the standard error of an AUC (Hanley and McNeil 1982)."""
    if min(n_positive, n_negative) < 1:
        return 1.0
    a = min(max(auc, 1e-9), 1 - 1e-9)
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    spread = a * (1 - a) + (n_positive - 1) * (q1 - a * a) + (n_negative - 1) * (q2 - a * a)
    return float(np.sqrt(max(spread, 0.0) / (n_positive * n_negative)))


def auc_of_levels(level: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the AUC of a score given as levels with counts of positives and negatives."""
    _, place = np.unique(level, return_inverse=True)
    pos = np.bincount(place, weights=positive)
    neg = np.bincount(place, weights=negative)
    below = np.cumsum(neg) - neg
    total = pos.sum() * neg.sum()
    return float((pos * (below + 0.5 * neg)).sum() / total) if total else 0.5


def encoded(rows: np.ndarray, sums: np.ndarray, mean: float) -> np.ndarray:
    """Return the mean target of each (code, fold) from the other folds, shrunk towards ``mean``."""
    n = rows.sum(axis=1, keepdims=True) - rows
    s = sums.sum(axis=1, keepdims=True) - sums
    return np.asarray((s + SHRINK_ROWS * mean) / (n + SHRINK_ROWS))


def value_of_cells(rows: np.ndarray, sums: np.ndarray, squares: float, *, binary: bool) -> float:
    """Return the AUC, or R², of the cells' means out of fold; ``rows`` and ``sums`` of the target
    (n_codes, n_folds), ``squares`` the sum of its squares over all rows.
    """
    n, mean = rows.sum(), float(sums.sum() / rows.sum())
    predicted = encoded(rows, sums, mean)
    if binary:
        used = rows > 0
        return auc_of_levels(predicted[used], sums[used], rows[used] - sums[used])
    total = squares - n * mean**2
    left = squares - 2 * (predicted * sums).sum() + (rows * predicted**2).sum()
    return float(1 - left / total)


def score_codes(
    codes: np.ndarray, n_codes: int, subject: Subject, is_class: np.ndarray | None = None
) -> Score:
    """Return the score of one column given as codes; ``is_class`` (n,) stands in for the target
    (0/1).
    """
    y = subject.y if is_class is None else is_class
    binary = subject.binary or is_class is not None
    if not binary:
        y = y - y.mean()  # the squares of large numbers would lose the small differences
    rows, sums = cells(codes, n_codes, subject, y)
    value = value_of_cells(rows, sums, float((y**2).sum()), binary=binary)
    n, positive = len(y), float(y.sum())
    if binary:
        return Score(value, auc_error(value, positive, n - positive), True)
    return Score(
        value, 2 * float(np.sqrt(max(value, 1 / n)) * max(0.0, 1 - value) / np.sqrt(n)), False
    )


def score(column: Column, subject: Subject, is_class: np.ndarray | None = None) -> Score:
    """Return the score of one column: by bins, or for numbers against a number by the straight line
    if that says more.
    """
    by_bins = score_codes(*column.bins, subject, is_class)
    if by_bins.binary or column.numbers is None:
        return by_bins
    line = correlation(column, subject) ** 2
    return Score(line, by_bins.error, False) if line > by_bins.value else by_bins


def correlation(column: Column, subject: Subject) -> float:
    """Return Pearson's r with a numeric target, 0 where half of the cells are empty."""
    if column.numbers is None or column.n_null > subject.n / 2:
        return 0.0
    known = ~column.null
    x = column.numbers[known]
    x, y = x - x.mean(), subject.y[known] - subject.y[known].mean()
    norm = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / norm if norm > 0 else 0.0


def quantile_codes(numbers: np.ndarray, n_bins: int = 20) -> tuple[np.ndarray, int]:
    """Return the bin of each number by rank, equal shares a bin."""
    order = np.argsort(numbers, kind="stable")
    codes = np.empty(len(numbers), dtype=np.int64)
    codes[order] = np.arange(len(numbers)) * n_bins // len(numbers)
    return codes, n_bins
