"""Register the definitions, change a view, and read it as before and pinned."""

import contextlib
import io
import json
import tempfile
from pathlib import Path

from feast.lineage import RegistryLineageGenerator

from engine.feature_store import feast_repo, lab_repo, registry
from engine.feature_store.registry import CONSUMER, FEATURES, VIEW, RegistryParams

PARAMS = RegistryParams()
weather, planes, _ = registry.tables()
plane, quiet = planes["tailnum"][0].as_py(), io.StringIO()
with (
    tempfile.TemporaryDirectory() as name,
    contextlib.redirect_stdout(quiet),
    contextlib.redirect_stderr(quiet),
):
    folder = lab_repo.write(Path(name), weather, planes)
    store = lab_repo.applied(folder)  # the same as: feast apply
    store.materialize(registry.SINCE, registry.UNTIL, ["weather", VIEW])
    services = store.list_feature_services()
    models = {service.tags["model"] for service in services}
    entities = [entity for entity in store.list_entities() if entity.name != "__dummy"]
    n_objects = len(store.list_data_sources()) + len(entities) + len(store.list_feature_views())
    n_objects += len(store.list_on_demand_feature_views()) + len(services) + len(models)
    direct, _ = RegistryLineageGenerator().generate_lineage(store.registry.proto())
    edges = {
        (edge.source.type.value, edge.source.name, edge.target.name)
        for edge in direct
        if edge.source.type.value != "feature" and edge.source.name != "__dummy"
    }
    before = registry.read(store, store.get_feature_service(CONSUMER), plane)
    changed = registry.changed_table(PARAMS.change)
    feast_repo.write(changed, folder / "data" / "planes_changed.parquet")
    store.apply([registry.changed(store, PARAMS.change, folder)])
    store.materialize(registry.SINCE, registry.UNTIL, [VIEW])
    after = registry.read(store, store.get_feature_service(CONSUMER), plane)
    pinned = registry.read(store, [f"{VIEW}@v0:{feature}" for feature in FEATURES], plane)
    versions = store.list_feature_view_versions(VIEW)
numbers = {
    "n_objects": n_objects,
    "n_edges": len(edges) + len(services),
    "n_versions": len(versions),
    "consumer": registry.outcome(before, after),
    "consumer_pinned": registry.outcome(before, pinned),
}
print(json.dumps(numbers))
