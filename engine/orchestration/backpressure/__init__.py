"""Backpressure: a source that is faster than its sink, and the price of each policy: waiting,
losses, a slower source.

Simulated: ``backpressure.model``, for every setting, beside the closed forms of queueing
theory where they apply. Real: the first seconds of the same items as flow runs on Prefect's server
(``backpressure.real``), under its work pool's concurrency limit, its queue priorities and its rate
limit.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated

import numpy as np
import pyarrow as pa

from engine.errors import require
from engine.jobs import Progress
from engine.orchestration.backpressure import model, real
from engine.orchestration.backpressure.model import POLICIES, Load, Policy, Stream
from engine.orchestration.backpressure.real import Measured, Trial
from engine.orchestration.server import SERVER
from engine.ranges import SEED, Params, Range
from engine.units import format_seconds, format_share

__all__ = [
    "POLICIES",
    "REAL_SECONDS",
    "BackpressureParams",
    "BackpressureResult",
    "Policy",
    "Stream",
    "run",
    "steps",
]

REAL_SECONDS = 15.0
REAL_RATE = 4.0  # items per second that a real run takes: each costs the server five requests


@dataclass(frozen=True, slots=True, kw_only=True)
class BackpressureParams(Params):
    """The source, the sink's capacity, and the policy when the buffer is full."""

    arrival_rate: Annotated[float, Range(0.2, 10, step=0.2)] = 2.0  # items per second
    service_seconds: Annotated[float, Range(0.1, 5, step=0.1)] = 1.0  # that an item takes, mean
    workers: Annotated[int, Range(1, 10)] = 1  # the concurrency limit
    policy: Policy = "let it grow"
    # items that may wait before the policy drops or blocks
    buffer: Annotated[int, Range(1, 100)] = 5
    rate_limit: Annotated[float, Range(0, 10, step=0.5, low_means="none")] = (
        0.0  # starts per second
    )
    # of the items, in a queue of higher priority
    urgent_share: Annotated[float, Range(0, 1, step=0.05)] = 0.0
    random: bool = True  # exponential gaps and services; else all equal
    seconds: Annotated[int, Range(20, 200, step=10)] = 60
    seed: Annotated[int, SEED] = 0

    @property
    def capacity(self) -> float:
        """Items per second that the sink can process: workers by their time, or the rate limit."""
        able = self.workers / self.service_seconds
        return min(able, self.rate_limit) if self.rate_limit else able

    @property
    def overload(self) -> float:
        """Arrival rate by capacity: ρ, stable below 1."""
        return self.arrival_rate / self.capacity

    def load(self) -> Load:
        """Return the items."""
        p = self
        return model.load(
            p.arrival_rate, p.service_seconds, p.random, p.urgent_share, p.seconds, p.seed
        )


