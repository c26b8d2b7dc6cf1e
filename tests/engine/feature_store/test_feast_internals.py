"""What the lab uses of Feast beyond its documented API: each name is where the adapter expects it,
and nobody else uses it.
"""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from engine.feature_store import feast_internals, feast_repo, lab_repo, registry

LAB = Path(feast_internals.__file__).parent
SHOWN_TO_PEOPLE = {"definitions.py", "script.py"}  # Feast as its users write it


def test_feast_is_the_version_that_the_adapter_was_written_for() -> None:
    """A new minor may move what is private: go through this file before the cap is raised."""
    assert version("feast").startswith("0.67.")


def test_names_and_numbers_are_feasts_own() -> None:
    from feast import feature_logging as log
    from feast import feature_view
    from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

    assert [FieldStatus.Value(name) for name in feast_internals.STATUSES] == list(range(5))
    assert len(FieldStatus.keys()) == len(feast_internals.STATUSES)
    assert feast_internals.DUMMY_ENTITY == feature_view.DUMMY_ENTITY_NAME
    assert feast_internals.DUMMY_KEY == feature_view.DUMMY_ENTITY_ID
    assert feast_internals.LOG_TIMESTAMP == log.LOG_TIMESTAMP_FIELD
    assert feast_internals.LOG_DATE == log.LOG_DATE_FIELD
    assert feast_internals.LOG_REQUEST == log.REQUEST_ID_FIELD


@pytest.mark.parametrize(
    ("module", "name", "parameters"),
    [
        (
            "feast.infra.key_encoding_utils",
            "deserialize_entity_key",
            {"entity_key_serialization_version"},
        ),
        ("feast.type_map", "feast_value_type_to_python_type", set()),
        ("feast.lineage", "RegistryLineageGenerator.generate_lineage", set()),
        ("feast.feature_logging", "FeatureServiceLoggingSource.get_schema", {"registry"}),
        ("feast.base_feature_view", "BaseFeatureView", set()),
        ("feast.data_source", "DataSource", set()),
        ("feast.infra.online_stores.helpers", "_mmh3", {"key"}),
        ("feast.infra.online_stores.redis", "RedisOnlineStore._parse_connection_string", set()),
        *(
            (
                f"feast.infra.offline_stores.{module}",
                f"{name}.pull_all_from_table_or_query",
                {
                    "config",
                    "data_source",
                    "join_key_columns",
                    "feature_name_columns",
                    "timestamp_field",
                    "created_timestamp_column",
                    "start_date",
                    "end_date",
                },
            )
            for module, name in (("dask", "DaskOfflineStore"), ("duckdb", "DuckDBOfflineStore"))
        ),
    ],
)
def test_what_is_called_is_there(module: str, name: str, parameters: set[str]) -> None:
    found = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert parameters <= set(inspect.signature(found).parameters)


def test_connections_are_where_they_are_closed() -> None:
    from feast.infra.online_stores.postgres_online_store.postgres import PostgreSQLOnlineStore
    from feast.infra.online_stores.redis import RedisOnlineStore

    assert RedisOnlineStore._client is None and PostgreSQLOnlineStore._conn is None


def test_keys_and_values_come_back_as_they_were_stored() -> None:
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    values = [Value(string_val="JFK"), Value(int64_val=7)]
    key = EntityKey(join_keys=["origin", "runway"], entity_values=values)
    stored = serialize_entity_key(key, entity_key_serialization_version=feast_internals.KEY_VERSION)
    assert feast_internals.decode_key(stored) == {"origin": "JFK", "runway": 7}
    for value, expected in ((Value(double_val=1.5), 1.5), (Value(string_val="a"), "a")):
        assert feast_internals.decode_value(value.SerializeToString()) == expected
    assert feast_internals.decode_value(Value().SerializeToString()) is None


def test_a_repository_answers_the_adapter(tmp_path: Path) -> None:
    """On a repository with the lab's own definitions: tables, sources, lineage and the log."""
    from feast.infra.online_stores.helpers import compute_table_id

    weather, planes, _ = registry.tables()
    store = lab_repo.applied(lab_repo.write(tmp_path, weather, planes))
    view = store.get_feature_view("weather")
    assert feast_internals.online_table(store.project, view.name) == compute_table_id(
        store.project, view
    )
    rows = feast_internals.read_source(store, view, ["origin"], "temp")
    assert rows.num_rows == weather.num_rows
    assert set(rows.column_names) == {"origin", "temp", feast_repo.EVENT, feast_repo.CREATED}
    relations = feast_internals.direct_lineage(store)
    assert ("weather_hourly", "weather") in {(r.source.name, r.target.name) for r in relations}
    schema = feast_internals.log_schema(store, store.get_feature_service("delay_inputs"))
    assert {feast_internals.LOG_REQUEST, "model_inputs__temp_c"} <= set(schema.names)


def reached_beyond_the_api(code: str) -> set[str]:
    """Modules inside Feast that the code imports, and its private attributes of a store."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("feast.")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("feast."):
            found.add(str(node.module))
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "store":
            found |= {node.attr} & {"provider", "registry"}
            found |= {node.attr} if node.attr.startswith("_") else set()
    return found


def test_nobody_else_reaches_into_feast() -> None:
    allowed = SHOWN_TO_PEOPLE | {Path(feast_internals.__file__).name}
    found = {
        path.relative_to(LAB).as_posix(): reached_beyond_the_api(path.read_text(encoding="utf-8"))
        for path in LAB.rglob("*.py")
        if path.name not in allowed
    }
    found = {name: what - {"feast.types"} for name, what in found.items()}
    assert {name: what for name, what in found.items() if what} == {}
    code = "from feast.lineage import x\nstore._get_provider()\nstore.registry.proto()"
    assert reached_beyond_the_api(code) == {"feast.lineage", "_get_provider", "registry"}
