"""Feast: materialize copies the batch; a push source writes one row as it arrives."""

import tempfile
from datetime import UTC, datetime, timedelta

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, FileSource, PushSource, RepoConfig, ValueType

folder, noon = tempfile.mkdtemp(), datetime(2013, 7, 7, 12, tzinfo=UTC)
times = pd.Series([noon, noon + timedelta(hours=9)]).dt.as_unit("us")
rows = pd.DataFrame({"plane": ["N1", "N1"], "delay": [5.0, 40.0], "event_timestamp": times})
rows[:1].to_parquet(f"{folder}/batch.parquet")
batch = FileSource(path=f"{folder}/batch.parquet", timestamp_field="event_timestamp")
landed = PushSource(name="landed", batch_source=batch)
plane = Entity(name="plane", join_keys=["plane"], value_type=ValueType.STRING)
delays = FeatureView(name="delays", entities=[plane], source=landed)
files = {"registry": f"{folder}/r.db", "online_store": {"path": f"{folder}/online.db"}}
store = FeatureStore(config=RepoConfig(project="demo", provider="local", **files))
store.apply([plane, delays])
store.materialize(noon - timedelta(days=1), noon + timedelta(days=1))
store.push("landed", rows[1:])  # to the online store alone, unless `to` says otherwise
answer = store.get_online_features(["delays:delay"], [{"plane": "N1"}]).to_dict()
print("served after the push:", answer["delay"][0])  # served after the push: 40.0
