"""Detector of look-ahead windows: columns that the rows *after* their own moment explain.

The question is whether column z at row t holds values of a base column x from rows later than t.
Rows are sorted by group and time. H are aggregates of x up to row t (its lags, trailing means,
running extremes), A are aggregates of x after it (leads, forward means, those of the whole group).

1. z made from the history alone is a function of H, up to noise. A may still correlate with z, for
   the history foretells the future. So A is judged on what H leaves open: the partial R²,
   1 − RSS(z | H, A) / RSS(z | H). It is near 0 for an honest z, however strong H is.
2. A also fits noise. Where it means nothing the expected ratio of the two RSS is
   (n − p_HA) / (n − p_H), with p the number of independent regressors; dividing by that makes the
   expected partial R² 0. It is the adjusted R² of the second step.
3. Two columns that are shifts of one another (z_t = x_{t+1}, or x is a lag of z: the same thing)
   explain each other exactly, and no statistic says which is the raw one. Then the column whose
   value at the edge of its group is missing was made from the other: a lead has no true value in
   its group's last row, a lag none in its first. Such values were filled in, all alike.

Simplified: H and A are fixed aggregates of one base column, linear; windows over two bases, or over
columns that are not in the table, are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.leakage.audit.findings import Finding
from engine.leakage.table_columns import Subject
from engine.units import format_share

MAX_COLUMNS = 60
MAX_ROWS = 20_000
MIN_ROWS = 200
N_STEPS, N_STEPS_SHORT = 6, 2  # rows before and after that stand alone; in short groups
WINDOWS = (7, 14, 30)  # rows of the trailing and the forward means
AHEAD_SHARE = 0.5  # of what the history leaves unexplained that the later rows must explain
AHEAD_SHARE_TARGET = 0.9
AHEAD_GAIN = 0.05
EXACT = 0.999
ALIKE = 0.005  # R²: less apart is no difference


@dataclass(frozen=True, slots=True)
class Explained:
    """How well one column is explained by another's rows: R² of the history, of history and later
    rows, and the later rows' partial R².
    """

    partial: float
    past: float
    full: float

    def looks_ahead(self, least: float = AHEAD_SHARE) -> bool:
        """Return whether the later rows explain most of what the history does not."""
        return self.partial >= least and self.full - self.past >= AHEAD_GAIN


NOTHING = Explained(0.0, 0.0, 0.0)
Pairs = dict[tuple[str, str], Explained]  # (column, base)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows sorted by group, then time: their places in the table (n,), and where the group of each
    starts and ends (n,).
    """

    order: np.ndarray
    start: np.ndarray
    end: np.ndarray


def truncated_history(subject: Subject) -> Iterator[Finding]:
    """Columns that rows after their own moment explain, once the rows up to it have explained what
    they can; needs the time and the group column.
    """
    if subject.time is None or subject.group is None:
        return
    rows = _sort_rows(np.asarray(subject.time.numbers), subject.group.codes)
    columns = [c for c in subject.numeric if c.n_distinct > 5 and c.n_null < subject.n / 2]
    values = {c.name: _fill(np.asarray(c.numbers)[rows.order]) for c in columns[:MAX_COLUMNS]}
    pairs: Pairs = {}
    for base, x in (values | {subject.target: subject.y[rows.order]}).items():
        # A feature's own value belongs to its history; the row's own answer does not.
        history, ahead, use = _aggregate(x, rows, own_row=base != subject.target)
        names = [name for name in values if name != base]
        if not names or use.sum() < MIN_ROWS or x[use].std() == 0:
            continue
        others = np.column_stack([values[name][use] for name in names])
        found = _explain(history[use], ahead[use], others)
        pairs |= {(name, base): one for name, one in zip(names, found, strict=True)}
    yield from _judge(pairs, subject, rows, values)


def _judge(
    pairs: Pairs, subject: Subject, rows: Rows, values: dict[str, np.ndarray]
) -> Iterator[Finding]:
    """Yield a finding for each column that its best base's later rows explain."""
    for name in dict.fromkeys(name for name, _ in pairs):
        of_name = {base: found for (column, base), found in pairs.items() if column == name}
        base = max(of_name, key=lambda base: (of_name[base].partial, of_name[base].full))
        found = of_name[base]
        if not found.looks_ahead(AHEAD_SHARE_TARGET if base == subject.target else AHEAD_SHARE):
            continue
        if found.full - max(other.past for other in of_name.values()) < AHEAD_GAIN:
            continue  # the history of another column explains it as well
        reverse = pairs.get((base, name), NOTHING)
        if reverse.past > found.full + ALIKE:
            continue  # the base is made of this column's history, so this one is the raw one
        if reverse.looks_ahead() and reverse.full > found.full:
            continue  # rather the base looks ahead at this column
        is_shift = reverse.past > found.full - ALIKE
        unclear = is_shift and not _is_lead(values[name], values[base], rows)
        severity = "certain" if found.full > EXACT else "suspicious"
        yield Finding(
            "truncated history",
            (name,),
            "note" if unclear else severity,  # type: ignore[arg-type]
            f"{name} recomputed from {base} up to its own moment: R² {found.past:.3f}; with the"
            f" later rows of the same {subject.group_name}: {found.full:.3f}. They explain"
            f" {format_share(found.partial)} of what the history does not"
            + (f". Or {base} is an earlier {name}: then all is well" if unclear else ""),
            f"Recompute {name} with the window closed at the moment of prediction (rows before, not"
            f" centred, not the whole {subject.group_name}).",
            found.partial,
            subject.original(rows.order[:8]),
        )


