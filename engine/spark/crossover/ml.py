"""Machine learning on Spark: one logistic regression in ``pyspark.ml`` and in scikit-learn, on the
same rows.

Real: both fit the same loss with the same L2 penalty on the same standardized columns until they
have converged; held-out flights give the AUC. Spark minimizes the mean loss plus ``penalty / 2`` of
the squared coefficients, scikit-learn ``C`` times the summed loss plus half of them: so
``C = 1 / (n penalty)``. Only the fit is timed: the rows are in memory in both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from engine import data
from engine.jobs import Progress, Steps, timed, to_end
from engine.ranges import Choice, Params, Range
from engine.spark import session
from engine.spark.restarts import repeat_if_spark_ends
from engine.units import format_factor, format_number, format_range, format_seconds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SIZES = (3_000, 30_000, 300_000)  # rows that are trained on
N_HELD_OUT = 20_000
LATE_MINUTES = 15  # a flight that arrives later is late: the label
FEATURES = ("dep_delay", "distance", "hour", "day", "month")  # known when the plane leaves
PENALTIES = (0.0001, 0.001, 0.01, 0.1)
CLOSE = 1e-3  # coefficients that differ by less are the same model: both solvers stop early
MOST_ITERATIONS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class MlParams(Params):
    """How many flights, how strong a penalty."""

    experiment: ClassVar[str] = "crossover"
    flights: Annotated[int, Choice(SIZES)] = 300_000  # the largest training set
    penalty: Annotated[float, Choice(PENALTIES)] = 0.001  # Spark's regParam
    fits: Annotated[int, Range(1, 5)] = 3  # of each size, timed

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes to fit, smallest first."""
        return tuple(n for n in SIZES if n <= self.flights)


@dataclass(frozen=True, slots=True)
class Fit:
    """One library's model of one size."""

    library: str  # "Spark" or "scikit-learn"
    n_rows: int
    coefficients: tuple[float, ...]  # intercept first, then in the order of FEATURES
    auc: float  # on the held-out flights
    seconds: tuple[float, ...]
    n_iterations: int

    @property
    def median(self) -> float:
        """Median seconds of a fit."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True, eq=False)
class MlResult:
    """Every fit so far."""

    params: MlParams
    fits: tuple[Fit, ...] = ()
    complete: bool = False

    def of(self, library: str) -> list[Fit]:
        """Return the fits of a library, smallest first."""
        return [fit for fit in self.fits if fit.library == library]

    @property
    def pairs(self) -> list[tuple[Fit, Fit]]:
        """Spark's and scikit-learn's fit of each size that both have."""
        return list(zip(self.of("Spark"), self.of("scikit-learn"), strict=False))

    @property
    def difference(self) -> float:
        """The largest difference between two coefficients of the same size."""
        return max(
            (
                abs(one - other)
                for spark, sklearn in self.pairs
                for one, other in zip(spark.coefficients, sklearn.coefficients, strict=True)
            ),
            default=0.0,
        )

    @property
    def same_model(self) -> bool:
        """Whether both libraries found the same model at every size."""
        return bool(self.pairs) and self.difference < CLOSE

    @property
    def verdict(self) -> str:
        """Whether it is the same model, and what it takes."""
        if not self.pairs:
            return (
                "Not measured yet. Expected: the **same model** from both; Spark takes longer while"
                " the rows fit one machine."
            )
        spark, sklearn = self.pairs[-1]
        same = "the **same model**" if self.same_model else "**different models**"
        factor = spark.median / sklearn.median
        slower = f"{format_factor(max(factor, 1 / factor))} {'slower' if factor > 1 else 'faster'}"
        return (
            f"Spark and scikit-learn find {same} (AUC {spark.auc:.3f} and {sklearn.auc:.3f})."
            f" At {spark.n_rows:,} flights Spark is **{slower}**."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome."""
        reasons = [
            "**Same loss, same penalty, same columns:** a convex problem has one solution,"
            " whichever library looks for it.",
            "**Spark** runs a job for each iteration: every partition sums its gradient, the driver"
            " adds them up and takes the step.",
            "**scikit-learn** does the same in one process, without jobs.",
            "**Use ML on Spark** when the rows do not fit one machine. Else train on a sample, or"
            " let Spark make the features and one machine the model.",
        ]
        if self.pairs:
            spark, sklearn = self.pairs[-1]
            reasons.insert(
                1,
                f"**Coefficients** differ by at most {self.difference:.1e} at any size"
                f" ({spark.n_iterations} and {sklearn.n_iterations} iterations at the largest).",
            )
        return reasons

    def rows(self) -> list[dict[str, str]]:
        """Return each fit for a table on the page."""
        return [
            {
                "flights": format_number(fit.n_rows),
                "library": fit.library,
                "median": format_seconds(fit.median),
                "range": format_range(min(fit.seconds), max(fit.seconds), format_seconds),
                "iterations": str(fit.n_iterations),
                "AUC, held out": f"{fit.auc:.4f}",
            }
            for fit in sorted(self.fits, key=lambda fit: (fit.n_rows, fit.library))
        ]


