"""What a change of the registry is asked for, and what came of it, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, cast

import pyarrow as pa

from engine.feature_store.snapshot import Kind, Snapshot, Thing
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
EDGES = (  # of the lab's own definitions, as Feast's lineage gives them
    ("entity · origin", "feature view · weather"),
    ("entity · plane", "feature view · plane_history"),
    ("feature service · board_inputs", "model · departures board"),
    ("feature service · delay_inputs", "model · departure delay"),
    ("feature service · turnaround_inputs", "model · turnaround planner"),
    ("feature view · plane_history", "feature service · turnaround_inputs"),
    ("feature view · plane_history", "on-demand view · model_inputs"),
    ("feature view · weather", "feature service · board_inputs"),
    ("feature view · weather", "on-demand view · model_inputs"),
    ("on-demand view · model_inputs", "feature service · delay_inputs"),
    ("source · flight_request", "on-demand view · model_inputs"),
    ("source · plane_landings", "feature view · plane_history"),
    ("source · weather_hourly", "feature view · weather"),
)
Outcome = Literal["works", "another number", "null", "fails"]
# of a change: versions of the view, readers of the service, readers pinned to v0
EXPECTED: dict[str, tuple[tuple[str, ...], Outcome, Outcome]] = {
    "add a feature": (("v0", "v1"), "works", "works"),
    "drop a feature": (("v0", "v1"), "fails", "works"),
    "rename a feature": (("v0", "v1"), "fails", "works"),
    "another window, same names": (("v0",), "another number", "another number"),
    "a TTL of one hour": (("v0",), "null", "works"),
}
SAID = {
    "works": "still work",
    "another number": "get another number",
    "null": "get null",
    "fails": "fail",
}
VERBS = {
    "works": "works",
    "another number": "gets another number",
    "null": "gets null",
    "fails": "fails",
}
VIEW, CONSUMER = "plane_history", "turnaround_inputs"
FEATURES = ("mean_delay", "last_delay")
Answer = Mapping[str, float | None] | str  # values by feature, or what Feast says instead


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryParams(Params):
    """The object to look at, and the change to the view of planes."""

    focus: Annotated[str, Choice(FOCUS)] = "feature view · plane_history"
    change: Change = "drop a feature"

    @property
    def job(self) -> RegistryParams:
        """What Feast runs; another focus needs no new run."""
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
    complete: bool = True  # False: expected, Feast has not run yet
    # model -> what its service answers before and after the change
    models: Mapping[str, tuple[dict[str, Answer], dict[str, Answer]]] = field(default_factory=dict)

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
    def reach(self) -> dict[str, Outcome]:
        """What the change does to each model, the worse of online and offline."""
        return {model: outcome(before, after) for model, (before, after) in self.models.items()}

    @property
    def n_versions(self) -> int:
        """Versions of the view that the registry keeps."""
        return len(self.versions)

    @property
    def consumer(self) -> Outcome:
        """What happens to a consumer that pins nothing, the worse of online and offline."""
        if not self.complete:
            return EXPECTED[self.params.change][1]
        return outcome(self.before, self.after)

    @property
    def consumer_pinned(self) -> Outcome:
        """What happens to a consumer that pins v0, the worse of online and offline."""
        if not self.complete:
            return EXPECTED[self.params.change][2]
        return outcome(self.before, self.pinned)

    @property
    def silent(self) -> bool:
        """Whether the consumer gets something else although the registry counts no new version."""
        return self.n_versions == 1 and self.consumer != "works"

    @property
    def verdict(self) -> str:
        """How many models the focus feeds, and what readers get after the change."""
        n, name = self.n_models_hit, self.params.focus.partition(" · ")[2]
        early = "" if self.complete else "Not measured yet. Expected: "
        return (
            f"{early}{name} feeds **{n} of {len(self.snapshot.of_kind('model'))}** models. After"
            f" “{self.params.change}”, readers of {VIEW} **{SAID[self.consumer]}**; readers pinned"
            f" to v0 **{SAID[self.consumer_pinned]}**."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        reasons = [
            f"**Lineage**: {self.params.focus} is made from {_listed(self.upstream)}. It feeds"
            f" {_listed(self.downstream)}.",
            "**Versions**: Feast adds a version when names, types or the function of a view"
            f" change: {VIEW} has {', '.join(self.versions)}. Source and TTL change in place.",
        ]
        if self.reach:
            said = ", ".join(f"{model} {VERBS[state]}" for model, state in self.reach.items())
            reasons.append(f"**Reuse**: the change reaches each model that reads it: {said}.")
        errors = {answer for answer in self.after.values() if isinstance(answer, str)}
        reasons += [f"**Feast's error**: “{error}”" for error in sorted(errors)]
        if self.complete and self.pinned["online"] != self.pinned["offline"]:
            reasons.append(
                "**Pinned to v0**: training reads the old source, serving the new values:"
                f" {answer_text(self.pinned['offline'])} against"
                f" {answer_text(self.pinned['online'])}."
            )
        if self.silent:
            reasons.append(
                f"**No error, no new version**: readers {SAID[self.consumer]}. A feature with"
                " another meaning needs another name."
            )
        elif self.n_versions > 1:
            reasons.append(
                "**One online table per version**: v0 keeps its last values, and stays fresh only"
                " while it is materialized too."
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

    @property
    def readers(self) -> dict[str, dict[str, Answer]]:
        """What each reader gets for one plane, online and offline."""
        return {
            "before the change": self.before,
            "service, unchanged": self.after,
            f"{VIEW}@v0": self.pinned,
            "the changed view": self.newest,
        }

    def versions_side_by_side(self) -> list[dict[str, str]]:
        """Return what each reader gets for one plane, as texts."""
        return [
            {"reader": who} | {where: answer_text(answer) for where, answer in answers.items()}
            for who, answers in self.readers.items()
        ]


def expected(params: RegistryParams) -> RegistryResult:
    """Return, without Feast, the lineage of the lab's definitions and what the change should do."""
    things = tuple(
        Thing(cast(Kind, kind), name) for kind, _, name in (one.partition(" · ") for one in FOCUS)
    )
    nothing: dict[str, Answer] = {}
    return RegistryResult(
        params,
        Snapshot("lab", things, EDGES),
        EXPECTED[params.change][0],
        "",
        nothing,
        nothing,
        nothing,
        nothing,
        complete=False,
    )


def _listed(ids: frozenset[str]) -> str:
    return ", ".join(sorted(ids)) or "nothing"


def answer_text(answer: Answer) -> str:
    """Return what a reader gets: values by feature, or Feast's error."""
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
