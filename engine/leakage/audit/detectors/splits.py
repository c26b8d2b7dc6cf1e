"""Detectors that compare the two sides of a split: duplicates, groups, time, and whether the sides
are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.leakage.audit.detectors.columns import TOO_GOOD, is_identifier
from engine.leakage.audit.findings import Finding
from engine.leakage.column_scores import SHRINK_ROWS, auc_error, auc_of_levels, encoded, score
from engine.leakage.table_columns import Column, Subject, cells, named
from engine.units import format_share

CHANCE_FACTOR = 10.0
GROUP_R = 0.1
N_NEIGHBOURS = 12
NEAR_RATIO = 0.1
NEAR_SHARE = 0.01
MAX_NEAR_COLUMNS = 8
MAX_NEAR_TEST, MAX_NEAR_TRAIN = 2_000, 60_000
ADVERSARY_SCORE, ADVERSARY_FLOOR, ADVERSARY_ERRORS = 0.55, 0.52, 3.3
MAX_ADVERSARY_ROWS, MAX_ADVERSARY_COLUMNS = 8_000, 40


def _mixed(values: np.ndarray) -> np.ndarray:
    """Return 64-bit values with their bits stirred (splitmix64)."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def row_hashes(columns: list[Column], n: int) -> np.ndarray:
    """Return one 64-bit number a row; rows that agree in every column share it."""
    out = np.zeros(n, dtype=np.uint64)
    for place, column in enumerate(columns):
        out = _mixed(out ^ (column.codes + 2).astype(np.uint64) * np.uint64(2 * place + 3))
    return out


def exact_duplicates(subject: Subject) -> Iterator[Finding]:
    """Test rows equal to a training row in every cell, ids and the target left aside."""
    assert subject.is_test is not None
    used = [c for c in subject.columns.values() if not is_identifier(c, subject.n)]
    used += [c for c in (subject.group, subject.time) if c is not None]
    if not used:
        return
    hashes = row_hashes(used, subject.n)
    test = np.flatnonzero(subject.is_test)
    trained = np.unique(hashes[~subject.is_test])
    twin = test[np.isin(hashes[test], trained)]
    expected = _coincidences(used, subject) * len(test)
    if len(twin) <= 3 + CHANCE_FACTOR * expected:
        return
    yield Finding(
        "exact duplicates",
        (),
        "certain" if expected < 0.5 else "suspicious",
        f"{len(twin):,} of {len(test):,} test rows ({format_share(len(twin) / len(test))}) are in"
        f" training too, equal in all {len(used)} columns; {expected:.1g} expected by chance",
        "Drop duplicates before the split, or give all copies of a row one group and split by"
        " group.",
        len(twin) / len(test),
        subject.original(twin),
    )


def _coincidences(columns: list[Column], subject: Subject) -> float:
    """Return the chance that a row has a twin in training if columns were drawn apart from each
    other.
    """
    assert subject.is_test is not None
    log_chance = 0.0
    for column in columns:
        share = np.bincount(column.codes + 1) / subject.n
        log_chance += float(np.log((share**2).sum()))
    return float(min(1.0, np.exp(log_chance) * (~subject.is_test).sum()))


