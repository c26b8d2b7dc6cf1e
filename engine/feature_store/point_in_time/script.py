"""Ask Feast for the features of some flights, and print what it answered."""

import json
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64

from engine.feature_store.point_in_time import PointInTimeParams, rows_of

PARAMS = PointInTimeParams()
SETTINGS = f"""
project: script
provider: local
registry: registry.db
offline_store: {{type: {PARAMS.store}}}
online_store: {{type: sqlite, path: online.db}}
entity_key_serialization_version: 3
"""
labels, features = rows_of(PARAMS)
key, feature = PARAMS.key, PARAMS.feature
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "features.parquet"
    pq.write_table(features, path)  # timestamps as timestamp[us, tz=UTC]
    (Path(folder) / "feature_store.yaml").write_text(SETTINGS)
    store = FeatureStore(repo_path=folder)
    entity = Entity(name=key, join_keys=[key], value_type=ValueType.STRING)
    source = FileSource(
        path=str(path), timestamp_field="event_timestamp", created_timestamp_column="created"
    )
    view = FeatureView(
        name="viewed",
        entities=[entity],
        ttl=PARAMS.time_to_live,
        schema=[Field(name=feature, dtype=Float64)],
        source=source,
    )
    store.apply([entity, view])
    answer = store.get_historical_features(
        entity_df=labels.select([key, "event_timestamp"]).to_pandas(),
        features=[f"viewed:{feature}"],
        filter_by_created_timestamp=PARAMS.filter_by_created,
    ).to_df()
values = answer[feature].dropna()
numbers = {"n_labels": labels.num_rows, "n_returned": len(answer), "n_with_value": len(values)}
if PARAMS.store == "duckdb":  # the file store may return any of the rows that tie in event time
    numbers["value_sum"] = round(float(values.sum()), 6)
print(json.dumps(numbers))
