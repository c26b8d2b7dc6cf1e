"""Arena: what resampling, weights and losses really buy, against doing nothing and moving the
threshold.

Real: flights (``engine.sampling.flight_rows``), imbalanced-learn's samplers inside its
``Pipeline``, so that only training rows are ever resampled, scikit-learn's models, scores on
untouched rows. The threshold of "do nothing" is moved to where cross- validated *training* rows
cost least; the test rows never choose anything. Simplified: focal loss (γ = 2) is there for the
logistic model only; SMOTEN sees each number cut into twelve bins.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa

from engine.errors import InputError
from engine.jobs import Progress, Steps, beside, run_to_end
from engine.sampling import flight_rows, points
from engine.sampling.arena.strategies import (
    MODELS,
    MOVED,
    N_ROWS,
    NOTHING,
    STRATEGIES,
    ArenaParams,
    fitted,
    refusal,
)
from engine.sampling.flight_rows import FlightRows

__all__ = ["MODELS", "MOVED", "N_ROWS", "STRATEGIES", "ArenaParams", "ArenaResult", "run", "steps"]

N_BINS = 10
GRID = 40  # places across and up at which boundaries are drawn


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One strategy on one split."""

    strategy: str
    repeat: int
    y: np.ndarray  # (n_test,) untouched rows
    chances: np.ndarray  # (n_test,)
    average_precision: float
    auc: float
    brier: float
    train_y: (
        np.ndarray
    )  # (n_train,) of NOTHING: rows whose cross-validated chances move its threshold; else empty
    train_chances: np.ndarray


@dataclass(frozen=True, slots=True)
class Bill:
    """A strategy at one threshold: counts over all splits, and the cost of one test row."""

    strategy: str
    threshold: float
    right_alarms: int
    false_alarms: int
    missed: int
    quiet: int
    cost: float

    @property
    def recall(self) -> float:
        """Share of the positives that are alarms, 0–1."""
        return self.right_alarms / max(1, self.right_alarms + self.missed)

    @property
    def precision(self) -> float:
        """Share of the alarms that are right, 0–1."""
        return self.right_alarms / max(1, self.right_alarms + self.false_alarms)


