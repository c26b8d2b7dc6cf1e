"""What a change of the registry is asked for, and what came of it, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import pyarrow as pa

from engine.feature_store.snapshot import Snapshot
from engine.ranges import Choice, Params

Change = Literal[
    "add a feature",
    "drop a feature",
    "rename a feature",
    "another window, same names",
    "a TTL of one hour",
]
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
Answer = Mapping[str, float | None] | str  # values by feature, or what Feast says instead


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryParams(Params):
    """What is looked at, and what is changed in the view of planes."""

    focus: Annotated[str, Choice(FOCUS)] = "on-demand view · model_inputs"
    change: Change = "drop a feature"

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
        """How many models a change reaches, and what readers of each version see."""
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
