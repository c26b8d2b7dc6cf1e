"""Materialize as scheduled, then ask serving and training for every key at the same time."""

import contextlib
import io
import json
import tempfile
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc

from engine.feature_store import feast_repo, online
from engine.feature_store.flight_features import KEYS
from engine.feature_store.online import OnlineParams, attached

PARAMS = OnlineParams()
rows, key, day0 = online.rows_of(PARAMS.source), KEYS[PARAMS.source], online.START
at = day0 + timedelta(hours=PARAMS.at_hours)
quiet = io.StringIO()
with (
    tempfile.TemporaryDirectory() as folder,
    contextlib.redirect_stdout(quiet),
    contextlib.redirect_stderr(quiet),
    attached.chosen(PARAMS.store) as space,
):
    store = feast_repo.open_repo(Path(folder), **attached.repository(space))
    path = feast_repo.write(rows.table, Path(folder) / "rows.parquet")
    plane = feast_repo.entity(key)
    view = feast_repo.view(
        "served",
        path,
        entities=[plane],
        features={"event_seconds": "Float64"},
        ttl=timedelta(hours=PARAMS.ttl_hours),
        created=None,
    )
    store.apply([plane, view])
    done = [run for run in online.runs_of(PARAMS) if run.hour <= PARAMS.at_hours]
    for run in done:
        last = day0.timestamp() + 3600 * (run.hour - PARAMS.delay_hours)
        arrived = pc.less_equal(rows.table["event_seconds"], last)
        feast_repo.write(rows.table.filter(arrived), path)  # what has arrived by now
        start, end = (day0 + timedelta(hours=hour) for hour in (run.start, run.end))
        if run.incremental:
            store.materialize_incremental(end)
        else:
            store.materialize(start, end)
    feast_repo.write(rows.table, path)
    asked = [{key: name} for name in rows.names]
    served = store.get_online_features(["served:event_seconds"], asked).to_dict()
    moment = pd.Timestamp(at).as_unit("us")
    labels = pd.DataFrame({key: list(rows.names), "event_timestamp": moment})
    joined = {}
    for ttl in (timedelta(0), timedelta(hours=PARAMS.ttl_hours)):
        view.ttl = ttl
        store.apply([view])
        answer = store.get_historical_features(labels, ["served:event_seconds"]).to_df()
        joined[ttl] = answer.set_index(key)["event_seconds"]
latest, training = joined[timedelta(0)], joined[timedelta(hours=PARAMS.ttl_hours)]
serving = pd.Series(served["event_seconds"], index=served[key], dtype=float)
differs = (serving != latest[serving.index]) & ~(serving.isna() & latest[serving.index].isna())
expired = training[serving.index].isna() & latest[serving.index].notna() & serving.notna()
numbers = {
    "n_runs": len(done),
    "n_online": int(serving.notna().sum()),
    "n_stale": int(differs.sum()),
    "n_expired_present": int(expired.sum()),
}
print(json.dumps(numbers))
