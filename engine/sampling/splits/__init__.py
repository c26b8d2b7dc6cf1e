"""Splits for validation: training and test rows of each fold, and the score that each scheme
estimates for the same model.

Real: flights in time order, scikit-learn's splitters and models. The label reaches into the future:
whether at least 5% of the origin's flights in the hours from this departure on are cancelled; so
rows close in time share their answer. Ours: purging and embargo (López de Prado, *Advances in
Financial Machine Learning*, 2018, chapter 7). The schemes are compared with the score on the last
quarter of the year. Simplified: one year, one horizon for all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from engine.errors import require
from engine.jobs import Progress, Steps, to_end
from engine.ranges import SEED, Params, Range
from engine.sampling.splits.empty_folds import N_SHUFFLES, chance_of_empty, simulated_empty
from engine.sampling.splits.rows import Rows, year
from engine.units import format_range, format_share, format_signed

Scheme = Literal[
    "shuffled", "stratified", "by day", "stratified by day", "time series", "purged, embargo"
]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
Model = Literal["boosting", "logistic"]
N_ROWS = (1_000, 2_000, 4_000, 8_000)
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
N_LATER = 32_000  # rows of the year from which the later quarter is taken
LATER_SHARE = 0.25  # of the year, held back as the future
TRAIN, TEST, LEFT_OUT = 1, 2, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitsParams(Params):
    """The scheme that is drawn, the rows, the label's reach."""

    scheme: Scheme = "shuffled"
    n_splits: Annotated[int, Range(2, 10)] = 5  # folds
    horizon_hours: Annotated[int, Range(1, 168)] = 24  # how far the label looks ahead
    gap_days: Annotated[int, Range(0, 30)] = 2  # left out before each test part of a time series
    embargo_days: Annotated[int, Range(0, 30)] = 2  # left out after each test part when purging
    model: Model = "boosting"
    n_rows: Annotated[int, Range(500, 8_000, options=N_ROWS)] = 4_000  # evenly over the year
    rate: Annotated[float, Range(0.0005, 0.5, options=RATES)] = 0.005  # positives, for empty folds
    seed: Annotated[int, SEED] = 0  # of the shuffles and of the model

    def scoring(self) -> SplitsParams:
        """Return these settings with those at their defaults that no score depends on: one run
        serves them all.
        """
        return replace(self, scheme="shuffled", rate=0.005)

    def of(self, scheme: Scheme) -> SplitsParams:
        """Return these settings with those at their defaults that no score of a scheme depends on:
        the others need not be computed again.
        """
        gap = self.gap_days if scheme == "time series" else 2
        embargo = self.embargo_days if scheme == "purged, embargo" else 2
        return replace(self, scheme=scheme, gap_days=gap, embargo_days=embargo, rate=0.005)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What each scheme estimates: AUC of every fold (nan without both classes), and the score on
    the last quarter.
    """

    by_scheme: dict[Scheme, tuple[float, ...]]
    later_auc: float
    complete: bool = False
    is_preview: bool = False

    def mean(self, scheme: Scheme) -> float:
        """Return the mean AUC over the folds that have both classes."""
        known = [auc for auc in self.by_scheme.get(scheme, ()) if np.isfinite(auc)]
        return float(np.mean(known)) if known else float("nan")

    @property
    def verdict(self) -> str:
        """AUC that shuffled folds estimate, that of the last quarter, and the closest scheme."""
        done = [scheme for scheme in self.by_scheme if np.isfinite(self.mean(scheme))]
        nearest = min(done, key=lambda scheme: abs(self.mean(scheme) - self.later_auc))
        return (
            f"Shuffled folds estimate AUC {self.mean('shuffled'):.3f}; the last quarter gave"
            f" **{self.later_auc:.3f}**. Closest estimate: “{nearest}”,"
            f" {self.mean(nearest):.3f}."
        )

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each scheme, as texts."""
        return [
            {
                "scheme": scheme,
                "mean AUC": f"{self.mean(scheme):.3f}",
                "range of folds": (
                    format_range(np.nanmin(aucs), np.nanmax(aucs), 3)
                    if np.isfinite(aucs).any()
                    else "none"
                ),
                "estimate − last quarter": format_signed(self.mean(scheme) - self.later_auc),
                "folds with one class only": str(int(np.isnan(aucs).sum())),
            }
            for scheme, aucs in self.by_scheme.items()
        ]


