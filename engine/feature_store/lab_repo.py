"""The lab's own Feast repository, made whole in a folder: settings, definitions as one file, data;
`feast apply` runs in it.

The definitions file is ``definitions.py`` with ``model_inputs`` written out in it, so that it needs
nothing of this project.
"""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from engine.feature_store import feast_internals, feast_repo, serving
from engine.feature_store.model_inputs import model_inputs
from engine.workspace import REPOSITORY

if TYPE_CHECKING:
    from feast import FeatureStore

PROJECT = "flights"
IMPORT = "from engine.feature_store.model_inputs import model_inputs\n"
DEFINITIONS, DATA = "definitions.py", "data"
SETTINGS = """project: {project}
provider: local
registry:
  path: registry.db
  enable_online_feature_view_versioning: true
offline_store:
  type: duckdb
online_store:
  type: sqlite
  path: online.db
entity_key_serialization_version: 3
"""
COMMANDS = """feast apply                     # registers definitions.py, makes the tables of\
 the online store
feast entities list             # what is there; also: feature-views,\
 on-demand-feature-views, feature-services, data-sources
feast feature-views describe weather
feast materialize 2013-07-01T00:00:00 2013-07-08T00:00:00
feast materialize-incremental 2013-07-09T00:00:00
feast get-online-features --entities origin=JFK --features weather:temp
feast ui                        # browse the same registry in Feast's own page
feast teardown                  # removes the tables and the registry"""


def definitions_text() -> str:
    """Return the definitions as a file that stands on its own."""
    text = (REPOSITORY / "engine" / "feature_store" / DEFINITIONS).read_text(encoding="utf-8")
    return text.replace(IMPORT, "import pandas as pd\n").replace(
        "\nDATA =", f"\n\n{inspect.getsource(model_inputs)}\n\nDATA =", 1
    )


def write(folder: Path, weather: pa.Table, planes: pa.Table, project: str = PROJECT) -> Path:
    """Write settings, definitions and data of the repository into ``folder`` and return it; nothing
    is applied yet.
    """
    feast_repo.write(weather, folder / DATA / "weather.parquet")
    feast_repo.write(planes, folder / DATA / "planes.parquet")
    (folder / "feature_store.yaml").write_text(SETTINGS.format(project=project), encoding="utf-8")
    (folder / DEFINITIONS).write_text(definitions_text(), encoding="utf-8")
    return folder


def objects(folder: Path) -> dict[str, Any]:
    """Return what the definitions file in ``folder`` defines, by its variables' names."""
    with serving.feast_alone():
        names = runpy.run_path(str(folder / DEFINITIONS))
    return {name: value for name, value in names.items() if feast_internals.is_definition(value)}


def applied(folder: Path, definitions: Iterable[Any] | None = None) -> FeatureStore:
    """Apply the definitions (those of the folder's file by default) and return the store, as
    ``feast apply`` does.
    """
    from feast import FeatureStore

    defined = list(objects(folder).values() if definitions is None else definitions)
    with serving.feast_alone():
        store = FeatureStore(repo_path=str(folder))
        store.apply(defined)
    return store
