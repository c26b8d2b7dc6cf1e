"""Point in time: why each joined cell has its value, on real flights, confirmed by the real Feast.

Real: flights, weather and delays of 2013; the answer of ``get_historical_features`` in a repository
made for the run, behind the explained join (``explanation``), compared with it cell by cell
(``point_in_time.real``). Simplified: one key at a time. Simulated: the feed's delay and the late
corrections, of which the sources say nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import require
from engine.feature_store import flight_features
from engine.feature_store.explanation import explain
from engine.feature_store.feast_repo import EVENT
from engine.feature_store.point_in_time import naive_joins, real
from engine.feature_store.point_in_time.result import (
    SPANS,
    PointInTimeParams,
    PointInTimeResult,
    planes,
)
from engine.jobs import Progress, Steps, in_thread

__all__ = [
    "PointInTimeParams",
    "PointInTimeResult",
    "default_job",
    "planes",
    "rows_of",
    "run",
    "steps",
]
YEAR_BEGINS = 1_356_998_400_000_000  # 1 January 2013 UTC, in microseconds
DAY = 86_400_000_000


@lru_cache(maxsize=32)
def rows_of(params: PointInTimeParams) -> tuple[pa.Table, pa.Table]:
    """Return the labels (with their moment as ``event_timestamp``) and feature rows of a key."""
    rows = flight_features.feature_rows(params.source)
    rows = rows.filter(pc.equal(rows[params.key], params.entity)).select(
        [params.key, EVENT, "match_time", params.feature]
    )
    day = pa.scalar(YEAR_BEGINS + (params.first_day - 1) * DAY).cast(pa.timestamp("us", "UTC"))
    start = min(
        int(pc.sum(pc.less(rows[EVENT], day)).as_py() or 0), max(0, rows.num_rows - params.n_rows)
    )
    rows = rows.slice(start, params.n_rows)
    span = pc.min_max(rows[EVENT])
    labels = flight_features.label_rows(params.source)
    inside = pc.and_(
        pc.greater_equal(labels["departure"], span["min"]),
        pc.less_equal(labels["departure"], span["max"]),
    )
    labels = labels.filter(pc.and_(pc.equal(labels[params.key], params.entity), inside))
    require(
        labels.num_rows > 0,
        "No flight of {} leaves in these days. Choose another first day, or more rows.",
        params.entity,
    )
    chosen = np.unique(
        np.linspace(0, labels.num_rows - 1, min(params.n_labels, labels.num_rows))
        .round()
        .astype(int)
    )
    labels = labels.take(pa.array(chosen))
    offset = pa.scalar(SPANS[params.offset] * 60_000_000).cast(pa.duration("us"))
    labels = labels.append_column(
        EVENT, pc.subtract(labels["departure"], offset).cast(pa.timestamp("us", "UTC"))
    )
    features = flight_features.arriving(
        rows,
        params.feature,
        delay_minutes=SPANS[params.delay],
        correct=params.correct,
        seed=params.seed,
    )
    return labels, features


@lru_cache(maxsize=64)
def run(params: PointInTimeParams) -> PointInTimeResult:
    """Join and explain, without Feast: what is repainted while a control is dragged."""
    labels, features = rows_of(params)
    explanation = explain(
        labels,
        features,
        keys=[params.key],
        ttl=params.time_to_live,
        store=params.store,
        filter_by_created=params.filter_by_created,
    )
    latest = naive_joins.latest_value(labels, features, params.feature, params.key)
    return PointInTimeResult(
        params,
        explanation,
        latest,
        naive_joins.equi_join(labels, features, params.feature, params.key),
    )


def steps(params: PointInTimeParams) -> Steps:
    """Explain at once, then ask real Feast and compare.

    Returns
    -------
    PointInTimeResult
        With its ``check``.
    """
    result = run(params)
    progress = Progress(0.1, "get_historical_features of Feast", result)
    yield progress
    with ThreadPoolExecutor(1) as caller:
        check = yield from in_thread(
            caller, lambda: real.check(result.explanation, params.feature, params.key), progress
        )
    return replace(result, check=check)


def default_job() -> tuple[Any, Any]:
    """Return the steps and Params that the server computes before the first visit."""
    return steps, PointInTimeParams()
