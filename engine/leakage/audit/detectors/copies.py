"""Detectors of copies: rows that equal another row, in every cell or nearly.

With a split, test rows that have their copy in training; without one, all rows, because a random
split would part them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.leakage.audit.detectors.naming import names_rows, names_things
from engine.leakage.audit.findings import Finding
from engine.leakage.table_columns import Column, Subject
from engine.units import format_share

CHANCE_FACTOR = 10.0
MAX_LEFT_OUT = 60
N_NEIGHBOURS = 12
NEAR_RATIO = 0.1
NEAR_SHARE = 0.01
MAX_NEAR_COLUMNS = 8
MAX_NEAR_TEST, MAX_NEAR_TRAIN = 2_000, 60_000
CONTINUOUS_SHARE = 0.2  # of the rows that a continuous column has distinct values for


def _mixed(values: np.ndarray) -> np.ndarray:
    """Return 64-bit values with their bits stirred (splitmix64)."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def cell_hashes(columns: list[Column]) -> Iterator[np.ndarray]:
    """Yield 64-bit numbers (n,) for each column; rows that agree in some columns share the sum."""
    for place, column in enumerate(columns):
        yield _mixed(_mixed(column.codes.astype(np.uint64)) ^ np.uint64(place))


def exact_duplicates(subject: Subject) -> Iterator[Finding]:
    """Rows that equal another one in every cell but ids; if there are none, in every cell but ids,
    groups and times, which a copy may get anew. The target is left aside.
    """
    roles = [c for c in (subject.group, subject.time) if c is not None]
    columns = list(subject.columns.values())
    tries = (
        ("", [*(c for c in columns if not names_rows(c, subject.n)), *roles]),
        (
            " (ids and times left aside)",
            [c for c in columns if c.kind != "time" and not names_things(c, subject.n)],
        ),
    )
    for turn, (aside, used) in enumerate(tries):
        if not used or (turn and len(used) == len(tries[0][1])):
            return
        total = np.zeros(subject.n, dtype=np.uint64)
        for values in cell_hashes(used):
            total += values
        twin = _find_twins(total, subject)
        if len(twin) <= 3:
            continue
        expected = _expect_twins(used, total, len(twin), subject)
        if len(twin) <= 3 + CHANCE_FACTOR * expected:
            continue
        yield _report(subject, twin, len(used), aside, expected)
        return


def _report(
    subject: Subject, twin: np.ndarray, n_columns: int, aside: str, expected: float
) -> Finding:
    if subject.is_test is None:
        n, what = subject.n, "rows"
        where = "have a copy in the table, which a random split would part:"
    else:
        n, what = int(subject.is_test.sum()), "test rows"
        where = "are in training too,"
    certain = subject.is_test is not None and expected < 0.5
    return Finding(
        "exact duplicates",
        (),
        "certain" if certain else "suspicious",
        f"{len(twin):,} of {n:,} {what} ({format_share(len(twin) / n)}) {where} equal in all"
        f" {n_columns} columns{aside}; {expected:.1g} expected by chance",
        "Drop duplicates before the split, or give all copies of a row one group and split by"
        " group.",
        len(twin) / n,
        subject.original(twin),
    )


def _find_twins(hashes: np.ndarray, subject: Subject) -> np.ndarray:
    """Return the places of test rows that have an equal training row; without a split, of all rows
    that have an equal one.
    """
    if subject.is_test is None:
        _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        return np.flatnonzero(counts[inverse.reshape(-1)] > 1)
    test = np.flatnonzero(subject.is_test)
    return test[np.isin(hashes[test], np.unique(hashes[~subject.is_test]))]


def _expect_twins(
    columns: list[Column], total: np.ndarray, n_twins: int, subject: Subject
) -> float:
    """Return how many twins chance would give: the highest of two estimates.

    If columns were drawn apart from each other: rows times the product of the chances that two
    rows agree in a column. And, as columns depend on each other: of the rows whose twin agrees in
    all columns but one, those that would agree in the last one too. Copies agree in all or nothing,
    so leaving a column out finds no more of them.
    """
    chances = [float(((np.bincount(c.codes + 1) / subject.n) ** 2).sum()) for c in columns]
    rows, others = subject.n, subject.n
    if subject.is_test is not None:
        rows, others = int(subject.is_test.sum()), int((~subject.is_test).sum())
    expected = rows * min(1.0, float(np.exp(np.log(chances).sum())) * others)
    if len(columns) <= 2:
        return expected
    for place, values in enumerate(cell_hashes(columns)):
        if place >= MAX_LEFT_OUT:
            break
        but_one = len(_find_twins(total - values, subject)) - n_twins
        chance = min(chances[place], 0.5)
        expected = max(expected, but_one * chance / (1 - chance))
    return expected


