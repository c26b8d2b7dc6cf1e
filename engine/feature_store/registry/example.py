"""Feast: definitions are code, applied into a registry; a model reads a feature service."""

import tempfile

from feast import (
    Entity,
    FeatureService,
    FeatureStore,
    FeatureView,
    Field,
    FileSource,
    RepoConfig,
    ValueType,
)
from feast.types import Float64, Int64

folder = tempfile.mkdtemp()
plane = Entity(name="plane", join_keys=["plane"], value_type=ValueType.STRING, owner="fleet team")
source = FileSource(path=f"{folder}/delays.parquet", timestamp_field="event_timestamp")
fields = [Field(name="mean_delay", dtype=Float64), Field(name="n_flights", dtype=Int64)]
delays = FeatureView(name="delays", entities=[plane], schema=fields, source=source)
late = FeatureService(name="late_v1", features=[delays[["mean_delay"]]], tags={"model": "late"})
files = {"registry": f"{folder}/r.db", "online_store": {"path": f"{folder}/online.db"}}
store = FeatureStore(config=RepoConfig(project="demo", provider="local", **files))
store.apply([plane, delays, late])  # the same as: feast apply
service = store.get_feature_service("late_v1")  # lineage: which model reads which features
read = [field.name for view in service.feature_view_projections for field in view.features]
print(service.tags["model"], "reads", read)  # late reads ['mean_delay']
