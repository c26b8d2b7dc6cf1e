"""Architecture: eight calls of Feast's SDK in the order of a feature's life, each watched: which
component it passes, what it leaves in the online store, how old the served value is.

Real: Feast's own calls on a repository of a run of its own, with a push source beside the batch
source, SQLite and DuckDB; what is touched comes from Python's profile events (``trace``).
Simplified: *now* is a moment of 2013, and the row that is pushed is the plane's real next landing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from engine import workspace
from engine.feature_store import feast_internals, feast_repo, raw_values, serving, skew
from engine.feature_store.calls.result import CALLS, Call, CallsParams, CallsResult, expected
from engine.feature_store.calls.trace import watching
from engine.feature_store.model_inputs import WINDOW
from engine.jobs import Progress, Steps, run_to_end

__all__ = ["CallsParams", "CallsResult", "default_job", "expected", "run", "steps"]
VIEW, PUSHED, FEATURES = "plane_delays", "landed", ("mean_delay", "last_delay")
NOW = datetime(2013, 7, 8, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
N_PLANES = 20


@lru_cache(maxsize=1)
def landings() -> pa.Table:
    """Return the week's landings of the planes that landed most often, in order of time."""
    feed = raw_values.plane_feed()
    inside = (feed.second >= SINCE.timestamp()) & (feed.second <= NOW.timestamp())
    counts = np.bincount(feed.key[inside], minlength=len(feed.names))
    busiest = np.argsort(-counts, kind="stable")[:N_PLANES]
    mine = np.flatnonzero(inside & np.isin(feed.key, busiest))
    mine = mine[np.argsort(feed.second[mine], kind="stable")]
    columns = {"mean_delay": raw_values.mean_delay(WINDOW), "last_delay": raw_values.mean_delay(1)}
    return feed.table("tailnum", columns, mine)


def objects(path: Path) -> list[Any]:
    """Return the definitions: an entity, and a view with a push source beside its batch source."""
    from feast import FeatureView, Field, FileSource, PushSource, types

    plane = feast_repo.entity("tailnum")
    batch = FileSource(
        name="landings",
        path=str(path),
        timestamp_field=feast_repo.EVENT,
        created_timestamp_column=feast_repo.CREATED,
    )
    source = PushSource(name=PUSHED, batch_source=batch)
    schema = [Field(name=name, dtype=types.Float64) for name in FEATURES]
    view = FeatureView(name=VIEW, entities=[plane], ttl=timedelta(0), schema=schema, source=source)
    return [plane, batch, source, view]


class Life:
    """A repository and the calls on it, by name."""

    def __init__(self, folder: Path, params: CallsParams) -> None:
        rows = landings()
        batch = np.datetime64((NOW - timedelta(hours=params.batch_hours)).replace(tzinfo=None))
        loaded = rows[feast_repo.EVENT].to_numpy() <= batch
        self.folder, self.params, self.end = folder, params, NOW
        self.path = feast_repo.write(rows.filter(pa.array(loaded)), folder / "landings.parquet")
        self.row = rows.slice(rows.num_rows - 1).to_pandas()  # the newest landing of all
        self.plane = str(self.row["tailnum"][0])
        self.store = feast_repo.open_repo(folder)
        self.features = [f"{VIEW}:{name}" for name in FEATURES]
        moment = pd.Series([NOW]).dt.as_unit("us")
        self.labels = pd.DataFrame({"tailnum": [self.plane], feast_repo.EVENT: moment})

    def apply(self) -> None:
        """Register the definitions."""
        self.store.apply(objects(self.path))

    def train(self) -> Any:
        """Join the features to a label of now."""
        return self.store.get_historical_features(self.labels, self.features).to_df()

    def serve(self) -> Any:
        """Read the plane's values, with their event times."""
        answer = self.store.get_online_features(self.features, [{"tailnum": self.plane}])
        return answer.to_dict(include_event_timestamps=True)

    def materialize(self) -> None:
        """Copy the last row of each plane into the online store."""
        self.store.materialize(SINCE, NOW, feature_views=[VIEW])

    def push(self) -> None:
        """Push the newest landing."""
        mode = feast_internals.push_mode(offline_too=self.params.push != "online")
        self.store.push(PUSHED, self.row, to=mode)

    def calls(self) -> dict[str, Callable[[], Any]]:
        """Return name -> call, in order."""
        made = (self.apply, self.train, self.serve, self.materialize)
        return dict(zip(CALLS, (*made, self.serve, self.push, self.serve, self.train), strict=True))

    def n_rows(self) -> int:
        """Return the rows of the online store: one per key and feature."""
        return serving.n_rows(self.folder / "online.db")


@lru_cache(maxsize=1)
def _warm() -> None:
    """Make every call once: the first one in a process loads code, which none should pay."""
    folder = workspace.scratch("feast-calls")
    try:
        life = Life(folder, CallsParams())
        for call in life.calls().values():
            with serving.feast_alone():
                call()
    finally:
        workspace.remove(folder)


def _watched(life: Life, name: str, call: Callable[[], Any]) -> Call:
    """Make a call and return what it touched and answered."""
    with serving.feast_alone(), watching() as trace:
        answer = call()
    value = age = None
    if answer is not None:
        found = answer[FEATURES[0]][0]
        value = None if pd.isna(found) else float(found)
    if name.startswith("serve") and value is not None:
        age = (NOW.timestamp() - answer[f"{FEATURES[0]}__ts"][0]) / 3600
    functions = tuple((where, what, times) for (where, what), times in trace.functions.items())
    return Call(
        name,
        dict(trace.seconds),
        dict(trace.entries),
        functions,
        tuple(trace.statements.items()),
        life.n_rows(),
        value,
        age,
    )


def steps(params: CallsParams) -> Steps:
    """Make the calls one after the other.

    Returns
    -------
    CallsResult
    """
    folder = workspace.scratch("feast-calls")
    try:
        yield Progress(0.0, "warm-up (not timed)")
        _warm()
        life = Life(folder, params)
        made: list[Call] = []
        for number, (name, call) in enumerate(life.calls().items()):
            yield Progress(0.3 + 0.6 * number / len(CALLS), name)
            made.append(_watched(life, name, call))
        yield Progress(0.9, "the cost of skew")
        lost = skew.run(skew.SkewParams()).auc_lost
        return CallsResult(params, tuple(made), life.plane, lost)
    finally:
        workspace.remove(folder)


@lru_cache(maxsize=8)
def _made(job: CallsParams) -> CallsResult:
    result: CallsResult = run_to_end(steps(job))
    return result


def run(params: CallsParams) -> CallsResult:
    """Make the calls here and now, once for each setting."""
    return replace(_made(params.job), params=params)


TYPICAL_SECONDS = 1.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return the steps and Params that the server computes before the first visit."""
    return steps, CallsParams().job
