"""Arena: what resampling, weights and losses add to the baseline (no resampling) and to a moved
threshold.

Real: flights (``engine.sampling.flight_rows``), imbalanced-learn's samplers inside its
``Pipeline``, so that only training rows are ever resampled, scikit-learn's models, scores on
untouched rows. The baseline's threshold is moved to where cross-validated *training* rows cost
least; the test rows never choose anything. Simplified: focal loss (γ = 2) is there for the
logistic model only; SMOTEN sees each number cut into twelve bins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from engine.errors import InputError
from engine.jobs import Progress, Steps, in_thread, to_end
from engine.sampling import flight_rows, points
from engine.sampling.arena.result import ArenaResult, Outcome
from engine.sampling.arena.strategies import (
    BASELINE,
    MOVED,
    N_ROWS,
    STRATEGIES,
    WEIGHTS,
    ArenaParams,
    fitted,
    refusal,
)
from engine.sampling.flight_rows import FlightRows

__all__ = ["MOVED", "N_ROWS", "STRATEGIES", "ArenaParams", "ArenaResult", "run", "steps"]

N_BINS = 10
GRID = 40  # places across and up at which boundaries are drawn


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
    moves = strategy == BASELINE
    return Outcome(
        strategy=strategy,
        repeat=repeat,
        y=truth,
        chances=chances,
        average_precision=float(average_precision_score(truth, chances)),
        auc=float(roc_auc_score(truth, chances)),
        brier=float(brier_score_loss(truth, chances)),
        train_y=y if moves else np.empty(0, int),
        train_chances=inner_chances(X, y, params) if moves else np.empty(0),
    )


def inner_chances(X: np.ndarray, y: np.ndarray, params: ArenaParams) -> np.ndarray:
    """Return the chance of each training row from models that have not seen it (three stratified
    folds).
    """
    from sklearn.model_selection import StratifiedKFold

    chances = np.zeros(len(y))
    for train, held_out in StratifiedKFold(3, shuffle=True, random_state=params.seed).split(X, y):
        chances[held_out] = fitted(BASELINE, X[train], y[train], params)(X[held_out])
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
    """Train every strategy on every split: a ``Progress`` before each, with the result so far once
    there is one.

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
                message = f"{name} (split {repeat + 1} of {params.repeats})"
                share = (repeat * len(params.entered) + place) / n_turns
                progress = Progress(share, message, result if result.outcomes else None)
                yield progress
                if name in result.refused:
                    continue
                try:
                    call = partial(meet, name, rows, train, test, repeat, params)
                    outcome: Outcome = yield from in_thread(caller, call, progress)
                except InputError as error:
                    result = replace(result, refused={**result.refused, name: str(error)})
                    continue
                result = replace(result, outcomes=(*result.outcomes, outcome))
        progress = Progress(1 - 1 / n_turns, "boundaries", result)
        yield progress
        names = [name for name in result.names if name != MOVED]
        planes = yield from in_thread(caller, partial(boundaries, params, names), progress)
    return replace(result, planes=planes, complete=True)


def plane(params: ArenaParams) -> points.Points:
    """Return the synthetic points on which boundaries are drawn."""
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


def preview(params: ArenaParams) -> ArenaResult:
    """Return the baseline, and class weights where they are asked for, on few rows, as not
    complete.
    """
    n_rows = flight_rows.sizes(N_ROWS, params.positives)[0]
    strategies = tuple(name for name in params.strategies if name == WEIGHTS)
    asked = replace(params, strategies=strategies, n_rows=n_rows, repeats=2)
    # no sampler takes part: ratio and k_neighbors change nothing
    return replace(_preview(replace(asked, ratio=1.0, k_neighbors=5)), params=asked)


@lru_cache(maxsize=32)
def _preview(params: ArenaParams) -> ArenaResult:
    return replace(run(params), complete=False)


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before its first visitor: steps and their params."""
    return steps, ArenaParams()


run: Callable[[ArenaParams], ArenaResult] = to_end(steps)
