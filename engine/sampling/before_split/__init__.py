"""The before-split trap: the same model with SMOTE before and after the split, and where the
inflated score comes from.

Real: flights, imbalanced-learn's SMOTE with the parents of each synthetic row
(``engine.sampling.lineage``), scikit-learn's models. Before: the whole table is resampled, then
split; the score is taken on that test part, synthetic rows included. After: the table is split, the
training part alone is resampled, the score is taken on untouched rows. The inflation is taken apart
by scoring the *before* model on parts of its own test rows.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from engine.jobs import Progress, Steps, in_thread, to_end
from engine.ranges import SEED, Params, Range
from engine.sampling import flight_rows, lineage
from engine.sampling.flight_rows import TEST_SHARE, FlightRows, Positives, Target
from engine.sampling.points import Points
from engine.units import format_share, format_signed

Model = Literal["boosting", "logistic", "k-NN"]
N_ROWS = (3_000, 5_000, 10_000, 20_000)
# what a score is taken on: the test part of the wrong way and parts of it, then untouched rows
REPORTED = "reported: all test rows"
REAL = "real test rows"
WITH_PARENT = "real negatives, new positives with a parent in training"
WITHOUT_PARENT = "real negatives, new positives without one"
AFTER = "after the split"
PLAIN = "no SMOTE"
# settings on which the scores without SMOTE do not depend
NO_SMOTE: dict[str, Any] = {"ratio": 1.0, "k_neighbors": 5, "repeats": 1, "seed": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeSplitParams(Params):
    """Which rows, which model, how many synthetic rows."""

    target: Target = "cancelled"
    positives: Positives = "original"
    model: Model = "boosting"
    n_rows: Annotated[int, Range(1_000, 20_000, options=N_ROWS)] = 5_000
    ratio: Annotated[float, Range(0.1, 1, step=0.1)] = 1.0  # positives by negatives after SMOTE
    k_neighbors: Annotated[int, Range(1, 20)] = 5
    repeats: Annotated[int, Range(1, 10)] = 3  # seeds
    seed: Annotated[int, SEED] = 0  # the first of them


class Scores(NamedTuple):
    """What a model reaches on some rows."""

    auc: float
    average_precision: float


class Leaks(NamedTuple):
    """What the test part of the wrong way shares with its training part, in rows."""

    n_test: int
    n_synthetic: int
    n_with_parent: int  # synthetic ones with a parent, seed or neighbour, in training
    n_positive: int  # real positives
    n_with_child: int  # of them a parent of a synthetic training row


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One seed: scores by what they are taken on; a part without both classes is left out."""

    seed: int
    scores: dict[str, Scores]
    leaks: Leaks


