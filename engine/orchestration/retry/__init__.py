"""Retry lab: what retries gain and cost, in closed form, simulated, and in real runs.

Real: runs of Prefect's, read from the records (``retry.real``). Closed form: the truncated
geometric distribution of attempts, the expected wait. Simulated: the distribution of durations
(``retry.model``, 10,000 task runs) and the thundering herd (``retry.herd``). A flow's tasks fail
independently of each other: a source that is down for all of them is the herd's case.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, get_args

import numpy as np
import pyarrow as pa

from engine.orchestration.flows import BACKOFFS, Backoff
from engine.orchestration.retry import model
from engine.orchestration.retry.herd import Herd, stampede
from engine.orchestration.retry.model import N_RUNS, TaskRuns
from engine.ranges import SEED, Params, Range
from engine.statistics import share_interval
from engine.units import format_interval, format_range, format_seconds, format_share

__all__ = ["BACKOFFS", "SHAPES", "Herd", "RetryParams", "RetryResult", "TaskRuns", "run"]

Shape = Literal["in sequence", "in parallel"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
REFERENCE_JITTER = 1.0  # drawn beside the herd without jitter when the setting has none


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryParams(Params):
    """A task that fails at times, its retries, the flow that it is part of, and the herd."""

    failure_probability: Annotated[float, Range(0, 1, step=0.05)] = 0.3  # of each attempt
    retries: Annotated[int, Range(0, 10)] = 3
    delay_seconds: Annotated[float, Range(0, 30, step=0.5)] = 1.0  # before the first retry
    backoff: Backoff = "exponential"
    jitter: Annotated[float, Range(0, 1, step=0.1)] = 0.0  # Prefect's retry_jitter_factor
    n_tasks: Annotated[int, Range(1, 50)] = 10  # of the flow
    shape: Shape = "in sequence"
    # of an attempt that completes, about
    duration_seconds: Annotated[float, Range(0, 10, step=0.1)] = 0.5
    clients: Annotated[int, Range(10, 1000, step=10)] = 500  # of the herd
    # requests that the service answers in a second
    capacity: Annotated[int, Range(10, 500, step=10)] = 100
    seed: Annotated[int, SEED] = 0

    @property
    def waits(self) -> np.ndarray:
        """The seconds before each retry, without jitter."""
        return model.delays(self.backoff, self.delay_seconds, self.retries)


@dataclass(frozen=True, slots=True, eq=False)
class RetryResult:
    """Closed forms, simulated task runs and flows, and the herd without and with jitter."""

    params: RetryParams
    chances: np.ndarray  # (retries + 2,) completed at attempt 1 …, and failed; closed form
    runs: TaskRuns  # simulated
    flow_completed: np.ndarray  # (N_FLOWS,) simulated
    flow_seconds: np.ndarray
    herds: tuple[Herd, Herd]  # without jitter, with it

    @property
    def task_fails_share(self) -> float:
        """P(a task fails in the end), closed form."""
        return float(self.chances[-1])

    @property
    def flow_succeeds_share(self) -> float:
        """P(all tasks of the flow complete), closed form; the same in sequence and in parallel."""
        return float((1 - self.task_fails_share) ** self.params.n_tasks)

    @property
    def mean_attempts(self) -> float:
        """Expected attempts of a task, closed form."""
        return model.mean_attempts(self.params.failure_probability, self.params.retries)

    @property
    def mean_wait_seconds(self) -> float:
        """Expected seconds that a task waits for retries, closed form."""
        return model.mean_wait(
            self.params.failure_probability, self.params.waits, self.params.jitter
        )

    @property
    def mean_seconds(self) -> float:
        """Expected seconds that a task takes, closed form."""
        p = self.params
        return self.mean_wait_seconds + model.mean_work(
            p.failure_probability, p.retries, p.duration_seconds
        )

    @property
    def wait_share(self) -> float:
        """Share of a task's expected time that is waiting, 0–1."""
        return self.mean_wait_seconds / self.mean_seconds if self.mean_seconds else 0.0

    @property
    def herd(self) -> Herd:
        """The herd with the setting's own jitter."""
        return self.herds[1] if self.params.jitter else self.herds[0]

    @property
    def herd_overload(self) -> float:
        """Most requests in a second after the first, by capacity, of the herd with this jitter."""
        return self.herd.retry_peak / self.params.capacity

    @property
    def verdict(self) -> str:
        """How often a task fails and the flow succeeds."""
        p, fails = self.params, format_share(self.task_fails_share)
        flow = (
            f"a flow of {p.n_tasks} task{'s' * (p.n_tasks != 1)} succeeds in"
            f" **{format_share(self.flow_succeeds_share)}** of its runs"
        )
        if not p.retries:
            return f"Without retries **{fails}** of tasks fail, and {flow}."
        return (
            f"With {p.retries} retr{'y' if p.retries == 1 else 'ies'}, task failure drops from"
            f" {format_share(p.failure_probability)} to **{fails}**, and {flow}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p, failed = self.params, int((~self.runs.completed).sum())
        low, high = share_interval(failed, N_RUNS)
        plain, other = self.herds
        reasons = [
            (
                f"**Task**: it fails only if all {p.retries + 1} attempts fail:"
                f" {p.failure_probability:g}^{p.retries + 1} ="
                f" {format_share(self.task_fails_share)}. Simulated: {failed:,} of {N_RUNS:,}"
                f" ({format_interval(low, high, format_share)})."
            ),
            (
                f"**Flow**: all {p.n_tasks} tasks must complete:"
                f" (1 − {self.task_fails_share:.4g})^{p.n_tasks} ="
                f" {format_share(self.flow_succeeds_share)}. Median time {p.shape}:"
                f" {format_seconds(float(np.median(self.flow_seconds)))} (simulated)."
            ),
            (
                f"**Cost per task**: {self.mean_attempts:.2f} attempts and"
                f" {format_seconds(self.mean_seconds)}, of which {format_share(self.wait_share)} is"
                " waiting. The slowest 1% take"
                f" {format_seconds(float(np.quantile(self.runs.seconds, 0.99)))} or more."
            ),
            (
                "**Independent failures** are assumed. A bug fails every time, and a service that"
                " is down fails for all tasks."
            ),
            (
                f"**Thundering herd**: {p.clients:,} clients return in waves. The second wave has"
                f" {plain.retry_peak:,} requests in a second without jitter, {other.retry_peak:,}"
                f" with jitter {other.jitter:g}."
            ),
        ]
        if p.jitter:
            bounds = model.jitter_bounds(p.jitter)
            reasons.append(
                f"**Jitter**: Prefect multiplies each delay by {format_range(*bounds, 2)}, by"
                f" {model.jitter_mean(p.jitter):.3f} on average."
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        herd = self.herds[0]
        return {
            "a task fails": round(self.task_fails_share, 8),
            "the flow succeeds": round(self.flow_succeeds_share, 8),
            "attempts per task": round(self.mean_attempts, 6),
            "seconds waited per task": round(self.mean_wait_seconds, 6),
            "failed of 10,000 simulated": int((~self.runs.completed).sum()),
            "herd without jitter: second wave": herd.retry_peak,
            "herd without jitter: requests": herd.n_requests,
            "herd without jitter: gave up": herd.n_gave_up,
        }

    def table(self) -> pa.Table:
        """Return one row per outcome: closed form, simulated with interval, seconds."""
        rows = []
        for place, chance in enumerate(self.chances):
            chosen = self.runs.lane(place, self.params.retries)
            low, high = share_interval(int(chosen.sum()), N_RUNS)
            seconds = self.runs.seconds[chosen]
            quantiles = np.quantile(seconds, [0.05, 0.5, 0.95]) if len(seconds) else [None] * 3
            rows.append(
                {
                    "outcome": self.lane_name(place),
                    "closed_form_share": float(chance),
                    "simulated_share": float(chosen.mean()),
                }
                | {"simulated_low": low, "simulated_high": high}
                | {
                    f"seconds_{name}": value
                    for name, value in zip(("p05", "median", "p95"), quantiles, strict=True)
                }
            )
        return pa.Table.from_pylist(rows)

    def lane_name(self, place: int) -> str:
        """Return the name of an outcome: completed at an attempt, or failed."""
        return "failed" if place == self.params.retries + 1 else f"attempt {place + 1}"


@lru_cache(maxsize=64)
def run(params: RetryParams) -> RetryResult:
    """Compute the closed forms and simulate tasks, flows and the herd."""
    p, waits = params, params.waits
    runs = model.simulate(p.failure_probability, waits, p.jitter, p.duration_seconds, p.seed)
    in_sequence = p.shape == "in sequence"
    completed, seconds = model.flows(
        p.failure_probability, waits, p.jitter, p.duration_seconds, p.n_tasks, in_sequence, p.seed
    )
    herds = [
        stampede(p.clients, p.capacity, waits, jitter, p.seed)
        for jitter in (0.0, p.jitter or REFERENCE_JITTER)
    ]
    return RetryResult(
        p,
        model.chances(p.failure_probability, p.retries),
        runs,
        completed,
        seconds,
        (herds[0], herds[1]),
    )
