"""Watch and alert: which runs failed, started late, or were too slow against their own history, and
by which rule.

Real: runs are the kept ones, failures are also heard from Prefect's state-change hooks (``hooks``).
*Too slow* is robust statistics (median and MAD, the median absolute deviation; Leys et al. 2013): a
run is held against earlier completed runs of the same flow with the same settings only, so that it
never helps to judge itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import Annotated, Literal, get_args

import pyarrow as pa

from engine.orchestration import history, hooks, records
from engine.orchestration.flows import FLOWS, RunParams
from engine.orchestration.history import Source
from engine.orchestration.hooks import Heard
from engine.orchestration.records import Run
from engine.ranges import Choice, Choices, Params, Range
from engine.units import format_seconds, format_share

Rule = Literal["failed", "late", "too slow"]
RULES: tuple[Rule, ...] = get_args(Rule)
ALL = "all flows"
WATCHED: tuple[str, ...] = (ALL, *FLOWS)
TO_SIGMA = 1.4826  # MAD × this estimates the standard deviation of a normal distribution
# of the median: a history of equal durations would call every millisecond an outlier
LEAST_SHARE = 0.05
MOST_RUNS = 200
BAD_STATES = ("failed", "crashed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsParams(Params):
    """Which runs are watched, and when an alert is due."""

    source: Source = "recorded"
    flow: Annotated[str, Choice(WATCHED)] = ALL
    rules: Annotated[tuple[str, ...], Choices(RULES, least=0)] = RULES
    k: Annotated[float, Range(1, 10, step=0.5)] = 3.0  # robust standard deviations above the median
    min_runs: Annotated[int, Range(3, 50)] = 5  # that a history needs
    late_seconds: Annotated[float, Range(1, 600, step=1.0)] = 15.0  # between submission and start


@dataclass(frozen=True, slots=True)
class Past:
    """What is usual for a run's flow and settings: the completed runs before it."""

    n: int
    median_seconds: float
    sigma_seconds: float  # robust, never below 5% of the median

    def score(self, seconds: float) -> float:
        """Return how many robust standard deviations above the median a duration lies."""
        return (seconds - self.median_seconds) / self.sigma_seconds


@dataclass(frozen=True, slots=True)
class Watched:
    """A run and its past; ``past`` is ``None`` with too few runs before it."""

    run: Run
    past: Past | None

    @property
    def score(self) -> float | None:
        """How far above its past median it lies."""
        return None if self.past is None else self.past.score(self.run.seconds)

    @property
    def waited_seconds(self) -> float:
        """From submission to start."""
        return 0.0 if self.run.started_at is None else self.run.started_at - self.run.submitted_at


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: about which run, by which rule, with the rule's numbers."""

    run: Run
    rule: Rule
    text: str
    because: str
    heard: str = ""  # from which hook, and how soon

    @property
    def key(self) -> str:
        """What makes it the same alert."""
        return f"{self.run.id}/{self.rule}"

    def body(self) -> dict[str, str]:
        """Return what a webhook gets. ``text`` is what Slack, Mattermost and Teams show."""
        return {
            "text": f"{self.text} ({self.because})",
            "rule": self.rule,
            "run": self.run.name,
            "run_id": self.run.id,
            "flow": self.run.params.flow,
            "state": self.run.state,
        }