def continuous(subject: Subject) -> list[Column]:
    """Return the columns of numbers with few repeats, the least repeated first."""
    found = [
        c
        for c in subject.columns.values()
        if c.kind == "number"
        and c.n_distinct > CONTINUOUS_SHARE * subject.n
        and not names_things(c, subject.n)
    ]
    return sorted(found, key=lambda c: -c.n_distinct)[:MAX_NEAR_COLUMNS]


def _normal_scores(numbers: np.ndarray) -> np.ndarray:
    """Return each number as the normal quantile of its rank, 0 for empty cells: no unit, no heavy
    tail.
    """
    from scipy.special import ndtri

    out = np.zeros(len(numbers))
    known = np.isfinite(numbers)
    distinct, place = np.unique(numbers[known], return_inverse=True)
    out[known] = ndtri((place + 1) / (len(distinct) + 1))
    return out


def near_duplicates(subject: Subject) -> Iterator[Finding]:
    """Rows far nearer to one (training) row than to its twelfth nearest.

    In smooth data the ratio r of the two distances is at most t with probability 1 − (1 − t^k)^11,
    where k is the local dimension (the distances' k-th powers are a Poisson process); k is read
    from the median of the sixth distance by the twelfth, whose k-th power has median 1/2 and which
    few copies reach.
    """
    from scipy.spatial import cKDTree

    points = np.column_stack([_normal_scores(np.asarray(c.numbers)) for c in continuous(subject)])
    rng = np.random.default_rng(0)
    everything = np.arange(subject.n)
    test, train = everything, everything
    if subject.is_test is not None:
        test, train = np.flatnonzero(subject.is_test), np.flatnonzero(~subject.is_test)
    if len(train) > MAX_NEAR_TRAIN:
        train = np.sort(rng.choice(train, MAX_NEAR_TRAIN, replace=False))
    if subject.is_test is None:
        test = train
    if len(train) <= N_NEIGHBOURS + 1:
        return
    test = np.sort(rng.choice(test, min(len(test), MAX_NEAR_TEST), replace=False))
    own = int(subject.is_test is None)  # without a split a row's nearest row is itself
    distances, neighbours = cKDTree(points[train]).query(points[test], k=N_NEIGHBOURS + own)
    distances, neighbours = distances[:, own:], neighbours[:, own:]
    apart = (distances[:, 0] > 0) & (distances[:, -1] > 0)  # a distance of 0 is an exact copy
    ratio = distances[apart, 0] / distances[apart, -1]
    if len(ratio) < 20:
        return
    middle = float(np.median(distances[apart, N_NEIGHBOURS // 2 - 1] / distances[apart, -1]))
    dimension = np.log(0.5) / np.log(min(middle, 0.999))
    expected = len(ratio) * (1 - (1 - NEAR_RATIO**dimension) ** (N_NEIGHBOURS - 1))
    near = np.flatnonzero(ratio <= NEAR_RATIO)
    if len(near) <= max(3 + expected + 5 * np.sqrt(expected), NEAR_SHARE * len(ratio)):
        return
    twin = test[np.flatnonzero(apart)[near]]
    partner = train[neighbours[np.flatnonzero(apart)[near], 0]]
    pairs = ", ".join(
        f"{subject.rows[a]:,} ~ {subject.rows[b]:,}"
        for a, b in zip(twin[:3], partner[:3], strict=True)
    )
    what, one = ("rows", "another") if own else ("test rows", "one training")
    yield Finding(
        "near duplicates",
        (),
        "suspicious",
        f"{len(near):,} of {len(ratio):,} {what} are ten times nearer to {one} row than"
        f" to its twelfth nearest, in {points.shape[1]} columns; {expected:.1f} expected in smooth"
        f" data (rows {pairs})",
        "Look at the pairs. If they are the same thing measured twice, give them one group and"
        " split by group.",
        len(near) / len(ratio),
        subject.original(np.column_stack([twin, partner]).ravel()),
    )
