"""Five leaks that were found in these very flights, each measured against its honest twin.

Real: scores are AUC of gradient boosting over several draws of rows, with a t interval. Simplified:
40 trees, some thousand rows a draw. How the columns are made: ``availability.ways``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import numpy as np

from engine.jobs import Progress, Steps, in_thread, to_end
from engine.leakage import flights, logistic
from engine.leakage.availability import DRAWS, ROWS
from engine.leakage.availability.ways import Case, setting
from engine.leakage.trial import interval
from engine.ranges import SEED, Params
from engine.units import format_signed


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseParams(Params):
    """Which case, and how many rows and draws."""

    case: Case = "Missing tail number"
    n_rows: Annotated[int, ROWS] = 8_000  # to train on, and as many to test on
    n_seeds: Annotated[int, DRAWS] = 4
    seed: Annotated[int, SEED] = 0


@dataclass(frozen=True, slots=True, eq=False)
class CaseResult:
    """AUC of each way for each seed, as far as it has come."""

    params: CaseParams
    facts: tuple[str, ...]
    aucs: dict[str, tuple[bool, np.ndarray]]  # way -> (leaks, (n_seeds,))
    complete: bool = False

    @property
    def gain(self) -> tuple[float, float]:
        """By how much the leak exceeds its honest twin in the same draws: mean and half-width."""
        (_, honest), (_, leaky) = list(self.aucs.values())[:2]
        return interval(leaky - honest)

    @property
    def verdict(self) -> str:
        """What the leak adds to AUC against its honest twin."""
        if len(self.aucs) < 2:
            return "The first models are being fitted."
        honest, leaky = list(self.aucs)[:2]
        mean, half = self.gain
        what = (
            "moves AUC by"
            if abs(mean) > half
            else "moves AUC by nothing that can be told from luck:"
        )
        return (
            f"“{leaky}” {what} **{format_signed(mean)}** ± {half:.3f} against “{honest}”"
            f" ({self.aucs[honest][1].mean():.3f} → {self.aucs[leaky][1].mean():.3f},"
            f" {self.params.n_seeds} draws of {self.params.n_rows:,} flights to train and"
            f" {self.params.n_rows:,} to test)."
        )


def auc_of(params: CaseParams, place: int, seed: int) -> float:
    """Return the AUC of one way of a case in one draw of rows."""
    case = setting(params.case)
    train, test = flights.split(len(case.y), case.split, params.n_rows, seed)
    X_train, X_test = case.variants[place].matrices(train, test)
    model = flights.boosting(X_train, case.y[train], seed)
    return logistic.auc(case.y[test], model.predict_proba(X_test)[:, 1])


def steps(params: CaseParams) -> Steps:
    """Fit every way of a case: a ``Progress`` with the result so far before each fit.

    Returns
    -------
    CaseResult
        With ``complete`` set.
    """
    result = CaseResult(params, (), {})
    with ThreadPoolExecutor(1) as caller:
        case = yield from in_thread(
            caller, partial(setting, params.case), Progress(0.0, "reading the flights", result)
        )
        result = replace(result, facts=case.facts)
        for place, variant in enumerate(case.variants):
            aucs = []
            for turn in range(params.n_seeds):
                progress = Progress(
                    (place + turn / params.n_seeds) / len(case.variants), variant.name, result
                )
                yield progress
                aucs.append(
                    (
                        yield from in_thread(
                            caller, partial(auc_of, params, place, params.seed + turn), progress
                        )
                    )
                )
            result = replace(
                result, aucs={**result.aucs, variant.name: (variant.leaks, np.array(aucs))}
            )
    return replace(result, complete=True)


run: Callable[[CaseParams], CaseResult] = to_end(steps)