@dataclass(frozen=True, eq=False)
class AlertsResult:
    """The watched runs, the latest first, and their alerts."""

    params: AlertsParams
    watched: tuple[Watched, ...]
    foretold: bool
    heard: dict[str, Heard]

    @cached_property
    def alerts(self) -> list[Alert]:
        """Every alert, the latest run's first."""
        return [alert for one in self.watched for alert in alerts_of(one, self.params, self.heard)]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many alerts by rule."""
        return Counter(alert.rule for alert in self.alerts)

    @property
    def n_slow(self) -> int:
        """Alerts of runs that were too slow."""
        return self.counts.get("too slow", 0)

    @property
    def n_failed(self) -> int:
        """Alerts of runs that failed."""
        return self.counts.get("failed", 0)

    @property
    def n_judged(self) -> int:
        """Runs with a history long enough."""
        return sum(one.past is not None for one in self.watched)

    @property
    def verdict(self) -> str:
        """Number of alerts by rule."""
        kind = "foretold" if self.foretold else "recorded"
        n = len(self.watched)
        told = (
            ", ".join(f"{self.counts.get(rule, 0)} {rule}" for rule in self.params.rules)
            or "no rule is on"
        )
        return (
            f"**{len(self.alerts)} alert{'s' * (len(self.alerts) != 1)}** for {n} {kind}"
            f" run{'s' * (n != 1)}: {told}."
        )

    @property
    def why(self) -> list[str]:
        """The rules with their numbers."""
        p = self.params
        chance = (
            f"If durations were normal, one run in {_one_in(p.k):,.0f} would be called slow by"
            " chance"
        )
        found = [
            (
                f"*Failed*: the run ended as {' or '.join(BAD_STATES)}. Heard from Prefect's hook"
                " where the process lived to call it, read from the kept run in any case."
            ),
            (
                f"*Late*: more than {p.late_seconds:g} s between submission and start; Prefect"
                " itself calls a scheduled run late after 15 s."
            ),
            (
                f"*Too slow*: longer than median + {p.k:g} × σ of at least {p.min_runs} earlier"
                f" completed runs of the same flow and settings; σ = {TO_SIGMA:g} × MAD (the median"
                f" distance from the median), at least {format_share(LEAST_SHARE)} of it."
                f" {self.n_judged} of {len(self.watched)} runs have such a history. {chance}."
            ),
        ]
        heard = [self.heard[one.run.id] for one in self.watched if one.run.id in self.heard]
        if heard:
            quick = median(one.after_seconds for one in heard)
            found.append(
                f"Heard from a hook: {len(heard)} of these runs, in the median"
                f" {format_seconds(quick)} after the state."
            )
        return found

    def rows(self) -> list[dict[str, str]]:
        """The alert list of the page."""
        return [
            {
                "run": _named(a.run),
                "flow": a.run.params.flow,
                "rule": a.rule,
                "what": a.text,
                "why": a.because,
                "heard from": a.heard,
            }
            for a in self.alerts
        ]

    def headline(self) -> dict[str, float | str]:
        """The numbers that the script prints."""
        return {
            "runs": len(self.watched),
            "runs with a history": self.n_judged,
            **{rule: self.counts.get(rule, 0) for rule in RULES},
        }

    def table(self) -> pa.Table:
        """Every watched run with its numbers."""
        return pa.Table.from_pylist(
            [
                {
                    "run": one.run.name,
                    "flow": one.run.params.flow,
                    "state": one.run.state,
                    "seconds": one.run.seconds,
                    "waited_seconds": one.waited_seconds,
                    "past_runs": 0 if one.past is None else one.past.n,
                    "past_median_seconds": None if one.past is None else one.past.median_seconds,
                    "score": one.score,
                    "alerts": ", ".join(a.rule for a in alerts_of(one, self.params, self.heard)),
                }
                for one in self.watched
            ]
        )


def _named(run: Run) -> str:
    return f"{run.name}, seed {run.params.seed}" if run.foretold else run.name


def _one_in(k: float) -> float:
    """Return how many runs, normally distributed, there are for each one beyond k standard
    deviations.
    """
    from math import erfc, sqrt

    return 2 / erfc(k / sqrt(2))


def past_of(seconds: list[float]) -> Past:
    """Return what is usual, from the durations of earlier runs."""
    centre = median(seconds)
    mad = median(abs(value - centre) for value in seconds)
    return Past(len(seconds), centre, max(TO_SIGMA * mad, LEAST_SHARE * centre, 1e-9))


def watch(runs: tuple[Run, ...], min_runs: int) -> tuple[Watched, ...]:
    """Return the runs (the latest first) with the past of each."""
    before: dict[RunParams, list[float]] = defaultdict(list)
    found = []
    for run in reversed(runs):
        same = before[replace(run.params, seed=0)]
        found.append(Watched(run, past_of(same) if len(same) >= min_runs else None))
        if run.state == "completed":
            same.append(run.seconds)
    return tuple(reversed(found))


def alerts_of(one: Watched, params: AlertsParams, heard: dict[str, Heard]) -> list[Alert]:
    """Return the alerts that a run raises."""
    run, found = one.run, []
    if "failed" in params.rules and run.state in BAD_STATES:
        bad = next(
            (a for a in run.last().values() if a.outcome in ("failed", "timed out", "crashed")),
            None,
        )
        because = (
            f"{bad.task}, try {bad.attempt}: {bad.message or bad.outcome}"
            if bad
            else run.message or "no task says why"
        )
        line = heard.get(run.id)
        by = (
            f"{line.hook}, {format_seconds(line.after_seconds)} after"
            if line
            else "the kept run"
            if run.id
            else ""
        )
        found.append(Alert(run, "failed", f"{run.params.flow} {run.state}", because, by))
    if "late" in params.rules and one.waited_seconds > params.late_seconds:
        because = f"waited {one.waited_seconds:.1f} s > {params.late_seconds:g} s"
        found.append(Alert(run, "late", f"{run.params.flow} started late", because, "the kept run"))
    if (
        "too slow" in params.rules
        and run.state == "completed"
        and one.past is not None
        and one.score is not None
    ):
        p = one.past
        if one.score > params.k:
            limit = p.median_seconds + params.k * p.sigma_seconds
            numbers = f"{p.median_seconds:.2f} + {params.k:g} × {p.sigma_seconds:.2f}"
            because = f"{run.seconds:.2f} s > {numbers} = {limit:.2f} s, n = {p.n}"
            found.append(
                Alert(
                    run,
                    "too slow",
                    f"{run.params.flow} took {run.seconds:.1f} s",
                    because,
                    "the kept run",
                )
            )
    return found


def run(params: AlertsParams) -> AlertsResult:
    """Return the alerts as they stand now."""
    found: tuple[Run, ...] = ()
    if params.source == "recorded":
        found = tuple(run for run in records.runs() if params.flow in (ALL, run.params.flow))[
            :MOST_RUNS
        ]
    foretold = not found
    if foretold:
        flows = (
            FLOWS[:1]
            if params.flow == ALL
            else tuple(flow for flow in FLOWS if flow == params.flow)
        )
        found = tuple(run for flow in flows for run in history.stand_ins(flow))
    return AlertsResult(
        params, watch(found, params.min_runs), foretold, {} if foretold else hooks.heard()
    )
