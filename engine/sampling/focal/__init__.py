"""Focal loss: a loss that gives easy rows less weight, the rows that then train the model, and the
effect on probabilities.

Real: a logistic model with scikit-learn's penalty (C = 1) is fitted by SciPy's L-BFGS on the exact
gradient, on real flights (``engine.sampling.flight_rows``), and scored on rows that it has not
seen. With γ = 0 and α = 0.5 it is scikit-learn's LogisticRegression. Source: Lin et al., "Focal
Loss for Dense Object Detection", 2017; the gradient is their appendix B. Simplified: a linear
model; α weighs the classes by 2α and 2(1 − α), so that α = 0.5 weighs none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa

from engine import data
from engine.ranges import SEED, SHARE, Params, Range
from engine.sampling import flight_rows, points
from engine.sampling.flight_rows import Positives, Split, Target
from engine.sampling.focal import losses
from engine.units import format_factor, format_share

N_ROWS = (3_000, 5_000, 10_000, 20_000, 50_000)
Model = Literal["cross-entropy", "class weights", "focal loss"]
MODELS: tuple[Model, ...] = ("cross-entropy", "class weights", "focal loss")
HARDEST_SHARE = 0.05  # of the training rows, whose part of the gradient is shown
N_HARDEST = 5  # flights named
FLIGHT_TEXT = (
    "{carrier} {flight:.0f}, {origin} to {dest}, 2013-{month:02.0f}-{day:02.0f}"
    " {hour:02.0f}:{minute:02.0f}"
)
N_BINS = 10  # of the reliability curve, each with as many test rows


@dataclass(frozen=True, slots=True, kw_only=True)
class FocalParams(Params):
    """The shape of the loss, and the rows that models are trained on."""

    gamma: Annotated[float, Range(0, 5, step=0.1)] = 2.0  # focus on hard examples; 0: cross-entropy
    # weight of the rare class; 0.5: both alike
    alpha: Annotated[float, Range(0.01, 0.99, step=0.01)] = 0.5
    target: Target = "cancelled"
    positives: Positives = "original"
    n_rows: Annotated[int, Range(1_000, 50_000, options=N_ROWS)] = 5_000
    split: Split = "random"
    threshold: Annotated[float, SHARE] = 0.5  # from which probability on a row is an alarm
    seed: Annotated[int, SEED] = 0  # of the rows drawn and of the split


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """One fitted model and its probabilities of the training and the test rows."""

    model: Model
    coefficients: np.ndarray  # (d,)
    intercept: float
    train_chances: np.ndarray  # (n_train,) probability of each training row's own class
    # (n_train,) absolute gradient of each training row's loss by its log-odds, at the optimum
    train_gradient: np.ndarray
    chances: np.ndarray  # (n_test,) probability of the rare class
    average_precision: float
    auc: float
    brier: float


@dataclass(frozen=True, slots=True, eq=False)
class FocalResult:
    """Three models on the same rows, and their boundaries in a plane of synthetic points."""

    params: FocalParams
    fits: tuple[Fit, ...]  # in the order of MODELS
    train_y: np.ndarray
    train_row: np.ndarray  # (n_train,) in the flights table
    test_y: np.ndarray
    plane: points.Points
    # a, b, c of a·x + b·y + c = 0 for each model
    boundaries: tuple[tuple[float, float, float], ...]

    @property
    def focal(self) -> Fit:
        """The model trained with the focal loss."""
        return self.fits[2]

    @property
    def hardest_share(self) -> float:
        """Part of the focal loss's gradient that its hardest 5% of the training rows make, 0–1."""
        return losses.carried(self.focal.train_gradient, HARDEST_SHARE)

    @property
    def mean_chance(self) -> float:
        """Mean probability that the focal model gives to the test rows."""
        return float(self.focal.chances.mean())

    @property
    def overstated_factor(self) -> float:
        """How many times the true share of positives the focal model's mean probability is."""
        return self.mean_chance / float(self.test_y.mean())

    @property
    def ranking_gain(self) -> float:
        """Average precision of the focal loss minus that of cross-entropy."""
        return self.focal.average_precision - self.fits[0].average_precision

    def alarms(self, fit: Fit) -> tuple[int, int, int]:
        """Return (alarms, of them right, positives missed) on the test rows at the threshold."""
        alarm = fit.chances >= self.params.threshold
        right = int((alarm & (self.test_y == 1)).sum())
        return int(alarm.sum()), right, int(self.test_y.sum()) - right

    @property
    def verdict(self) -> str:
        """What focal loss changes in the probabilities and in the ranking."""
        factor = self.overstated_factor
        level = "right on average"
        if factor >= 1.25 or factor <= 0.8:
            level = f"{format_factor(factor)} the true rate"
        ranking = (
            "barely changes" if abs(self.ranking_gain) < 0.02 else "changes"
        ) + f" (average precision {self.fits[0].average_precision:.3f} →"
        return (
            f"Focal loss: **probabilities are {level}** (mean {format_share(self.mean_chance)},"
            f" true {format_share(self.test_y.mean())}). Ranking {ranking}"
            f" {self.focal.average_precision:.3f})."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p, plain = self.params, self.fits[0]
        rare = self.train_y == 1
        level = (
            "**Calibrated**: γ = 0 and α = 0.5 is plain cross-entropy."
            if p.gamma == 0 and p.alpha == 0.5
            else "**Not calibrated**: focal loss pushes correct rows less, so probabilities stay"
            " near 0.5. Recalibrate before you multiply them by costs."
        )
        return [
            (
                f"**γ = {p.gamma:g}**: a row already at p = 0.9 keeps"
                f" {format_share(losses.modulation(0.9, p.gamma))} of its cross-entropy loss, a"
                f" row at p = 0.1 {format_share(losses.modulation(0.1, p.gamma))}."
            ),
            (
                f"**The hardest {format_share(HARDEST_SHARE)}** of {len(rare):,} training rows make"
                f" {format_share(self.hardest_share)} of the gradient; with cross-entropy"
                f" {format_share(losses.carried(plain.train_gradient, HARDEST_SHARE))}."
            ),
            (
                f"**Balance**: the gradients of {int(rare.sum()):,} positives and"
                f" {int((~rare).sum()):,} negatives are equal under any loss, because of the"
                " intercept."
            ),
            level,
            (
                f"**One split**: {len(self.test_y):,} test rows, {int(self.test_y.sum()):,} of them"
                " positive. Small differences are noise."
            ),
        ]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        numbers: dict[str, int | float | str] = {
            "n_test": len(self.test_y),
            "n_positive": int(self.test_y.sum()),
        }
        for fit in self.fits:
            numbers |= {
                f"{fit.model}: average precision": round(fit.average_precision, 4),
                f"{fit.model}: AUC": round(fit.auc, 4),
            }
        return numbers

    def scores(self) -> list[dict[str, str]]:
        """Return one row for each model, as texts."""
        rows = []
        for fit in self.fits:
            n, right, missed = self.alarms(fit)
            rows.append(
                {
                    "trained with": fit.model,
                    "average precision": f"{fit.average_precision:.3f}",
                    "AUC": f"{fit.auc:.3f}",
                    "Brier score": f"{fit.brier:.4f}",
                    "mean probability": format_share(fit.chances.mean()),
                    f"alarms at {self.params.threshold:g}": f"{n:,}",
                    "true alarms": f"{right:,}",
                    "recall": format_share(right / max(1, right + missed)),
                }
            )
        return rows

    def hardest(self) -> list[dict[str, str]]:
        """Return the N_HARDEST training flights with the largest gradients, as texts."""
        plain, focal = self.fits[0], self.focal
        places = np.argsort(-focal.train_gradient, kind="stable")[:N_HARDEST]
        wanted = ["month", "day", "hour", "minute", "carrier", "flight", "origin", "dest"]
        flights = (
            data.load("flights").select(wanted).take(pa.array(self.train_row[places])).to_pylist()
        )
        return [
            {
                "flight": FLIGHT_TEXT.format(**row),
                "class": self.params.target if self.train_y[place] else "negative",
                "predicted probability of it": format_share(focal.train_chances[place]),
                "gradient share, focal": format_share(
                    focal.train_gradient[place] / focal.train_gradient.sum()
                ),
                "cross-entropy": format_share(
                    plain.train_gradient[place] / plain.train_gradient.sum()
                ),
            }
            for row, place in zip(flights, places, strict=True)
        ]

    def table(self) -> pa.Table:
        """Return one row for each test row: its class and the three probabilities."""
        columns: dict[str, np.ndarray] = {fit.model: fit.chances for fit in self.fits}
        return pa.table({"positive": self.test_y, **columns})


@lru_cache(maxsize=8)
def _rows(target: Target, positives: Positives, n_rows: int, split: Split, seed: int) -> Any:
    """Return standardised training and test rows with their classes, and the weights of the two
    models without γ.
    """
    rows = flight_rows.take(target, positives, n_rows, seed)
    train, test = rows.split(split, seed)
    flight_rows.check_n_positives(rows.y[train], "The training rows")
    flight_rows.check_n_positives(rows.y[test], "The test rows")
    X, X_test = flight_rows.standardise(rows.X[train], rows.X[test])
    y = rows.y[train]
    return (
        X,
        y,
        rows.row[train],
        X_test,
        rows.y[test],
        losses.fit(X, y, 0, np.ones(len(y))),
        losses.fit(X, y, 0, losses.balanced(y)),
    )


@lru_cache(maxsize=8)
def _plane(seed: int) -> Any:
    plane = points.make("overlap", n_rows=400, minority_share=0.1, seed=seed)
    return (
        plane,
        losses.fit(plane.X, plane.y, 0, np.ones(400)),
        losses.fit(plane.X, plane.y, 0, losses.balanced(plane.y)),
    )


def run(params: FocalParams) -> FocalResult:
    """Fit the three models and score them.

    Raises
    ------
    InputError
        Too few positives for a training and a test part.
    """
    return replace(_fitted(replace(params, threshold=0.5)), params=params)  # it fits nothing


@lru_cache(maxsize=16)
def _fitted(params: FocalParams) -> FocalResult:
    X, y, row, X_test, y_test, plain, weighted = _rows(
        params.target, params.positives, params.n_rows, params.split, params.seed
    )
    focused = losses.fit(X, y, params.gamma, losses.by_alpha(y, params.alpha), plain)
    ones = np.ones(len(y))
    fits = (
        _scored("cross-entropy", plain, X, y, X_test, y_test, 0, ones),
        _scored("class weights", weighted, X, y, X_test, y_test, 0, losses.balanced(y)),
        _scored(
            "focal loss",
            focused,
            X,
            y,
            X_test,
            y_test,
            params.gamma,
            losses.by_alpha(y, params.alpha),
        ),
    )
    plane, *known = _plane(params.seed)
    known.append(
        losses.fit(plane.X, plane.y, params.gamma, losses.by_alpha(plane.y, params.alpha), known[0])
    )
    lines = tuple((float(w[0]), float(w[1]), float(w[2])) for w in known)
    return FocalResult(params, fits, y, row, y_test, plane, lines)


def _scored(
    model: Model,
    weights: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
    gamma: float,
    class_weight: np.ndarray,
) -> Fit:
    from scipy.special import expit
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    own = expit((2 * y - 1) * (X @ weights[:-1] + weights[-1]))
    chances = expit(X_test @ weights[:-1] + weights[-1])
    return Fit(
        model,
        weights[:-1],
        float(weights[-1]),
        own,
        class_weight * losses.gradient_size(own, gamma),
        chances,
        float(average_precision_score(y_test, chances)),
        float(roc_auc_score(y_test, chances)),
        float(brier_score_loss(y_test, chances)),
    )


def reliability(chances: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean probability, share of positives and rows of each of N_BINS bins with (nearly) as
    many rows each.
    """
    order = np.argsort(chances, kind="stable")
    bins = np.array_split(order, N_BINS)
    return (
        np.array([chances[rows].mean() for rows in bins]),
        np.array([y[rows].mean() for rows in bins]),
        np.array([len(rows) for rows in bins]),
    )
