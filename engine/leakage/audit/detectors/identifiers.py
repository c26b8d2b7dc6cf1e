"""Detector of identifiers that predict: by how they were issued, or by whom they name.

An id is a name: how it was written should not depend on the answer. So under the null hypothesis
the names could have been given out among the things in any other order, and the score of a part of
the name (its order, its range, its first or last characters, its length) is compared with those of
random orders (``chance``): exact for ids of any density, and however often each repeats, because a
thing keeps all its rows. Two honest reasons for a link are taken out first: an id counted up while
the target drifts, and an id made from another column (a carrier's planes). The names are permuted
inside the bins of the one other column that explains most.

Whom an id names tells the answer in two ways: every thing has one answer in all its rows (a patient
with several images), or a thing's other rows explain what the columns leave open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.leakage.audit.detectors import chance
from engine.leakage.audit.detectors.columns import TOO_GOOD, pure_values
from engine.leakage.audit.detectors.naming import is_whole, names_things
from engine.leakage.audit.detectors.splits import group_tells
from engine.leakage.audit.findings import Finding
from engine.leakage.column_scores import auc_of_levels, quantile_codes, value_of_cells
from engine.leakage.table_columns import FOLD_SEED, N_BINS, N_FOLDS, Column, Subject

ID_EXCESS, ID_R2 = 0.05, 0.1  # AUC, R² above the mean of random orders
EDGE = (1, 2, 3, 4)  # first and last characters tried
ROWS_R = 0.98  # correlation of an id with the row number: it was counted up with the rows
MAX_ROWS = 20_000  # of the permutation test
THINGS_A_BIN = 10
MAX_OTHERS, N_TRIED = 60, 4  # columns that may explain an id, random orders for each
MIXED_THINGS, MIXED_SHARE = 20.0, 0.1  # things with both answers: at least so many by chance, and
# at most this share of them seen: a Poisson count of mean 20 is 2 or less with p < 1e-6
MIN_THINGS, MIN_THINGS_R, GROUP_R, GROUP_ERRORS = 30, 50, 0.25, 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Things:
    """What a column names: of each thing its value's code, rows, sum of the target, fold, one of
    its rows (k,).
    """

    codes: np.ndarray
    rows: np.ndarray
    sums: np.ndarray
    folds: np.ndarray
    first: np.ndarray
    squares: float
    binary: bool

    def score(self, part: np.ndarray) -> float:
        """Return the score of a part of the name, (k,) codes, from other things' answers; of an
        order with as many codes as things the score is that of going up or down (AUC, r²).
        """
        if part.max() >= len(part) - 1:
            return self._rank_score(part)
        place = part * N_FOLDS + self.folds
        shape = (int(part.max()) + 1, N_FOLDS)
        size = shape[0] * N_FOLDS
        rows, sums = (
            np.bincount(place, weights=values, minlength=size).reshape(shape)
            for values in (self.rows, self.sums)
        )
        return value_of_cells(rows, sums, self.squares, binary=self.binary)

    def _rank_score(self, rank: np.ndarray) -> float:
        if self.binary:
            auc = auc_of_levels(rank, self.sums, self.rows - self.sums)
            return max(auc, 1 - auc)
        n = self.rows.sum()
        x = rank - (rank * self.rows).sum() / n
        norm = (x**2 * self.rows).sum() * (self.squares - self.sums.sum() ** 2 / n)
        return float((x * self.sums).sum() ** 2 / norm)


def identifiers(subject: Subject, alone: dict[str, float]) -> Iterator[Finding]:
    """Ids that tell the target; ``alone``: each column's own score."""
    columns = [*subject.columns.values(), *([subject.group] if subject.group else [])]
    for column in columns:
        is_id = names_things(column, subject.n)
        if not (is_id or _may_have_one_answer_each(column, subject)):
            continue
        things = _list_things(column, subject)
        reasons = list(_by_name(column, things, subject, alone)) if is_id else []
        if column is not subject.group and (is_id or alone.get(column.name, 0.0) < TOO_GOOD):
            by_thing = list(_one_answer_each(column, things, subject))
            if is_id and not by_thing:
                by_thing = list(_other_rows(column, subject, alone))
            reasons += by_thing
        if reasons:
            yield _report(column, things, reasons, subject)


Reason = tuple[float, str]  # a score, and how the id tells the target


