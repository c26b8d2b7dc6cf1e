"""Feast: for each label the newest row of its key that is not later and not older than the TTL."""

import tempfile
from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, FileSource, RepoConfig, ValueType

folder = tempfile.mkdtemp()
time, moments = "event_timestamp", pd.to_datetime(["2013-01-01 08:00Z", "2013-01-01 12:00Z"])
rows = pd.DataFrame({"plane": "N1", time: moments, "mean_delay": [5.0, 30.0]})
rows.to_parquet(f"{folder}/delays.parquet")
plane = Entity(name="plane", join_keys=["plane"], value_type=ValueType.STRING)
source = FileSource(path=f"{folder}/delays.parquet", timestamp_field=time)
delays = FeatureView(name="delays", entities=[plane], source=source, ttl=timedelta(hours=6))
files = {"registry": f"{folder}/r.db", "online_store": {"path": f"{folder}/online.db"}}
store = FeatureStore(config=RepoConfig(project="demo", provider="local", **files))
store.apply([plane, delays])
asked = pd.to_datetime(["2013-01-01 11:59Z", "2013-01-01 17:00Z"])
labels = pd.DataFrame({"plane": "N1", time: asked})
answer = store.get_historical_features(labels, ["delays:mean_delay"]).to_df()
print(answer["mean_delay"].tolist())  # [5.0, 30.0]
