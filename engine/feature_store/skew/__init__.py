"""Skew injector: the same flights as training saw them and as serving does, and what the same
trained model loses by it.

Real: flights and weather of 2013, ``model_inputs`` (the very function that Feast runs as an
on-demand view), scikit-learn's models, AUC with a bootstrap of days. ``skew.real`` does the same on
Feast and compares cell by cell. Simplified: a mistake in serving code is made by changing what goes
into the definition: a temperature in °C where it expects °F gives the numbers that a forgotten
conversion gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from engine.feature_store import raw_values
from engine.feature_store.model_inputs import INPUTS, STANDARD_HPA, WINDOW, model_inputs
from engine.feature_store.raw_values import Flights
from engine.ranges import SEED, Choice, Params, Range
from engine.units import format_interval, format_number, format_share

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

__all__ = [
    "Score",
    "SkewParams",
    "SkewResult",
    "run",
    "served_raw",
]

Unit = Literal["as defined", "temperature in °C", "wind in m/s", "distance in km"]
Model = Literal["boosting", "logistic"]
STALE_HOURS = (0, 1, 3, 6, 12, 24, 48)
N_BOOTSTRAP = 500
LEVEL = 95.0  # percent of the interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SkewParams(Params):
    """The size of each mistake; at the first value of each there is none."""

    stale_hours: Annotated[int, Choice(STALE_HOURS)] = 0  # from one materialization to the next
    window: Annotated[int, Range(1, 20)] = WINDOW  # landings in serving's mean delay
    missing_hpa: Annotated[int, Range(0, 1_100)] = int(STANDARD_HPA)  # for a missing pressure
    slip_hours: Annotated[int, Range(0, 12)] = 4  # serving's clock ahead of New York's
    unit: Unit = "as defined"
    share: Annotated[float, Range(0, 1, step=0.05)] = 1.0  # of requests on the faulty path
    model: Model = "boosting"
    seed: Annotated[int, SEED] = 0

    @property
    def mistakes(self) -> dict[str, str]:
        """The mistakes that are made: name -> what goes wrong, in words."""
        found = {}
        if self.stale_hours:
            found["stale"] = f"materialized only every {self.stale_hours} h"
        if self.window != WINDOW:
            found["transform"] = f"mean of {self.window} landings, training uses {WINDOW}"
        if self.missing_hpa != STANDARD_HPA:
            found["default"] = (
                f"missing pressure becomes {self.missing_hpa:,} hPa, not {STANDARD_HPA:,.0f}"
            )
        if self.slip_hours:
            found["time zone"] = f"the local hour is {self.slip_hours} h ahead"
        if self.unit != "as defined":
            found["unit"] = f"{self.unit}, the definition expects another unit"
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """AUC of one way of serving, and of each bootstrap sample: ``draws`` (N_BOOTSTRAP,)."""

    name: str
    auc: float
    draws: np.ndarray

    @property
    def interval(self) -> tuple[float, float]:
        """The middle LEVEL percent of the draws."""
        low, high = np.percentile(self.draws, [50 - LEVEL / 2, 50 + LEVEL / 2])
        return float(low), float(high)


TRAINED, SERVED, ONE_DEFINITION, FRESH = (
    "as trained",
    "as served",
    "one definition for both",
    "one definition, fresh",
)


@dataclass(frozen=True, slots=True, eq=False)
class SkewResult:
    """Inputs (n, features) as training has them and as they are served, and the scores of the same
    model on them.
    """

    params: SkewParams
    offline: np.ndarray
    online: np.ndarray
    scores: tuple[Score, ...]  # TRAINED, SERVED, ONE_DEFINITION, FRESH

    def score(self, name: str) -> Score:
        """Return the score of a way of serving."""
        return next(score for score in self.scores if score.name == name)

    @property
    def differs(self) -> np.ndarray:
        """Which cells differ between training and serving, (n, features) bool."""
        return np.asarray(
            ~np.isclose(self.offline, self.online, rtol=1e-9, atol=1e-9, equal_nan=True)
        )

    @property
    def differ_share(self) -> float:
        """Share of all cells that differ, 0–1."""
        return float(self.differs.mean())

    @property
    def auc_served(self) -> float:
        """AUC of the model on the values as served."""
        return self.score(SERVED).auc

    @property
    def auc_lost(self) -> float:
        """AUC that serving loses."""
        return self.score(TRAINED).auc - self.auc_served

    @property
    def lost_interval(self) -> tuple[float, float]:
        """The middle LEVEL percent of the loss over the same draws of days."""
        lost = Score("", 0.0, self.score(TRAINED).draws - self.score(SERVED).draws)
        return lost.interval

    @property
    def verdict(self) -> str:
        """Share of the cells that differ, and the AUC that this costs."""
        if not self.differs.any():
            return (
                f"Serving gives the same values as training: AUC **{self.auc_served:.3f}**, no"
                " loss."
            )
        low, high = self.lost_interval
        moves = "rises" if self.auc_lost < 0 else "falls"
        significant = "" if low > 0 or high < 0 else ", not significant"
        return (
            f"AUC {moves} from {self.score(TRAINED).auc:.3f} to **{self.auc_served:.3f}** without"
            f" an error (loss {format_number(self.auc_lost, 3)}, {format_interval(low, high)}"
            f"{significant}). **{format_share(self.differ_share)}** of the values differ."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        shares = self.differs.mean(axis=0)
        order = [int(place) for place in np.argsort(-shares) if shares[place] > 0]
        reasons = [
            f"**{name.capitalize()}**: {text}." for name, text in self.params.mistakes.items()
        ] or ["No mistake is made."]
        if order:
            worst = ", ".join(
                f"{INPUTS[place]} {format_share(shares[place])}" for place in order[:3]
            )
            reasons.append(
                f"**Flights with another value**: {worst}. All values are plausible: no type check"
                " fails."
            )
        one = self.score(ONE_DEFINITION).auc
        if self.params.stale_hours:
            reasons.append(
                f"**One definition** fixes code, not age: AUC {one:.3f} with old values,"
                f" {self.score(FRESH).auc:.3f} with fresh ones."
            )
        elif order:
            reasons.append(f"**One definition** for both gives the training values: AUC {one:.3f}.")
        reasons.append(
            f"**Interval**: {len(self.offline):,} flights of July, bootstrap of whole days"
            f" ({N_BOOTSTRAP} samples). The loss is a difference within each sample."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "differ_share": round(self.differ_share, 6),
            "auc_trained": round(self.score(TRAINED).auc, 6),
            "auc_served": round(self.auc_served, 6),
            "auc_one_definition": round(self.score(ONE_DEFINITION).auc, 6),
        }

    def table(self) -> pa.Table:
        """Return each flight's inputs as training has them and as they are served."""
        columns = {f"{name}_training": self.offline[:, place] for place, name in enumerate(INPUTS)}
        columns |= {f"{name}_serving": self.online[:, place] for place, name in enumerate(INPUTS)}
        return pa.table(
            {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
        )


def last_run(asked: np.ndarray, stale_hours: int) -> np.ndarray:
    """Return the second of the last materialization at ``asked``: every ``stale_hours`` from
    midnight UTC on, 0 at once.
    """
    return asked if stale_hours == 0 else asked // (3600 * stale_hours) * (3600 * stale_hours)


def draw_faulty(share: float, n: int, seed: int) -> np.ndarray:
    """Return which of ``n`` requests go through the faulty path, (n,) bool; a larger share adds to
    a smaller one.
    """
    return np.random.default_rng(seed).random(n) < share


def served_raw(flights: Flights, params: SkewParams) -> pd.DataFrame:
    """Return what goes into the definition at serving: training's values, but for the faulty
    path's.
    """
    right = raw_values.raw_values(flights, flights.asked, WINDOW)
    wrong = right.copy()
    if params.stale_hours or params.window != WINDOW:
        wrong = raw_values.raw_values(
            flights, last_run(flights.asked, params.stale_hours), params.window
        )
    wrong["pressure"] = wrong["pressure"].fillna(float(params.missing_hpa))
    wrong["scheduled_at"] = wrong["scheduled_at"] + 3600 * params.slip_hours
    wrong = in_other_unit(wrong, params.unit)
    through = draw_faulty(params.share, len(right), params.seed)
    return pd.DataFrame({name: np.where(through, wrong[name], right[name]) for name in right})


def in_other_unit(raw: pd.DataFrame, unit: Unit) -> pd.DataFrame:
    """Return raw values with one column in another unit than the definition expects."""
    if unit == "temperature in °C":
        return raw.assign(temp=(raw["temp"] - 32.0) / 1.8)
    if unit == "wind in m/s":
        return raw.assign(wind_speed=raw["wind_speed"] * 0.44704)
    return raw.assign(distance=raw["distance"] * 1.609344) if unit == "distance in km" else raw


def inputs_of(raw: pd.DataFrame) -> np.ndarray:
    """Return the definition's output as a matrix (n, features), columns as INPUTS."""
    return np.asarray(model_inputs(raw)[list(INPUTS)].to_numpy(float))


def fit_model(model: Model, inputs: np.ndarray, late: np.ndarray, seed: int) -> ClassifierMixin:
    """Return a trained model."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chosen: Any = HistGradientBoostingClassifier(max_iter=60, random_state=seed)
    if model == "logistic":
        chain: Any = make_pipeline
        chosen = chain(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=500))
    return chosen.fit(inputs, late)


@lru_cache(maxsize=8)
def train_model(model: Model, seed: int) -> ClassifierMixin:
    """Return the model that is served: trained once on the training months as the point-in-time
    join gives them.
    """
    train, _ = raw_values.split(seed)
    return fit_model(
        model, inputs_of(raw_values.raw_values(train, train.asked, WINDOW)), train.late, seed
    )


def day_pairs(late: np.ndarray, chances: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return how many pairs of a late flight of day i and an early one of day j the predicted
    probabilities put in order, (days, days).

    Ties count half. AUC is their sum by that of all pairs; under a draw of days each entry counts
    as often as its days do.
    """
    n_days = int(day.max()) + 1
    order = np.argsort(chances, kind="stable")
    starts = np.flatnonzero(np.diff(chances[order], prepend=-np.inf))
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    cell = (late[order] * len(starts) + group) * n_days + day[order]
    counts = np.bincount(cell, minlength=2 * len(starts) * n_days).astype(float)
    early, late_here = counts.reshape(2, len(starts), n_days)
    return np.asarray(late_here.T @ (np.cumsum(early, axis=0) - early / 2))


def drawn_auc(
    late: np.ndarray, chances: np.ndarray, day: np.ndarray, drawn: np.ndarray
) -> np.ndarray:
    """Return the AUC under each draw, (draws,); ``drawn`` (draws, days) says how often each day
    counts.
    """
    right = np.einsum("bi,ij,bj->b", drawn, day_pairs(late, chances, day), drawn, optimize=True)
    n_late, n_early = (
        np.bincount(day[late == value], minlength=drawn.shape[1]) for value in (1, 0)
    )
    return np.asarray(right / ((drawn @ n_late) * (drawn @ n_early)))


@lru_cache(maxsize=8)
def _days(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the day of each served flight, and how often each draw takes each day; the first draw
    takes each once.
    """
    _, served = raw_values.split(seed)
    days, day = np.unique(served.asked // 86_400, return_inverse=True)
    counts = np.random.default_rng(seed).multinomial(
        len(days), np.full(len(days), 1 / len(days)), N_BOOTSTRAP
    )
    return day, np.vstack([np.ones(len(days)), counts])


def score_model(name: str, model: Any, inputs: np.ndarray, seed: int) -> Score:
    """Return the score of a trained model on inputs of the served flights."""
    _, served = raw_values.split(seed)
    draws = drawn_auc(served.late, model.predict_proba(inputs)[:, 1], *_days(seed))
    return Score(name, float(draws[0]), draws[1:])


@lru_cache(maxsize=32)
def _right(stale_hours: int, model: Model, seed: int) -> tuple[np.ndarray, Score]:
    """Return inputs and score with no mistake but the age of the values."""
    _, served = raw_values.split(seed)
    inputs = inputs_of(raw_values.raw_values(served, last_run(served.asked, stale_hours), WINDOW))
    return inputs, score_model(TRAINED, train_model(model, seed), inputs, seed)


@lru_cache(maxsize=64)
def run(params: SkewParams) -> SkewResult:
    """Serve the flights with the mistakes, and score the model that was trained without them."""
    _, served = raw_values.split(params.seed)
    offline, as_trained = _right(0, params.model, params.seed)
    online = inputs_of(served_raw(served, params))
    through = draw_faulty(params.share, len(online), params.seed)
    aged, score = _right(params.stale_hours, params.model, params.seed)
    if params.stale_hours and params.share < 1:
        mixed = np.where(through[:, np.newaxis], aged, offline)
        score = score_model(
            ONE_DEFINITION, train_model(params.model, params.seed), mixed, params.seed
        )
    as_served = score_model(SERVED, train_model(params.model, params.seed), online, params.seed)
    scores = (
        as_trained,
        as_served,
        replace(score, name=ONE_DEFINITION),
        replace(as_trained, name=FRESH),
    )
    return SkewResult(params, offline, online, scores)
