"""SMOTE-NC's two rules beside SMOTE's: another category counts as a distance, and the k neighbours
vote for the category of the synthetic row.

Real: neighbours and categories are the library's own; this module counts its votes and takes its
distances apart (Chawla et al. 2002): squared, the distance of two rows is the sum of their squared
differences in numbers, plus ``penalty`` squared where their categories differ. The penalty is the
median of the standard deviations of the minority's numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.sampling.lineage.record import Record
from engine.sampling.rows import Points
from engine.units import format_number, format_share


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Vote:
    """How one synthetic row got its neighbours and its category.

    The m candidates are the k neighbours, nearest first, then the rows of other categories that
    would be among the k nearest by the numbers alone.
    """

    rows: np.ndarray  # (m,) input rows
    n_neighbours: int  # k: so many of the candidates vote
    by_numbers: np.ndarray  # (m,) squared distance of the numbers
    differs: np.ndarray  # (m,) whether the category is another than the seed's
    penalty: float
    categories: np.ndarray  # (m,) text
    seed_category: str
    counts: tuple[tuple[str, int], ...]  # votes by category, most first
    chosen: str

    @property
    def is_tied(self) -> bool:
        """Whether two categories have the most votes; the library then draws one of them."""
        return len(self.counts) > 1 and self.counts[0][1] == self.counts[1][1]

    @property
    def distances(self) -> np.ndarray:
        """The distance by which the library orders the rows, (m,)."""
        return np.asarray(np.sqrt(self.by_numbers + self.differs * self.penalty**2))


def of_row(points: Points, record: Record, chosen: np.ndarray, penalty: float, made: int) -> Vote:
    """Return the vote on the ``made``-th synthetic row; ``chosen`` are the library's categories,
    (s,) text.
    """
    seed, near = int(record.seed_index[made]), record.neighbours[made]
    pool = np.flatnonzero(points.y == 1)
    pool = pool[pool != seed]
    apart = ((points.X[pool] - points.X[seed]) ** 2).sum(axis=1)
    plain = pool[np.argsort(apart, kind="stable")[: len(near)]]
    # a row of the seed's category that has no vote is a copy or as far as the last voter
    own = str(points.category[seed])
    others = points.category[plain].astype(str) != own
    rows = np.concatenate([near, plain[~np.isin(plain, near) & others]])
    categories = points.category[rows].astype(str)
    names, counts = np.unique(categories[: len(near)], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return Vote(
        rows=rows,
        n_neighbours=len(near),
        by_numbers=((points.X[rows] - points.X[seed]) ** 2).sum(axis=1),
        differs=categories != own,
        penalty=penalty,
        categories=categories,
        seed_category=own,
        counts=tuple((str(names[i]), int(counts[i])) for i in order),
        chosen=str(chosen[made]),
    )


def tied(points: Points, record: Record) -> np.ndarray:
    """Return which synthetic rows' votes are tied, (s,) bool."""
    _, codes = np.unique(points.category.astype(str), return_inverse=True)
    counts = np.zeros((len(record.neighbours), codes.max() + 1), dtype=int)
    for voters in codes[record.neighbours].T:
        counts[np.arange(len(counts)), voters] += 1
    return np.asarray((counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1)


def away_share(points: Points, record: Record, chosen: np.ndarray) -> float:
    """Return the share of synthetic rows whose category is not their seed's, 0–1."""
    if not len(chosen):
        return 0.0
    return float((chosen != points.category[record.seed_index].astype(str)).mean())


def reasons(points: Points, record: Record, chosen: np.ndarray, penalty: float) -> list[str]:
    """Return what the penalty and the votes do, with their values."""
    texts, name = points.category.astype(str), points.category_name
    same = (texts[record.neighbours] == texts[record.seed_index][:, np.newaxis]).mean()
    n_tied = int(tied(points, record).sum())
    draws = f"; {n_tied:,} tied, drawn at random" if n_tied else ""
    return [
        f"**Penalty**: another {name} counts as a distance of {format_number(penalty, 3)}, the"
        f" median standard deviation of the minority's numbers. {format_share(same)} of the"
        f" neighbours have the seed's {name}.",
        f"**Vote**: the k neighbours choose the {name}, the seed has no vote."
        f" {format_share(away_share(points, record, chosen))} of the synthetic points differ from"
        f" their seed{draws}.",
    ]
