"""Time splits: the same flights and the same model, validated in seven ways, against what the last
quarter then gave.

Real: flights of 2013, scikit-learn's splitters and boosting, the later quarter as the truth.
*Distance* asks why the schemes differ: it tests on the same days again and again, and keeps
training a growing number of days away from them, with as many training rows each time. Simplified:
one year, so one later quarter.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Literal, get_args

import numpy as np
import pyarrow as pa

from engine.errors import require, require_choice
from engine.jobs import Progress, Steps, beside, run_to_end
from engine.leakage import flights, logistic
from engine.leakage.time_splits import splits
from engine.leakage.time_splits.splits import SCHEMES, Scheme
from engine.leakage.trial import interval

__all__ = [
    "Distance",
    "Scores",
    "TimeSplitsParams",
    "TimeSplitsResult",
    "distance_steps",
    "run",
    "score_steps",
]

Columns = Literal["timetable and date", "timetable", "timetable, date and weather"]
COLUMNS: tuple[Columns, ...] = get_args(Columns)
GROUPS: dict[Columns, tuple[flights.Group, ...]] = {
    "timetable and date": ("schedule", "date"),
    "timetable": ("schedule",),
    "timetable, date and weather": ("schedule", "date", "weather of the hour"),
}
N_ROWS = (3_000, 6_000, 12_000, 24_000)
LATER_ROWS = 20_000
NEVER, TRAIN, TEST, BOTH = 0, 1, 2, 3  # what a day holds
DISTANCES = (0, 1, 7, 28)  # days
DISTANCE_ROWS = 8_000  # to train on, at most: eighty models are fitted
DAYS_APART, N_PHASES = 60, 20  # test days of one model; models with other test days


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSplitsParams:
    """The scheme that is looked at, and what all of them share."""

    scheme: Scheme = "shuffled"
    columns: Columns = "timetable and date"
    n_splits: int = 5  # folds, 2 … 10
    gap_days: int = 14  # left out before each test part of the scheme with a gap, 0 … 60
    embargo_days: int = 7  # left out after each test part when purging, 0 … 60
    n_rows: int = 12_000  # of the first three quarters, 2,000 … 24,000
    seed: int = 0

    def __post_init__(self) -> None:
        require_choice("scheme", self.scheme, SCHEMES)
        require_choice("columns", self.columns, COLUMNS)
        require(2 <= self.n_splits <= 10, "n_splits must be 2 … 10. Got {}.", self.n_splits)
        require(0 <= self.gap_days <= 60, "gap_days must be 0 … 60. Got {}.", self.gap_days)
        require(
            0 <= self.embargo_days <= 60, "embargo_days must be 0 … 60. Got {}.", self.embargo_days
        )
        require(
            2_000 <= self.n_rows <= N_ROWS[-1],
            "n_rows must be 2,000 … 24,000. Got {}.",
            self.n_rows,
        )
        require(0 <= self.seed < 2**31, "seed must be 0 … 2,147,483,647. Got {}.", self.seed)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows that the schemes may use and the later ones, as places in ``flights.table()``, in
    time order.
    """

    used: np.ndarray
    later: np.ndarray
    day: np.ndarray  # (len(used),) whole days since the year began
    plane: np.ndarray  # (len(used),)


