"""Feast: materialize copies the last row of each key into the online store, for serving."""

import tempfile

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, FileSource, RepoConfig, ValueType

folder = tempfile.mkdtemp()
time, moments = "event_timestamp", pd.to_datetime(["2013-01-01 08:00Z", "2013-01-01 12:00Z"])
rows = pd.DataFrame({"plane": "N1", time: moments, "mean_delay": [5.0, 30.0]})
rows.to_parquet(f"{folder}/delays.parquet")
plane = Entity(name="plane", join_keys=["plane"], value_type=ValueType.STRING)
source = FileSource(path=f"{folder}/delays.parquet", timestamp_field=time)
delays = FeatureView(name="delays", entities=[plane], source=source)  # its columns are the features
files = {"registry": f"{folder}/r.db", "online_store": {"path": f"{folder}/online.db"}}
store = FeatureStore(config=RepoConfig(project="demo", provider="local", **files))
store.apply([plane, delays])
for end in pd.to_datetime(["2013-01-01 10:00Z", "2013-01-01 13:00Z"]):
    store.materialize(moments[0] - pd.Timedelta(hours=1), end)
    served = store.get_online_features(["delays:mean_delay"], [{"plane": "N1"}]).to_dict()
print(served["mean_delay"])  # [30.0]
