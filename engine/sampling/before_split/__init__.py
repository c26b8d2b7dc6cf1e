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
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from engine.errors import require, require_choice
from engine.jobs import Progress, Steps, beside, run_to_end
from engine.sampling import flight_rows, lineage
from engine.sampling.flight_rows import POSITIVES, TARGETS, TEST_SHARE, Positives, Target
from engine.sampling.points import Points

Model = Literal["boosting", "logistic", "k-NN"]
MODELS: tuple[Model, ...] = get_args(Model)
N_ROWS = (3_000, 5_000, 10_000, 20_000)
Part = Literal[
    "reported: all test rows", "real test rows", "real negatives, new positives with a parent in training",
    "real negatives, new positives without one",
]  # fmt: skip
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeSplitParams:
    """Which rows, which model, how much is made up."""

    target: Target = "cancelled"
    positives: Positives = "as they are"
    model: Model = "boosting"
    n_rows: int = 5_000  # 1,000 … 20,000
    ratio: float = 1.0  # positives by negatives after SMOTE, 0.1 … 1
    k_neighbors: int = 5  # 1 … 20
    repeats: int = 3  # seeds, 1 … 10
    seed: int = 0  # the first of them

    def __post_init__(self) -> None:
        require_choice("target", self.target, TARGETS)
        require_choice("positives", self.positives, POSITIVES)
        require_choice("model", self.model, MODELS)
        require(
            1_000 <= self.n_rows <= N_ROWS[-1],
            "n_rows must be 1,000 … {:,}. Got {}.",
            N_ROWS[-1],
            self.n_rows,
        )
        require(0.1 <= self.ratio <= 1, "ratio must be 0.1 … 1. Got {}.", self.ratio)
        require(
            1 <= self.k_neighbors <= 20, "k_neighbors must be 1 … 20. Got {}.", self.k_neighbors
        )
        require(1 <= self.repeats <= 10, "repeats must be 1 … 10. Got {}.", self.repeats)
        require(0 <= self.seed < 2**31, "seed must be 0 … 2,147,483,647. Got {}.", self.seed)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One seed: AUC of the *before* model on parts of its test rows, and of the *after* model on
    untouched rows.
    """

    seed: int
    auc: dict[
        Part, float
    ]  # of the model trained before the split; a part without positives is left out
    average_precision: dict[Part, float]
    after_auc: float
    after_average_precision: float
    plain_auc: float  # no SMOTE at all
    plain_average_precision: float
    n_test: int  # rows of the *before* test part
    n_test_synthetic: int
    n_with_parent: int  # of them with a parent, seed or neighbour, among the training rows
    n_test_positive: int  # real positives in the test part
    n_with_child: int  # of them a parent of a synthetic row among the training rows


@dataclass(frozen=True, slots=True, eq=False)
class BeforeSplitResult:
    """Every seed, as far as it has come."""

    params: BeforeSplitParams
    trials: tuple[Trial, ...]
    complete: bool = False

    def mean(self, of: Callable[[Trial], float | None]) -> float:
        """Return the mean of a number over the seeds that have it; nan if none has."""
        known = [value for trial in self.trials if (value := of(trial)) is not None]
        return float(np.mean(known)) if known else float("nan")

    def values(self, name: str, score: Literal["AUC", "average precision"]) -> list[float]:
        """Return every seed's score of a part, of "after the split" or of "no SMOTE"."""
        if name == "after the split":
            return [
                t.after_auc if score == "AUC" else t.after_average_precision for t in self.trials
            ]
        if name == "no SMOTE":
            return [
                t.plain_auc if score == "AUC" else t.plain_average_precision for t in self.trials
            ]
        found = [(t.auc if score == "AUC" else t.average_precision).get(name) for t in self.trials]  # type: ignore[call-overload]
        return [value for value in found if value is not None]

    @property
    def reported_auc(self) -> float:
        """Mean AUC that the wrong way reports."""
        return self.mean(lambda t: t.auc[PARTS[0]])

    @property
    def true_auc(self) -> float:
        """Mean AUC of the same fitted model on the real rows of the same test part."""
        return self.mean(lambda t: t.auc.get(PARTS[1]))

    @property
    def after_auc(self) -> float:
        """Mean AUC of the right way."""
        return self.mean(lambda t: t.after_auc)

    @property
    def inflation(self) -> float:
        """Reported AUC less that of the right way."""
        return self.reported_auc - self.after_auc

    @property
    def with_parent_share(self) -> float:
        """Share of the synthetic test rows that have a parent among the training rows, 0–1."""
        return self.mean(lambda t: t.n_with_parent / max(1, t.n_test_synthetic))

    @property
    def with_child_share(self) -> float:
        """Share of the real positives in the test part from which a training row was made, 0–1."""
        return self.mean(lambda t: t.n_with_child / max(1, t.n_test_positive))

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        if not self.trials:
            return "The first seed is being resampled, split and fitted."
        return (
            f"SMOTE before the split reports AUC **{self.reported_auc:.3f}**, after it"
            f" {self.after_auc:.3f} on untouched rows. The model that reported"
            f" {self.reported_auc:.3f} gets {self.true_auc:.3f} on the real rows of its own test"
            " part."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        if not self.trials:
            return []
        first = self.trials[0]
        with_parent = self.mean(lambda t: t.auc.get(PARTS[2]))
        without = self.mean(lambda t: t.auc.get(PARTS[3]))
        known = f"AUC {with_parent:.3f}" if np.isfinite(with_parent) else "there are none"
        reasons = [
            (
                f"{first.n_test_synthetic:,} of {first.n_test:,} test rows are made up;"
                f" {self.with_parent_share:.1%} of those have a parent among the training rows."
            ),
            f"Real negatives against made-up positives with such a parent: {known}. Against those"
            " without: " + (f"AUC {without:.3f}." if np.isfinite(without) else "there are none."),
        ]
        if np.isfinite(with_parent - without):
            reasons.append(_told_of_parents(with_parent - without))
        real, right = f"{self.true_auc:.3f}", f"{self.after_auc:.3f}"
        reasons.append(
            f"{self.with_child_share:.0%} of the real positives in the test part have children"
            " among the training rows. "
            + (
                f"So even on real rows the model gets {real}, not {right}: it has seen points next"
                " to the answers."
                if self.true_auc - self.after_auc > 0.02
                else (
                    f"Yet on real rows the model gets {real}, the right way {right}: the made-up"
                    " rows are what inflates."
                )
            )
        )
        reported, untouched = (
            self.mean(lambda t: t.average_precision[PARTS[0]]),
            self.mean(lambda t: t.after_average_precision),
        )
        reasons.append(
            f"Average precision depends on the share of positives: {reported:.3f} on a rebalanced"
            f" test part, {untouched:.3f} on untouched rows."
        )
        reasons.append(
            f"No SMOTE at all: AUC {self.mean(lambda t: t.plain_auc):.3f}, average precision"
            f" {self.mean(lambda t: t.plain_average_precision):.3f}. {len(self.trials)} seeds;"
            " every one is a dot."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces, of the first seed."""
        first = self.trials[0]
        return {
            "reported AUC": round(first.auc[PARTS[0]], 4),
            "AUC of the same model on real test rows": round(first.auc[PARTS[1]], 4),
            "AUC after the split": round(first.after_auc, 4),
        }

    def table(self) -> pa.Table:
        """Return one row for each seed and score."""
        rows = []
        for trial in self.trials:
            scores: dict[str, float] = dict(trial.auc.items())
            scores |= {"after the split": trial.after_auc, "no SMOTE": trial.plain_auc}
            precisions: dict[str, float] = dict(trial.average_precision.items())
            precisions |= {
                "after the split": trial.after_average_precision,
                "no SMOTE": trial.plain_average_precision,
            }
            rows += [
                {
                    "seed": trial.seed,
                    "scored_on": name,
                    "auc": auc,
                    "average_precision": precisions[name],
                }
                for name, auc in scores.items()
            ]
        return pa.Table.from_pylist(rows) if rows else pa.table({"seed": pa.array([], pa.int64())})


def _told_of_parents(gap: float) -> str:
    """Return what the AUC with a parent in training less that without says about memorised rows."""
    easy = (
        "Made-up positives are easy: they lie between positives, and there are as many of them as"
        " the ratio asks for."
    )
    gap = round(gap, 3) + 0  # no minus before a zero
    if gap < 0.02:
        return (
            f"A parent in training is worth {gap:+.3f}: copies are not what lifts the score. {easy}"
        )
    return f"A parent in training is worth {gap:+.3f}; the rest is no memory. {easy}"


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


def _scores(y: np.ndarray, chances: np.ndarray) -> tuple[float, float]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    return float(roc_auc_score(y, chances)), float(average_precision_score(y, chances))


def before(
    rows: flight_rows.FlightRows, params: BeforeSplitParams, seed: int
) -> tuple[dict[Part, tuple[float, float]], Any]:
    """Resample, then split, then fit: the wrong way. Return (AUC, average precision) by part, and
    the counts of a ``Trial``.
    """
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
        in_training[made.seed_index[synthetic]] | in_training[made.neighbour_index[synthetic]]
    )
    negatives = real & (y == 0)
    chosen = {
        PARTS[0]: np.ones(len(test), bool),
        PARTS[1]: real,
        PARTS[2]: negatives | (~real & has_parent),
        PARTS[3]: negatives | (~real & ~has_parent),
    }
    usable = {part: mask for part, mask in chosen.items() if len(np.unique(y[mask])) == 2}
    scores = {part: _scores(y[mask], chances[mask]) for part, mask in usable.items()}
    positives = test[real & (y == 1)]
    trained = train[train >= n_real] - n_real
    children = np.union1d(made.seed_index[trained], made.neighbour_index[trained])
    counts = (
        len(test),
        int((~real).sum()),
        int(has_parent.sum()),
        len(positives),
        int(np.isin(positives, children).sum()),
    )
    return scores, counts


def after(
    rows: flight_rows.FlightRows, params: BeforeSplitParams, seed: int, *, resampled: bool
) -> tuple[float, float]:
    """Split, then resample the training rows (or not), then fit: AUC and average precision on
    untouched rows.
    """
    train, test = rows.split("random", seed)
    X, y = rows.X[train], rows.y[train]
    if resampled:
        made = smote(X, y, params, seed)
        X, y = made.resampled, made.resampled_y
    fitted = classifier(params.model, seed).fit(X, y)
    return _scores(rows.y[test], fitted.predict_proba(rows.X[test])[:, 1])


def steps(params: BeforeSplitParams) -> Steps:
    """Try every seed: a ``Progress`` with the result so far before each fit.

    Returns
    -------
    BeforeSplitResult
        With ``complete`` set.
    """
    result = BeforeSplitResult(params, ())
    with ThreadPoolExecutor(1) as caller:
        for turn in range(params.repeats):
            seed = params.seed + turn
            done, told = turn / params.repeats, f"seed {turn + 1} of {params.repeats}"
            rows = flight_rows.take(params.target, params.positives, params.n_rows, seed)
            rows = replace(rows, X=flight_rows.standardise(rows.X)[0])
            progress = Progress(done, f"SMOTE, then split ({told})", result)
            yield progress
            scores, counts = yield from beside(
                caller, partial(before, rows, params, seed), progress
            )
            progress = Progress(done + 0.5 / params.repeats, f"split, then SMOTE ({told})", result)
            yield progress
            smoted = yield from beside(
                caller, partial(after, rows, params, seed, resampled=True), progress
            )
            progress = Progress(done + 0.9 / params.repeats, f"no SMOTE ({told})", result)
            plain = yield from beside(
                caller, partial(after, rows, params, seed, resampled=False), progress
            )
            auc, precision = ({part: score[i] for part, score in scores.items()} for i in (0, 1))
            result = replace(
                result,
                trials=(*result.trials, Trial(seed, auc, precision, *smoted, *plain, *counts)),
            )
    return replace(result, complete=True)


def run(params: BeforeSplitParams) -> BeforeSplitResult:
    """Try every seed here and now."""
    result: BeforeSplitResult = run_to_end(steps(params))
    return result