@dataclass(frozen=True, slots=True, eq=False)
class BackpressureResult:
    """The same items under each policy; ``measured``: the real run on Prefect's server, if any."""

    params: BackpressureParams
    streams: dict[Policy, Stream]
    measured: Measured | None = None
    complete: bool = True

    @property
    def stream(self) -> Stream:
        """What happened under the chosen policy."""
        return self.streams[self.params.policy]

    @property
    def last_depth(self) -> int:
        """Items queued at the end."""
        return self.stream.last_depth

    @property
    def dropped_share(self) -> float:
        """Share of the items that were dropped, 0–1."""
        return self.stream.dropped_share

    @property
    def held_back_share(self) -> float:
        """Share of the items that the blocked source did not produce, 0–1."""
        return self.stream.held_back_share

    @property
    def worst_wait_seconds(self) -> float:
        """Seconds that 95% of the items taken waited at most."""
        return float(np.quantile(self.stream.wait, 0.95)) if len(self.stream.wait) else 0.0

    @property
    def urgent_wait_seconds(self) -> float:
        """Mean seconds that urgent items waited."""
        return self._mean_wait(True)

    @property
    def normal_wait_seconds(self) -> float:
        """Mean seconds that the other items waited."""
        return self._mean_wait(False)

    def _mean_wait(self, urgent: bool) -> float:
        s = self.stream
        chosen = s.started & (s.urgent == urgent)
        return float((s.start - s.arrival)[chosen].mean()) if chosen.any() else 0.0

    @property
    def verdict(self) -> str:
        """Arrival rate against capacity, and what the policy does with the surplus."""
        p, s = self.params, self.stream
        head = f"{p.arrival_rate:g} items/s arrive, {p.capacity:.2g}/s can be processed"
        wait = f"95% of items wait at most {format_seconds(self.worst_wait_seconds)}"
        if p.policy == "drop what is new" and s.dropped.any():
            return (
                f"{head}: **{format_share(s.dropped_share)} are dropped**. At most {p.buffer} items"
                f" are queued, and {wait}."
            )
        if p.policy == "block the source" and s.held_back_share > 0.005:
            return (
                f"{head}: no item is lost and at most {p.buffer} are queued, but the source"
                f" produces **{format_share(s.held_back_share)} less**."
            )
        if p.overload > 1:
            return (
                f"{head}: **{s.last_depth} items are queued after {p.seconds} s**, and"
                f" {p.arrival_rate - p.capacity:.2g} more every second."
            )
        if p.overload > 0.999 and p.random:
            return (
                f"{head}: at 100% load the queue is never stable. **{s.mean_depth:.1f}** items are"
                f" queued on average in {p.seconds} s, more in a longer run."
            )
        return f"{head}: the queue is stable, **{s.mean_depth:.1f}** items on average. {wait}."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p, s = self.params, self.stream
        by = f"{p.workers} worker{'s' * (p.workers != 1)}, {p.service_seconds:g} s per item"
        if p.rate_limit and p.capacity == p.rate_limit:
            by = f"rate limit of {p.rate_limit:g} starts/s"
        reasons = [
            f"**Load**: ρ = {p.arrival_rate:g} / {p.capacity:.3g} = {p.overload:.2f} ({by}). "
            + (
                "Above 1 no queue is long enough."
                if p.overload > 1
                else "Below 1 the queue can be stable."
                if p.overload < 0.999
                else "At 1 the queue grows without limit if times are random."
            ),
            self._theory(),
            f"**Trade-off**: {'; '.join(self._traded(policy) for policy in POLICIES[1:])}.",
        ]
        if p.urgent_share and s.urgent.any():
            reasons.append(
                f"**Priority** moves the waiting: high-priority items wait"
                f" {format_seconds(self.urgent_wait_seconds)} on average, the others"
                f" {format_seconds(self.normal_wait_seconds)}."
            )
        reasons.append(
            self.measured_text()
            or "**Simulated**: press *Run* to send the same items through Prefect's own limits."
        )
        return reasons

    def _theory(self) -> str:
        p, s = self.params, self.stream
        mean = float(s.wait.mean()) if len(s.wait) else 0.0
        rate = int((~s.dropped).sum()) / s.seconds
        if p.policy == "let it grow" and p.overload > 0.999:
            return (
                f"**No steady state**: items waited {mean:.1f} s on average so far, and each later"
                f" one waits longer. {s.throughput:.2f} were done per second."
            )
        little = (
            f"**Little's law**: {rate:.2f} items/s × {mean:.2f} s wait = {rate * mean:.1f} queued;"
            f" counted {s.mean_depth:.1f}"
        )
        plain = p.random and not p.rate_limit
        if plain and p.policy == "let it grow":
            wait = model.erlang_wait(p.arrival_rate, p.service_seconds, p.workers)
            return f"{little}. In the long run the wait is {wait:.2f} s (Erlang C)."
        if plain and p.policy == "drop what is new":
            lost = model.lost_share(p.arrival_rate, p.service_seconds, p.workers, p.buffer)
            name = f"M/M/{p.workers}/{p.workers + p.buffer}"
            return f"{little}. In the long run {format_share(lost)} are dropped ({name})."
        return f"{little}. {s.throughput:.2f} were done per second."

    def _traded(self, policy: Policy) -> str:
        s = self.streams[policy]
        cost = {
            "let it grow": f"{s.last_depth:,} queued",
            "drop what is new": f"{format_share(s.dropped_share)} lost",
            "block the source": f"source {format_share(s.held_back_share)} slower",
        }[policy]
        return f"*{policy}*: {cost}"

    def measured_text(self) -> str:
        """Return the real run in a few sentences, or "" without one."""
        m = self.measured
        if m is None or not len(m.depth):
            return ""
        expected = self.stream.depth_at(m.at_seconds)
        gap = float(np.abs(expected - m.depth).mean())
        return (
            f"**On Prefect, {m.at_seconds[-1]:.0f} s**: {m.n_created} runs created, {m.n_dropped}"
            f" dropped, {m.n_completed} done, at most {m.most_parallel} in parallel (limit"
            f" {self.params.workers}). {int(m.depth[-1])} queued at the end, simulated"
            f" {int(expected[-1])}; mean difference {gap:.1f}."
        )

    def trades(self) -> list[dict[str, str]]:
        """Return one row per policy for a table on the page."""
        return [
            {
                "policy": policy + (" ←" if policy == self.params.policy else ""),
                "wait, p95": (
                    format_seconds(float(np.quantile(s.wait, 0.95))) if len(s.wait) else "–"
                ),
                "queued at the end": f"{s.last_depth:,}",
                "dropped": format_share(s.dropped_share),
                "source slower by": format_share(s.held_back_share),
                "done per second": f"{s.throughput:.2f}",
            }
            for policy, s in self.streams.items()
        ]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        s = self.stream
        return {
            "items": len(s.arrival),
            "dropped": int(s.dropped.sum()),
            "started": int(s.started.sum()),
            "queued at the end": s.last_depth,
            "mean wait, s": round(float(s.wait.mean()), 6) if len(s.wait) else 0.0,
        }

    def table(self) -> pa.Table:
        """Return one row for each item of the chosen policy."""
        s = self.stream
        columns = {"arrival_seconds": s.arrival, "start_seconds": s.start, "end_seconds": s.end}
        return pa.table(
            {**columns, "urgent": s.urgent, "dropped": s.dropped, "queue_after": s.depth_after}
        )


