"""Train: the model and its baseline learn the past, and are compared on days that neither has seen.

Days in order: the first part to learn, the next to calibrate (isotonic regression, so that a
probability of 0.3 means 3 in 10), the next to compare, the last day to serve. The baseline knows
the schedule alone. A third model that also knows the departure delay, which is known only after the
moment of prediction, is scored to show what a leak would promise; it is never registered.

Intervals: bootstrap of whole days (Efron and Tibshirani 1993, ch. 8), as flights of a day share
their weather.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from engine.errors import require
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages.audit import TARGET, columns
from engine.pipeline.stages.training_set import SCHEDULE, count, rows_of

if TYPE_CHECKING:
    import pandas as pd

CATEGORIES = ("carrier", "origin", "dest")
LEARN_SHARE, CALIBRATE_SHARE = 0.6, 0.2  # of the days before the served one
N_BOOTSTRAP = 200
MOST_COMPARED = 100_000  # rows of the interval's resampling
LEAK = "dep_delay"
SERVED = "the served day is not trained on"  # why a flight is dropped


@dataclass(frozen=True, slots=True)
class Days:
    """Which days serve what purpose."""

    learn: tuple[date, ...]
    calibrate: tuple[date, ...]
    compare: tuple[date, ...]
    serve: date


def deal(dates: list[date]) -> Days:
    """Deal out the days in order."""
    before, n = dates[:-1], len(dates) - 1
    first, second = round(LEARN_SHARE * n), round((LEARN_SHARE + CALIBRATE_SHARE) * n)
    return Days(
        tuple(before[:first]), tuple(before[first:second]), tuple(before[second:]), dates[-1]
    )


def make(kind: str, names: list[str], seed: int) -> Any:
    """Return a model that takes a frame with the columns ``names``."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    categories = [name for name in names if name in CATEGORIES]
    numbers = [name for name in names if name not in CATEGORIES]
    if kind == "boosting":
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        return make_pipeline(
            make_column_transformer((codes, categories), ("passthrough", numbers)),
            HistGradientBoostingClassifier(
                categorical_features=list(range(len(categories))), random_state=seed
            ),
        )
    filled = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), categories), (filled, numbers)
        ),
        LogisticRegression(max_iter=1_000),
    )


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with its calibration."""

    names: list[str]
    model: Any
    calibration: Any

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the probability (0–1) of each row to be late."""
        raw = self.model.predict_proba(frame[self.names])[:, 1]
        return np.asarray(self.calibration.predict(raw), float)


def train(kind: str, names: list[str], frame: pd.DataFrame, days: Days, seed: int) -> Trained:
    """Return a model that learned and was calibrated on its days."""
    from sklearn.isotonic import IsotonicRegression

    parts = [frame[frame["flight_date"].isin(part)] for part in (days.learn, days.calibrate)]
    for part, what in zip(parts, ("learn from", "calibrate on"), strict=True):
        require(
            part[TARGET].nunique() == 2,
            "The days to {} must hold late flights and others. Got {:,} rows of one kind. Choose"
            " more days.",
            what,
            len(part),
        )
    model = make(kind, names, seed).fit(parts[0][names], parts[0][TARGET].astype(bool))
    raw = model.predict_proba(parts[1][names])[:, 1]
    calibration = IsotonicRegression(out_of_bounds="clip", y_min=0.0, y_max=1.0)
    return Trained(names, model, calibration.fit(raw, parts[1][TARGET].astype(float)))


def bootstrap(
    scores: dict[str, np.ndarray], answers: np.ndarray, days: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Return the AUC of each model in ``N_BOOTSTRAP`` draws of whole days, the same draws for all;
    NaN where a draw has one class.
    """
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    if len(answers) > MOST_COMPARED:
        chosen = np.sort(rng.choice(len(answers), MOST_COMPARED, replace=False))
        answers, days = answers[chosen], days[chosen]
        scores = {name: score[chosen] for name, score in scores.items()}
    _, place = np.unique(days, return_inverse=True)
    n_days = place.max() + 1
    found = {name: np.full(N_BOOTSTRAP, np.nan) for name in scores}
    for draw in range(N_BOOTSTRAP):
        weight = np.bincount(rng.integers(0, n_days, n_days), minlength=n_days)[place]
        if len(set(answers[weight > 0].tolist())) == 2:
            for name, score in scores.items():
                found[name][draw] = roc_auc_score(answers, score, sample_weight=weight)
    return found


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95% interval of bootstrap values."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def read_rows(task: Task) -> pd.DataFrame:
    """Return the labelled rows of the days before the served one, at most ``MOST_ROWS`` of them."""
    where = pc.field(TARGET).is_valid() & (pc.field("flight_date") < task.params.days[1])
    names = [*columns(), LEAK, "flight_date", TARGET]
    frame: pd.DataFrame = rows_of(
        task.read("training_set", "rows.parquet"), names, where
    ).to_pandas()
    return frame


def work(task: Task) -> Count:
    """Train, calibrate and compare."""
    import joblib
    from sklearn.metrics import brier_score_loss, roc_auc_score

    frame, days, seed = read_rows(task), deal(task.params.dates), task.params.seed
    kinds = {
        "model": (task.params.model, columns()),
        "baseline": ("logistic", SCHEDULE),
        "leaky": (task.params.model, [*columns(), LEAK]),
    }
    trained = {}
    for number, (name, (kind, names)) in enumerate(kinds.items()):
        trained[name] = train(kind, names, frame, days, seed)
        task.report((number + 1) / 4)
    compared = frame[frame["flight_date"].isin(days.compare)]
    answers = compared[TARGET].to_numpy(bool)
    require(
        len(set(answers.tolist())) == 2,
        "The days to compare on must hold late flights and others. Got {:,} rows of one kind."
        " Choose more days.",
        len(answers),
    )
    scores = {name: model.predict(compared) for name, model in trained.items()}
    draws = bootstrap(scores, answers, compared["flight_date"].to_numpy(), seed)
    result: dict[str, Any] = {
        name: {
            "auc": float(roc_auc_score(answers, score)),
            "auc_interval": interval(draws[name]),
            "brier": float(brier_score_loss(answers, score)),
        }
        for name, score in scores.items()
    }
    result["gain"] = result["model"]["auc"] - result["baseline"]["auc"]
    result["gain_interval"] = interval(draws["model"] - draws["baseline"])
    for name, part in (
        ("learn", days.learn),
        ("calibrate", days.calibrate),
        ("compare", days.compare),
    ):
        inside = frame["flight_date"].isin(part)
        result[name] = {"first": str(part[0]), "last": str(part[-1]), "rows": int(inside.sum())}
    joblib.dump(trained["model"], task.folder / "model.joblib")
    joblib.dump(trained["baseline"], task.folder / "baseline.joblib")
    (task.folder / "scores.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    path, labelled = task.read("training_set", "rows.parquet"), pc.field(TARGET).is_valid()
    n = count(path, labelled)
    n_served = count(path, labelled & (pc.field("flight_date") == task.params.days[1]))
    dropped = {SERVED: n_served}
    if n_left := n - n_served - len(frame):
        dropped["more than fit into memory: every k-th is used"] = n_left
    return Count(n, len(frame), dropped, result)


STAGE = Stage("train", "Train", ("training_set", "audit"), ("days", "model", "seed"), work)