@dataclass(frozen=True, slots=True, eq=False)
class BeforeSplitResult:
    """Every seed, as far as it has come."""

    params: BeforeSplitParams
    trials: tuple[Trial, ...]
    complete: bool = False

    def values(self, part: str, score: str = "auc") -> list[float]:
        """Return the score ("auc" or "average_precision") on a part of each seed that has it."""
        return [getattr(t.scores[part], score) for t in self.trials if part in t.scores]

    def mean(self, part: str, score: str = "auc") -> float:
        """Return the mean of a score on a part over the seeds that have it; nan if none has."""
        values = self.values(part, score)
        return float(np.mean(values)) if values else float("nan")

    @property
    def after_auc(self) -> float:
        """Mean AUC of the right way."""
        return self.mean(AFTER)

    @property
    def inflation(self) -> float:
        """Reported AUC less that of the right way."""
        return self.mean(REPORTED) - self.after_auc

    @property
    def with_parent_share(self) -> float:
        """Share of the synthetic test rows that have a parent among the training rows, 0–1."""
        leaks = [trial.leaks for trial in self.trials]
        return float(np.mean([leak.n_with_parent / max(1, leak.n_synthetic) for leak in leaks]))

    @property
    def with_child_share(self) -> float:
        """Share of the real positives in the test part from which a training row was made, 0–1."""
        leaks = [trial.leaks for trial in self.trials]
        return float(np.mean([leak.n_with_child / max(1, leak.n_positive) for leak in leaks]))

    @property
    def verdict(self) -> str:
        """The reported AUC against that on untouched rows."""
        return self.summary("auc")

    def summary(self, score: str) -> str:
        """Return a score ("auc" or "average_precision") of both ways as a sentence."""
        reported, right = self.mean(REPORTED, score), self.mean(AFTER, score)
        name = "AUC" if score == "auc" else "average precision"
        return (
            f"SMOTE before the split reports {name} **{reported:.3f}**. SMOTE after the split gives"
            f" **{right:.3f}** on untouched rows: the leak adds"
            f" {format_signed(reported - right)}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        precision = "average_precision"
        return [
            *self._reasons_in_synthetic_rows(),
            self._reason_in_real_rows(),
            (
                "**Average precision** depends on the positive rate:"
                f" {self.mean(REPORTED, precision):.3f} on the resampled test part,"
                f" {self.mean(AFTER, precision):.3f} on untouched rows."
            ),
            (
                f"**Without SMOTE**: AUC {self.mean(PLAIN):.3f}, average precision"
                f" {self.mean(PLAIN, precision):.3f}. Repeats: {len(self.trials)}, one dot each."
            ),
        ]

    def _reasons_in_synthetic_rows(self) -> list[str]:
        """Return how many test rows are synthetic, and what a parent in training changes."""
        first = self.trials[0].leaks
        auc, other = (
            f"AUC {mean:.3f}" if np.isfinite(mean) else "no such rows"
            for mean in (self.mean(WITH_PARENT), self.mean(WITHOUT_PARENT))
        )
        reasons = [
            (
                f"**{first.n_synthetic:,} of {first.n_test:,} test rows are synthetic**;"
                f" {format_share(self.with_parent_share)} of those have a parent in training."
            ),
            (
                f"**Synthetic positives** against real negatives: {auc} with a parent in training,"
                f" {other} without."
            ),
        ]
        gap = round(self.mean(WITH_PARENT) - self.mean(WITHOUT_PARENT), 3) + 0  # no minus before 0
        if np.isfinite(gap):
            reasons[-1] += (
                " So memory of the parents does not raise the score: synthetic positives are easy."
                if gap < 0.02
                else f" Memory of the parents adds {format_signed(gap)}."
            )
        return reasons

    def _reason_in_real_rows(self) -> str:
        real, right = self.mean(REAL), self.after_auc
        effect = (
            f"So AUC on real test rows is also too high: {real:.3f} instead of {right:.3f}."
            if real - right > 0.02
            else f"AUC on real test rows is still {real:.3f} ({right:.3f} with the right order):"
            " the synthetic test rows cause the inflation."
        )
        return (
            f"**{format_share(self.with_child_share)} of the real positives** in the test part have"
            f" synthetic children in training. {effect}"
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces, of the first seed."""
        scores = self.trials[0].scores
        return {
            "reported AUC": round(scores[REPORTED].auc, 4),
            "AUC of the same model on real test rows": round(scores[REAL].auc, 4),
            "AUC after the split": round(scores[AFTER].auc, 4),
        }

    def table(self) -> pa.Table:
        """Return one row for each seed and score."""
        rows = [
            {"seed": trial.seed, "scored_on": part, **scores._asdict()}
            for trial in self.trials
            for part, scores in trial.scores.items()
        ]
        return pa.Table.from_pylist(rows) if rows else pa.table({"seed": pa.array([], pa.int64())})


def classifier(model: Model, seed: int) -> Any:
    """Return an unfitted classifier of scikit-learn."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    if model == "boosting":
        return HistGradientBoostingClassifier(max_iter=50, random_state=seed)
    return LogisticRegression(max_iter=2_000) if model == "logistic" else KNeighborsClassifier(15)


def smote(
    X: np.ndarray, y: np.ndarray, params: BeforeSplitParams, seed: int
) -> lineage.LineageResult:
    """Return the rows with SMOTE's, and the parents of each."""
    asked = lineage.LineageParams(
        method="SMOTE", k_neighbors=params.k_neighbors, ratio=params.ratio, seed=seed
    )
    return lineage.resample(Points(X, y, np.full(len(y), "")), asked)


def _score(y: np.ndarray, chances: np.ndarray) -> Scores:
    from sklearn.metrics import average_precision_score, roc_auc_score

    return Scores(float(roc_auc_score(y, chances)), float(average_precision_score(y, chances)))


def before(
    rows: FlightRows, params: BeforeSplitParams, seed: int
) -> tuple[dict[str, Scores], Leaks]:
    """Resample, then split, then fit, the wrong way: return the scores by part, and the leaks."""
    n_real = len(rows.y)
    made = smote(rows.X, rows.y, params, seed)
    shuffled = np.random.default_rng(seed).permutation(len(made.resampled_y))
    cut = round(len(shuffled) * TEST_SHARE)
    test, train = shuffled[:cut], shuffled[cut:]
    fitted = classifier(params.model, seed).fit(made.resampled[train], made.resampled_y[train])
    chances = fitted.predict_proba(made.resampled[test])[:, 1]
    y = made.resampled_y[test]
    real = test < n_real
    in_training = np.zeros(len(shuffled), bool)
    in_training[train] = True
    has_parent = np.zeros(len(test), bool)
    synthetic = test[~real] - n_real
    has_parent[~real] = (
        in_training[made.record.seed_index[synthetic]]
        | in_training[made.record.neighbour_index[synthetic]]
    )
    negatives = real & (y == 0)
    parts = {
        REPORTED: np.ones(len(test), bool),
        REAL: real,
        WITH_PARENT: negatives | (~real & has_parent),
        WITHOUT_PARENT: negatives | (~real & ~has_parent),
    }
    scores = {
        part: _score(y[mask], chances[mask])
        for part, mask in parts.items()
        if len(np.unique(y[mask])) == 2
    }
    positives = test[real & (y == 1)]
    trained = train[train >= n_real] - n_real
    parents = np.union1d(made.record.seed_index[trained], made.record.neighbour_index[trained])
    return scores, Leaks(
        n_test=len(test),
        n_synthetic=len(synthetic),
        n_with_parent=int(has_parent.sum()),
        n_positive=len(positives),
        n_with_child=int(np.isin(positives, parents).sum()),
    )


def after(rows: FlightRows, params: BeforeSplitParams, seed: int, *, resampled: bool) -> Scores:
    """Split, then resample the training rows (or not), then fit: score on untouched rows."""
    train, test = rows.split("random", seed)
    X, y = rows.X[train], rows.y[train]
    if resampled:
        made = smote(X, y, params, seed)
        X, y = made.resampled, made.resampled_y
    fitted = classifier(params.model, seed).fit(X, y)
    return _score(rows.y[test], fitted.predict_proba(rows.X[test])[:, 1])


def _rows(params: BeforeSplitParams, seed: int) -> FlightRows:
    rows = flight_rows.take(params.target, params.positives, params.n_rows, seed)
    return replace(rows, X=flight_rows.standardise(rows.X)[0])


@lru_cache(maxsize=256)
def _without(params: BeforeSplitParams, seed: int) -> Scores:
    return after(_rows(params, seed), params, seed, resampled=False)


def steps(params: BeforeSplitParams) -> Steps:
    """Fit for every seed: a ``Progress`` before each fit, with the seeds that are done, if any.

    Returns
    -------
    BeforeSplitResult
        With ``complete`` set.
    """
    result = BeforeSplitResult(params, ())
    with ThreadPoolExecutor(1) as caller:
        for turn in range(params.repeats):
            seed = params.seed + turn
            rows = _rows(params, seed)
            stages: list[tuple[float, str, Callable[[], Any]]] = [
                (0.0, "SMOTE, then split", partial(before, rows, params, seed)),
                (0.5, "split, then SMOTE", partial(after, rows, params, seed, resampled=True)),
                (0.9, "no SMOTE", partial(_without, replace(params, **NO_SMOTE), seed)),
            ]
            found = []
            for share, stage, call in stages:
                message = f"{stage} (repeat {turn + 1} of {params.repeats})"
                partial_result = result if result.trials else None
                progress = Progress((turn + share) / params.repeats, message, partial_result)
                yield progress
                found.append((yield from in_thread(caller, call, progress)))
            (scores, leaks), smoted, plain = found
            trial = Trial(seed, {**scores, AFTER: smoted, PLAIN: plain}, leaks)
            result = replace(result, trials=(*result.trials, trial))
    return replace(result, complete=True)


def preview(params: BeforeSplitParams) -> BeforeSplitResult:
    """Return one repeat on as few rows as there may be, as not complete."""
    n_rows = flight_rows.sizes(N_ROWS, params.positives)[0]
    return _preview(replace(params, n_rows=n_rows, repeats=1))


@lru_cache(maxsize=32)
def _preview(params: BeforeSplitParams) -> BeforeSplitResult:
    return replace(run(params), complete=False)


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before its first visitor: steps and their params."""
    return steps, BeforeSplitParams()


run: Callable[[BeforeSplitParams], BeforeSplitResult] = to_end(steps)
