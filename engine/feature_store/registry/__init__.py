"""Registry: the lab's own repository as Feast registers it, and a change of a view as
its consumers meet it.

Real: the definitions are applied to a Feast registry, materialized and read; the change is applied
to the same registry, and the consumer's feature service and pinned references are read again,
online and offline. Versions are Feast's own (0.67, ``enable_online_feature_view_versioning``): it
counts from v0. One run has a folder of its own, which goes when it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from engine import workspace
from engine.feature_store import feast_repo, lab_repo, raw_values, serving, snapshot
from engine.feature_store.model_inputs import WINDOW
from engine.feature_store.registry.result import (
    CONSUMER,
    FEATURES,
    VIEW,
    Answer,
    Change,
    RegistryParams,
    RegistryResult,
    expected,
    outcome,
)
from engine.jobs import Progress, Steps, run_to_end

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

__all__ = [
    "CONSUMER",
    "FEATURES",
    "VIEW",
    "RegistryParams",
    "RegistryResult",
    "changed",
    "default_job",
    "expected",
    "outcome",
    "read",
    "run",
    "steps",
    "tables",
]
N_PLANES = 20
SINCE, UNTIL = datetime(2013, 6, 1, tzinfo=UTC), datetime(2013, 7, 8, tzinfo=UTC)
ASKED_AFTER = timedelta(hours=6)  # after UNTIL: when the consumer asks, serving and training alike
OTHER_WINDOW = 20
ASKED = {  # feature service -> what its model asks by
    "board_inputs": ("origin",),
    "delay_inputs": ("origin", "tailnum", "scheduled_at", "distance"),
    "turnaround_inputs": ("tailnum",),
}


@lru_cache(maxsize=1)
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return weather and planes of June and July, and the planes with another window: OTHER_WINDOW
    landings, not five.
    """
    weather, planes = raw_values.weather_feed(), raw_values.plane_feed()
    since, until = SINCE.timestamp(), UNTIL.timestamp()
    hours = np.flatnonzero((weather.second >= since) & (weather.second <= until))
    inside = (planes.second >= since) & (planes.second <= until)
    busiest = np.argsort(
        -np.bincount(planes.key[inside], minlength=len(planes.names)), kind="stable"
    )[:N_PLANES]
    mine = np.flatnonzero(inside & np.isin(planes.key, busiest))
    last = raw_values.mean_delay(1)
    five, other = (
        planes.table(
            "tailnum", {"mean_delay": raw_values.mean_delay(window), "last_delay": last}, mine
        )
        for window in (WINDOW, OTHER_WINDOW)
    )
    return weather.table("origin", weather.columns, hours), five, other


def changed(store: FeatureStore, change: Change, folder: Path) -> FeatureView:
    """Return the registered view of planes with a change, as its team would write it; ``folder`` is
    the repository's.
    """
    from feast import FeatureView, Field, FileSource
    from feast.types import Float64

    view: Any = store.get_feature_view(VIEW)
    fields, source, ttl = list(view.features), view.batch_source, view.ttl
    if change == "add a feature":
        fields.append(Field(name="created_hour", dtype=Float64))
    elif change == "drop a feature":
        fields = [field for field in fields if field.name != "last_delay"]
    elif change == "rename a feature":
        fields = [
            Field(name="mean_delay_minutes", dtype=Float64) if f.name == "mean_delay" else f
            for f in fields
        ]
    elif change == "a TTL of one hour":
        ttl = timedelta(hours=1)
    if change != "a TTL of one hour":
        path = folder / lab_repo.DATA / "planes_changed.parquet"
        source = FileSource(
            name=source.name,
            path=str(path),
            timestamp_field=feast_repo.EVENT,
            created_timestamp_column=feast_repo.CREATED,
        )
    return FeatureView(
        name=view.name,
        entities=[store.get_entity("plane")],
        ttl=ttl,
        schema=fields,
        source=source,
        description=view.description,
        tags=view.tags,
        owner=view.owner,
    )


