"""Serve: each flight of the last day is predicted at its moment from Feast's online store.

Every ``STEP_HOURS`` the store gets what had arrived by then. A flight is predicted from what the
store holds at its moment, so a value may be that much older than the one the training set would
have had: both are kept, and the share that differs is the day's training–serving skew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.errors import require
from engine.feature_store import serving
from engine.feature_store.feast_repo import CREATED, EVENT
from engine.feature_store.serving import feast_alone
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages.audit import TARGET, columns
from engine.pipeline.stages.training_set import FEATURES, NAMES, VIEWS, open_store

STEP_HOURS = 1


def arrived(rows: pa.Table, now: datetime, ttl: timedelta) -> pa.Table:
    """Return the rows that are known at ``now`` and not too old."""
    created, event = rows[CREATED], rows[EVENT]
    known = pc.and_(pc.less_equal(created, pa.scalar(now)), pc.less_equal(event, pa.scalar(now)))
    return rows.filter(pc.and_(known, pc.greater(event, pa.scalar(now - ttl))))


def online(store: Any, rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the features that the online store has for each row at its moment, and how many rows
    of each view were too old by then.

    Feast's online store keeps a value until a newer one comes, and hands it out however old it is:
    whoever asks has to look at its time. What is older than its view allows is missing here, as it
    is in the training set.
    """
    entities = rows[["origin", "tailnum"]].to_dict("records")
    with feast_alone():
        answer = store.get_online_features(features=FEATURES, entity_rows=entities)
    got = answer.to_dict(include_event_timestamps=True)
    moments = np.array([moment.timestamp() for moment in rows[EVENT]])
    frame = pd.DataFrame({name: got[name] for name in NAMES}, index=rows.index).astype(float)
    expired = {}
    for view, (_, names, ttl) in VIEWS.items():
        for name in names:
            stamps = np.array(got[f"{name}__ts"], float)  # seconds; 0 where there is no value
            old = (stamps > 0) & (stamps < moments - ttl.total_seconds())
            frame.loc[old, name] = np.nan
            expired[view] = int(old.sum())
    return frame, expired


def serve_day(
    task: Task, flights: pd.DataFrame, folder: Path
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the features that were served for each flight, in the order of ``flights``, and how
    often each view had only a value that was too old.
    """
    earliest = flights[EVENT].min().to_pydatetime() - timedelta(hours=STEP_HOURS)
    whole = {
        view: pq.read_table(
            task.read("features", f"{view}.parquet"), filters=[(EVENT, ">", earliest - ttl)]
        )
        for view, (_, _, ttl) in VIEWS.items()
    }
    current = folder / "current"
    current.mkdir(parents=True, exist_ok=True)
    for view, rows in whole.items():
        pq.write_table(rows.slice(0, 0), current / f"{view}.parquet")
    store = open_store(folder / "repo", current)
    steps = flights[EVENT].dt.floor(f"{STEP_HOURS}h")
    served, expired = [], dict.fromkeys(VIEWS, 0)
    for number, (now, group) in enumerate(flights.groupby(steps)):
        moment = now.to_pydatetime()
        for view, (_, _, ttl) in VIEWS.items():
            rows = arrived(whole[view], moment, ttl)
            pq.write_table(rows, current / f"{view}.parquet")
        longest = max(ttl for _, _, ttl in VIEWS.values())
        serving.materialize(store, moment - longest, moment, list(VIEWS))
        frame, old = online(store, group)
        served.append(frame)
        expired = {view: expired[view] + old[view] for view in VIEWS}
        task.report(number / steps.nunique())
    return pd.concat(served).loc[flights.index], expired


def differs(served: np.ndarray, offline: np.ndarray) -> np.ndarray:
    """Return which values differ; two missing ones are equal."""
    equal = np.isclose(served, offline, rtol=0, atol=1e-9)
    return np.asarray(~(equal | (np.isnan(served) & np.isnan(offline))))


def work(task: Task) -> Count:
    """Predict every flight of the served day."""
    import joblib

    rows = pq.read_table(
        task.read("training_set", "rows.parquet"),
        filters=[("flight_date", "=", task.params.days[1])],
    )
    require(
        len(rows) > 0,
        "The served day must have flights. Got none on {}. Choose another last day.",
        task.params.days[1],
    )
    flights = rows.to_pandas()
    served, expired = serve_day(task, flights, task.folder / "_online")
    model = joblib.load(task.read("train", "model.joblib"))
    offline = flights[NAMES].astype(float)
    skewed = {
        name: float(differs(served[name].to_numpy(), offline[name].to_numpy()).mean())
        for name in NAMES
    }
    made = flights[
        [
            "carrier",
            "flight",
            "tailnum",
            "origin",
            "dest",
            "sched_dep",
            EVENT,
            "file",
            "line",
            TARGET,
            "arr_delay",
        ]
    ].copy()
    frame = flights.assign(**{name: served[name] for name in NAMES})
    made["p_late"] = model.predict(frame[columns()])
    made["p_late_offline"] = model.predict(flights[columns()])
    for name in NAMES:
        made[f"served_{name}"] = served[name]
    pq.write_table(
        pa.Table.from_pandas(made, preserve_index=False), task.folder / "predictions.parquet"
    )
    details = {
        "day": str(task.params.days[1]),
        "materialized": int(flights[EVENT].dt.floor(f"{STEP_HOURS}h").nunique()),
        "skewed_shares": skewed,
        "expired": expired,  # view -> flights that got no value rather than one too old
        "mean_change": float((made["p_late"] - made["p_late_offline"]).abs().mean())
        if len(made)
        else 0.0,
    }
    return Count(len(flights), len(made), details=details)


STAGE = Stage("serve", "Serve", ("features", "training_set", "train", "register"), ("days",), work)