@lru_cache(maxsize=1)
def _flights() -> tuple[np.ndarray, np.ndarray]:
    """Return standardized features (n, 5) and labels (n,) of all flights that arrived, shuffled."""
    found = data.load("flights").select([*FEATURES, "arr_delay"]).to_pandas().dropna()
    order = np.random.default_rng(0).permutation(len(found))
    x = found[list(FEATURES)].to_numpy(float)[order]
    x = (x - x[:-N_HELD_OUT].mean(0)) / x[:-N_HELD_OUT].std(0)
    return x, (found["arr_delay"].to_numpy() > LATE_MINUTES).astype(float)[order]


def training(n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features and labels of the first ``n_rows`` flights; none of them is held out."""
    x, y = _flights()
    return x[:n_rows], y[:n_rows]


def _auc(coefficients: tuple[float, ...]) -> float:
    from sklearn.metrics import roc_auc_score

    x, y = _flights()
    held_out = x[-N_HELD_OUT:]
    return float(roc_auc_score(y[-N_HELD_OUT:], held_out @ np.array(coefficients[1:])))


def fit_sklearn(n_rows: int, penalty: float, n_fits: int = 1) -> Fit:
    """Fit scikit-learn's logistic regression."""
    from sklearn.linear_model import LogisticRegression

    x, y = training(n_rows)
    model = LogisticRegression(C=1 / (n_rows * penalty), tol=1e-8, max_iter=MOST_ITERATIONS)
    took = tuple(timed(partial(model.fit, x, y))[0] for _ in range(n_fits))
    coefficients = (float(model.intercept_[0]), *map(float, model.coef_[0]))
    return Fit(
        "scikit-learn", n_rows, coefficients, _auc(coefficients), took, int(model.n_iter_[0])
    )


def fit_spark(live: SparkSession, n_rows: int, penalty: float, n_fits: int = 1) -> Fit:
    """Fit Spark's logistic regression."""
    import pandas as pd
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import VectorAssembler

    x, y = training(n_rows)
    frame = live.createDataFrame(pd.DataFrame(x, columns=list(FEATURES)).assign(label=y))
    assembler = VectorAssembler(inputCols=list(FEATURES), outputCol="features")
    rows = assembler.transform(frame).select("features", "label")
    rows = rows.repartition(session.ENGINE.cores).cache()
    rows.count()
    learner = LogisticRegression(
        regParam=penalty, standardization=False, tol=1e-10, maxIter=MOST_ITERATIONS
    )
    took, model = [], None
    for _ in range(n_fits):
        began = time.perf_counter()
        model = learner.fit(rows)
        took.append(time.perf_counter() - began)
    assert model is not None
    rows.unpersist()
    coefficients = (float(model.intercept), *map(float, model.coefficients))
    n_iterations = int(model.summary.totalIterations)
    return Fit("Spark", n_rows, coefficients, _auc(coefficients), tuple(took), n_iterations)


@repeat_if_spark_ends
def steps(params: MlParams) -> Steps:
    """Fit both libraries at each size, after a fit of each that is not timed.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    result = MlResult(params)
    yield from session.begin("model", result)
    warm_up = Progress(0.1, "warm-up fits (not timed)", result)
    yield from session.act(lambda live: fit_spark(live, SIZES[0], params.penalty), warm_up)
    fit_sklearn(SIZES[0], params.penalty)
    for turn, n_rows in enumerate(params.sizes):
        progress = Progress((turn + 1) / (len(params.sizes) + 1), f"{n_rows:,} flights", result)
        spark = yield from session.act(
            partial(fit_spark, n_rows=n_rows, penalty=params.penalty, n_fits=params.fits), progress
        )
        sklearn = fit_sklearn(n_rows, params.penalty, params.fits)
        result = replace(result, fits=(*result.fits, spark, sklearn))
    return replace(result, complete=True)


run: Callable[[MlParams], MlResult] = to_end(steps)