@dataclass(frozen=True, slots=True, eq=False)
class ArenaResult:
    """Every strategy on every split, as far as it has come."""

    params: ArenaParams
    outcomes: tuple[Outcome, ...]
    refused: dict[str, str]  # strategy -> why it cannot enter
    planes: dict[
        str, np.ndarray
    ]  # strategy -> (GRID, GRID) chances over the plane of made-up points
    complete: bool = False

    def of(self, strategy: str) -> list[Outcome]:
        """Return a strategy's outcomes, by split."""
        name = NOTHING if strategy == MOVED else strategy
        return [outcome for outcome in self.outcomes if outcome.strategy == name]

    @property
    def names(self) -> list[str]:
        """Strategies with an outcome, "nothing" and its moved threshold first."""
        found = list(dict.fromkeys(outcome.strategy for outcome in self.outcomes))
        return [NOTHING, MOVED, *(name for name in found if name != NOTHING)] if found else []

    def mean(self, strategy: str, score: Literal["average_precision", "auc", "brier"]) -> float:
        """Return a mean over the splits."""
        return float(np.mean([getattr(outcome, score) for outcome in self.of(strategy)]))

    def pooled(self, strategy: str) -> tuple[np.ndarray, np.ndarray]:
        """Return class and chance of every test row of every split, in order of falling chance."""
        outcomes = self.of(strategy)
        y, chances = (
            np.concatenate([getattr(outcome, name) for outcome in outcomes])
            for name in ("y", "chances")
        )
        order = np.argsort(-chances, kind="stable")
        return y[order], chances[order]

    def bill(self, strategy: str, threshold: float, cost_missed: float, cost_alarm: float) -> Bill:
        """Return counts and cost of a strategy at a threshold; the moved one brings its own."""
        if strategy == MOVED:
            first = self.of(NOTHING)
            y, chances = (
                np.concatenate([getattr(o, name) for o in first])
                for name in ("train_y", "train_chances")
            )
            threshold = cheapest(y, chances, cost_missed, cost_alarm)
        y, chances = self.pooled(strategy)
        alarm = chances >= threshold
        right, false = int((alarm & (y == 1)).sum()), int((alarm & (y == 0)).sum())
        missed = int(y.sum()) - right
        cost = (missed * cost_missed + false * cost_alarm) / len(y)
        return Bill(
            strategy, threshold, right, false, missed, len(y) - right - false - missed, cost
        )

    @property
    def best_gain(self) -> float:
        """Average precision of the best strategy less that of doing nothing."""
        return (
            max((self.mean(name, "average_precision") for name in self.names), default=0.0)
            - self.nothing
        )

    @property
    def nothing(self) -> float:
        """Average precision of doing nothing."""
        return self.mean(NOTHING, "average_precision") if self.outcomes else 0.0

    def gain(self, strategy: str) -> tuple[float, float]:
        """Return what a strategy adds to doing nothing's average precision, and half the width of
        its 95 % interval.

        A t interval of the differences split by split, widened for as many strategies as take part
        (Bonferroni), so that the best of them may be picked afterwards; infinite after one split.
        """
        from scipy.stats import t

        pairs = zip(self.of(strategy), self.of(NOTHING), strict=False)
        gaps = [one.average_precision - other.average_precision for one, other in pairs]
        n_others = max(1, len(self.names) - 2)
        if len(gaps) < 2:
            return float(np.mean(gaps)), float("inf")
        factor = float(t.ppf(1 - 0.025 / n_others, len(gaps) - 1))
        return float(np.mean(gaps)), factor * float(np.std(gaps, ddof=1)) / len(gaps) ** 0.5

    @property
    def worst_brier_factor(self) -> float:
        """Largest Brier score by that of doing nothing."""
        return max(
            (self.mean(name, "brier") / self.mean(NOTHING, "brier") for name in self.names),
            default=1.0,
        )

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        if not self.outcomes:
            return "The first strategy is being trained."
        others = [name for name in self.names if name not in (NOTHING, MOVED)]
        if not others:
            return (
                f"Doing nothing has average precision **{self.nothing:.3f}**; add a strategy to"
                " compare it with."
            )
        best = max(others, key=lambda name: self.mean(name, "average_precision"))
        gain, half = self.gain(best)
        n_splits = len(self.of(best))
        if not np.isfinite(half):
            return (
                f"After one split {best} moves average precision by **{gain:+.3f}** from"
                f" {self.nothing:.3f}: more are coming."
            )
        moves = (
            f"moves average precision by **{gain:+.3f}** from {self.nothing:.3f} (95 % interval"
            f" {gain - half:+.3f} … {gain + half:+.3f} over {n_splits} splits)"
        )
        if gain <= half:
            return (
                f"No strategy beats doing nothing beyond chance: the best other, {best}, {moves}."
            )
        return f"{best} beats doing nothing: it {moves}."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        if not self.outcomes:
            return []
        first = self.of(NOTHING)[0]
        worst = max(self.names, key=lambda name: self.mean(name, "brier"))
        moved = self.bill(MOVED, 0.5, 10, 1)
        rivals = [self.bill(name, 0.5, 10, 1) for name in self.names if name != MOVED]
        rival = min(rivals, key=lambda bill: bill.cost)
        reasons = [
            (
                f"{len(first.y):,} untouched test rows a split, {int(first.y.sum()):,} of them"
                f" positive; {self.params.repeats} splits, every one a dot. Samplers saw training"
                " rows only. Intervals are of differences split by split, widened for the number"
                " of strategies."
            ),
            (
                f"Ranking and probabilities are two things: {worst} has"
                f" {self.worst_brier_factor:.1f} times the Brier score of doing nothing (its mean"
                f" chance is {np.mean(self.pooled(worst)[1]):.1%}, {first.y.mean():.1%} are"
                " positive)."
            ),
            (
                "Where a miss costs ten false alarms, training rows move the threshold of doing"
                f" nothing to {moved.threshold:.3f}: {moved.cost:.3f} a row. The cheapest at 0.5 is"
                f" {rival.strategy} with {rival.cost:.3f}."
            ),
        ]
        return [*reasons, *(f"{name} did not enter: {why}" for name, why in self.refused.items())]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces, of the first split."""
        numbers: dict[str, int | float | str] = {}
        for outcome in self.outcomes:
            if outcome.repeat == 0:
                numbers[f"{outcome.strategy}: average precision"] = round(
                    outcome.average_precision, 4
                )
        return numbers

    def _told_gain(self, strategy: str) -> str:
        if strategy in (NOTHING, MOVED):
            return "–"
        gain, half = self.gain(strategy)
        return f"{gain:+.3f} ± {half:.3f}" if np.isfinite(half) else f"{gain:+.3f}"

    def rows(self, threshold: float, cost_missed: float, cost_alarm: float) -> list[dict[str, str]]:
        """Return one row for each strategy at a threshold, as texts."""
        bills = [self.bill(name, threshold, cost_missed, cost_alarm) for name in self.names]
        cheap = min((bill.cost for bill in bills), default=0.0)
        return [
            {
                "strategy": bill.strategy,
                "average precision": f"{self.mean(bill.strategy, 'average_precision'):.3f}",
                "against nothing": self._told_gain(bill.strategy),
                "Brier": f"{self.mean(bill.strategy, 'brier'):.4f}",
                "threshold": f"{bill.threshold:.3f}",
                "right alarms": f"{bill.right_alarms:,}",
                "false alarms": f"{bill.false_alarms:,}",
                "missed": f"{bill.missed:,}",
                "recall": f"{bill.recall:.0%}",
                "precision": f"{bill.precision:.1%}",
                "cost a row": f"{bill.cost:.3f}" + (" ← least" if bill.cost == cheap else ""),
            }
            for bill in bills
        ]

    def table(self) -> pa.Table:
        """Return one row for each strategy and split."""
        rows = [
            {
                "strategy": o.strategy,
                "split": o.repeat,
                "average_precision": o.average_precision,
                "auc": o.auc,
                "brier": o.brier,
            }
            for o in self.outcomes
        ]
        return (
            pa.Table.from_pylist(rows)
            if rows
            else pa.table({"strategy": pa.array([], pa.string())})
        )


def cheapest(y: np.ndarray, chances: np.ndarray, cost_missed: float, cost_alarm: float) -> float:
    """Return the threshold at which rows of class ``y`` cost least: one of the chances, or above
    them all.
    """
    order = np.argsort(-chances, kind="stable")
    right = np.concatenate([[0], np.cumsum(y[order])])
    false = np.arange(len(y) + 1) - right
    costs = (y.sum() - right) * cost_missed + false * cost_alarm
    usable = np.concatenate(
        [[True], np.diff(chances[order]) < 0, [True]]
    )  # equal chances fall together
    place = int(np.flatnonzero(usable)[np.argmin(costs[usable])])
    return (
        float(np.nextafter(chances[order[0]], 2))
        if place == 0
        else float(chances[order[place - 1]])
    )


def reliability(y: np.ndarray, chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean chance and share of positives in tenths of the rows, lowest chances first."""
    bins = np.array_split(np.argsort(chances, kind="stable"), N_BINS)
    return np.array([chances[rows].mean() for rows in bins]), np.array(
        [y[rows].mean() for rows in bins]
    )


