"""What a Feast registry holds, as plain values: objects, what they are made from, versions. Reading
changes nothing.

Real: the objects come from Feast's own listing calls, the edges from its own lineage generator
(``feast.lineage``). Ours: a feature service leads to the model that its tag ``model`` names, for
Feast knows no models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from engine.feature_store.feast_internals import DUMMY_ENTITY, direct_lineage
from engine.feature_store.serving import feast_alone
from engine.units import format_time

if TYPE_CHECKING:
    from feast import FeatureStore

Kind = Literal["source", "entity", "feature view", "on-demand view", "feature service", "model"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MODEL_TAG = "model"


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a registry."""

    kind: Kind
    name: str
    description: str = ""
    owner: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    features: tuple[tuple[str, str, str], ...] = ()  # name, type, unit
    facts: tuple[tuple[str, str], ...] = ()  # join keys, TTL, path, version …

    @property
    def id(self) -> str:
        """Kind and name: a source and a view may share a name."""
        return f"{self.kind} · {self.name}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A registry: its things in order of kind and name, and edges (from, to) of their ids."""

    project: str
    things: tuple[Thing, ...]
    edges: tuple[tuple[str, str], ...]

    def reached(self, start: str, *, forward: bool) -> frozenset[str]:
        """Return the ids that ``start`` leads to (or comes from), itself left out."""
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            here = waiting.pop()
            nearby = {b if forward else a for a, b in self.edges if (a if forward else b) == here}
            waiting += nearby - seen
            seen |= nearby
        return frozenset(seen - {start})

    def of_kind(self, kind: Kind) -> list[Thing]:
        """Return the things of a kind, in order."""
        return [thing for thing in self.things if thing.kind == kind]

    @property
    def verdict(self) -> str:
        """The registry in one sentence."""
        counts = ", ".join(
            f"{len(self.of_kind(kind))} {kind}{'s' * (len(self.of_kind(kind)) != 1)}"
            for kind in KINDS
        )
        return f"Project **{self.project}**: {counts.replace('entitys', 'entities')}."


def _tags(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((value.tags or {}).items()))


def _features(fields: Iterable[Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (field.name, str(field.dtype), (field.tags or {}).get("unit", "")) for field in fields
    )


def _thing(kind: Kind, value: Any, features: Iterable[Any] = (), **facts: str) -> Thing:
    return Thing(
        kind,
        value.name,
        value.description or "",
        value.owner or "",
        _tags(value),
        _features(features),
        tuple((name.replace("_", " "), fact) for name, fact in facts.items() if fact),
    )


def _view(view: Any, store: FeatureStore) -> Thing:
    versions = [str(record["version"]) for record in store.list_feature_view_versions(view.name)]
    ttl = "never expires" if not view.ttl else str(view.ttl)
    intervals = view.materialization_intervals
    last = f"{format_time(intervals[-1][1])} UTC" if intervals else "never"
    entities = ", ".join(name for name in view.entities if name != DUMMY_ENTITY)
    return _thing(
        "feature view",
        view,
        view.features,
        entities=entities,
        TTL=ttl,
        materialized_until=last,
        versions=", ".join(versions),
    )


def _service(service: Any) -> Thing:
    takes = ", ".join(
        f"{projection.name_to_use()} ({', '.join(field.name for field in projection.features)})"
        for projection in service.feature_view_projections
    )
    logging = "yes" if service.logging_config is not None else "no"
    return _thing("feature service", service, takes=takes, logged=logging)


def take(store: FeatureStore) -> Snapshot:
    """Return what the registry of ``store`` holds."""
    with feast_alone():
        things = [_source(source) for source in store.list_data_sources()]
        for entity in store.list_entities():
            if entity.name != DUMMY_ENTITY:
                things.append(
                    _thing("entity", entity, join_key=entity.join_key, type=entity.value_type.name)
                )
        things += [
            _view(view, store)
            for view in [*store.list_feature_views(), *store.list_stream_feature_views()]
        ]
        for view in store.list_on_demand_feature_views():
            things.append(_thing("on-demand view", view, view.features, mode=str(view.mode)))
        services = store.list_feature_services()
        things += [_service(service) for service in services]
        edges = _edges(store, things)
    models = {
        name
        for service in services
        for tag, name in (service.tags or {}).items()
        if tag == MODEL_TAG
    }
    things += [Thing("model", name) for name in models]
    edges |= {
        (f"feature service · {service.name}", f"model · {(service.tags or {})[MODEL_TAG]}")
        for service in services
        if MODEL_TAG in (service.tags or {})
    }
    ordered = sorted(things, key=lambda thing: (KINDS.index(thing.kind), thing.name))
    return Snapshot(store.project, tuple(ordered), tuple(sorted(edges)))


def _source(source: Any) -> Thing:
    schema = getattr(source, "schema", None) or ()
    path = str(getattr(source, "path", "") or "").rsplit("/", 1)[-1]
    return _thing(
        "source",
        source,
        schema,
        type=type(source).__name__,
        file=path,
        event_time=source.timestamp_field or "",
    )


def _edges(store: FeatureStore, things: list[Thing]) -> set[tuple[str, str]]:
    """Return Feast's own direct lineage, features left out."""
    on_demand = {thing.name for thing in things if thing.kind == "on-demand view"}
    kinds = {
        "dataSource": "source",
        "entity": "entity",
        "featureService": "feature service",
        "labelView": "feature view",
    }
    known = {thing.id for thing in things}

    def named(reference: Any) -> str:
        kind = reference.type.value
        if kind == "featureView":
            return (
                f"{'on-demand view' if reference.name in on_demand else 'feature view'} ·"
                f" {reference.name}"
            )
        return f"{kinds.get(kind, kind)} · {reference.name}"

    pairs = {(named(relation.source), named(relation.target)) for relation in direct_lineage(store)}
    return {(a, b) for a, b in pairs if a in known and b in known}