def _is_lead(z: np.ndarray, x: np.ndarray, rows: Rows) -> bool:
    """Return whether of two shifts of each other ``z`` is the one made from ``x``'s next rows."""
    return _measure_likeness(z, rows.end - 1) > max(0.5, _measure_likeness(x, rows.start))


def _measure_likeness(x: np.ndarray, at: np.ndarray) -> float:
    """Return how alike the values in the rows ``at`` are, 0–1: 1 where a missing one was filled in.

    1 less the ratio of two median absolute deviations: of those rows, and of all.
    """
    spread_at, spread = (
        float(np.median(np.abs(part - np.median(part)))) for part in (x[np.unique(at)], x)
    )
    return 1 - min(1.0, spread_at / spread) if spread > 0 else 0.0


def _sort_rows(moments: np.ndarray, codes: np.ndarray) -> Rows:
    """Return the rows that have a group (code ≥ 0), whole groups up to ``MAX_ROWS``."""
    order = np.lexsort((np.nan_to_num(moments), codes))
    order = order[codes[order] >= 0]
    group = codes[order]
    if len(order) > MAX_ROWS:
        cut = int(np.searchsorted(group, group[MAX_ROWS], side="left")) or MAX_ROWS
        order, group = order[:cut], group[:cut]
    start, end = (np.searchsorted(group, group, side=side) for side in ("left", "right"))
    return Rows(order, start, end)


def _fill(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, np.nanmedian(x))


def _aggregate(
    x: np.ndarray, rows: Rows, *, own_row: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the history gives each row (n, d), what the later rows add (n, e), and which rows
    have enough of both (n,).

    ``own_row``: whether the row's own value belongs to its history, or to what is later.
    """
    start, end, n = rows.start, rows.end, len(x)
    row = np.arange(n)
    total = np.r_[0.0, np.cumsum(x - x.mean())]  # centred: less is lost to rounding

    def mean(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        low, high = np.maximum(low, start), np.minimum(high, end)
        return np.where(high > low, (total[high] - total[low]) / np.maximum(high - low, 1), 0.0)

    longest = int((end - start).max()) if n else 0
    steps = N_STEPS if longest > 3 * N_STEPS else N_STEPS_SHORT
    now = row + 1 if own_row else row
    history = [x[np.maximum(row - k, 0)] for k in range(0 if own_row else 1, steps + 1)]
    history += [mean(now - width, now) for width in WINDOWS]
    history += [mean(start, now), mean(start, row), total[now] - total[start]]
    for extreme in (np.maximum, np.minimum):
        running = _accumulate(extreme, x, start)
        if not own_row:
            running = np.where(row > start, np.r_[0.0, running[:-1]], 0.0)
        history.append(running)
    history.append((row - start).astype(float))
    ahead = [x[np.minimum(row + k, n - 1)] for k in range(1 if own_row else 0, steps + 1)]
    ahead += [mean(row, row + width) for width in WINDOWS]
    ahead += [mean(row + 1, end), mean(start, end), total[end] - total[start]]
    first = np.flatnonzero(start == row)
    lengths = np.diff(np.r_[first, n])
    ahead += [np.repeat(f.reduceat(x, first), lengths) for f in (np.maximum, np.minimum)]
    use = (row - steps >= start) & (row + steps < end)
    return np.column_stack(history), np.column_stack(ahead), use


def _accumulate(extreme: np.ufunc, x: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the running maximum or minimum within each group (n,)."""
    out = np.empty_like(x)
    first = np.flatnonzero(start == np.arange(len(x)))
    for low, high in zip(first, np.r_[first[1:], len(x)], strict=True):
        out[low:high] = extreme.accumulate(x[low:high])
    return out


def _explain(history: np.ndarray, ahead: np.ndarray, columns: np.ndarray) -> list[Explained]:
    """Return for each of ``columns`` (n, k) how the history explains it, and the later rows on top.

    With an orthonormal basis Q of the regressors, RSS = ‖z‖² − ‖Qᵀz‖² for every column at once.
    """
    n = len(columns)
    q_history = _orthonormalize(np.column_stack([np.ones(n), history]))
    q_both = _orthonormalize(np.column_stack([q_history, ahead]))
    z = columns - columns.mean(axis=0)
    total = (z**2).sum(axis=0)
    rss_history = np.maximum(total - ((q_history.T @ z) ** 2).sum(axis=0), 0)
    rss_both = np.maximum(total - ((q_both.T @ z) ** 2).sum(axis=0), 0)
    expected = max(1, n - q_both.shape[1]) / (n - q_history.shape[1])  # of a meaningless ratio
    found = []
    for whole, left, rest in zip(total, rss_history, rss_both, strict=True):
        if whole <= 0 or left <= 1e-9 * whole:
            found.append(Explained(0.0, 1.0, 1.0))  # nothing is left to explain
            continue
        partial = 1 - min(1.0, float(rest / left) / expected)
        found.append(Explained(partial, float(1 - left / whole), float(1 - rest / whole)))
    return found


def _orthonormalize(design: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the columns, those that add nothing left out."""
    scale = np.linalg.norm(design, axis=0)
    u, s, _ = np.linalg.svd(design / np.where(scale > 0, scale, 1.0), full_matrices=False)
    return np.asarray(u[:, s > 1e-7 * s[0]])
