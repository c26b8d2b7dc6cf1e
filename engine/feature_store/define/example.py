"""Feast: a feature view is a Python object; Feast says what is wrong with it."""

import tempfile
from datetime import UTC, datetime, timedelta

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

folder, noon = tempfile.mkdtemp(), datetime(2013, 7, 7, 12, tzinfo=UTC)
rows = pd.DataFrame({"plane": ["N1"], "delay": [5.0], "event_timestamp": [noon]})
rows.to_parquet(f"{folder}/rows.parquet")
source = FileSource(path=f"{folder}/rows.parquet", timestamp_field="event_timestamp")
plane = Entity(name="plane", join_keys=["plane"], value_type=ValueType.STRING)
fields, day = [Field(name="delay", dtype=Float64)], timedelta(days=1)
try:
    FeatureView(name="delays:v2", entities=[plane], schema=fields, source=source)
except ValueError as error:
    print("refused:", str(error)[:29])  # refused: Feature view name 'delays:v2'
view = FeatureView(name="delays", entities=[plane], schema=fields, source=source, ttl=day)
files = {"registry": f"{folder}/r.db", "online_store": {"path": f"{folder}/online.db"}}
store = FeatureStore(config=RepoConfig(project="demo", provider="local", **files))
store.apply([plane, view])
print(store.get_feature_view("delays").ttl == day)  # True
