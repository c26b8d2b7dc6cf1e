"""Feast: definitions are code, applied into a registry; a model reads a feature service."""

import tempfile

from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Float64, Int64

folder = tempfile.mkdtemp()
plane = Entity(name="plane", join_keys=["plane"], owner="fleet team")
source = FileSource(path=f"{folder}/delays.parquet", timestamp_field="event_timestamp")
fields = [Field(name="mean_delay", dtype=Float64), Field(name="n_flights", dtype=Int64)]
delays = FeatureView(name="delays", entities=[plane], schema=fields, source=source)
late = FeatureService(name="late_v1", features=[delays[["mean_delay"]]], tags={"model": "late"})
store = FeatureStore(config=RepoConfig(project="demo", provider="local", registry=f"{folder}/r.db"))
store.apply([plane, delays, late])  # the same as: feast apply
for service in store.list_feature_services():  # lineage: which model reads which features
    print(
        service.tags["model"],
        [f.name for view in service.feature_view_projections for f in view.features],
    )
