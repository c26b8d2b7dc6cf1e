"""Registry and lineage: the lab's own repository as Feast registers it, and a change of a view as
its consumers meet it.

Real: the definitions are applied to a Feast registry, materialised and read; the change is applied
to the same registry, and the consumer's feature service and pinned references are read again,
online and offline. Versions are Feast's own (0.67, ``enable_online_feature_view_versioning``): it
counts from v0. One run has a folder of its own, which goes when it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from engine import workspace
from engine.errors import require_choice
from engine.feature_store import feast_repo, lab_repo, raw_values, serving, snapshot
from engine.feature_store.model_inputs import WINDOW
from engine.feature_store.snapshot import Snapshot
from engine.jobs import Progress, Steps, run_to_end

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

__all__ = [
    "CHANGES",
    "FOCUS",
    "RegistryParams",
    "RegistryResult",
    "changed",
    "outcome",
    "read",
    "run",
    "tables",
]

Change = Literal[
    "add a feature",
    "drop a feature",
    "rename a feature",
    "another window, same names",
    "a TTL of one hour",
]
CHANGES: tuple[Change, ...] = get_args(Change)
FOCUS = (
    "source · flight_request",
    "source · plane_landings",
    "source · weather_hourly",
    "entity · origin",
    "entity · plane",
    "feature view · plane_history",
    "feature view · weather",
    "on-demand view · model_inputs",
    "feature service · board_inputs",
    "feature service · delay_inputs",
    "feature service · turnaround_inputs",
    "model · departure delay",
    "model · departures board",
    "model · turnaround planner",
)
Outcome = Literal["works", "another number", "null", "fails"]
VIEW, CONSUMER = "plane_history", "turnaround_inputs"
FEATURES = ("mean_delay", "last_delay")
N_PLANES = 20
SINCE, UNTIL = datetime(2013, 6, 1, tzinfo=UTC), datetime(2013, 7, 8, tzinfo=UTC)
ASKED_AFTER = timedelta(hours=6)  # after UNTIL: when the consumer asks, serving and training alike
OTHER_WINDOW = 20
Answer = Mapping[str, float | None] | str  # values by feature, or what Feast says instead


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryParams:
    """What is looked at, and what is changed in the view of planes."""

    focus: str = "on-demand view · model_inputs"
    change: Change = "drop a feature"

    def __post_init__(self) -> None:
        require_choice("focus", self.focus, FOCUS)
        require_choice("change", self.change, CHANGES)

    @property
    def job(self) -> RegistryParams:
        """What Feast is asked for: looking elsewhere never asks again."""
        return replace(self, focus=RegistryParams().focus)


@dataclass(frozen=True, slots=True, eq=False)
class RegistryResult:
    """A registry before a change, and what the consumer of ``turnaround_inputs`` gets before and
    after, online and offline.
    """

    params: RegistryParams
    snapshot: Snapshot
    versions: tuple[str, ...]  # of the view, after the change
    plane: str
    before: dict[str, Answer]  # "online" and "offline"
    after: dict[str, Answer]  # the same service, after the change
    pinned: dict[str, Answer]  # plane_history@v0
    newest: dict[str, Answer]  # the changed view, by the features that it has now
    complete: bool = True

    @property
    def downstream(self) -> frozenset[str]:
        """Ids of what is made from the focus, directly or not."""
        return self.snapshot.reached(self.params.focus, forward=True)

    @property
    def upstream(self) -> frozenset[str]:
        """Ids of what the focus is made from, directly or not."""
        return self.snapshot.reached(self.params.focus, forward=False)

    @property
    def n_models_hit(self) -> int:
        """Models that are made from the focus."""
        return sum(name.startswith("model · ") for name in self.downstream)

    @property
    def n_versions(self) -> int:
        """Versions of the view that the registry keeps."""
        return len(self.versions)

    @property
    def consumer(self) -> Outcome:
        """What happens to a consumer that pins nothing, the worse of online and offline."""
        return outcome(self.before, self.after)

    @property
    def consumer_pinned(self) -> Outcome:
        """What happens to a consumer that pins v0, the worse of online and offline."""
        return outcome(self.before, self.pinned)

    @property
    def silent(self) -> bool:
        """Whether the consumer gets something else although the registry counts no new version."""
        return self.n_versions == 1 and self.consumer != "works"

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        kept = " and ".join(self.versions)
        return (
            f"**{self.params.focus}** reaches **{self.n_models_hit}** of"
            f" {len(self.snapshot.of_kind('model'))} models. After the change"
            f" “{self.params.change}” of {VIEW} the registry keeps {kept}; who reads {CONSUMER} as"
            f" before: **{self.consumer}**; who pins v0: **{self.consumer_pinned}**."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        focus = self.params.focus
        reasons = [
            (
                f"{focus} is made from {_listed(self.upstream)} and goes into"
                f" {_listed(self.downstream)}."
            ),
            (
                "Feast counts a version when names, types or the function of a view change: it"
                f" keeps {', '.join(self.versions)}. Source, TTL, tags and owner are updated in"
                " place, whatever the values then mean."
            ),
        ]
        for where, answer in self.after.items():
            if isinstance(answer, str):
                reasons.append(f"Read {where}, Feast refuses the service: “{answer}”")
        if self.pinned["online"] != self.pinned["offline"] and self.n_versions == 1:
            reasons.append(
                "Pinned to v0, training still reads the source of then and serving the table of"
                f" now: {_answer_text(self.pinned['offline'])} against"
                f" {_answer_text(self.pinned['online'])}."
            )
        if self.silent:
            reasons.append(
                f"No new version, no error, and the answer is “{self.consumer}”: give another"
                " meaning another name."
            )
        elif self.n_versions > 1:
            reasons.append(
                "Each version has an online table of its own: v0 keeps its last values for those"
                " who pin it, and is fresh only as long as somebody materialises it."
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_objects": len(self.snapshot.things),
            "n_edges": len(self.snapshot.edges),
            "n_versions": self.n_versions,
            "consumer": self.consumer,
            "consumer_pinned": self.consumer_pinned,
        }

    def table(self) -> pa.Table:
        """Return one row for each object."""
        return pa.Table.from_pylist(
            [
                {
                    "kind": thing.kind,
                    "name": thing.name,
                    "owner": thing.owner,
                    "tags": ", ".join(f"{tag}={value}" for tag, value in thing.tags),
                    "features": ", ".join(name for name, _, _ in thing.features),
                    "description": thing.description,
                }
                for thing in self.snapshot.things
            ]
        )

    def versions_side_by_side(self) -> list[dict[str, str]]:
        """Return what each reader gets for one plane, as texts."""
        readers = {
            "before the change": self.before,
            f"{CONSUMER}, as before": self.after,
            f"{VIEW}@v0, pinned": self.pinned,
            "the changed view": self.newest,
        }
        return [
            {"who reads": who} | {where: _answer_text(answer) for where, answer in answers.items()}
            for who, answers in readers.items()
        ]


def _listed(ids: frozenset[str]) -> str:
    return ", ".join(sorted(ids)) or "nothing"


def _answer_text(answer: Answer) -> str:
    if isinstance(answer, str):
        return answer
    return ", ".join(
        f"{name} {'null' if value is None else f'{value:.1f}'}" for name, value in answer.items()
    )


def outcome(before: Mapping[str, Answer], after: Mapping[str, Answer]) -> Outcome:
    """Return the worst that happened to an answer, online or offline."""
    found: Outcome = "works"
    for where, old in before.items():
        new = after[where]
        if isinstance(new, str) or isinstance(old, str):
            return "fails"
        for name, value in old.items():
            if new.get(name) is None and value is not None:
                found = "null"
            elif (
                value is not None
                and found == "works"
                and abs(float(new[name] or 0.0) - value) > 1e-9
            ):
                found = "another number"
    return found


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


def read(store: FeatureStore, features: Any, plane: str) -> dict[str, Answer]:
    """Return what a consumer gets for a plane now, online and offline; a refusal in Feast's words."""
    moment = pd.Series([UNTIL + ASKED_AFTER]).dt.as_unit("us")
    labels = pd.DataFrame({"tailnum": [plane], feast_repo.EVENT: moment})
    calls: dict[str, Callable[[], Any]] = {
        "online": lambda: store.get_online_features(features, [{"tailnum": plane}]).to_dict(),
        "offline": lambda: store.get_historical_features(labels, features).to_df().to_dict("list"),
    }
    answers: dict[str, Answer] = {}
    for where, call in calls.items():
        try:
            with serving.feast_alone():
                answer = call()
        except (
            ValueError,
            KeyError,
            LookupError,
        ) as error:  # Feast's own errors of a broken reference
            answers[where] = " ".join(str(error).split())
            continue
        except Exception as error:  # its readers fail in their libraries' ways: shown with the kind
            answers[where] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            continue
        answers[where] = {
            name: None if pd.isna(values[0]) else float(values[0])
            for name, values in sorted(answer.items())
            if name not in ("tailnum", feast_repo.EVENT)
        }
    return answers


def steps(params: RegistryParams) -> Steps:
    """Register, materialise, read; change, materialise, read again.

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
        yield Progress(0.5, f"the change: {params.change}")
        feast_repo.write(
            changed_table(params.change), folder / lab_repo.DATA / "planes_changed.parquet"
        )
        with serving.feast_alone():
            store.apply([changed(store, params.change, folder)])
        serving.materialize(store, SINCE, UNTIL, [VIEW])
        yield Progress(0.8, "reading as before, pinned, and the new view")
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
        )
    finally:
        workspace.remove(folder)


@lru_cache(maxsize=len(CHANGES))
def _registered(job: RegistryParams) -> RegistryResult:
    result: RegistryResult = run_to_end(steps(job))
    return result


def run(params: RegistryParams) -> RegistryResult:
    """Register, change and read here and now; Feast is asked once for each change."""
    return replace(_registered(params.job), params=params)