def meet(
    strategy: str,
    rows: FlightRows,
    train: np.ndarray,
    test: np.ndarray,
    repeat: int,
    params: ArenaParams,
) -> Outcome:
    """Train a strategy on one split and score it on its untouched rows."""
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    X, y = rows.X[train], rows.y[train]
    chances, truth = fitted(strategy, X, y, params, rows.names)(rows.X[test]), rows.y[test]
    precision, auc = (
        float(average_precision_score(truth, chances)),
        float(roc_auc_score(truth, chances)),
    )
    brier = float(brier_score_loss(truth, chances))
    inner = inner_chances(X, y, params) if strategy == NOTHING else np.empty(0)
    return Outcome(
        strategy,
        repeat,
        truth,
        chances,
        precision,
        auc,
        brier,
        y if len(inner) else np.empty(0, int),
        inner,
    )


def inner_chances(X: np.ndarray, y: np.ndarray, params: ArenaParams) -> np.ndarray:
    """Return the chance of each training row from models that have not seen it (three stratified
    folds).
    """
    from sklearn.model_selection import StratifiedKFold

    chances = np.zeros(len(y))
    for train, held_out in StratifiedKFold(3, shuffle=True, random_state=params.seed).split(X, y):
        chances[held_out] = fitted(NOTHING, X[train], y[train], params)(X[held_out])
    return chances