def continuous(subject: Subject) -> list[Column]:
    """Return the columns of numbers with few repeats, the least repeated first."""
    found = [
        c for c in subject.columns.values() if c.kind == "number" and c.n_distinct > 0.4 * subject.n
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
    """Test rows far nearer to one training row than to its twelfth nearest.

    In smooth data the ratio r of the two distances is at most t with probability 1 − (1 − t^k)^11,
    where k is the local dimension (the distances' k-th powers are a Poisson process); k is read
    from the median of the sixth distance by the twelfth, whose k-th power has median 1/2 and which
    few copies reach.
    """
    from scipy.spatial import cKDTree

    assert subject.is_test is not None
    points = np.column_stack([_normal_scores(np.asarray(c.numbers)) for c in continuous(subject)])
    rng = np.random.default_rng(0)
    train, test = (np.flatnonzero(side) for side in (~subject.is_test, subject.is_test))
    test = np.sort(rng.choice(test, min(len(test), MAX_NEAR_TEST), replace=False))
    train = (
        train
        if len(train) <= MAX_NEAR_TRAIN
        else np.sort(rng.choice(train, MAX_NEAR_TRAIN, replace=False))
    )
    if len(train) <= N_NEIGHBOURS:
        return
    distances, neighbours = cKDTree(points[train]).query(points[test], k=N_NEIGHBOURS)
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
    yield Finding(
        "near duplicates",
        (),
        "suspicious",
        f"{len(near):,} of {len(ratio):,} test rows are ten times nearer to one training row than"
        f" to its twelfth nearest, in {points.shape[1]} columns; {expected:.1f} expected in smooth"
        f" data (rows {pairs})",
        "Look at the pairs. If they are the same thing measured twice, give them one group and"
        " split by group.",
        len(near) / len(ratio),
        subject.original(np.column_stack([twin, partner]).ravel()),
    )


def group_overlap(subject: Subject, alone: dict[str, float]) -> Iterator[Finding]:
    """Groups on both sides, and whether a group's other rows tell what the columns do not."""
    assert subject.is_test is not None and subject.group is not None
    codes = subject.group.codes
    known = codes >= 0
    in_train = np.bincount(codes[known & ~subject.is_test], minlength=subject.group.n_distinct) > 0
    straddling = np.flatnonzero(known & subject.is_test & in_train[np.maximum(codes, 0)])
    if not len(straddling):
        return
    explained, error = group_tells(subject, alone)
    says = explained - 4 * error > 0 and explained >= GROUP_R
    name, n_test = subject.group.name, int(subject.is_test.sum())
    yield Finding(
        "group overlap",
        (name,),
        "certain" if says else "note",
        f"{len(straddling):,} of {n_test:,} test rows have a {name} that is in training; the other"
        f" rows of a {name} explain what the columns do not: r = {explained:.3f} ± {error:.3f}"
        + ("" if says else ": too little to matter here"),
        f"Split by {name} (GroupKFold, GroupShuffleSplit): no {name} on both sides.",
        explained,
        subject.original(straddling),
    )


def group_tells(subject: Subject, alone: dict[str, float]) -> tuple[float, float]:
    """Return the correlation of what the columns leave open in a row with its mean over the group's
    other rows, and its error.

    What the columns leave open: the target less a ridge fit to the 20 strongest columns'
    cross-fitted bin means.
    """
    assert subject.group is not None
    ranked = sorted(
        (name for name, value in alone.items() if value < TOO_GOOD), key=lambda name: -alone[name]
    )
    explained = [_bin_means(subject.columns[name], subject) for name in ranked[:20]]
    rest = subject.y - subject.y.mean()
    if explained:
        x = np.column_stack(explained)
        x -= x.mean(axis=0)
        rest = rest - x @ np.linalg.solve(
            x.T @ x + 1e-3 * subject.n * subject.y.var() * np.eye(x.shape[1]), x.T @ rest
        )
    codes = subject.group.codes + 1
    n = np.bincount(codes).astype(np.float64)[codes]
    s = np.bincount(codes, weights=rest)[codes]
    use = (n > 1) & (codes > 0)
    others = (s[use] - rest[use]) / (n[use] - 1 + SHRINK_ROWS)
    if use.sum() < 20 or others.std() == 0:
        return 0.0, 1.0
    r = float(np.corrcoef(others, rest[use])[0, 1])
    return r, float((1 - r * r) / np.sqrt(use.sum()))


def _bin_means(column: Column, subject: Subject) -> np.ndarray:
    codes, size = column.bins
    rows, sums = cells(codes, size, subject)
    return np.asarray(encoded(rows, sums, float(subject.y.mean()))[codes, subject.folds])


def time_overlap(subject: Subject) -> Iterator[Finding]:
    """Training rows later than the first test row."""
    assert (
        subject.is_test is not None
        and subject.time is not None
        and subject.time.numbers is not None
    )
    moment = subject.time.numbers
    first = np.nanmin(moment[subject.is_test])
    later = np.flatnonzero(~subject.is_test & (moment > first))
    if not len(later):
        return
    n_train = int((~subject.is_test).sum())
    start = subject.time.text(int(np.flatnonzero(subject.is_test & (moment == first))[0]))
    yield Finding(
        "time overlap",
        (subject.time.name,),
        "certain",
        f"{len(later):,} of {n_train:,} training rows ({format_share(len(later) / n_train)}) are"
        f" later than the first test row ({start}): the model learns from the future of the test"
        " rows",
        "Split by time: everything before a day trains, everything after it tests; leave a gap as"
        " long as a label takes.",
        len(later) / n_train,
        subject.original(later[np.argsort(-moment[later], kind="stable")]),
    )


def adversarial(subject: Subject) -> Iterator[Finding]:
    """Whether test rows can be explained from training rows: column by column, then all together by
    boosting.
    """
    assert subject.is_test is not None
    is_test = subject.is_test.astype(np.float64)
    used = [
        c for c in subject.columns.values() if not is_identifier(c, subject.n) and c.kind != "time"
    ]
    if not used:
        return
    sides = _independent(subject)
    scores = {c.name: score(c, subject, is_test).value for c in used}
    ranked = sorted(used, key=lambda c: -scores[c.name])
    telling = [
        c for c in ranked if _tells(scores[c.name], auc_error(scores[c.name], *sides), len(used))
    ]
    # not the best columns: to choose them by these very rows would be feature selection on all rows
    together, sides = _joint(used[:: -(-len(used) // MAX_ADVERSARY_COLUMNS)], subject, sides)
    error = auc_error(together, *sides)
    if not telling and not _tells(together, error):
        return
    in_order = subject.time is not None and not any(True for _ in time_overlap(subject))
    what = ", ".join(f"{c.name} {scores[c.name]:.2f}" for c in (telling or ranked)[:3])
    column = (telling or ranked)[0]
    yield Finding(
        "adversarial validation",
        tuple(c.name for c in telling),
        "note" if in_order else "suspicious",
        f"a model separates test rows from training rows: AUC {together:.3f} ± {error:.3f}; alone:"
        f" {what}"
        + ("; the split is cut by time, so rows may have changed with it" if in_order else ""),
        f"Compare {named([c.name for c in (telling or ranked)[:3]])} on both sides with what"
        " production sends; draw the test rows as production will, or weight them.",
        together,
        subject.original(np.flatnonzero(subject.is_test & (column.codes >= 0))),
    )


def _tells(auc: float, error: float, n_tried: int = 1) -> bool:
    """Whether a score is too good for chance; the largest of n normal errors is about √(2 ln n)."""
    errors = max(ADVERSARY_ERRORS, float(np.sqrt(2 * np.log(n_tried))))
    return auc >= ADVERSARY_SCORE and auc - errors * error >= ADVERSARY_FLOOR


def _independent(subject: Subject) -> tuple[float, float]:
    """Return how many independent test and training units there are: groups where the split is by
    group, else rows.
    """
    assert subject.is_test is not None
    if subject.group is None:
        return float(subject.is_test.sum()), float((~subject.is_test).sum())
    test, train = (
        np.unique(subject.group.codes[side]) for side in (subject.is_test, ~subject.is_test)
    )
    if len(np.intersect1d(test, train)):
        return float(subject.is_test.sum()), float((~subject.is_test).sum())
    return float(len(test)), float(len(train))


def _joint(
    columns: list[Column], subject: Subject, sides: tuple[float, float]
) -> tuple[float, tuple[float, float]]:
    """Return boosting's AUC for "is a test row", by the subject's folds, and the independent units
    it was taken on.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    assert subject.is_test is not None
    rows = np.arange(subject.n)
    if len(rows) > MAX_ADVERSARY_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MAX_ADVERSARY_ROWS, replace=False))
        sides = (sides[0] * len(rows) / subject.n, sides[1] * len(rows) / subject.n)
    x: Any = np.column_stack(
        [
            (c.numbers if c.numbers is not None else c.codes.astype(np.float64))[rows]
            for c in columns
        ]
    )
    side, fold = subject.is_test[rows], subject.folds[rows] % 3
    chance = np.zeros(len(rows))
    for turn in range(3):
        train, test = fold != turn, fold == turn
        if len(np.unique(side[train])) < 2 or not test.any():
            return 0.5, (1.0, 1.0)
        model = HistGradientBoostingClassifier(
            max_iter=25, max_leaf_nodes=8, min_samples_leaf=20, random_state=0
        )
        chance[test] = model.fit(x[train], side[train]).predict_proba(x[test])[:, 1]
    return auc_of_levels(chance, side.astype(float), (~side).astype(float)), sides
