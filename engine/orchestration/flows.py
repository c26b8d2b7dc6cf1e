"""The flows of the lab as data: their tasks, what each waits for, and how the seed decides each
attempt.

The flows themselves, as Prefect code, are in ``prefect_flows``; the tests hold each plan against
the graph that Prefect recorded. A task's fate is a function of (seed, task, attempt) alone: so a
run can be predicted, and the prediction tested.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, get_args

from engine.errors import require
from engine.ranges import SEED, Params, Range

Flow = Literal["model retraining", "daily ETL", "fan-out", "branching", "subflows", "meant to fail"]
FLOWS: tuple[Flow, ...] = get_args(Flow)
ABOUT: dict[Flow, str] = {
    "model retraining": (
        "Months of real flights are loaded and checked, candidates trained (real boosting), the"
        " best promoted"
    ),
    "daily ETL": (
        "Sources side by side, each extracted, validated, cleaned and loaded; published when all"
        " are in"
    ),
    "fan-out": (
        "A list of unknown length, one mapped task for each item, a reduce for each batch, a total"
    ),
    "branching": "Each check decides which branch is created next; the others never exist",
    "subflows": "A flow that calls flows, each with tasks and a state of its own",
    "meant to fail": (
        "An export whose upload has a bug: no retry helps, and what depends on it never runs"
    ),
}
Backoff = Literal["fixed", "linear", "exponential"]
BACKOFFS: tuple[Backoff, ...] = get_args(Backoff)
FACTORS = (
    0.7,
    0.85,
    1.0,
    1.0,
    1.15,
    1.3,
    1.5,
    1.0,
    0.85,
    3.0,
)  # of the duration, one drawn for each attempt: one in ten is slow
# no attempt ends closer to the timeout: a busy machine must not change an outcome
TIMEOUT_MARGIN_SECONDS = 0.5
TIMEOUT = Range(0, 60, options=(0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0), low_means="none")
BROKEN = "upload"  # the task of "meant to fail" that never succeeds


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParams(Params):
    """A flow and its parameters; also what is sent to Prefect."""

    experiment: ClassVar[str] = "monitor"  # its settings are those of the tab
    flow: Flow = "model retraining"
    tasks: Annotated[int, Range(1, 200)] = 6  # length of the main part
    width: Annotated[int, Range(1, 12)] = 3  # sources, months, branches, subflows or items a batch
    # a task takes at least about this long
    duration_seconds: Annotated[float, Range(0, 10, step=0.1)] = 0.5
    failure_probability: Annotated[float, Range(0, 1, step=0.05)] = 0.2  # of each attempt
    retries: Annotated[int, Range(0, 10)] = 3
    delay_seconds: Annotated[float, Range(0, 30, step=0.5)] = 1.0  # before a retry
    backoff: Backoff = "fixed"
    jitter: Annotated[float, Range(0, 1, step=0.1)] = 0.0  # Prefect's retry_jitter_factor
    timeout_seconds: Annotated[float, TIMEOUT] = 0.0
    concurrency: Annotated[int, Range(1, 32)] = 4  # tasks in parallel
    cache: bool = True
    seed: Annotated[int, SEED] = 0

    def check_together(self) -> None:
        """Check what fields ask of each other."""
        require(
            self.timeout_seconds == 0 or 1 <= self.timeout_seconds <= 60,
            "timeout_seconds must be 0 (none) or 1–60. Got {}.",
            self.timeout_seconds,
        )

    def delays(self) -> list[float]:
        """Return the seconds to wait before each retry, without jitter."""
        growth = {"fixed": 1, "linear": 0, "exponential": 2}[self.backoff]
        return [self.delay_seconds * (growth**k if growth else k + 1) for k in range(self.retries)]


@dataclass(frozen=True, slots=True)
class Step:
    """A task of a plan."""

    key: str
    upstream: tuple[str, ...] = ()
    work: str = ""  # what it computes: two steps of the same work share one cached result
    subflow: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """How one attempt ends, decided by the seed."""

    seconds: float  # that it lasts, if it is let
    outcome: Literal["completed", "failed", "timed out"]


def draw(seed: int, *names: object) -> float:
    """Return a number in 0–1 that only the seed and the names decide (BLAKE2b)."""
    text = "/".join(map(str, (seed, *names))).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big") / 2**56


def fate(params: RunParams, key: str, attempt: int) -> Fate:
    """Return how long ``attempt`` (from 1) of a task lasts and how it ends; one that fails does so
    half way.
    """
    factor = FACTORS[int(draw(params.seed, key, attempt, "factor") * len(FACTORS))]
    seconds, limit = params.duration_seconds * factor, params.timeout_seconds
    if limit and abs(seconds - limit) < TIMEOUT_MARGIN_SECONDS:
        seconds = (
            limit + TIMEOUT_MARGIN_SECONDS
            if seconds > limit
            else max(limit - TIMEOUT_MARGIN_SECONDS, 0.0)
        )
    if key == BROKEN:
        return Fate(min(seconds, limit / 2 or seconds) / 2, "failed")
    if limit and seconds > limit:
        return Fate(limit, "timed out")
    if draw(params.seed, key, attempt) < params.failure_probability:
        return Fate(seconds / 2, "failed")
    return Fate(seconds, "completed")


def chosen(params: RunParams, key: str) -> int:
    """Return which branch a check decides for, from 1."""
    return 1 + int(draw(params.seed, key, "branch") * params.width)


def stages(params: RunParams) -> list[str]:
    """Return the names of a lane's tasks: ``tasks`` distributed over ``width`` lanes."""
    n = -(-params.tasks // params.width)
    middle = ["validate", "clean", "enrich"] + [f"enrich{k}" for k in range(2, n)]
    return ["extract", *middle[: n - 2], "load"] if n > 1 else ["extract"]


@lru_cache(maxsize=256)
def plan(params: RunParams) -> tuple[Step, ...]:
    """Return the tasks of a run in the order in which the flow submits them."""
    steps = {
        "model retraining": _retraining,
        "daily ETL": _etl,
        "fan-out": _fan_out,
        "branching": _branching,
        "subflows": _subflows,
        "meant to fail": _failing,
    }[params.flow](params)
    return tuple(
        step if step.work else Step(step.key, step.upstream, step.key, step.subflow)
        for step in steps
    )


def _lanes(params: RunParams) -> tuple[list[Step], list[str]]:
    steps: list[Step] = []
    ends: list[str] = []
    for lane in range(1, params.width + 1):
        before: tuple[str, ...] = ()
        for stage in stages(params):
            steps.append(Step(f"{stage} {lane}", before))
            before = (f"{stage} {lane}",)
        ends += before
    return steps, ends


def _etl(params: RunParams) -> list[Step]:
    steps, ends = _lanes(params)
    verify = [Step(f"verify {k}", (end,), f"extract {k}") for k, end in enumerate(ends, 1)]
    return [*steps, *verify, Step("publish", tuple(step.key for step in verify))]


def _failing(params: RunParams) -> list[Step]:
    steps, ends = _lanes(params)
    return [*steps, Step(BROKEN, tuple(ends)), Step("notify", (BROKEN,))]


def _retraining(params: RunParams) -> list[Step]:
    months = range(1, params.width + 1)
    trained = tuple(f"train {k}" for k in range(1, params.tasks + 1))
    return [
        *(Step(f"extract {m}") for m in months),
        *(Step(f"validate {m}", (f"extract {m}",)) for m in months),
        Step("features", tuple(f"validate {m}" for m in months)),
        *(Step(key, ("features",)) for key in trained),
        Step("evaluate", trained),
        Step("promote", ("evaluate",)),
        Step("baseline", ("promote",), f"extract {params.width}"),
    ]


def _fan_out(params: RunParams) -> list[Step]:
    mapped = [f"map {k}" for k in range(1, params.tasks + 1)]
    batches = [tuple(mapped[k : k + params.width]) for k in range(0, len(mapped), params.width)]
    reduced = [Step(f"reduce {k}", batch) for k, batch in enumerate(batches, 1)]
    total = Step("total", tuple(step.key for step in reduced))
    return [
        Step("list"),
        *(Step(key, ("list",)) for key in mapped),
        *reduced,
        total,
        Step("relist", ("total",), "list"),
    ]


def _branching(params: RunParams) -> list[Step]:
    steps: list[Step] = []
    before: tuple[str, ...] = ()
    for k in range(1, params.tasks + 1):
        check = f"check {k}"
        branch = f"branch {k}{'abcdefghijkl'[chosen(params, check) - 1]}"
        steps += [Step(check, before), Step(branch, (check,))]
        before = (branch,)
    return [*steps, Step("recheck", before, "check 1")]


def _subflows(params: RunParams) -> list[Step]:
    steps: list[Step] = []
    ends = []
    for child in range(1, params.width + 1):
        name = f"subflow {child}"
        before = f"lookup {child}"
        steps.append(Step(before, (), "lookup", name))
        for k in range(1, -(-params.tasks // params.width) + 1):
            steps.append(Step(f"step {child}.{k}", (before,), "", name))
            before = f"step {child}.{k}"
        ends.append(before)
    return [*steps, Step("report", tuple(ends))]
