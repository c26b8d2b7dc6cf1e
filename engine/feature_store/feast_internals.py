"""Whatever the lab needs of Feast beyond its documented API, each name here and nowhere else.

Feast 0.67 offers no public way to decode a row of an online store, to read a whole source, to ask
for the status of a served value or for lineage. What is used instead may move with any minor
version: ``requirements.in`` caps Feast, ``tests/engine/feature_store/test_feast_internals.py``
fails for each name that moves. ``definitions.py`` and the scripts show Feast as its users write it
and import what they need themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from feast import FeatureService, FeatureStore, FeatureView

STATUSES = ("INVALID", "PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE")  # by number
DUMMY_ENTITY, DUMMY_KEY = "__dummy", "__dummy_id"  # of views without an entity
LOG_TIMESTAMP, LOG_DATE, LOG_REQUEST = "__log_timestamp", "__log_date", "__request_id"
KEY_VERSION = 3  # of the entity keys' serialization, as feature_store.yaml has it
LONG_AGO, FAR_AHEAD = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def push_mode(offline_too: bool) -> Any:
    """Return where pushed rows go: to the online store, or to the offline store too."""
    from feast.data_source import PushMode

    return PushMode.ONLINE_AND_OFFLINE if offline_too else PushMode.ONLINE


def decode_key(stored: bytes) -> dict[str, Any]:
    """Return join key -> value of an entity key of the online store."""
    from feast.infra.key_encoding_utils import deserialize_entity_key
    from feast.type_map import feast_value_type_to_python_type

    key = deserialize_entity_key(stored, entity_key_serialization_version=KEY_VERSION)
    values = map(feast_value_type_to_python_type, key.entity_values)
    return dict(zip(key.join_keys, values, strict=True))


def decode_value(stored: bytes) -> Any:
    """Return a value of the online store as Python has it, ``None`` for a null."""
    from feast.protos.feast.types.Value_pb2 import Value
    from feast.type_map import feast_value_type_to_python_type

    message = Value()
    message.ParseFromString(stored)
    return feast_value_type_to_python_type(message)


def online_table(project: str, view: str) -> str:
    """Return the name of a view's table in a SQLite online store."""
    return f"{project}_{view}"


def redis_field(view: str, feature: str) -> bytes:
    """Return the field of a feature in the hash of its key in a Redis online store."""
    from feast.infra.online_stores.helpers import _mmh3

    found: bytes = _mmh3(f"{view}:{feature}")
    return found


def redis_settings(connection_string: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return host and port, and the options, as Feast reads them from a connection string."""
    from feast.infra.online_stores.redis import RedisOnlineStore

    places, options = RedisOnlineStore._parse_connection_string(connection_string)
    return places[0], options


def close_online_store(store: FeatureStore) -> None:
    """Close the connection that a store holds to Redis or PostgreSQL: an open one keeps locks."""
    provider: Any = store.provider
    for name in ("_client", "_conn"):
        held = getattr(provider.online_store, name, None)
        if held is not None:
            held.close()


def statuses_of(answer: Any, feature: str) -> list[str]:
    """Return the status of each value of a feature in an answer of ``get_online_features``."""
    place = list(answer.proto.metadata.feature_names.val).index(feature)
    return [STATUSES[number] for number in answer.proto.results[place].statuses]


def read_source(store: FeatureStore, view: FeatureView, keys: list[str], feature: str) -> pa.Table:
    """Return all rows of a view's source as the offline store has them: keys, feature, times, under
    the names that the view gives them.
    """
    source: Any = view.batch_source
    provider: Any = store.provider
    mapped = dict(source.field_mapping or {})
    stored = {new: old for old, new in mapped.items()}
    created = source.created_timestamp_column
    # a range casts the times, which fails for nanoseconds in duckdb and drops rows before 1970
    own_files = store.config.offline_store.type in ("duckdb", "file", "dask")
    begin, end = (None, None) if own_files else (LONG_AGO, FAR_AHEAD)
    table: pa.Table = provider.offline_store.pull_all_from_table_or_query(
        config=store.config,
        data_source=source,
        join_key_columns=[stored.get(key, key) for key in keys],
        feature_name_columns=[stored.get(feature, feature)],
        timestamp_field=stored.get(source.timestamp_field, source.timestamp_field),
        created_timestamp_column=stored.get(created, created) or None,
        start_date=begin,
        end_date=end,
    ).to_arrow()
    return table.rename_columns([mapped.get(name, name) for name in table.column_names])


def ask_view(store: FeatureStore, view: FeatureView, labels: Any, feature: str) -> Any:
    """Return what ``get_historical_features`` answers for one feature of a view; of a projection
    (another name, join keys mapped) as well, which a reference by name cannot ask for.
    """
    projection: Any = view.projection  # its methods have no types
    name = projection.name_to_use()
    if not (projection.join_key_map or projection.name_alias):
        return store.get_historical_features(labels, [f"{name}:{feature}"]).to_df()
    provider: Any = store.provider
    job = provider.get_historical_features(
        store.config, [view], [f"{name}:{feature}"], labels, store.registry, store.project, False
    )
    return job.to_df()


def projected_views(store: FeatureStore) -> dict[str, FeatureView]:
    """Return name -> view of the projections in feature services that rename a view or its join
    keys.
    """
    views = {view.name: view for view in store.list_feature_views()}
    found: dict[str, FeatureView] = {}
    for service in store.list_feature_services():
        projections: list[Any] = service.feature_view_projections
        for projection in projections:
            renamed = projection.join_key_map or projection.name_alias
            if renamed and projection.name in views:
                name = f"{service.name}: {projection.name_to_use()}"
                found[name] = views[projection.name].with_projection(projection)
    return found


def direct_lineage(store: FeatureStore) -> list[Any]:
    """Return Feast's own relations between the objects of a registry: ``source`` and ``target``."""
    from feast.lineage import RegistryLineageGenerator

    direct, _ = RegistryLineageGenerator().generate_lineage(store.registry.proto())
    return list(direct)


def log_schema(store: FeatureStore, service: FeatureService) -> pa.Schema:
    """Return the columns of a feature service's log."""
    from feast.feature_logging import FeatureServiceLoggingSource

    return FeatureServiceLoggingSource(service, store.project).get_schema(store.registry)


def is_definition(value: Any) -> bool:
    """Return whether a value is something that ``feast apply`` registers."""
    from feast import Entity, FeatureService
    from feast.base_feature_view import BaseFeatureView
    from feast.data_source import DataSource

    return isinstance(value, Entity | FeatureService | BaseFeatureView | DataSource)
