"""Five leaks found in the flights, each measured against its leak-free variant.

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
        """AUC of the leak less that of its leak-free variant in the same draws: mean and
        half-width.
        """
        (_, leak_free), (_, leaky) = list(self.aucs.values())[:2]
        return interval(leaky - leak_free)

    @property
    def verdict(self) -> str:
        """AUC that the leak adds to its leak-free variant."""
        if len(self.aucs) < 2:
            return f"{self.params.case}: the first models are being fitted."
        leak_free, leaky = list(self.aucs)[:2]
        mean, half = self.gain
        means = " → ".join(f"{self.aucs[name][1].mean():.3f}" for name in (leak_free, leaky))
        effect = f"**{format_signed(mean)}** ± {half:.3f} AUC ({means})"
        if abs(mean) <= half:
            return f"Not significant: “{leaky}” adds {effect} to “{leak_free}”."
        if mean < 0:
            return (
                f"“{leaky}” lowers AUC by **{-mean:.3f}** ± {half:.3f} against “{leak_free}”"
                f" ({means})."
            )
        return f"“{leaky}” adds {effect} to “{leak_free}”."

    @property
    def why(self) -> list[str]:
        """What was counted in the flights, and how AUC was measured."""
        p = self.params
        return [
            *self.facts,
            f"**Data.** {p.n_rows:,} flights train, as many test; means of {p.n_seeds} repeats, 95%"
            " t intervals.",
        ]


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
