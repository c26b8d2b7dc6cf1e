"""Detectors that compare the two sides of a split: groups, time, and how alike the sides are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.leakage.audit.detectors.columns import TOO_GOOD
from engine.leakage.audit.detectors.naming import names_rows
from engine.leakage.audit.findings import Finding
from engine.leakage.column_scores import SHRINK_ROWS, auc_error, auc_of_levels, encoded, score
from engine.leakage.table_columns import Column, Subject, cells, named
from engine.units import format_share

GROUP_R = 0.1
ADVERSARY_SCORE, ADVERSARY_FLOOR, ADVERSARY_ERRORS = 0.55, 0.52, 3.3
MAX_ADVERSARY_ROWS, MAX_ADVERSARY_COLUMNS = 8_000, 40


def group_overlap(subject: Subject, alone: dict[str, float]) -> Iterator[Finding]:
    """Groups on both sides, and whether a group's other rows tell what the columns do not."""
    assert subject.is_test is not None and subject.group is not None
    codes = subject.group.codes
    known = codes >= 0
    in_train = np.bincount(codes[known & ~subject.is_test], minlength=subject.group.n_distinct) > 0
    straddling = np.flatnonzero(known & subject.is_test & in_train[np.maximum(codes, 0)])
    if not len(straddling):
        return
    explained, error = group_tells(subject.group, subject, alone)
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


def group_tells(group: Column, subject: Subject, alone: dict[str, float]) -> tuple[float, float]:
    """Return the correlation of what the columns leave open in a row with its mean over the group's
    other rows, and its error.

    What the columns leave open: the target less a ridge fit to the 20 strongest columns'
    cross-fitted bin means.
    """
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
    codes = group.codes + 1
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
        c for c in subject.columns.values() if not names_rows(c, subject.n) and c.kind != "time"
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