def _report(column: Column, things: Things, reasons: list[Reason], subject: Subject) -> Finding:
    score, _ = reasons[0]
    n, name = len(things.codes), column.name
    role = "" if column is not subject.group else " (your group)"
    return Finding(
        "identifier",
        (name,),
        "suspicious",
        f"{name}{role} names {'rows' if n > 0.99 * subject.n else 'things'} ({n:,} values in"
        f" {int(things.rows.sum()):,} rows), and " + "; ".join(how for _, how in reasons),
        f"Leave {name} out of the features. Ask how it was assigned: by the answer, or by a source"
        " (a site, a file) that differs in the answer? If a value repeats, split by it.",
        score,
        subject.original(things.first),
    )


def _list_things(column: Column, subject: Subject) -> Things:
    """Return the things that a column names; their folds are drawn at random."""
    known = np.flatnonzero(column.codes >= 0)
    y = subject.y if subject.binary else subject.y - subject.y.mean()
    codes, first, inverse, counts = np.unique(
        column.codes[known], return_index=True, return_inverse=True, return_counts=True
    )
    if len(known) > MAX_ROWS:
        keep = max(2, round(len(codes) * MAX_ROWS / len(known)))
        rng = np.random.default_rng(FOLD_SEED)
        kept = np.sort(rng.choice(len(codes), min(keep, len(codes)), replace=False))
    else:
        kept = np.arange(len(codes))
    sums = np.bincount(inverse, weights=y[known])
    used = np.isin(inverse, kept)
    folds = np.random.default_rng(FOLD_SEED).permutation(np.arange(len(kept)) % N_FOLDS)
    return Things(
        codes[kept],
        counts[kept].astype(np.float64),
        sums[kept],
        folds,
        known[first[kept]],
        float((y[known][used] ** 2).sum()),
        subject.binary,
    )


def _by_name(
    column: Column, things: Things, subject: Subject, alone: dict[str, float]
) -> Iterator[Reason]:
    """How the id's own characters or number tell the target."""
    parts = [part for part in _list_parts(column, things) if not _follows_rows(part[0], things)]
    if not parts or np.ptp(things.sums / things.rows) == 0:
        return
    codes = np.array([part for part, _ in parts])
    least = ID_EXCESS if subject.binary else ID_R2
    chance_level = 0.5 if subject.binary else 0.0

    def scores(order: np.ndarray) -> np.ndarray:
        return np.array([things.score(part[order]) for part in codes])

    seen = scores(np.arange(len(things.codes)))
    if seen.max() >= chance_level + least:
        strata = _explain(column, things, subject, alone, scores)
        found = chance.test(scores, strata)
        if found.beats(least):
            unit = "AUC" if subject.binary else "R²"
            value, usual = float(seen[found.best]), float(found.usual[found.best])
            how = f"{unit} {value:.3f} comes from {parts[found.best][1]} alone"
            yield value, f"{how}, {usual:.3f} if names are given out at random (p ≤ {found.p:.2g})"
            return
    for part, how in parts if subject.binary else []:
        n = np.bincount(part).astype(np.float64)
        share = np.bincount(part, weights=things.sums / things.rows)
        if pure_values(n, share, subject):
            yield float(seen.max()), f"{how} belongs to one answer alone"
            return


def _explain(
    column: Column, things: Things, subject: Subject, alone: dict[str, float], scores: chance.Scores
) -> np.ndarray:
    """Return the bins, one for each thing, of the other column that explains most of the scores."""
    rng = np.random.default_rng(1)
    seen = scores(np.arange(len(things.codes)))
    others = [
        other
        for other in subject.columns.values()
        if other is not column
        and not names_things(other, subject.n)
        and alone.get(other.name, 0.0) < TOO_GOOD
    ]
    others.sort(key=lambda other: -alone.get(other.name, 0.0))
    times = [other for other in others if other.kind == "time"]
    if subject.time is not None and subject.time is not column:
        times.insert(0, subject.time)
    best, left = np.zeros(len(things.codes), dtype=np.int64), np.inf
    for other in dict.fromkeys([*times, *others[:MAX_OTHERS]]):
        strata = _bins_of(other, things)
        if strata is None:
            continue
        usual = np.mean([scores(chance.shuffled(strata, rng)) for _ in range(N_TRIED)], axis=0)
        excess = float((seen - usual).max())
        if excess < left:
            best, left = strata, excess
    return best


