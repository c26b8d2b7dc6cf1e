"""Alerts: which runs failed, started late, or were too slow compared with earlier runs.

Real: runs are the recorded ones; failures are also reported by Prefect's state-change hooks
(``hooks``). While fewer than ``history.ENOUGH`` are recorded, simulated runs are shown. *Too slow*
uses robust statistics (median and MAD, the median absolute deviation; Leys et al. 2013): a run is
compared only with earlier completed runs of the same flow with the same settings.
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
from engine.orchestration.hooks import HookCall
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
STORED = "stored run"
BAD_STATES = ("failed", "crashed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsParams(Params):
    """Which runs are watched, and when an alert is due."""

    source: Source = "auto"
    flow: Annotated[str, Choice(WATCHED)] = ALL
    rules: Annotated[tuple[str, ...], Choices(RULES, least=0)] = RULES
    k: Annotated[float, Range(1, 10, step=0.5)] = 3.0  # robust standard deviations above the median
    min_runs: Annotated[int, Range(3, 50)] = 5  # that a history needs
    late_seconds: Annotated[float, Range(1, 600, step=1.0)] = 15.0  # between submission and start


@dataclass(frozen=True, slots=True)
class Past:
    """The completed runs before a run, of its flow and settings."""

    n: int
    median_seconds: float
    sigma_seconds: float  # robust, never below 5% of the median

    def score(self, seconds: float) -> float:
        """Return how many robust standard deviations a duration is above the median."""
        return (seconds - self.median_seconds) / self.sigma_seconds


@dataclass(frozen=True, slots=True)
class Watched:
    """A run and its past; ``past`` is ``None`` with too few runs before it."""

    run: Run
    past: Past | None

    @property
    def score(self) -> float | None:
        """Robust standard deviations above the median of its past."""
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
    source: str = ""  # the hook that reported it and how soon, or the stored run

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
    simulated: bool
    calls: dict[str, HookCall]

    @cached_property
    def alerts(self) -> list[Alert]:
        """Every alert, the latest run's first."""
        return [alert for one in self.watched for alert in alerts_of(one, self.params, self.calls)]

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
        kind, n = "simulated" if self.simulated else "recorded", len(self.watched)
        by_rule = (
            ", ".join(f"{self.counts.get(rule, 0)} {rule}" for rule in self.params.rules)
            or "no rule is on"
        )
        return (
            f"**{len(self.alerts)} alert{'s' * (len(self.alerts) != 1)}** in {n} {kind}"
            f" run{'s' * (n != 1)}: {by_rule}."
        )

    @property
    def why(self) -> list[str]:
        """The rules with their numbers."""
        p = self.params
        found = [
            (
                f"**Failed**: the run ended as {' or '.join(BAD_STATES)}. Prefect's hook reports"
                " it; if the process died, it is found in the stored run."
            ),
            (
                f"**Late**: more than {p.late_seconds:g} s from submission to start. Prefect marks"
                " a scheduled run *Late* after 15 s."
            ),
            (
                f"**Too slow**: longer than median + {p.k:g} σ of at least {p.min_runs} earlier"
                f" completed runs. {self.n_judged} of {len(self.watched)} runs have so many."
            ),
            (
                f"**σ** = {TO_SIGMA:g} × MAD (median absolute deviation), at least"
                f" {format_share(LEAST_SHARE)} of the median: one outlier does not change it."
            ),
            (
                f"**False alarms**: with normal durations, 1 in {_one_in(p.k):,.0f} runs is beyond"
                f" {p.k:g} σ by chance."
            ),
        ]
        calls = [self.calls[one.run.id] for one in self.watched if one.run.id in self.calls]
        if calls:
            quick = median(one.after_seconds for one in calls)
            found.append(
                f"**Hooks** reported {len(calls)} of these runs, {format_seconds(quick)} after the"
                " state change (median)."
            )
        return found

    def rows(self) -> list[dict[str, str]]:
        """The alert list of the page."""
        return [
            {
                "run": _named(a.run),
                "flow": a.run.params.flow,
                "rule": a.rule,
                "alert": a.text,
                "why": a.because,
                "source": a.source,
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
                    "alerts": ", ".join(a.rule for a in alerts_of(one, self.params, self.calls)),
                }
                for one in self.watched
            ]
        )


def _named(run: Run) -> str:
    return f"{run.name}, seed {run.params.seed}" if run.predicted else run.name


def _one_in(k: float) -> float:
    """Return how many runs, normally distributed, there are for each one beyond k standard
    deviations.
    """
    from math import erfc, sqrt

    return 2 / erfc(k / sqrt(2))


def past_of(seconds: list[float]) -> Past:
    """Return the past of a run from the durations of earlier runs."""
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


def alerts_of(one: Watched, params: AlertsParams, calls: dict[str, HookCall]) -> list[Alert]:
    """Return the alerts that a run raises."""
    run, found = one.run, []
    if "failed" in params.rules and run.state in BAD_STATES:
        bad = next(
            (a for a in run.last().values() if a.outcome in ("failed", "timed out", "crashed")),
            None,
        )
        because = (
            f"{bad.task}, attempt {bad.attempt}: {bad.message or bad.outcome}"
            if bad
            else run.message or "no task has an error"
        )
        line = calls.get(run.id)
        by = (
            f"{line.hook}, after {format_seconds(line.after_seconds)}"
            if line
            else STORED
            if run.id
            else ""
        )
        found.append(Alert(run, "failed", f"{run.params.flow} {run.state}", because, by))
    if "late" in params.rules and one.waited_seconds > params.late_seconds:
        because = f"waited {one.waited_seconds:.1f} s > {params.late_seconds:g} s"
        found.append(Alert(run, "late", f"{run.params.flow} started late", because, STORED))
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
                    STORED,
                )
            )
    return found


def run(params: AlertsParams) -> AlertsResult:
    """Return the alerts of the runs recorded so far."""
    found = tuple(run for run in records.runs() if params.flow in (ALL, run.params.flow))
    real = history.enough(len(found), params.source)
    if not real:
        first = FLOWS[0] if params.flow == ALL else params.flow
        found = history.simulated(first)
    watched = watch(found[:MOST_RUNS], params.min_runs)
    return AlertsResult(params, watched, not real, hooks.calls() if real else {})
