"""Detectors that read moments: columns known too late, and values updated after the event.

*Timing* takes what is declared. *Sharpening* needs no declaration, only a second timestamp T, the
row's own moment being t. Rows with T > t were written to after the prediction was due. That alone
is certain for T itself. Another column that was overwritten at T has seen the answer in just those
rows, so it tells the target better there: AUC(T > t) − AUC(T ≤ t) is large, while for an honest
column both are estimates of one AUC. The two parts share no row, so their errors are independent
and the standard error of the difference is √(e₁² + e₂²).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np

from engine.errors import InputError
from engine.leakage.audit.findings import Finding
from engine.leakage.column_scores import Score, auc_error, auc_of_levels, encoded, quantile_codes
from engine.leakage.table_columns import N_FOLDS, Column, Subject
from engine.units import format_time

Moment = float | int | timedelta | datetime | str
KnownAt = Mapping[str, Moment]

LATE_SHARE = 0.01  # of the rows whose event is later than the row's own moment
SHARPER = 0.1  # AUC that rows updated later must score above the others …
SHARPER_ERRORS = 4.0  # … by so many standard errors
MIN_CLASS_ROWS = 25
MIN_BINS, ROWS_A_BIN = 4, 40


def timing(subject: Subject, known_at: KnownAt, scores: Mapping[str, Score]) -> Iterator[Finding]:
    """Columns that become known after the moment of prediction, as declared."""
    for name, moment in known_at.items():
        if name not in subject.columns:
            continue
        late, when = _find_late_rows(subject, name, moment)
        if not late.any():
            continue
        worth = f"; alone it scores {scores[name].text}" if name in scores else ""
        yield Finding(
            "timing",
            (name,),
            "certain",
            f"{name} is known {when} in {int(late.sum()):,} of {subject.n:,} rows{worth}",
            f"Leave {name} out, or take its value as of the moment of prediction.",
            float(late.mean()),
            subject.original(np.flatnonzero(late)),
        )


def _find_late_rows(subject: Subject, name: str, moment: Moment) -> tuple[np.ndarray, str]:
    """Return which rows know the column too late, and the words for it."""
    if isinstance(moment, timedelta):
        moment = moment.total_seconds() / 3600
    if isinstance(moment, int | float):
        hours = float(moment)
        return np.full(subject.n, hours > 0), f"{hours:g} h after the moment of prediction"
    if subject.time is None:
        raise InputError(
            f"known_at needs the time column for {name}: {moment!r} is a moment, not hours."
        )
    own = np.asarray(subject.time.numbers, dtype=np.float64)
    if isinstance(moment, datetime):
        words = f"at {format_time(moment)}, later than the row's own moment,"
        return own < moment.timestamp(), words
    other = subject.columns.get(moment)
    if other is None or other.kind != "time":
        raise InputError(
            f"known_at must name a timestamp column, a datetime, or hours. Got {moment!r} for"
            f" {name}."
        )
    return np.asarray(other.numbers) > own, f"at {moment}, later than the row's own moment,"


def sharpening(subject: Subject) -> Iterator[Finding]:
    """Timestamps later than the row's own, and columns that predict the target better in just those
    rows; needs the time column.
    """
    if subject.time is None or subject.time.numbers is None:
        return
    for event in subject.columns.values():
        if event.kind != "time" or event.numbers is None:
            continue
        late = np.asarray(event.numbers) > subject.time.numbers
        if late.mean() < LATE_SHARE:
            continue
        yield Finding(
            "sharpening",
            (event.name,),
            "certain",
            f"{event.name} is later than {subject.time.name} in {int(late.sum()):,} of"
            f" {subject.n:,} rows: they were written after the moment of prediction",
            f"Leave {event.name} out, and take every other value as of {subject.time.name}.",
            float(late.mean()),
            subject.original(np.flatnonzero(late)),
        )
        if subject.binary:
            yield from _find_sharper(subject, event, late)


def _find_sharper(subject: Subject, event: Column, late: np.ndarray) -> Iterator[Finding]:
    positive = subject.y > 0
    cells = (late & positive, late & ~positive, ~late & positive, ~late & ~positive)
    if min(int(cell.sum()) for cell in cells) < MIN_CLASS_ROWS:
        return
    # As many bins for both parts: with finer ones a part would score higher for that alone.
    n_bins = max(MIN_BINS, int(min(late.sum(), (~late).sum())) // ROWS_A_BIN)
    for column in subject.columns.values():
        if column is event or column.kind == "time":
            continue
        after, after_error = _score_within(column, subject, late, n_bins)
        before, before_error = _score_within(column, subject, ~late, n_bins)
        before = max(before, 0.5)  # out of fold, less than a coin flip is luck
        needed = max(SHARPER, SHARPER_ERRORS * float(np.hypot(after_error, before_error)))
        if after - before < needed:
            continue
        yield Finding(
            "sharpening",
            (column.name,),
            "suspicious",
            f"{column.name} predicts {subject.target} with AUC {after:.3f} where {event.name}"
            f" is later than {subject.time_name}, with {before:.3f} elsewhere: it was updated after"
            " the event",
            f"Take {column.name} as of {subject.time_name}, from a history table or a log of"
            " changes.",
            after - before,
            subject.original(np.flatnonzero(late)),
        )


def _score_within(
    column: Column, subject: Subject, part: np.ndarray, n_bins: int
) -> tuple[float, float]:
    """Return the AUC of a column within some rows (n,) bool, out of fold, and its standard error.

    Each bin's rows of a fold are scored by the mean target of the bin's rows in the other folds.
    """
    codes, size = column.bins
    if size > n_bins and column.numbers is not None:
        codes, size = quantile_codes(column.numbers, n_bins)
    y = subject.y[part]
    cell = codes[part] * N_FOLDS + subject.folds[part]
    n_cells = size * N_FOLDS
    rows = np.bincount(cell, minlength=n_cells).reshape(size, N_FOLDS).astype(np.float64)
    positives = np.bincount(cell, weights=y, minlength=n_cells).reshape(size, N_FOLDS)
    levels = encoded(rows, positives, float(y.mean()))
    auc = auc_of_levels(levels.ravel(), positives.ravel(), (rows - positives).ravel())
    return auc, auc_error(auc, y.sum(), len(y) - y.sum())
