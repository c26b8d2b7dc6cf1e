"""Detectors that read the clock: columns known too late, values updated after the event, windows
that look ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np

from engine.errors import InputError, require
from engine.leakage.audit.findings import Finding
from engine.leakage.column_scores import Score, auc_error, auc_of_levels, encoded, quantile_codes
from engine.leakage.table_columns import N_FOLDS, Column, Subject

Moment = float | int | timedelta | datetime | str
KnownAt = Mapping[str, Moment]

LATE_SHARE = 0.01  # of the rows whose event is later than the row's own moment
SHARPER = 0.1  # AUC that rows updated later must score above the others …
SHARPER_ERRORS = 4.0  # … by so many standard errors
MIN_CLASS_ROWS = 25
MAX_HISTORY_COLUMNS = 60
MAX_HISTORY_ROWS = 20_000
MIN_HISTORY_ROWS = 200
N_STEPS = 6  # rows before and after that stand alone in the recomputation
WINDOWS = (7, 14, 30)
AHEAD_SHARE = 0.5  # of what the history leaves unexplained that the later rows must explain
AHEAD_SHARE_TARGET = 0.9
AHEAD_GAIN = 0.05
EXACT = 0.999


def timing(subject: Subject, known_at: KnownAt, scores: Mapping[str, Score]) -> Iterator[Finding]:
    """Columns that become known after the moment of prediction, as declared."""
    for name, moment in known_at.items():
        if name not in subject.columns:
            continue
        late, when = _late(subject, name, moment)
        if not late.any():
            continue
        worth = f"; alone it scores {scores[name].text}" if name in scores else ""
        yield Finding(
            "timing",
            (name,),
            "certain",
            f"{name} is known {when} in {int(late.sum()):,} of {subject.n:,} rows{worth}",
            f"Predict without {name}, or with its value as of the moment of prediction (its last"
            " one before).",
            float(late.mean()),
            subject.original(np.flatnonzero(late)),
        )


def _late(subject: Subject, name: str, moment: Moment) -> tuple[np.ndarray, str]:
    """Return which rows know the column too late, and the words for it."""
    if isinstance(moment, timedelta):
        moment = moment.total_seconds() / 3600
    if isinstance(moment, int | float):
        hours = float(moment)
        return np.full(subject.n, hours > 0), f"{hours:g} h after the moment of prediction"
    require(
        subject.time is not None,
        "known_at needs the time column for {}: {!r} is a moment, not hours.",
        name,
        moment,
    )
    own = np.asarray(subject.time.numbers if subject.time is not None else None, dtype=np.float64)
    if isinstance(moment, datetime):
        return (
            own < moment.timestamp(),
            f"at {moment:%Y-%m-%d %H:%M}, later than the row's own moment,",
        )
    other = subject.columns.get(moment)
    if other is None or other.kind != "time":
        raise InputError(
            f"known_at must name a timestamp column, a datetime, or hours. Got {moment!r} for"
            f" {name}."
        )
    return np.asarray(other.numbers) > own, f"at {moment}, later than the row's own moment,"


def sharpening(subject: Subject) -> Iterator[Finding]:
    """Timestamps later than the row's own, and columns that tell the target better in just those
    rows.
    """
    assert subject.time is not None and subject.time.numbers is not None
    for event in [
        c for c in subject.columns.values() if c.kind == "time" and c.numbers is not None
    ]:
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
            yield from _sharper(subject, event, late)


def _sharper(subject: Subject, event: Column, late: np.ndarray) -> Iterator[Finding]:
    y = subject.y > 0
    if (
        min(
            int((late & y).sum()),
            int((late & ~y).sum()),
            int((~late & y).sum()),
            int((~late & ~y).sum()),
        )
        < MIN_CLASS_ROWS
    ):
        return
    for column in subject.columns.values():
        if column is event or column.kind == "time":
            continue
        size = max(4, int(min(late.sum(), (~late).sum())) // 40)
        (a, a_error), (b, b_error) = (
            _score_of(column, subject, part, size) for part in (late, ~late)
        )
        b = max(b, 0.5)
        if a - b < SHARPER or a - b < SHARPER_ERRORS * float(np.hypot(a_error, b_error)):
            continue
        yield Finding(
            "sharpening",
            (column.name,),
            "suspicious",
            f"{column.name} tells {subject.target} with AUC {a:.3f} where {event.name} is later"
            f" than {subject.time_name}, with {b:.3f} elsewhere: it was updated after the event",
            f"Take {column.name} as of {subject.time_name}, from a history table or a log of"
            " changes.",
            a - b,
            subject.original(np.flatnonzero(late)),
        )


def _score_of(
    column: Column, subject: Subject, part: np.ndarray, n_bins: int
) -> tuple[float, float]:
    """Return the cross-fitted AUC of a column within some rows alone, and its standard error; both
    parts by the same bins.
    """
    codes, size = column.bins
    if size > n_bins and column.numbers is not None:
        codes, size = quantile_codes(column.numbers, n_bins)
    y = subject.y[part]
    place = codes[part] * N_FOLDS + subject.folds[part]
    rows = np.bincount(place, minlength=size * N_FOLDS).reshape(size, N_FOLDS).astype(np.float64)
    sums = np.bincount(place, weights=y, minlength=size * N_FOLDS).reshape(size, N_FOLDS)
    auc = auc_of_levels(
        encoded(rows, sums, float(y.mean())).ravel(), sums.ravel(), (rows - sums).ravel()
    )
    return auc, auc_error(auc, y.sum(), len(y) - y.sum())


def truncated_history(subject: Subject) -> Iterator[Finding]:
    """Columns that rows *after* their own moment explain, once the rows up to it have explained
    what they can.

    For each base column, within each group in order of time: the row, the six before it, trailing
    means and expanding aggregates (the truncated history) against the same with six rows after it,
    forward means and whole-group aggregates. The statistic is the partial R² of the later rows. No
    later row can explain a column made from the history alone, but for what the history itself
    foretells.
    """
    assert subject.time is not None and subject.group is not None
    order, start, end = _sorted_groups(subject)
    columns = [c for c in subject.numeric if c.n_distinct > 5 and c.n_null < subject.n / 2][
        :MAX_HISTORY_COLUMNS
    ]
    values = {c.name: _filled(np.asarray(c.numbers)[order]) for c in columns}
    bases = dict(values) | {subject.target: subject.y[order]}
    best: dict[tuple[str, str], tuple[float, float, float]] = {}
    for base, x in bases.items():
        own = base != subject.target
        history, ahead, use = _aggregates(x, start, end, own_row=own)
        if use.sum() < MIN_HISTORY_ROWS or x[use].std() == 0:
            continue
        names = [name for name in values if name != base]
        if names:
            told = _partial(
                history[use], ahead[use], np.column_stack([values[name][use] for name in names])
            )
            best |= {(name, base): found for name, found in zip(names, told, strict=True)}
    yield from _judged(best, subject, order, values, (start, end))


def _judged(
    best: dict[tuple[str, str], tuple[float, float, float]],
    subject: Subject,
    order: np.ndarray,
    values: dict[str, np.ndarray],
    edges: tuple[np.ndarray, np.ndarray],
) -> Iterator[Finding]:
    """Return a finding for each column with its best base.

    Of two columns that explain each other one may be the other's lag, which is honest: ``usage`` is
    what comes after ``usage_before``. Then the column that its partner's history explains better is
    the raw one; where both ways are exact (a plain shift), the one that has no true value in its
    group's last row looks ahead; else it is a note.
    """
    for name in dict.fromkeys(name for name, _ in best):
        base, found = max(
            ((b, found) for (n, b), found in best.items() if n == name),
            key=lambda pair: (pair[1][0], pair[1][2]),
        )
        if not _looks_ahead(found, base == subject.target):
            continue
        if found[2] - max(past for (n, _), (_, past, _) in best.items() if n == name) < AHEAD_GAIN:
            continue  # the history of another column explains it as well
        reverse = best.get((base, name), (0.0, 0.0, 0.0))
        if reverse[1] > found[2] + 0.005 or (
            _looks_ahead(reverse, False) and reverse[2] > found[2]
        ):
            continue
        shift = reverse[1] > found[2] - 0.005
        lead = shift and _filled_at(values[name], edges[1] - 1) > max(
            0.5, _filled_at(values[base], edges[0])
        )
        exact = found[2] > EXACT
        yield Finding(
            "truncated history",
            (name,),
            ("note" if shift and not lead else "certain" if exact else "suspicious"),
            f"{name} recomputed from {base} up to its own moment: R² {found[1]:.3f}; with the later"
            f" rows of the same {subject.group_name}: {found[2]:.3f}. They explain {found[0]:.0%}"
            " of what the history leaves open"
            + (f". Or {base} is an earlier {name}: then all is well" if shift and not lead else ""),
            f"Recompute {name} with the window closed at the moment of prediction (rows before, not"
            f" centred, not the whole {subject.group_name}).",
            found[0],
            subject.original(order[: min(8, len(order))]),
        )


def _filled_at(x: np.ndarray, places: np.ndarray) -> float:
    """Return how alike the values in the rows at ``places`` are, 0–1: near 1 where a missing one
    had to be filled in.
    """
    edge = x[np.unique(places)]
    apart = [float(np.median(np.abs(values - np.median(values)))) for values in (edge, x)]
    return 1 - min(1.0, apart[0] / apart[1]) if apart[1] > 0 else 0.0


def _looks_ahead(found: tuple[float, float, float], of_target: bool) -> bool:
    partial, past, full = found
    return (
        partial >= (AHEAD_SHARE_TARGET if of_target else AHEAD_SHARE) and full - past >= AHEAD_GAIN
    )


def _sorted_groups(subject: Subject) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows by group and time, whole groups up to ``MAX_HISTORY_ROWS``, with each row's group
    start and end.
    """
    assert subject.time is not None and subject.group is not None
    order = np.lexsort((np.nan_to_num(np.asarray(subject.time.numbers)), subject.group.codes))
    order = order[subject.group.codes[order] >= 0]
    codes = subject.group.codes[order]
    if len(order) > MAX_HISTORY_ROWS:
        cut = int(np.searchsorted(codes, codes[MAX_HISTORY_ROWS], side="left")) or MAX_HISTORY_ROWS
        order, codes = order[:cut], codes[:cut]
    start = np.searchsorted(codes, codes, side="left")
    end = np.searchsorted(codes, codes, side="right")
    return order, start, end


