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


def online(store: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the features that the online store has for each row now."""
    entities = rows[["origin", "tailnum"]].to_dict("records")
    with feast_alone():
        got = store.get_online_features(features=FEATURES, entity_rows=entities).to_dict()
    return pd.DataFrame({name: got[name] for name in NAMES}, index=rows.index).astype(float)


def serve_day(task: Task, flights: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return the features that were served for each flight, in the order of ``flights``."""
    whole = {view: pq.read_table(task.read("features", f"{view}.parquet")) for view in VIEWS}
    current = folder / "current"
    current.mkdir(parents=True, exist_ok=True)
    for view, rows in whole.items():
        pq.write_table(rows.slice(0, 0), current / f"{view}.parquet")
    store = open_store(folder / "repo", current)
    steps = flights[EVENT].dt.floor(f"{STEP_HOURS}h")
    served = []
    for number, (now, group) in enumerate(flights.groupby(steps)):
        moment = now.to_pydatetime()
        for view, (_, _, ttl) in VIEWS.items():
            rows = arrived(whole[view], moment, ttl)
            pq.write_table(rows, current / f"{view}.parquet")
        longest = max(ttl for _, _, ttl in VIEWS.values())
        serving.materialize(store, moment - longest, moment, list(VIEWS))
        served.append(online(store, group))
        task.report(number / steps.nunique())
    return pd.concat(served).loc[flights.index]


def differs(served: np.ndarray, offline: np.ndarray) -> np.ndarray:
    """Return which values differ; two missing ones are equal."""
    equal = np.isclose(served, offline, rtol=0, atol=1e-9)
    return np.asarray(~(equal | (np.isnan(served) & np.isnan(offline))))


def work(task: Task) -> Count:
    """Predict every flight of the served day."""
    import joblib

    rows = pq.read_table(task.read("training_set", "rows.parquet")).to_pandas()
    flights = rows[rows["flight_date"] == task.params.days[1]].reset_index(drop=True)
    served = serve_day(task, flights, task.folder / "_online")
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
        "mean_change": float((made["p_late"] - made["p_late_offline"]).abs().mean())
        if len(made)
        else 0.0,
    }
    return Count(len(flights), len(made), details=details)


STAGE = Stage("serve", "Serve", ("features", "training_set", "train", "register"), ("days",), work)
