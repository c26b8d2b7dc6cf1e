"""Detectors that read two columns together: target encodings, and columns that add up to the
target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from engine.leakage.audit.findings import Finding
from engine.leakage.column_scores import correlation, score
from engine.leakage.table_columns import Column, Subject

MIN_GROUPS = 6
ENCODING_ERROR = 0.02  # of the column's own spread: what rounding may do
MAX_PAIR_COLUMNS = 300
N_PAIR_ROWS = 240
MAX_ENCODED = 400  # columns tried as encodings
TOLERANCE = 1e-6


def target_encodings(subject: Subject) -> Iterator[Finding]:
    """Columns that are a function of another column and equal its mean target over all rows."""
    keys = [c for c in _keys(subject) if MIN_GROUPS <= c.n_distinct <= subject.n / 1.3]
    numbers = [c for c in subject.numeric if c.n_distinct >= 3][:MAX_ENCODED]
    for key in sorted(keys, key=lambda c: -c.n_distinct)[:40]:
        candidates = [c for c in numbers if c is not key and c.n_distinct <= 2 * key.n_distinct + 2]
        if not candidates:
            continue
        groups = _Groups(key, subject)
        for column in candidates:
            finding = groups.judged(column)
            if finding is not None:
                yield finding


def _keys(subject: Subject) -> list[Column]:
    named = [subject.group] if subject.group is not None else []
    return [c for c in (*subject.columns.values(), *named) if c.kind in ("category", "whole")]


class _Groups:
    """Rows sorted by a key, with each group's rows and target sum, over all rows and over the
    training rows.
    """

    def __init__(self, key: Column, subject: Subject) -> None:
        self.key, self.subject = key, subject
        codes = key.codes + 1
        self.order = np.argsort(codes, kind="stable")
        self.code = codes[self.order]
        self.first = np.flatnonzero(np.r_[True, self.code[1:] != self.code[:-1]])
        self.size = np.diff(np.r_[self.first, subject.n]).astype(np.float64)
        self.sum = np.add.reduceat(subject.y[self.order], self.first)
        self.train = self.train_sum = None
        if subject.is_test is not None:
            train = (~subject.is_test[self.order]).astype(np.float64)
            self.train = np.add.reduceat(train, self.first)
            self.train_sum = np.add.reduceat(train * subject.y[self.order], self.first)

    def judged(self, column: Column) -> Finding | None:
        assert column.numbers is not None
        x = column.numbers[self.order]
        low, high = np.fmin.reduceat(x, self.first), np.fmax.reduceat(x, self.first)
        known = np.isfinite(low)
        spread = float(np.nanstd(x))
        if known.sum() < MIN_GROUPS or spread == 0:
            return None
        if np.allclose(low[known], high[known], rtol=0, atol=1e-9 * spread):
            return self._constant(column, low, known, spread)
        return self._leave_one_out(column, x, spread)

    def _constant(
        self, column: Column, x: np.ndarray, known: np.ndarray, spread: float
    ) -> Finding | None:
        everything = encoding_error(x[known], self.sum[known], self.size[known]) / spread
        if self.train is not None and self.train_sum is not None:
            use = known & (self.train > 0)
            trained = encoding_error(x[use], self.train_sum[use], self.train[use]) / spread
        else:
            trained = np.inf
        alike = _same_order(x[known], self.sum[known] / self.size[known])
        if everything <= ENCODING_ERROR and everything < 0.5 * trained:
            how = f"equals the mean {self.subject.target} of each {self.key.name} over all rows"
        elif alike and trained > ENCODING_ERROR:
            how = (
                f"has the order of the mean {self.subject.target} of each {self.key.name} over"
                " all rows"
            )
        else:
            return None
        against = (
            ""
            if not np.isfinite(trained)
            else f"; from the training rows alone it would be off by {trained:.2f}"
        )
        return self._finding(
            column,
            f"{how} ({int(known.sum()):,} groups, off by {everything:.1e} of its spread{against})",
        )

    def _leave_one_out(self, column: Column, x: np.ndarray, spread: float) -> Finding | None:
        size, total = (
            np.repeat(self.size, self.size.astype(int)),
            np.repeat(self.sum, self.size.astype(int)),
        )
        use = (size > 1) & np.isfinite(x)
        if use.sum() < 0.3 * len(x):
            return None
        y = self.subject.y[self.order][use]
        off = np.abs(x[use] - (total[use] - y) / (size[use] - 1)) / spread
        if np.mean(off <= 1e-6) < 0.99:
            return None
        how = (
            f"is the mean {self.subject.target} of the other rows of each {self.key.name}: with the"
            " group's sum it reveals"
        )
        return self._finding(column, f"{how} each row's own answer exactly")

    def _finding(self, column: Column, how: str) -> Finding:
        found = score(column, self.subject)
        return Finding(
            "target encoding",
            (column.name,),
            "certain",
            f"{column.name} {how}; alone it scores {found.text}",
            "Encode inside the pipeline: sklearn's TargetEncoder, fitted on training rows,"
            " cross-fitted for them.",
            found.value,
            self.subject.original(
                self.order[np.argsort(np.repeat(self.size, self.size.astype(int)), kind="stable")]
            ),
        )


def encoding_error(x: np.ndarray, sums: np.ndarray, sizes: np.ndarray) -> float:
    """Return how far ``x`` is from (sum + m·prior) / (size + m), the smoothed mean, with the best m
    ≥ 0 and prior.

    The two follow from a line: m·x − m·prior = sum − size·x. Root mean square over rows, in units
    of ``x``.
    """
    right = sums - sizes * x
    design = np.column_stack([x, -np.ones_like(x)])
    weight = 1 / np.sqrt(sizes)
    (m, prior), *_ = np.linalg.lstsq(design * weight[:, np.newaxis], right * weight, rcond=None)
    best = np.inf
    for smooth, offset in ((0.0, 0.0), (m, prior)):
        if smooth >= 0:
            close = (sums + offset) / (sizes + smooth)
            best = min(best, float(np.sqrt(np.average((x - close) ** 2, weights=sizes))))
    counted = float(
        np.sqrt(np.average((x - sums) ** 2, weights=sizes))
    )  # a count of positives a group
    return min(best, counted, _log_odds_error(x, sums, sizes))


def _log_odds_error(x: np.ndarray, sums: np.ndarray, sizes: np.ndarray) -> float:
    """Return how far ``x`` is from log(c·(sum + a) / (rest + b)), a weight of evidence, with the
    best a, b > 0 and c.

    They follow from a line too: c·sum + c·a − b·e^x = e^x·rest.
    """
    rest = sizes - sums
    if len(x) < 8 or np.ptp(x) > 40 or np.any(rest < -1e-9):
        return np.inf
    odds = np.exp(x - x.mean())
    design = np.column_stack([sums, np.ones_like(x), -odds])
    scale = 1 / (odds * (rest + 1))
    (c, ca, b), *_ = np.linalg.lstsq(design * scale[:, np.newaxis], odds * rest * scale, rcond=None)
    up, down = c * sums + ca, rest + b
    if np.any(up <= 0) or np.any(down <= 0):
        return np.inf
    return float(np.sqrt(np.average((x - x.mean() - np.log(up / down)) ** 2, weights=sizes)))


def _same_order(x: np.ndarray, mean: np.ndarray) -> bool:
    """Whether ``x`` rises and falls exactly as ``mean`` does, over eight distinct means or more."""
    if len(np.unique(mean)) < 8 or len(np.unique(x)) < 8:
        return False
    order = np.argsort(mean, kind="stable")
    steps, moved = np.diff(x[order]), np.diff(mean[order])
    flat = np.abs(moved) < 1e-12
    if np.any(np.abs(steps[flat]) > 1e-9 * (np.ptp(x) or 1)):
        return False
    rising = steps[~flat]
    return bool(np.all(rising > 0) or np.all(rising < 0))


Operation = tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a * b)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(b == 0, np.nan, a / b)


OPERATIONS: tuple[Operation, ...] = (
    ("+", np.add),
    ("−", np.subtract),
    ("×", _product),
    ("÷", _ratio),
)


def columns_that_add_up(subject: Subject, alone: dict[str, float]) -> Iterator[Finding]:
    """Pairs whose sum, difference, product or ratio is the target, or parts its two classes without
    one error.

    ``alone`` is each column's own score: what is nearly the target already is left to the
    single-feature score.
    """
    usable = [
        c
        for c in subject.numeric
        if c.n_null <= subject.n / 2 and c.n_distinct > 2 and alone.get(c.name, 0) < 0.9995
    ]
    if subject.binary:
        usable.sort(key=lambda c: -alone.get(c.name, 0))
    else:
        usable.sort(key=lambda c: -abs(correlation(c, subject)))
    usable = usable[:MAX_PAIR_COLUMNS]
    if len(usable) < 2:
        return
    rows = _pair_rows(subject)
    block = np.stack([np.asarray(c.numbers)[rows] for c in usable])
    y = subject.y[rows]
    seen = set()
    for place, first in enumerate(usable):
        for sign, operation in OPERATIONS:
            start = place + 1 if sign in "+×" else 0
            hit = _parts(operation(block[place], block[start:]), y, subject.binary)
            for other in np.flatnonzero(hit) + start:
                second = usable[other]
                pair = frozenset((place, int(other)))
                if len(pair) < 2 or pair in seen:
                    continue
                finding = _whole(subject, first, sign, operation, second)
                if finding is not None:
                    seen.add(pair)
                    yield finding


def _pair_rows(subject: Subject) -> np.ndarray:
    """Return a few rows to try pairs on: each class alike, or spread over the numbers."""
    rng = np.random.default_rng(0)
    if not subject.binary:
        return rng.choice(subject.n, min(N_PAIR_ROWS, subject.n), replace=False)
    sides = [np.flatnonzero(subject.y == side) for side in (0, 1)]
    return np.concatenate(
        [rng.choice(side, min(N_PAIR_ROWS // 2, len(side)), replace=False) for side in sides]
    )


def _parts(values: np.ndarray, y: np.ndarray, binary: bool) -> np.ndarray:
    """Return which rows of ``values`` (k, n) give the target: (k,) bool. Empty cells count for
    neither side.
    """
    known = np.isfinite(values)
    enough = known.sum(axis=1) >= 0.5 * values.shape[1]
    if not binary:
        off = np.abs(np.where(known, values - y, 0.0)).max(axis=1)
        return np.asarray(enough & (off <= TOLERANCE * max(1.0, float(np.abs(y).max()))))
    one, zero = y > 0, y == 0
    enough &= (known[:, one].sum(axis=1) >= 10) & (known[:, zero].sum(axis=1) >= 10)
    high, low = np.where(known, values, -np.inf), np.where(known, values, np.inf)
    up = low[:, one].min(axis=1) > high[:, zero].max(axis=1)
    down = high[:, one].max(axis=1) < low[:, zero].min(axis=1)
    return np.asarray(enough & (up | down))


def _whole(
    subject: Subject, first: Column, sign: str, operation: Callable[..., np.ndarray], second: Column
) -> Finding | None:
    """Return the finding if the pair holds over all rows as well."""
    values = operation(np.asarray(first.numbers), np.asarray(second.numbers))[np.newaxis]
    if not _parts(values, subject.y, subject.binary)[0]:
        return None
    known = np.flatnonzero(np.isfinite(values[0]))
    what = f"parts {subject.target} without one error" if subject.binary else f"is {subject.target}"
    return Finding(
        "columns that add up",
        (first.name, second.name),
        "certain",
        f"{first.name} {sign} {second.name} {what} in all {len(known):,} rows that have both",
        "Keep at most the one that is known at the moment of prediction: together they are"
        f" {subject.target}.",
        1.0,
        subject.original(known),
    )