@dataclass(frozen=True, slots=True, eq=False)
class SplitsResult:
    """Folds of one scheme over the rows, and how often a plain split has an empty fold."""

    params: SplitsParams
    rows: Rows
    roles: np.ndarray  # (folds, n) TRAIN, TEST or LEFT_OUT
    chance_of_empty: float  # exact
    simulated_empty: float  # of N_SHUFFLES shuffles

    @property
    def n_left_out(self) -> int:
        """Rows that neither train nor are tested, over all folds."""
        return int((self.roles == LEFT_OUT).sum())

    @property
    def n_overlaps(self) -> int:
        """Training rows whose answer reaches into a test part's answers, over all folds."""
        return sum(
            int(overlapping(self.rows.hour, role, self.params.horizon_hours).sum())
            for role in self.roles
        )

    @property
    def overlap_share(self) -> float:
        """Share of the training rows whose answer reaches into a test part's, 0–1."""
        return self.n_overlaps / max(1, int((self.roles == TRAIN).sum()))

    def positives(self, role: int) -> np.ndarray:
        """Return each fold's share of positives among its rows of a role; nan if it has none."""
        return np.array(
            [
                self.rows.y[fold == role].mean() if (fold == role).any() else np.nan
                for fold in self.roles
            ]
        )

    @property
    def verdict(self) -> str:
        """How many training rows overlap a test row's label window, and the folds' positives."""
        shares = self.positives(TEST)
        return (
            f"With “{self.params.scheme}” folds, **{format_share(self.overlap_share)}** of the"
            " training rows overlap a test row's label window. Positives per test fold:"
            f" {format_range(np.nanmin(shares), np.nanmax(shares), format_share)}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p, n = self.params, len(self.rows.y)
        reasons = [
            (
                f"**The label looks {p.horizon_hours} h ahead**: it is 1 if at least 5% of the"
                " airport's flights in these hours are cancelled. Flights close in time share it."
            ),
            (
                f"**{n:,} flights** of January to September 2013,"
                f" {format_share(self.rows.y.mean())} of them positive. October to December is the"
                " last quarter."
            ),
            (
                "**Two errors**: shuffled folds leak, so they estimate too high. Time-series folds"
                " train on less data, so they can estimate too low."
            ),
        ]
        if self.n_left_out:
            per_fold = self.n_left_out / len(self.roles)
            reasons.append(
                f"**{per_fold:,.0f} rows per fold are left out**: too close in time to the test"
                " part, or after it."
            )
        n_positive = round(p.rate * n)
        reasons.append(
            f"**Empty folds**: with {n_positive:,} positives, {format_share(self.chance_of_empty)}"
            f" of plain splits into {p.n_splits} folds have a fold without positives"
            f" ({format_share(self.simulated_empty)} of {N_SHUFFLES:,} shuffles)."
            + (
                " A stratified split has none."
                if n_positive >= p.n_splits
                else " A stratified split has one too: there are fewer positives than folds."
            )
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_train": int((self.roles == TRAIN).sum()),
            "n_test": int((self.roles == TEST).sum()),
            "n_overlaps": self.n_overlaps,
            "chance_of_empty": round(self.chance_of_empty, 6),
        }

    def table(self) -> pa.Table:
        """Return one row for each fold."""
        rows = [
            {
                "fold": number,
                "n_train": int((fold == TRAIN).sum()),
                "n_test": int((fold == TEST).sum()),
                "n_left_out": int((fold == LEFT_OUT).sum()),
                "positives_train": float(train),
                "positives_test": float(test),
            }
            for number, (fold, train, test) in enumerate(
                zip(self.roles, self.positives(TRAIN), self.positives(TEST), strict=True)
            )
        ]
        return pa.Table.from_pylist(rows)


def overlapping(hour: np.ndarray, role: np.ndarray, horizon_hours: int) -> np.ndarray:
    """Return which rows train although their answer's hours [t, t + horizon) meet those of a test
    row, (n,) bool.
    """
    tested = np.sort(hour[role == TEST])
    if not len(tested):
        return np.zeros(len(hour), bool)
    place = np.searchsorted(tested, hour)
    after = np.abs(tested[np.minimum(place, len(tested) - 1)] - hour)
    before = np.abs(tested[np.maximum(place - 1, 0)] - hour)
    return np.asarray((role == TRAIN) & (np.minimum(after, before) < horizon_hours))


def purged(
    hour: np.ndarray, n_splits: int, horizon_hours: float, embargo_hours: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (train, test) of folds that are consecutive in time, purged and with an embargo.

    A training row goes if its answer's hours [t, t + horizon) meet those of any test row, or if it
    leaves within ``embargo_hours`` after the last test row's answer is known. Source: López de
    Prado 2018, snippets 7.1 and 7.2.
    """
    for test in np.array_split(np.arange(len(hour)), n_splits):
        first, last = hour[test[0]], hour[test[-1]]
        clear = (hour + horizon_hours <= first) | (hour >= last + horizon_hours + embargo_hours)
        train = np.flatnonzero(clear)
        yield np.setdiff1d(train, test), test


def folds(scheme: Scheme, rows: Rows, params: SplitsParams) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (train, test) of each fold of a scheme.

    Raises
    ------
    InputError
        The rows cannot be split this way, in the splitter's words.
    """
    from sklearn.model_selection import (
        GroupKFold,
        KFold,
        StratifiedGroupKFold,
        StratifiedKFold,
        TimeSeriesSplit,
    )

    k, seed, day = params.n_splits, params.seed, (rows.hour // 24).astype(int)
    if scheme == "purged, embargo":
        return list(purged(rows.hour, k, params.horizon_hours, 24 * params.embargo_days))
    if scheme == "time series":
        n_gap = round(params.gap_days * len(day) / (np.ptp(rows.hour) / 24))
        require(
            len(day) - n_gap - k * (len(day) // (k + 1)) > 0,
            "gap_days must leave rows to train on in the first fold. Got {} days. Lower the gap, or"
            " take fewer folds.",
            params.gap_days,
        )
        return list(TimeSeriesSplit(k, gap=n_gap).split(rows.X))
    splits: dict[str, Iterator[Any]] = {  # generators: only the one asked for is run
        "shuffled": KFold(k, shuffle=True, random_state=seed).split(rows.X),
        "stratified": StratifiedKFold(k, shuffle=True, random_state=seed).split(rows.X, rows.y),
        "by day": GroupKFold(k).split(rows.X, rows.y, day),
        "stratified by day": (
            StratifiedGroupKFold(k, shuffle=True, random_state=seed).split(rows.X, rows.y, day)
        ),
    }
    return list(splits[scheme])


def development(params: SplitsParams) -> tuple[Rows, Rows]:
    """Return the rows that the schemes may use, and the later ones whose answers do not meet
    theirs.
    """
    rows = year(params.n_rows, params.horizon_hours)
    cut = round(len(rows.y) * (1 - LATER_SHARE))
    dense = year(N_LATER, params.horizon_hours)  # more rows than the folds: a precise score
    later = np.flatnonzero(dense.hour >= rows.hour[cut - 1] + params.horizon_hours)
    return rows.take(slice(cut)), dense.take(later)


def run(params: SplitsParams) -> SplitsResult:
    """Split the rows by one scheme."""
    rows, _ = development(params)
    roles = np.zeros((params.n_splits, len(rows.y)), np.int8)
    for role, (train, test) in zip(roles, folds(params.scheme, rows, params), strict=True):
        role[train], role[test] = TRAIN, TEST
    n, n_positive = len(rows.y), round(params.rate * len(rows.y))
    exact = chance_of_empty(n, n_positive, params.n_splits)
    return SplitsResult(
        params, rows, roles, exact, simulated_empty(n, n_positive, params.n_splits, params.seed)
    )


def score(train: Rows, test: Rows, model: Model, seed: int) -> float:
    """Return the AUC of a model trained on some rows on others; nan if either lacks a class."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    if len(np.unique(train.y)) < 2 or len(np.unique(test.y)) < 2:
        return float("nan")
    boosting = HistGradientBoostingClassifier(max_iter=40, random_state=seed)
    fitted = (boosting if model == "boosting" else LogisticRegression(max_iter=2_000)).fit(
        train.X, train.y
    )
    return float(roc_auc_score(test.y, fitted.predict_proba(test.X)[:, 1]))


def score_steps(params: SplitsParams) -> Steps:
    """Score the model under every scheme: a ``Progress`` before each fold, with the scores so far
    once the first scheme has them.

    Returns
    -------
    Scores
        With ``complete`` set.
    """
    scores = Scores({}, float("nan"))
    yield Progress(0.0, "the last quarter")
    scores = replace(scores, later_auc=_later_auc(replace(params.of(SCHEMES[0]), n_splits=5)))
    for done, scheme in enumerate(SCHEMES):
        aucs: list[float] = []
        asked = params.of(scheme)
        for fold in range(len(_folds(asked))):
            share = (done + len(aucs) / params.n_splits) / len(SCHEMES)
            yield Progress(share, scheme, scores if done else None)
            aucs.append(_fold_auc(asked, fold))
        scores = replace(scores, by_scheme={**scores.by_scheme, scheme: tuple(aucs)})
    return replace(scores, complete=True)


@lru_cache(maxsize=256)
def _later_auc(params: SplitsParams) -> float:
    rows, later = development(params)
    return score(rows, later, params.model, params.seed)


@lru_cache(maxsize=16)
def _folds(params: SplitsParams) -> list[tuple[np.ndarray, np.ndarray]]:
    return folds(params.scheme, development(params)[0], params)


@lru_cache(maxsize=4096)
def _fold_auc(params: SplitsParams, fold: int) -> float:
    """Return the score of one fold; give it ``SplitsParams.of`` a scheme."""
    rows, _ = development(params)
    train, test = _folds(params)[fold]
    return score(rows.take(train), rows.take(test), params.model, params.seed)


def preview(params: SplitsParams) -> Scores:
    """Return the scores of the logistic model, which is fitted in milliseconds, on few rows."""
    quick = scores(replace(params, model="logistic", n_rows=N_ROWS[0]))
    return replace(quick, complete=False, is_preview=True)


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before its first visitor: steps and their params."""
    return score_steps, SplitsParams()


scores: Callable[[SplitsParams], Scores] = to_end(score_steps)