@lru_cache(maxsize=64)
def run(params: BackpressureParams) -> BackpressureResult:
    """Simulate the same items under each policy."""
    p, load = params, params.load()
    streams = {
        policy: model.simulate(load, p.workers, policy, p.buffer, p.rate_limit, p.seconds)
        for policy in POLICIES
    }
    return BackpressureResult(p, streams)


def realistic(params: BackpressureParams) -> bool:
    """Whether a real run of these settings is small enough."""
    return params.arrival_rate <= REAL_RATE


def steps(params: BackpressureParams) -> Generator[Progress, None, BackpressureResult]:
    """Send the first seconds of the items through Prefect's server; yield the result so far.

    Raises
    ------
    InputError
        Too many items per second for a real run; the server cannot be reached.
    """
    p, result = params, replace(run(params), complete=False)
    require(
        realistic(p),
        "arrival_rate must be {:g} at most for a real run. Got {:g}.",
        REAL_RATE,
        p.arrival_rate,
    )
    yield Progress(0.0, "Prefect's server starts", result)
    SERVER.ready()
    trial = Trial(
        SERVER, p.load(), p.workers, p.policy, p.buffer, p.rate_limit, min(REAL_SECONDS, p.seconds)
    )
    for measured in real.watch(trial):
        result = replace(result, measured=measured)
        yield Progress(trial.now / trial.seconds, f"{len(trial.created)} flow runs created", result)
    return replace(result, measured=trial.measured(), complete=True)
