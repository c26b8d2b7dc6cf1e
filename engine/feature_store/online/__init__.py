"""Online: a week of materialization runs into the SQLite online store, and how far serving lags
behind training.

Real: flights' own feature rows (weather by airport, rolling delay by plane), Feast's
``materialize`` and ``materialize_incremental``, its SQLite file, ``get_online_features`` and
``get_historical_features`` (``online.real``). What is dragged is the same schedule explained with
two binary searches: a run brings each key's latest row of its window that has arrived; the job
counts the cells in which Feast's own store agrees. Redis and PostgreSQL take part where a variable
names one (``online.attached``, ``online.beside``). Simplified: the clock is the chosen hour, feeds
are late by a constant, and of the planes the busiest N_PLANES take part.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pyarrow as pa

from engine.feature_store import flight_features
from engine.feature_store.feast_repo import EVENT
from engine.feature_store.flight_features import KEYS, SOURCES, Source
from engine.feature_store.online.result import (
    BACKFILL_AT,
    GRID,
    HISTORY_DAYS,
    NONE,
    START,
    WEEK_HOURS,
    OnlineParams,
    OnlineResult,
    Rows,
    Run,
    Store,
)

__all__ = ["START", "OnlineParams", "OnlineResult", "rows_of", "run", "runs_of"]
N_PLANES = 300
BACKFILL_HOURS = 24


@lru_cache(maxsize=len(SOURCES))
def rows_of(source: Source) -> Rows:
    """Return the feature rows from HISTORY_DAYS before the week to its end; keys in order of how
    many rows they have.
    """
    table = flight_features.feature_rows(source)
    seconds = table[EVENT].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy()
    hour = (seconds - START.timestamp()) / 3600
    inside = (hour >= -24 * HISTORY_DAYS) & (hour <= WEEK_HOURS)
    names, counts = np.unique(
        table[KEYS[source]].to_numpy(zero_copy_only=False)[inside], return_counts=True
    )
    kept = names[np.lexsort((names, -counts))][:N_PLANES]
    place = {name: i for i, name in enumerate(kept)}
    key = np.array([place.get(name, NONE) for name in table[KEYS[source]].to_pylist()])
    taken = np.flatnonzero(inside & (key != NONE))
    taken = taken[np.lexsort((hour[taken], key[taken]))]
    chosen = table.take(pa.array(taken)).append_column(
        "event_seconds", pa.array(seconds[taken].astype(float))
    )
    return Rows(tuple(kept.tolist()), key[taken], hour[taken], chosen)


def runs_of(params: OnlineParams) -> tuple[Run, ...]:
    """Return the week's runs in order: the first one is full, for an incremental run needs one
    before it.
    """
    first = -24 * HISTORY_DAYS
    runs = [Run(0, first, 0, False)]
    for hour in range(params.every_hours, WEEK_HOURS + 1, params.every_hours):
        incremental = params.strategy != "full"
        runs.append(Run(hour, runs[-1].end if incremental else first, hour, incremental))
    if params.strategy.endswith("backfill"):
        runs.append(Run(BACKFILL_AT, 0, BACKFILL_HOURS, False))
    return tuple(sorted(runs, key=lambda run: run.hour))


@lru_cache(maxsize=64)
def _week(job: OnlineParams) -> OnlineResult:
    rows, runs = rows_of(job.source), runs_of(job)
    cut = np.array([min(run.end, run.hour - job.delay_hours) for run in runs], float)
    found = rows.latest(cut)
    start = np.array([run.start for run in runs], float)[:, np.newaxis]
    brought = (found != NONE) & (rows.hour[np.maximum(found, 0)] >= start)
    after_run = _kept(job.store, found, brought)
    served = np.searchsorted([run.hour for run in runs], GRID, side="right") - 1
    return OnlineResult(job, rows, runs, after_run, _offline(job.source), after_run[served])


def _kept(store: Store, found: np.ndarray, brought: np.ndarray) -> np.ndarray:
    """Return what the store has after each run: the row of the last run that brought one; in Redis
    the newest row that any brought. All (runs, keys), places in order of event time.
    """
    if store == "Redis":
        return np.maximum.accumulate(np.where(brought, found, NONE), axis=0)
    number = np.arange(len(found))[:, np.newaxis]
    last = np.maximum.accumulate(np.where(brought, number, NONE), axis=0)
    kept = np.take_along_axis(found, np.maximum(last, 0), axis=0)
    return np.asarray(np.where(last == NONE, NONE, kept))


@lru_cache(maxsize=len(SOURCES))
def _offline(source: Source) -> np.ndarray:
    return rows_of(source).latest(GRID)


def run(params: OnlineParams) -> OnlineResult:
    """Explain the week: what each run leaves in the online store, and what training joins at each
    hour.
    """
    return replace(_week(params.job), params=params)
