"""Budget: somebody looks at so many alarms a day and at no more; what do they find?

Real: flights (``engine.sampling.flight_rows``) of January to September train, whole days of
October to December are tested, with the positives as they are or thinned to the 0.1% of the
interview question; scikit-learn's models, SMOTE of imbalanced-learn on training rows only. Two ways
to keep a budget are compared: the top of each day's ranking, which needs the whole day's rows, and
a fixed threshold, chosen on cross-validated training rows, which can be applied to each row as it
comes. Simplified: an alarm costs the same whatever it is, and nothing is learned from it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from engine.jobs import Progress, Steps, in_thread, to_end
from engine.sampling import flight_rows
from engine.sampling.arena.strategies import BASELINE, WEIGHTS, fitted
from engine.sampling.budget.days import daily_ranks, different
from engine.sampling.budget.params import N_ROWS, BudgetParams
from engine.sampling.budget.result import BudgetResult, Ranking
from engine.sampling.flight_rows import THIN_SHARE, FlightRows, Positives, Target

__all__ = ["STRATEGIES", "BudgetParams", "BudgetResult", "run", "steps"]

STRATEGIES = (BASELINE, WEIGHTS, "SMOTE")
LAST_TRAINING_DAY = 273  # 30 September
N_FOLDS = 3


def periods(params: BudgetParams) -> tuple[FlightRows, FlightRows, np.ndarray, float]:
    """Return training rows, test rows, the day of the year of each test row, and the flights a day
    of the training period.
    """
    return _periods(replace(params.training(), model="logistic"))  # no row depends on the model


@lru_cache(maxsize=2)
def _periods(params: BudgetParams) -> tuple[FlightRows, FlightRows, np.ndarray, float]:
    everything = flight_rows.table(params.target)
    day = _day(params.target)
    rng = np.random.default_rng(params.seed)
    past, later = (
        thinned(rng, np.flatnonzero(where), everything.y, params.positives)
        for where in (day <= LAST_TRAINING_DAY, day > LAST_TRAINING_DAY)
    )
    n_rows = min(params.n_rows, len(past))
    if params.positives == "original":
        taken = rng.choice(past, n_rows, replace=False)
    else:  # as many positives as 0.1% are, not as many as chance gives
        groups = [past[everything.y[past] == value] for value in (0, 1)]
        n_positive = min(round(n_rows * THIN_SHARE), len(groups[1]))
        counts = (n_rows - n_positive, n_positive)
        taken = np.concatenate(
            [rng.choice(g, n, replace=False) for g, n in zip(groups, counts, strict=True)]
        )
    train, test = (_rows(everything, np.sort(places)) for places in (taken, later))
    flight_rows.check_n_positives(train.y, "The training rows")
    return train, test, day[np.sort(later)], len(past) / len(different(day[past]))


@lru_cache(maxsize=2)
def _day(target: Target) -> np.ndarray:
    everything = flight_rows.table(target)
    return everything.X[:, everything.names.index("day of the year")].astype(int)


def thinned(
    rng: np.random.Generator, places: np.ndarray, y: np.ndarray, positives: Positives
) -> np.ndarray:
    """Return ``places`` with positives dropped at random until they are 0.1%, where that is asked
    for.
    """
    if positives == "original":
        return places
    rare, rest = places[y[places] == 1], places[y[places] == 0]
    n = min(len(rare), round(len(rest) * THIN_SHARE / (1 - THIN_SHARE)))
    return np.sort(np.concatenate([rest, rng.choice(rare, n, replace=False)]))


def _rows(rows: FlightRows, places: np.ndarray) -> FlightRows:
    return FlightRows(rows.X[places], rows.y[places], rows.row[places], rows.names)


def unseen_chances(train: FlightRows, params: BudgetParams) -> np.ndarray:
    """Return the baseline's chance of each training row from models that have not seen it, (n,)."""
    from sklearn.model_selection import StratifiedKFold

    chances = np.zeros(len(train.y))
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=params.seed)
    for seen, held_out in folds.split(train.X, train.y):
        model = fitted(BASELINE, train.X[seen], train.y[seen], params.trained, train.names)
        chances[held_out] = model(train.X[held_out])
    return chances


def rank(strategy: str, params: BudgetParams) -> Ranking:
    """Train a strategy and rank each day's test rows by its chances."""
    train, test, day, _ = periods(params)
    model = fitted(strategy, train.X, train.y, params.trained, train.names)
    chances = model(test.X)
    ranks = daily_ranks(day, chances)
    own = chances.astype(np.float32) if strategy == BASELINE else np.empty(0, np.float32)
    return Ranking(strategy, np.sort(ranks[test.y == 1]), own)


def _begun(params: BudgetParams, base: BudgetParams, unseen: np.ndarray) -> BudgetResult:
    """Return the result before any ranking: the rows of ``base``, and the chances of its training
    rows, falling.
    """
    train, test, day, per_day = periods(base)
    return BudgetResult(
        params,
        len(train.y),
        int(train.y.sum()),
        day,
        test.y.astype(np.int8),
        per_day,
        np.sort(unseen)[::-1].astype(np.float32),
        (),
    )


def steps(params: BudgetParams) -> Steps:
    """Train every strategy on the past and rank the later days: a ``Progress`` before each, with
    the result so far once the baseline is there.

    Returns
    -------
    BudgetResult
        With ``complete`` set.
    """
    base = params.training()
    n_turns = len(STRATEGIES) + 1
    with ThreadPoolExecutor(1) as caller:
        progress = Progress(0.0, "training rows")
        yield progress
        train, *_ = yield from in_thread(caller, partial(periods, base), progress)
        progress = Progress(0.5 / n_turns, "threshold on training rows")
        yield progress
        unseen = yield from in_thread(caller, partial(unseen_chances, train, base), progress)
        result = _begun(params, base, unseen)
        for done, strategy in enumerate(STRATEGIES, start=1):
            progress = Progress(done / n_turns, strategy, result if result.rankings else None)
            yield progress
            found = yield from in_thread(caller, partial(rank, strategy, base), progress)
            result = replace(result, rankings=(*result.rankings, found))
    return replace(result, complete=True)


def preview(params: BudgetParams) -> BudgetResult:
    """Return the baseline of the logistic model on the fewest training rows, as not complete."""
    return _preview(replace(params.training(), model="logistic", n_rows=N_ROWS[0]))


@lru_cache(maxsize=16)
def _preview(quick: BudgetParams) -> BudgetResult:
    result = _begun(quick, quick, unseen_chances(periods(quick)[0], quick))
    return replace(result, rankings=(rank(BASELINE, quick),))


TYPICAL_SECONDS = 6.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before its first visitor: steps and their params."""
    return steps, BudgetParams()


run: Callable[[BudgetParams], BudgetResult] = to_end(steps)
