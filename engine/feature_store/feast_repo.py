"""A small real Feast repository in a folder of the workspace: ``feature_store.yaml``, registry,
offline and online store.

Real: Feast 0.67 itself, its local provider, its ``file`` (Dask) or ``duckdb`` (Ibis) offline store
over Parquet files and its SQLite online store; the ``feast`` command works in the folder as well. A
folder belongs to one visitor (``workspace.session``) or to one run (``workspace.scratch``), so that
two people never write one registry. Feast takes four seconds to import: it is imported only inside
functions.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from engine import workspace

if TYPE_CHECKING:
    import pandas as pd
    from feast import Entity, FeatureStore, FeatureView

Store = Literal["duckdb", "file"]
STORES: tuple[Store, ...] = get_args(Store)
# nanoseconds, pandas' default, break `materialize` of the duckdb store
TIMESTAMP = pa.timestamp("us", tz="UTC")
EVENT, CREATED = "event_timestamp", "created"
LOCK = threading.RLock()  # Ibis keeps one DuckDB connection a process: Feast's calls take turns

YAML = """project: {project}
provider: local
registry: registry.db
offline_store:
  type: {offline}
online_store:
  type: sqlite
  path: online.db
entity_key_serialization_version: 3
"""


def plain_types(table: pa.Table) -> pa.Table:
    """Return ``table`` with every timestamp as ``timestamp[us, tz=UTC]`` (without a zone: taken for
    UTC) and plain text.
    """
    for number, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(
                number, field.name, table.column(number).cast(TIMESTAMP, safe=False)
            )
        elif pa.types.is_large_string(field.type):
            table = table.set_column(number, field.name, table.column(number).cast(pa.string()))
    return table


def write(table: pa.Table, path: Path) -> Path:
    """Write a feature table as the Parquet that both offline stores and ``materialize`` take, and
    return ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(plain_types(table), path)
    return path


def open_repo(
    folder: Path,
    offline: Store = "duckdb",
    project: str = "playground",
    online: Mapping[str, Any] | None = None,
) -> FeatureStore:
    """Return the Feast repository in ``folder``, made when missing, with the offline store asked
    for; ``online`` are settings of another online store than SQLite, which no file gets.
    """
    from feast import FeatureStore, RepoConfig

    folder.mkdir(parents=True, exist_ok=True)
    if online is not None:
        config = RepoConfig(
            project=project,
            provider="local",
            registry=str(folder / "registry.db"),
            offline_store={"type": offline},
            online_store=dict(online),
            entity_key_serialization_version=3,
        )
        config.repo_path = folder
        return FeatureStore(config=config)
    (folder / "feature_store.yaml").write_text(
        YAML.format(project=project, offline=offline), encoding="utf-8"
    )
    return FeatureStore(repo_path=str(folder))


def entity(key: str, **more: Any) -> Entity:
    """Return the entity whose join key is the text column ``key``; ``more`` goes to Feast's
    ``Entity``.
    """
    from feast import Entity, ValueType

    return Entity(name=key, join_keys=[key], value_type=ValueType.STRING, **more)


def view(
    name: str,
    path: Path,
    *,
    entities: Sequence[Entity],
    features: Mapping[str, str],
    ttl: timedelta,
    created: str | None = CREATED,
    **more: Any,
) -> FeatureView:
    """Return a feature view over a Parquet file.

    Parameters
    ----------
    name, path
        Of the view, and its file. The path must be absolute: the duckdb store does not look into
        the repository's folder.
    entities, features
        Its entities, and name -> Feast type (``"Float64"``, ``"Int64"``, ``"String"``) of each
        feature.
    ttl
        How old a value may be at the label's moment; zero: as old as it likes.
    created
        Column that says when a row arrived, ``None`` without one.
    more
        Goes to Feast's ``FeatureView``: ``online``, ``tags``, ``owner``, ``description``.
    """
    from feast import FeatureView, Field, FileSource, types

    source = FileSource(
        name=f"{name}_source",
        path=str(path.resolve()),
        timestamp_field=EVENT,
        created_timestamp_column=created or "",
    )
    schema = [
        Field(name=feature, dtype=getattr(types, type_)) for feature, type_ in features.items()
    ]
    return FeatureView(
        name=name, entities=list(entities), ttl=ttl, schema=schema, source=source, **more
    )


def historical(
    store: FeatureStore,
    labels: pd.DataFrame,
    features: Sequence[str],
    *,
    filter_by_created: bool = False,
) -> pd.DataFrame:
    """Return what ``get_historical_features`` answers for the entity rows ``labels``; ``features``
    are ``view:feature``.
    """
    with LOCK:
        job = store.get_historical_features(
            entity_df=labels.copy(),
            features=list(features),
            filter_by_created_timestamp=filter_by_created,
        )
        return job.to_df()


@lru_cache(maxsize=len(STORES))
def warm(offline: Store) -> None:
    """Ask the store once about one row: its first answer in a process loads code, for seconds, and
    no timed one should pay.
    """
    folder = workspace.scratch("warm")
    try:
        table = pa.table(
            {
                "key": ["a"],
                EVENT: pa.array([0], TIMESTAMP),
                CREATED: pa.array([0], TIMESTAMP),
                "value": [1.0],
            }
        )
        path, key = write(table, folder / "warm.parquet"), entity("key")
        store = open_repo(folder, offline)
        store.apply(
            [
                key,
                view("warm", path, entities=[key], features={"value": "Float64"}, ttl=timedelta(0)),
            ]
        )
        historical(store, table.select(["key", EVENT]).to_pandas(), ["warm:value"])
    finally:
        workspace.remove(folder)