def splits(params: ArenaParams) -> Iterator[tuple[FlightRows, np.ndarray, np.ndarray]]:
    """Yield (rows, train, test) of every split: another seed each, or growing pasts, each tested on
    what follows.
    """
    for repeat in range(params.repeats):
        seed = params.seed + (repeat if params.split == "random" else 0)
        rows = flight_rows.take(params.target, params.positives, params.n_rows, seed)
        if params.split == "random":
            train, test = rows.split("random", seed)
        else:
            edges = np.linspace(0, len(rows.y), params.repeats + 2).astype(int)
            train, test = (
                np.arange(edges[repeat + 1]),
                np.arange(edges[repeat + 1], edges[repeat + 2]),
            )
        flight_rows.check_n_positives(rows.y[train], f"The training rows of split {repeat + 1}")
        flight_rows.check_n_positives(rows.y[test], f"The test rows of split {repeat + 1}")
        yield rows, train, test


def steps(params: ArenaParams) -> Steps:
    """Train every strategy on every split: a ``Progress`` with the result so far before each.

    Returns
    -------
    ArenaResult
        With ``complete`` set.
    """
    refused = {name: why for name in params.entered if (why := refusal(name, params.model))}
    result = ArenaResult(params, (), refused, {})
    n_turns = params.repeats * len(params.entered) + 1
    with ThreadPoolExecutor(1) as caller:
        for repeat, (rows, train, test) in enumerate(splits(params)):
            for place, name in enumerate(params.entered):
                told = f"{name} (split {repeat + 1} of {params.repeats})"
                progress = Progress((repeat * len(params.entered) + place) / n_turns, told, result)
                yield progress
                if name in result.refused:
                    continue
                try:
                    call = partial(meet, name, rows, train, test, repeat, params)
                    outcome: Outcome = yield from beside(caller, call, progress)
                except InputError as error:
                    result = replace(result, refused={**result.refused, name: str(error)})
                    continue
                result = replace(result, outcomes=(*result.outcomes, outcome))
        progress = Progress(1 - 1 / n_turns, "boundaries", result)
        yield progress
        names = [name for name in result.names if name != MOVED]
        planes = yield from beside(caller, partial(boundaries, params, names), progress)
    return replace(result, planes=planes, complete=True)


def plane(params: ArenaParams) -> points.Points:
    """Return the made-up points on which boundaries are drawn."""
    return points.make("overlap", n_rows=400, minority_share=0.1, seed=params.seed)


def boundaries(params: ArenaParams, names: list[str]) -> dict[str, np.ndarray]:
    """Return each strategy's chances over a grid of the plane; a strategy that refuses the points
    is left out.
    """
    made = plane(params)
    across, up = grid(made)
    places = np.column_stack([axis.ravel() for axis in np.meshgrid(across, up)])
    found = {}
    for name in names:
        try:
            found[name] = fitted(name, made.X, made.y, params)(places).reshape(GRID, GRID)
        except InputError:
            continue
    return found


def grid(made: points.Points) -> tuple[np.ndarray, np.ndarray]:
    """Return the grid's places across and up."""
    low, high = made.X.min(axis=0), made.X.max(axis=0)
    return np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID)


def run(params: ArenaParams) -> ArenaResult:
    """Train every strategy here and now."""
    result: ArenaResult = run_to_end(steps(params))
    return result
