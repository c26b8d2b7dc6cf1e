"""Detectors that read one column, or two, against the target. Each takes the subject and returns
its findings.

Thresholds are constants of this module, tuned on the plants of ``plants.TUNING_SEEDS`` alone.
"""

from __future__ import annotations

import numpy as np

from engine.leakage.audit.findings import Finding
from engine.leakage.column_scores import Score, correlation, score_codes
from engine.leakage.table_columns import Column, Subject, named
from engine.units import format_factor, format_share, format_signed

TOO_GOOD = 0.94  # AUC or R² of one column
CERTAIN = 0.9995
PURE_ODDS = 9.0  # times the usual odds that a value would have to have, and show nothing of, …
PURE_P = 1e-5  # … with at most this chance
PURE_ROWS = 14
PURE_SHARE = 0.01  # of its class that a one-sided value must hold
MISSING_ODDS = 3.0
MISSING_ERRORS = 3.3
# numeric target: standard deviations between empty and filled rows, lower bound
MISSING_SHIFT = 0.75
ASK = (
    "Ask when this value is written. If after the moment of prediction, leave it out, or take its"
    " value as of that moment."
)


def single_feature(column: Column, found: Score, subject: Subject) -> Finding | None:
    """Too good alone: no legitimate column of this kind of problem scores so high."""
    exact = not subject.binary and abs(correlation(column, subject)) > 1 - 1e-9
    if not (exact or found.value >= TOO_GOOD):
        return None
    certain = exact or (subject.binary and found.value >= CERTAIN)
    what = (
        f"is the target in other units (r = {correlation(column, subject):.6f})"
        if exact
        else f"alone reaches {found.text}"
    )
    return Finding(
        "single-feature score",
        (column.name,),
        "certain" if certain else "suspicious",
        f"{column.name} {what} out of fold, of {subject.n:,} rows",
        ASK,
        found.value,
        subject.original(np.flatnonzero(subject.y == subject.y.max())),
    )


def one_sided(column: Column, subject: Subject) -> Finding | None:
    """Values that only one answer ever has. The null is left to ``missingness``."""
    if not subject.binary:
        return None
    known = column.codes >= 0
    n = np.bincount(column.codes[known], minlength=column.n_distinct)
    s = np.bincount(column.codes[known], weights=subject.y[known], minlength=column.n_distinct)
    for answer, codes in pure_values(n, s, subject).items():
        share = float(subject.y.mean() if answer else 1 - subject.y.mean())
        mass = n[codes].sum()
        values = named(repr(column.values[int(code)].as_py()) for code in codes)
        rows = np.flatnonzero(np.isin(column.codes, codes))
        return Finding(
            "one-sided values",
            (column.name,),
            "suspicious",
            f"{column.name} = {values}: all {int(mass):,} rows have {subject.target}"
            f" {_answer(subject, answer)}, against {format_share(share)} of the table",
            ASK,
            float(mass / (share * subject.n)),
            subject.original(rows),
        )
    return None


def pure_values(n: np.ndarray, s: np.ndarray, subject: Subject) -> dict[int, np.ndarray]:
    """Return answer -> the values that only this answer has, surprisingly; ``n`` rows and ``s``
    positives of each value.
    """
    found = {}
    tried = max(1, int((n >= PURE_ROWS).sum()))
    for answer, pure in ((1, s == n), (0, s == 0)):
        share = float(subject.y.mean() if answer else 1 - subject.y.mean())
        codes = np.flatnonzero(pure & _surprising(n, share, tried))
        if n[codes].sum() >= max(1.0, PURE_SHARE * share * subject.n):
            found[answer] = codes
    return found


def _surprising(n: np.ndarray, share: float, tried: int) -> np.ndarray:
    """Whether a value of ``n`` rows all of one class would be rare even at ``PURE_ODDS`` times the
    class's usual odds.
    """
    odds = PURE_ODDS * share / max(1 - share, 1e-12)
    return np.asarray((n >= PURE_ROWS) & (n * np.log(odds / (1 + odds)) < np.log(PURE_P / tried)))


def _answer(subject: Subject, answer: int) -> str:
    return subject.positive if answer else f"not {subject.positive}"


def missingness(column: Column, subject: Subject) -> Finding | None:
    """Whether an empty cell tells the target."""
    null = column.null
    n_null = int(null.sum())
    if min(n_null, subject.n - n_null) < 8:
        return None
    return (
        _missing_class(column, null, subject)
        if subject.binary
        else _missing_number(column, null, subject)
    )


def _missing_class(column: Column, null: np.ndarray, subject: Subject) -> Finding | None:
    y = subject.y > 0
    a, b, c, d = (float((part & side).sum()) + 0.5 for side in (null, ~null) for part in (y, ~y))
    log_odds = float(np.log(a * d / (b * c)))
    error = float(np.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    if abs(log_odds) - MISSING_ERRORS * error <= np.log(MISSING_ODDS):
        return None
    worth = score_codes(null.astype(np.int64), 2, subject)
    rows = np.flatnonzero(null & (y if log_odds > 0 else ~y))
    return Finding(
        "missingness",
        (column.name,),
        "suspicious",
        f"{column.name} is empty in {format_share(null[y].mean())} of the rows with"
        f" {subject.target} {subject.positive} and in {format_share(null[~y].mean())} of the others"
        f" (odds {_odds(log_odds)}); an empty cell alone scores {worth.text}",
        f"Find out who fills {column.name}, and when. If the outcome empties or fills it, leave it"
        " out, its indicator and its imputed value too.",
        worth.value,
        subject.original(rows),
    )


def _odds(log_odds: float) -> str:
    factor = float(np.exp(abs(log_odds)))
    return format_factor(factor) if factor < 1_000 else "more than 1,000×"


def _missing_number(column: Column, null: np.ndarray, subject: Subject) -> Finding | None:
    empty, filled = subject.y[null], subject.y[~null]
    spread = float(subject.y.std())
    shift = float(empty.mean() - filled.mean()) / spread
    error = float(np.sqrt(empty.var() / len(empty) + filled.var() / len(filled))) / spread
    if abs(shift) - MISSING_ERRORS * error <= MISSING_SHIFT:
        return None
    return Finding(
        "missingness",
        (column.name,),
        "suspicious",
        f"{subject.target} is {format_signed(shift, 2)} standard deviations away where"
        f" {column.name} is empty ({len(empty):,} rows)",
        f"Find out who fills {column.name}, and when; leave it out if the outcome does.",
        abs(shift),
        subject.original(np.flatnonzero(null)),
    )