def _bins_of(other: Column, things: Things) -> np.ndarray | None:
    """Return the value that each thing has in another column, in at most 64 bins of ten things or
    more on average, so that there is something to permute; ``None`` if text has more values.
    """
    codes = other.bins[0][things.first]
    n_bins = min(N_BINS, len(codes) // THINGS_A_BIN)
    if len(np.unique(codes)) <= n_bins:
        return np.asarray(codes)
    if other.numbers is None or n_bins < 2:
        return None
    return quantile_codes(other.numbers[things.first], n_bins)[0]


def _list_parts(column: Column, things: Things) -> Iterator[tuple[np.ndarray, str]]:
    """Yield codes, one for each thing, of what can be read in its name, and the words for it."""
    n = len(things.codes)
    if column.numbers is not None:
        numbers = column.numbers[things.first]
        yield from _list_orders(numbers, "its order")
        if is_whole(column) and np.abs(numbers).max() < 2**53:
            yield (np.abs(numbers) % 10).astype(np.int64), "its last digit"
        return
    texts = [str(column.values[int(code)].as_py()) for code in things.codes]
    parts = [([text[:size] for text in texts], f"its first {_characters(size)}") for size in EDGE]
    parts += [([text[-size:] for text in texts], f"its last {_characters(size)}") for size in EDGE]
    parts.append(([str(len(text)) for text in texts], "its length"))
    for values, how in parts:
        distinct, codes = np.unique(values, return_inverse=True)
        if 1 < len(distinct) <= n / 4:
            yield codes, how
    runs = [re.findall(r"\d+", text) for text in texts]
    number = np.array([float(max(run, key=len)[-15:]) if run else -1.0 for run in runs])
    if len(np.unique(number)) > n / 2:
        yield from _list_orders(number, "the number in it")


def _list_orders(numbers: np.ndarray, how: str) -> Iterator[tuple[np.ndarray, str]]:
    """Yield the ranges that numbers are in, and their ranks."""
    yield quantile_codes(numbers)[0], how
    yield np.argsort(np.argsort(numbers, kind="stable"), kind="stable"), how


def _follows_rows(part: np.ndarray, things: Things) -> bool:
    """Whether a part of the name goes with the rows: then ``row_order`` reads it."""
    place = np.argsort(np.argsort(things.first))
    return bool(np.ptp(part) > 0 and abs(np.corrcoef(part, place)[0, 1]) >= ROWS_R)


def _characters(size: int) -> str:
    return f"{size} characters" if size > 1 else "character"


def _may_have_one_answer_each(column: Column, subject: Subject) -> bool:
    """Whether enough values repeat, and are names or whole numbers, not measures."""
    return (
        subject.binary
        and MIN_THINGS <= column.n_distinct <= subject.n / 1.3
        and (column.kind == "category" or is_whole(column))
    )


def _one_answer_each(column: Column, things: Things, subject: Subject) -> Iterator[Reason]:
    """Whether things with several rows have one answer in all of them, far more often than by
    chance.
    """
    repeated = things.rows > 1
    if not _may_have_one_answer_each(column, subject):
        return
    n, share = things.rows[repeated], float(subject.y.mean())
    if repeated.sum() < MIN_THINGS or n.sum() < things.rows.sum() / 2:
        return
    expected = float((1 - share**n - (1 - share) ** n).sum())
    mixed = int(((things.sums > 0) & (things.sums < things.rows))[repeated].sum())
    if expected < MIXED_THINGS or mixed > MIXED_SHARE * expected:
        return
    yield (
        1 - mixed / expected,
        f"{int(repeated.sum()) - mixed:,} of {int(repeated.sum()):,} values that repeat have one"
        f" {subject.target} in all their rows ({mixed:,} have both, {expected:,.0f} expected by"
        " chance)",
    )


def _other_rows(column: Column, subject: Subject, alone: dict[str, float]) -> Iterator[Reason]:
    """Whether a thing's other rows tell what the columns do not."""
    if not MIN_THINGS_R <= column.n_distinct <= subject.n / 1.5:
        return
    others = {name: value for name, value in alone.items() if name != column.name}
    r, error = group_tells(column, subject, others)
    if r >= GROUP_R and r - GROUP_ERRORS * error > 0:
        how = f"the other rows of a value explain what the columns do not: r = {r:.3f}"
        yield r, f"{how} ± {error:.3f}"
