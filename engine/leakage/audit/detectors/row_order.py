"""Detector of row order that predicts: the target sorted, in blocks, in turns, or partly so.

A row's place is no measurement. A model meets it through an index column or through folds that are
not shuffled. Four scores are read, each out of fold: the place in twenty parts of the table, the
two neighbours' answers (Wald and Wolfowitz 1940, runs), the turn in the period with the highest
autocorrelation, and the place among rows that share the value the table is sorted by. Each is
compared with random orders of the answers (``chance``).

Rule for honest order. A table may be sorted by its columns: by time, by customer and time. Answers
are then permuted only among rows that share these values, so a drift, a season or persistence in
time is not counted: the columns tell it already. In a table sorted by nothing that it holds, a weak
trend could be time's: below AUC 0.65 (R² 0.1) it is a note. An order of AUC 0.94 or more is a
finding whatever the table is sorted by, as for a single column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.leakage.audit.detectors import chance
from engine.leakage.audit.detectors.columns import CERTAIN, TOO_GOOD
from engine.leakage.audit.detectors.naming import names_rows
from engine.leakage.audit.findings import Finding
from engine.leakage.column_scores import quantile_codes, value_of_cells
from engine.leakage.table_columns import N_FOLDS, Column, Subject

ALARM_EXCESS, ALARM_R2 = 0.15, 0.1  # AUC, R² above the mean of random orders: a finding
NOTE_EXCESS, NOTE_R2 = 0.05, 0.03  # … and a note
MAX_ROWS, N_STRETCHES = 20_000, 40  # of larger tables: stretches of rows, evenly spread
MAX_PERIOD = 200
NEARLY = 0.9
ROWS_A_TURN = 10
ONE_WAY = 0.98  # of a sorted column: of its |ρ| with the row number, or of its steps in a stratum
MIN_STEPS = 20
FEWER_CHANGES = 0.1  # in a column whose equal values are together, of the changes by chance
MAX_SORTED_BY = 3
WAYS = (
    "a row's place in the table",
    "the answers of the rows beside it",
    "a row's turn in a period",
    "a row's place among equals",
)
ORDER, NEIGHBOURS, TURN, EQUALS = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Rows in the table's order (n,): answer, place in the table, stretch of neighbours,
    fold.
    """

    y: np.ndarray
    place: np.ndarray
    stretch: np.ndarray
    fold: np.ndarray
    binary: bool

    def score(self, codes: np.ndarray, y: np.ndarray) -> float:
        """Return how well (n,) codes explain (n,) answers, out of fold."""
        cell, size = codes * N_FOLDS + self.fold, (int(codes.max()) + 1) * N_FOLDS
        rows, sums = (
            np.bincount(cell, weights=weights, minlength=size).reshape(-1, N_FOLDS)
            for weights in (np.ones(len(y)), y)
        )
        return value_of_cells(rows, sums, float((y**2).sum()), binary=self.binary)

    def neighbours(self, y: np.ndarray) -> np.ndarray:
        """Return a code of the mean answer of the rows before and after each (n,)."""
        same = self.stretch[1:] == self.stretch[:-1]
        before, after = np.r_[False, same], np.r_[same, False]
        total = np.r_[0.0, y[:-1]] * before + np.r_[y[1:], 0.0] * after
        mean = total / np.maximum(before.astype(int) + after, 1)
        return np.unique(mean, return_inverse=True)[1] if self.binary else quantile_codes(mean)[0]

    def period(self, y: np.ndarray) -> int:
        """Return the distance of rows, 2 or more, whose answers are most alike or unlike."""
        n = len(y)
        longest = min(MAX_PERIOD, n // ROWS_A_TURN)
        spectrum = np.abs(np.fft.rfft(y - y.mean(), 2 * n)) ** 2
        alike = np.abs(np.fft.irfft(spectrum)[2 : longest + 1])
        return 2 + int(np.argmax(alike >= NEARLY * alike.max()))  # a multiple is as alike


def row_order(subject: Subject) -> Iterator[Finding]:
    """Whether the rows' order tells the target, beyond the columns that the table is sorted by."""
    rows, stretch = _choose_rows(subject.n)
    by, strata = _sorted_by(subject, rows)
    y = subject.y[rows] if subject.binary else subject.y[rows] - subject.y.mean()
    if np.ptp(y) == 0:
        return
    fold = np.random.default_rng(1).permutation(np.arange(len(rows)) % N_FOLDS)
    places = Places(y, subject.rows[rows], stretch, fold, subject.binary)
    parts = quantile_codes(places.place)[0]
    equals = [_place_among_equals(strata)] if by else []

    def scores(order: np.ndarray) -> np.ndarray:
        answers = y[order]
        turn = places.place % places.period(answers)
        codes = (parts, places.neighbours(answers), turn, *equals)
        found = np.array([places.score(code, answers) for code in codes])
        found[ORDER] = max(found[ORDER], _rank_score(answers, subject.binary))
        return found

    alarm, note = (ALARM_EXCESS, NOTE_EXCESS) if subject.binary else (ALARM_R2, NOTE_R2)
    seen = scores(np.arange(len(y)))
    if seen.max() < (0.5 if subject.binary else 0.0) + note:
        return
    found = chance.test(scores, strata)
    too_good = bool(seen[ORDER] >= TOO_GOOD)
    if too_good or found.beats(note):
        yield _report(subject, by, places, found, too_good or found.beats(alarm))


def _report(
    subject: Subject, by: list[str], places: Places, found: chance.Chance, is_alarm: bool
) -> Finding:
    best = ORDER if found.seen[ORDER] >= TOO_GOOD else found.best
    value, usual = float(found.seen[best]), float(found.usual[best])
    how = f"{WAYS[best]} of {places.period(places.y)} rows" if best == TURN else WAYS[best]
    certain = subject.binary and value >= CERTAIN
    return Finding(
        "row order",
        tuple(_count_the_rows(subject)) if is_alarm else (),
        "note" if not is_alarm else "certain" if certain else "suspicious",
        f"row order tells {subject.target}: {'AUC' if subject.binary else 'R²'} {value:.3f} from"
        f" {how} alone; {'orders that keep ' + ' and '.join(by) if by else 'random orders'}"
        f" give {usual:.3f}" + ("" if is_alarm else ". Weak, as a drift in time would be"),
        "Leave row numbers and index columns out, and shuffle before folds are cut. Ask how the"
        " rows were put together. If they are in order of time, add the time and split by it.",
        value,
        subject.original(np.flatnonzero(np.diff(subject.y, prepend=subject.y[0]) != 0)),
    )


def _rank_score(y: np.ndarray, binary: bool) -> float:
    """Return what the row number itself scores, up or down: AUC, or r²."""
    n, place = len(y), np.arange(len(y))
    if not binary:
        return float(np.corrcoef(place, y)[0, 1] ** 2)
    n_positive = y.sum()
    auc = (place[y > 0].sum() - n_positive * (n_positive - 1) / 2) / (n_positive * (n - n_positive))
    return float(max(auc, 1 - auc))


def _choose_rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the rows to read, and the stretch of neighbours that each is in."""
    if n <= MAX_ROWS:
        return np.arange(n), np.zeros(n, dtype=np.int64)
    length = MAX_ROWS // N_STRETCHES
    first = np.linspace(0, n - length, N_STRETCHES).astype(np.int64)
    return (first[:, None] + np.arange(length)).ravel(), np.repeat(np.arange(N_STRETCHES), length)


def _count_the_rows(subject: Subject) -> Iterator[str]:
    """Yield the ids that are counted up with the rows."""
    for column in subject.columns.values():
        if column.numbers is not None and names_rows(column, subject.n):
            steps = np.diff(column.numbers)
            if max((steps > 0).mean(), (steps < 0).mean()) >= ONE_WAY:
                yield column.name


def _sorted_by(subject: Subject, rows: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the columns that the table is sorted by, and the stratum (n,) of rows that share their
    values.
    """
    strata, names = np.zeros(len(rows), dtype=np.int64), []
    named = [column for column in (subject.time, subject.group) if column is not None]
    rest = [c for c in subject.columns.values() if not names_rows(c, subject.n)]
    candidates = [*named, *sorted(rest, key=lambda column: column.kind != "time")]
    for _ in range(MAX_SORTED_BY):
        mixed = chance.shuffled(strata, np.random.default_rng(2))
        found = next((c for c in candidates if _is_sorted(c, rows, strata, mixed)), None)
        if found is None:
            break
        names.append(found.name)
        candidates.remove(found)
        _, strata = np.unique(
            np.column_stack([strata, found.codes[rows]]), axis=0, return_inverse=True
        )
        strata = strata.reshape(-1)
    return names, strata


def _is_sorted(column: Column, rows: np.ndarray, strata: np.ndarray, mixed: np.ndarray) -> bool:
    """Whether the column goes one way from row to row within the strata, or has its equal values
    together, compared with a random order, ``mixed``.
    """
    same = strata[1:] == strata[:-1]
    codes = column.codes[rows]
    changes, usual = (int((same & (c[1:] != c[:-1])).sum()) for c in (codes, codes[mixed]))
    if usual < MIN_STEPS:
        return False
    if changes <= FEWER_CHANGES * usual:
        return True
    if column.numbers is None:
        return False
    numbers = column.numbers[rows]
    if strata.any():
        steps = np.diff(numbers)[same]
        up, down = int((steps > 0).sum()), int((steps < 0).sum())
        return up + down >= MIN_STEPS and max(up, down) >= ONE_WAY * (up + down)
    known = numbers[np.isfinite(numbers)]
    rank = np.argsort(np.argsort(known, kind="stable"), kind="stable")
    return bool(abs(np.corrcoef(rank, np.arange(len(rank)))[0, 1]) >= ONE_WAY)


def _place_among_equals(strata: np.ndarray) -> np.ndarray:
    """Return in which eighth of its stratum each row is (n,), in the table's order."""
    order = np.argsort(strata, kind="stable")
    first = np.searchsorted(strata[order], strata[order], side="left")
    last = np.searchsorted(strata[order], strata[order], side="right")
    share = (np.arange(len(strata)) - first + 0.5) / (last - first)
    codes = np.empty(len(strata), dtype=np.int64)
    codes[order] = (8 * share).astype(np.int64)
    return codes