def changed_table(change: Change) -> pa.Table:
    """Return the source of the changed view."""
    _, five, other = tables()
    if change == "another window, same names":
        return other
    if change == "rename a feature":
        return five.rename_columns(
            ["mean_delay_minutes" if name == "mean_delay" else name for name in five.column_names]
        )
    hour = pa.array(
        (five[feast_repo.CREATED].cast(pa.int64()).to_numpy() // 3_600_000_000 % 24).astype(float)
    )
    return five.append_column("created_hour", hour)


def read_models(store: FeatureStore, plane: str) -> dict[str, dict[str, Answer]]:
    """Return what each model gets by its feature service, for a flight of a plane from JFK."""
    seconds = int((UNTIL + ASKED_AFTER).timestamp())
    row = {"origin": "JFK", "tailnum": plane, "scheduled_at": seconds, "distance": 1000.0}
    return {
        str((service.tags or {})[snapshot.MODEL_TAG]): _answers(
            store, service, {name: row[name] for name in ASKED[service.name]}
        )
        for service in sorted(store.list_feature_services(), key=lambda service: service.name)
    }


def read(store: FeatureStore, features: Any, plane: str) -> dict[str, Answer]:
    """Return what a consumer gets for a plane, online and offline; a refusal in Feast's words."""
    return _answers(store, features, {"tailnum": plane})


def _answers(store: FeatureStore, features: Any, row: dict[str, Any]) -> dict[str, Answer]:
    moment = pd.Series([UNTIL + ASKED_AFTER]).dt.as_unit("us")
    labels = pd.DataFrame({name: [value] for name, value in row.items()})
    labels[feast_repo.EVENT] = moment
    calls: dict[str, Callable[[], Any]] = {
        "online": lambda: store.get_online_features(features, [row]).to_dict(),
        "offline": lambda: store.get_historical_features(labels, features).to_df().to_dict("list"),
    }
    answers: dict[str, Answer] = {}
    for where, call in calls.items():
        try:
            with serving.feast_alone():
                answer = call()
        except (ValueError, LookupError) as error:  # Feast's own of a broken reference
            answers[where] = " ".join(str(error).split())
            continue
        except Exception as error:  # its readers fail in their libraries' ways: shown with the kind
            answers[where] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            continue
        answers[where] = {
            name: None if pd.isna(values[0]) else float(values[0])
            for name, values in sorted(answer.items())
            if name not in row and name != feast_repo.EVENT
        }
    return answers


def steps(params: RegistryParams) -> Steps:
    """Register, materialize, read; change, materialize, read again.

    Returns
    -------
    RegistryResult
    """
    folder = workspace.scratch("feast-registry")
    try:
        yield Progress(0.0, "feast apply")
        weather, planes, _ = tables()
        store = lab_repo.applied(lab_repo.write(folder, weather, planes))
        plane = str(planes["tailnum"][0].as_py())
        yield Progress(0.3, "feast materialize")
        serving.materialize(store, SINCE, UNTIL, ["weather", VIEW])
        taken = snapshot.take(store)
        before = read(store, store.get_feature_service(CONSUMER), plane)
        models = read_models(store, plane)
        yield Progress(0.5, f"change: {params.change}")
        feast_repo.write(
            changed_table(params.change), folder / lab_repo.DATA / "planes_changed.parquet"
        )
        with serving.feast_alone():
            store.apply([changed(store, params.change, folder)])
        serving.materialize(store, SINCE, UNTIL, [VIEW])
        yield Progress(0.8, "reading as service, pinned to v0, and the changed view")
        service = store.get_feature_service(CONSUMER)
        now = [f"{VIEW}:{field.name}" for field in store.get_feature_view(VIEW).features]
        return RegistryResult(
            params,
            taken,
            tuple(str(record["version"]) for record in store.list_feature_view_versions(VIEW)),
            plane,
            before,
            read(store, service, plane),
            read(store, [f"{VIEW}@v0:{name}" for name in FEATURES], plane),
            read(store, now, plane),
            models={
                model: (models[model], after) for model, after in read_models(store, plane).items()
            },
        )
    finally:
        workspace.remove(folder)


@lru_cache(maxsize=8)
def _registered(job: RegistryParams) -> RegistryResult:
    result: RegistryResult = run_to_end(steps(job))
    return result


def run(params: RegistryParams) -> RegistryResult:
    """Register, change and read here and now; Feast is asked once for each change."""
    return replace(_registered(params.job), params=params)


TYPICAL_SECONDS = 0.6  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return the steps and Params that the server computes before the first visit."""
    return steps, RegistryParams().job
