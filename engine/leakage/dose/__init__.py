"""Leak simulator: the gap between reported and production score as a leak gets stronger, alone or
with others.

Real: eleven leaks, each made by what makes it in practice (``engine.leakage.pipeline``), a ridge
logistic model fitted on every data set, scored on the leaky test part and on fresh rows of
production. Simulated: the data (``engine.leakage.process``), because only a known process has a
known truth. Every seed is one data set; all strengths use the same data sets, so that what a leak
adds is a paired difference. Sources: Kaufman et al. 2012; Kapoor and Narayanan 2023; for
selection before the split Hastie, Tibshirani and Friedman, *The Elements of Statistical Learning*,
2009, 7.10.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from engine.jobs import Progress, Steps
from engine.leakage import trial
from engine.leakage.dose.params import GRID, NAMES, OVERVIEW_SEEDS, DoseParams
from engine.leakage.dose.result import DoseResult, Overview, Scores
from engine.leakage.pipeline import MECHANISMS, Doses
from engine.leakage.process import World
from engine.leakage.trial import Model

__all__ = [
    "GRID",
    "NAMES",
    "DoseParams",
    "DoseResult",
    "Overview",
    "overview_steps",
    "run",
    "steps",
]

BOOSTING_SEEDS = 6


def run(params: DoseParams) -> DoseResult:
    """Score the leak at every strength of the grid and at its own, with the logistic model."""
    worlds, others = params.worlds(params.wide), params.others
    curve = tuple(
        Scores(trial.scores(worlds, trial.with_dose(others, params.mechanism, dose), "logistic"))
        for dose in GRID
    )
    return _result(params, "logistic", worlds, curve)


def _result(
    params: DoseParams, model: Model, worlds: list[World], curve: tuple[Scores, ...]
) -> DoseResult:
    here, clean = (Scores(trial.scores(worlds, doses, model)) for doses in (params.doses, Doses()))
    n_test = worlds[0].n_rows - worlds[0].n_train
    return DoseResult(
        params, model, GRID, curve, here, clean, n_test, complete=len(curve) == len(GRID)
    )


def steps(params: DoseParams) -> Steps:
    """Score the same with boosting and more seeds: a ``Progress`` with the curve so far after each
    fit.

    Returns
    -------
    DoseResult
        With ``complete`` set.
    """
    params = replace(params, n_seeds=max(params.n_seeds, BOOSTING_SEEDS))
    worlds = params.worlds(params.wide)
    points = [
        Doses(),
        params.doses,
        *(trial.with_dose(params.others, params.mechanism, dose) for dose in GRID),
    ]
    curve: tuple[Scores, ...] = ()
    result = None
    for place, doses in enumerate(points):
        for turn, world in enumerate(worlds):
            yield Progress(
                (place + turn / len(worlds)) / len(points), f"boosting, data set {turn + 1}", result
            )
            yield from _fitted(world, doses, (place + turn / len(worlds)) / len(points), result)
        if place > 1:
            curve = (*curve, Scores(trial.scores(worlds, doses, "boosting")))
            result = _result(params, "boosting", worlds, curve)
    return result


def _fitted(
    world: World, doses: Doses, share: float, partial: DoseResult | None
) -> Iterator[Progress]:
    """Fit what a score needs, one model at a time, so that a run of 32 models can be cancelled
    between two.
    """
    prepared_for = replace(doses, snooping=0.0)
    for n_models in range(1, doses.n_models + 1) if doses.n_models > 1 else ():
        yield Progress(share, f"boosting, model {n_models} of {doses.n_models}", partial)
        trial.one_score(world, prepared_for, "boosting", n_models - 1)
    trial.score(world, doses, "boosting")


def overview_steps(params: DoseParams) -> Steps:
    """Score every leak alone at full strength with the logistic model: a ``Progress`` with what
    there is after each.

    Returns
    -------
    Overview
        With ``complete`` set.
    """
    overview = Overview(params, {})
    for done, name in enumerate(MECHANISMS):
        yield Progress(done / len(MECHANISMS), NAMES[name].lower(), overview)
        worlds = params.worlds(name == "selection", OVERVIEW_SEEDS)
        leaky, clean = (
            Scores(trial.scores(worlds, d, "logistic"))
            for d in (trial.with_dose(Doses(), name, 1.0), Doses())
        )
        overview = replace(overview, inflation={**overview.inflation, name: leaky.inflation(clean)})
    return replace(overview, complete=True)


def overview_of(params: DoseParams) -> DoseParams:
    """Return the settings that an overview depends on, all others at their defaults: so that one
    job serves every focus.
    """
    return DoseParams(
        signal=params.signal, n_rows=params.n_rows, n_noise=params.n_noise, seed=params.seed
    )


TYPICAL_SECONDS = 0.7  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before the first visit: every leak alone."""
    return overview_steps, overview_of(DoseParams())