@dataclass(frozen=True, slots=True, eq=False)
class TimeSplitsResult:
    """What each day holds under every scheme, in one of its folds; the chosen scheme's folds in
    numbers.
    """

    params: TimeSplitsParams
    roles: dict[Scheme, np.ndarray]  # (n_days,) NEVER, TRAIN, TEST or BOTH
    n_train: tuple[int, ...]  # of each fold of the chosen scheme
    n_test: tuple[int, ...]
    n_mixed: int  # test rows on a day that training has too, over all folds
    nearest_days: float  # mean days from a test row to the nearest training row

    @property
    def mixed_share(self) -> float:
        """Share of the test rows on a day that training has too, 0–1."""
        return self.n_mixed / sum(self.n_test)

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        return (
            f"Under “{self.params.scheme}” **{self.mixed_share:.0%}** of the test rows fall on a"
            " day that the model was trained on; the nearest training row is"
            f" {self.nearest_days:.1f} days away on average. Production will be weeks away."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        reasons = [
            (
                "Flights of one day share its weather, its queues and its knock-on delays. A model"
                " that knows the date can look the day up if it was trained on it; if not, the"
                " nearest days have to do, and they know less the further away they are."
                if p.columns != "timetable"
                else (
                    "Without the date the model cannot look a day up: what is left of the"
                    " differences is season and luck."
                )
            ),
            f"Folds train on {_span(self.n_train)} rows and test on {_span(self.n_test)}.",
        ]
        if p.scheme.startswith("time series"):
            reasons.append(
                "A time series trains on less in its early folds and never on a later season: it"
                " can be too stern."
            )
        if p.scheme == "by plane":
            reasons.append(
                "Planes are no group that matters here: flights of one plane share little. An"
                " honest null."
            )
        if p.scheme == "purged, embargo":
            reasons.append(
                "Purged: training days whose answers meet those of the test part; embargo:"
                f" {p.embargo_days} days after it."
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_train": sum(self.n_train),
            "n_test": sum(self.n_test),
            "n_mixed": self.n_mixed,
            "nearest_days": round(self.nearest_days, 4),
        }

    def table(self) -> pa.Table:
        """Return one row for each scheme and day."""
        words = {NEVER: "neither", TRAIN: "training", TEST: "test", BOTH: "both"}
        days = [
            (name, day, role)
            for name, roles in self.roles.items()
            for day, role in enumerate(roles.tolist())
        ]
        return pa.Table.from_pylist(
            [{"scheme": name, "day": day, "holds": words[role]} for name, day, role in days]
        )


def _span(counts: tuple[int, ...]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


@lru_cache(maxsize=8)
def rows(n_rows: int, seed: int) -> Rows:
    """Draw rows of the first three quarters for the schemes, and rows of the last one, in time
    order.
    """
    table = flights.table()
    cut_day = int(table.hour[round(len(table.y) * (1 - flights.LATER_SHARE))] // 24)
    cut = int(np.searchsorted(table.hour // 24, cut_day))
    rng = np.random.default_rng([seed, 9])
    used = np.sort(rng.permutation(cut)[:n_rows])
    later = np.sort(cut + rng.permutation(len(table.y) - cut)[:LATER_ROWS])
    return Rows(used, later, (table.hour[used] // 24).astype(int), flights.plane_codes()[used])


def folds(scheme: Scheme, params: TimeSplitsParams) -> splits.Folds:
    """Return (train, test) of each fold of a scheme, as places in ``rows(…).used``."""
    drawn = rows(params.n_rows, params.seed)
    return splits.folds(
        scheme,
        drawn.day,
        drawn.plane,
        n_splits=params.n_splits,
        gap_days=params.gap_days,
        embargo_days=params.embargo_days,
        seed=params.seed,
    )


def run(params: TimeSplitsParams) -> TimeSplitsResult:
    """Split the rows by every scheme, without fitting anything."""
    drawn = rows(params.n_rows, params.seed)
    n_days = int(drawn.day.max()) + 1
    roles = {}
    for scheme in SCHEMES:
        dealt = folds(scheme, params)
        train, test = dealt[
            len(dealt) // 2 if scheme == "purged, embargo" else -1
        ]  # a fold that shows both sides
        role = np.zeros(n_days, int)
        role[np.unique(drawn.day[train])] += TRAIN
        role[np.unique(drawn.day[test])] += TEST
        roles[scheme] = role
    chosen = folds(params.scheme, params)
    near = [splits.nearest_days(drawn.day, train, test) for train, test in chosen]
    return TimeSplitsResult(
        params,
        roles,
        tuple(len(train) for train, _ in chosen),
        tuple(len(test) for _, test in chosen),
        int(sum((days == 0).sum() for days in near)),
        float(np.concatenate(near).mean()),
    )


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
        """The answer in one sentence."""
        if "shuffled" not in self.by_scheme:
            return "The first folds are being fitted."
        nearest = min(self.by_scheme, key=lambda name: abs(self.mean(name) - self.later_auc))
        return (
            f"Shuffled folds promise AUC {self.mean('shuffled'):.3f}; the last quarter gave"
            f" **{self.later_auc:.3f}**. Nearest to it comes “{nearest}” with"
            f" {self.mean(nearest):.3f}."
        )

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each scheme, as texts."""
        return [
            {
                "scheme": name,
                "mean AUC": f"{self.mean(name):.3f}",
                "lowest … highest fold": f"{min(aucs):.3f} … {max(aucs):.3f}",
                "promises too much": f"{self.mean(name) - self.later_auc:+.3f}",
            }
            for name, aucs in self.by_scheme.items()
        ]


def shared(params: TimeSplitsParams) -> TimeSplitsParams:
    """Return the settings that the scores of all schemes depend on: the scheme looked at only
    points into them.
    """
    return replace(params, scheme="shuffled")


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
        drawn = yield from beside(caller, partial(rows, params.n_rows, params.seed), start)
        later = partial(fit_and_score, groups, drawn.used, drawn.later, params.seed)
        scores = replace(scores, later_auc=(yield from beside(caller, later, start)))
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
                aucs.append((yield from beside(caller, call, progress)))
            scores = replace(scores, by_scheme={**scores.by_scheme, scheme: tuple(aucs)})
    return replace(scores, complete=True)


def scores(params: TimeSplitsParams) -> Scores:
    """Score the model under every scheme here and now."""
    result: Scores = run_to_end(score_steps(shared(params)))
    return result


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
        """The answer in one sentence."""
        if len(self.aucs) < 2:
            return "The first distance is being fitted."
        mean, half = self.lost
        return (
            f"Trained on the very days that are tested: AUC {self.aucs[0].mean():.3f}. With"
            f" {max(self.aucs)} days between: **{self.aucs[max(self.aucs)].mean():.3f}**,"
            f" {mean:.3f} ± {half:.3f} less, from {self.n_train:,} training rows each time"
            f" ({N_PHASES} models a distance, {self.n_test_days} test days)."
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
    """Score the same test days from ever further away: a ``Progress`` with the curve so far before
    each fit.

    Returns
    -------
    Distance
        With ``complete`` set.
    """
    groups, n_fits = GROUPS[params.columns], len(DISTANCES) * N_PHASES
    with ThreadPoolExecutor(1) as caller:
        start = Progress(0.0, "reading the flights")
        table = yield from beside(caller, flights.table, start)
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
                        yield from beside(
                            caller,
                            partial(fit_and_score, groups, train, test, params.seed),
                            progress,
                        )
                    )
                )
            curve = replace(curve, aucs={**curve.aucs, days: np.array(aucs)})
    return replace(curve, complete=True)


def distance(params: TimeSplitsParams) -> Distance:
    """Score the same test days from ever further away here and now."""
    result: Distance = run_to_end(distance_steps(shared(params)))
    return result