def _filled(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, np.nanmedian(x))


def _aggregates(
    x: np.ndarray, start: np.ndarray, end: np.ndarray, *, own_row: bool
) -> tuple[np.ndarray, ...]:
    """Return what the history gives each row, what the later rows add, and which rows have enough
    of both.

    ``own_row``: whether the row's own value belongs to its history (a feature) or not (the target).
    """
    n = len(x)
    place = np.arange(n)
    total = np.r_[0.0, np.cumsum(x - x.mean())]  # centred: less is lost to rounding

    def mean(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        low, high = np.maximum(low, start), np.minimum(high, end)
        return np.where(high > low, (total[high] - total[low]) / np.maximum(high - low, 1), 0.0)

    longest = int((end - start).max()) if n else 0
    steps = N_STEPS if longest > 3 * N_STEPS else 2
    now = place + 1 if own_row else place
    lags = [x[np.maximum(place - k, 0)] for k in range(0 if own_row else 1, steps + 1)]
    leads = [x[np.minimum(place + k, n - 1)] for k in range(1 if own_row else 0, steps + 1)]
    past = [mean(now - w, now) for w in WINDOWS] + [
        mean(start, now),
        mean(start, place),
        total[now] - total[start],
    ]
    running = [_running(x, start, function) for function in (np.maximum, np.minimum)]
    if not own_row:
        running = [np.where(place > start, np.r_[0.0, r[:-1]], 0.0) for r in running]
    past += [*running, (place - start).astype(float)]
    later = [mean(place, place + w) for w in WINDOWS] + [
        mean(place + 1, end),
        mean(start, end),
        total[end] - total[start],
    ]
    first = np.flatnonzero(start == place)
    lengths = np.diff(np.r_[first, n])
    later += [np.repeat(f.reduceat(x, first), lengths) for f in (np.maximum, np.minimum)]
    use = (place - steps >= start) & (place + steps < end)
    return np.column_stack(lags + past), np.column_stack(leads + later), use


def _running(x: np.ndarray, start: np.ndarray, function: np.ufunc) -> np.ndarray:
    """Return the running maximum or minimum within each group: one pass over the groups, each
    accumulated at once.
    """
    out = np.empty_like(x)
    first = np.flatnonzero(start == np.arange(len(x)))
    for low, high in zip(first, np.r_[first[1:], len(x)], strict=True):
        out[low:high] = function.accumulate(x[low:high])
    return out


def _partial(
    history: np.ndarray, ahead: np.ndarray, y: np.ndarray
) -> list[tuple[float, float, float]]:
    """Return for each column of ``y``: partial R² of ``ahead`` given ``history``, R² of history
    alone, R² of both.
    """
    q_history = _basis(np.column_stack([np.ones(len(y)), history]))
    q_both = _basis(np.column_stack([q_history, ahead]))
    y = y - y.mean(axis=0)
    total = (y**2).sum(axis=0)
    left = total - ((q_history.T @ y) ** 2).sum(axis=0)
    left_both = total - ((q_both.T @ y) ** 2).sum(axis=0)
    out = []
    for whole, a, b in zip(total, np.maximum(left, 0), np.maximum(left_both, 0), strict=True):
        if whole <= 0 or a <= 1e-9 * whole:
            out.append((0.0, 1.0, 1.0))
            continue
        spare = max(1, len(y) - q_both.shape[1])
        shrunk = min(
            1.0, float(b / a) * (len(y) - q_history.shape[1]) / spare
        )  # adjusted for the number of regressors
        out.append((1 - shrunk, float(1 - a / whole), float(1 - b / whole)))
    return out


def _basis(design: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the columns, those that add nothing left out."""
    scale = np.linalg.norm(design, axis=0)
    u, s, _ = np.linalg.svd(design / np.where(scale > 0, scale, 1.0), full_matrices=False)
    return np.asarray(u[:, s > 1e-7 * s[0]])
