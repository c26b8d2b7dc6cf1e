"""What a model scores under each scheme, and on the same test days as training moves away.

Real: scikit-learn's boosting on the flights. *Distance* trains on as many rows at every distance.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from engine.jobs import Progress, Steps, in_thread
from engine.leakage import flights, logistic
from engine.leakage.time_splits.params import GROUPS, TimeSplitsParams
from engine.leakage.time_splits.sample import folds, rows
from engine.leakage.time_splits.splits import SCHEMES, Scheme
from engine.leakage.trial import interval
from engine.units import format_range, format_signed

DISTANCES = (0, 1, 7, 28)  # days
DISTANCE_ROWS = 8_000  # to train on, at most: eighty models are fitted
DAYS_APART, N_PHASES = 60, 20  # test days of one model; models with other test days


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """AUC of every fold under each scheme as far as they are fitted, and of the later quarter."""

    by_scheme: dict[Scheme, tuple[float, ...]]
    later_auc: float
    complete: bool = False

    def mean(self, scheme: Scheme) -> float:
        """Return the mean over the folds."""
        return float(np.mean(self.by_scheme[scheme]))

    @property
    def verdict(self) -> str:
        """AUC that shuffled folds estimate, that of the last quarter, and the closest scheme."""
        if "shuffled" not in self.by_scheme:
            return "The first folds are being fitted."
        nearest = min(self.by_scheme, key=lambda name: abs(self.mean(name) - self.later_auc))
        return (
            f"Shuffled folds estimate AUC {self.mean('shuffled'):.3f}; the last quarter gave"
            f" **{self.later_auc:.3f}**. Closest estimate: “{nearest}”, {self.mean(nearest):.3f}."
        )

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each scheme, as texts."""
        return [
            {
                "scheme": name,
                "mean AUC": f"{self.mean(name):.3f}",
                "range of folds": format_range(min(aucs), max(aucs), 3),
                "too high by": format_signed(self.mean(name) - self.later_auc),
            }
            for name, aucs in self.by_scheme.items()
        ]


def fit_and_score(
    groups: tuple[flights.Group, ...], train: np.ndarray, test: np.ndarray, seed: int
) -> float:
    """Return the AUC on some rows of the flights of a model that was trained on others."""
    table = flights.table()
    model = flights.boosting(table.matrix(groups, train), table.y[train], seed)
    return logistic.auc(table.y[test], model.predict_proba(table.matrix(groups, test))[:, 1])


def score_steps(params: TimeSplitsParams) -> Steps:
    """Score the model under every scheme: a ``Progress`` with the scores so far before each fold.

    Returns
    -------
    Scores
        With ``complete`` set.
    """
    scores = Scores({}, float("nan"))
    groups = GROUPS[params.columns]
    with ThreadPoolExecutor(1) as caller:
        start = Progress(0.0, "the last quarter", scores)
        yield start
        drawn = yield from in_thread(caller, partial(rows, params.n_rows, params.seed), start)
        later = partial(fit_and_score, groups, drawn.used, drawn.later, params.seed)
        scores = replace(scores, later_auc=(yield from in_thread(caller, later, start)))
        for done, scheme in enumerate(SCHEMES):
            aucs: list[float] = []
            for train, test in folds(scheme, params):
                progress = Progress(
                    (done + len(aucs) / params.n_splits) / len(SCHEMES), scheme, scores
                )
                yield progress
                call = partial(
                    fit_and_score, groups, drawn.used[train], drawn.used[test], params.seed
                )
                aucs.append((yield from in_thread(caller, call, progress)))
                scores = replace(scores, by_scheme={**scores.by_scheme, scheme: tuple(aucs)})
    return replace(scores, complete=True)


@dataclass(frozen=True, slots=True, eq=False)
class Distance:
    """AUC on the same test days by how many days the nearest training day is away: one value for
    each set of test days.
    """

    n_train: int
    n_test_days: int
    aucs: dict[int, np.ndarray]  # days away -> (phases,)
    complete: bool = False

    @property
    def lost(self) -> tuple[float, float]:
        """AUC at no distance less that at the greatest so far, paired by test days: mean and
        half-width.
        """
        return interval(self.aucs[0] - self.aucs[max(self.aucs)])

    @property
    def verdict(self) -> str:
        """AUC lost from no days between training and test to the most."""
        if len(self.aucs) < 2:
            return "The first distance is being fitted."
        mean, half = self.lost
        return (
            f"{max(self.aucs)} days between training and test cost **{mean:.3f}** ± {half:.3f}"
            f" AUC: {self.aucs[0].mean():.3f} on the same days,"
            f" {self.aucs[max(self.aucs)].mean():.3f} then. {self.n_train:,} training rows each"
            f" time, {N_PHASES} models per distance."
        )


def distance_rows(
    days_away: int, phase: int, n_train: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (train, test): half the flights of every 60th day are tested; training keeps
    ``days_away`` from those days.

    At 0 the other half of the test days' flights may be trained on, at 1 the days right beside
    them, and so on.
    """
    day = (flights.table().hour // 24).astype(int)
    rng = np.random.default_rng([seed, 10, phase])
    half = rng.random(len(day)) < 0.5
    offset = (day - phase * (DAYS_APART // N_PHASES)) % DAYS_APART
    away = np.minimum(offset, DAYS_APART - offset)
    allowed = np.flatnonzero((away >= days_away) & ~(half & (away == 0)))
    return np.sort(rng.permutation(allowed)[:n_train]), np.flatnonzero(half & (away == 0))


def distance_steps(params: TimeSplitsParams) -> Steps:
    """Score the same test days with training further and further away: a ``Progress`` with the
    curve so far before each fit.

    Returns
    -------
    Distance
        With ``complete`` set.
    """
    groups, n_fits = GROUPS[params.columns], len(DISTANCES) * N_PHASES
    with ThreadPoolExecutor(1) as caller:
        start = Progress(0.0, "reading the flights")
        table = yield from in_thread(caller, flights.table, start)
        n_days = int(table.hour[-1] // 24) + 1
        n_train = min(params.n_rows, DISTANCE_ROWS)
        curve = Distance(
            n_train, sum(1 for day in range(n_days) if day % (DAYS_APART // N_PHASES) == 0), {}
        )
        for place, days in enumerate(DISTANCES):
            aucs = []
            for phase in range(N_PHASES):
                progress = Progress((place * N_PHASES + phase) / n_fits, f"{days} days away", curve)
                yield progress
                train, test = distance_rows(days, phase, n_train, params.seed)
                aucs.append(
                    (
                        yield from in_thread(
                            caller,
                            partial(fit_and_score, groups, train, test, params.seed),
                            progress,
                        )
                    )
                )
            curve = replace(curve, aucs={**curve.aucs, days: np.array(aucs)})
    return replace(curve, complete=True)
