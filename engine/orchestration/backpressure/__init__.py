"""Backpressure: a source faster than its sink, what grows, and what each remedy trades: waiting,
losses, a slower source.

Simulated: ``backpressure.model``, anew for every setting, beside the closed forms of queueing
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
REAL_RATE = 4.0  # items a second that a real run takes: each costs the server five requests


@dataclass(frozen=True, slots=True, kw_only=True)
class BackpressureParams(Params):
    """What comes, what the sink can take, and what is done about the difference."""

    arrival_rate: Annotated[float, Range(0.2, 10, step=0.2)] = 2.0  # items a second
    service_seconds: Annotated[float, Range(0.1, 5, step=0.1)] = 1.0  # that an item takes, mean
    workers: Annotated[int, Range(1, 10)] = 1  # the concurrency limit
    policy: Policy = "let it grow"
    # items that may wait before the policy drops or blocks
    buffer: Annotated[int, Range(1, 100)] = 5
    rate_limit: Annotated[float, Range(0, 10, step=0.5, low_means="none")] = 0.0  # starts a second
    # of the items, in a queue of higher priority
    urgent_share: Annotated[float, Range(0, 1, step=0.05)] = 0.0
    random: bool = True  # exponential gaps and services; else all alike
    seconds: Annotated[int, Range(20, 200, step=10)] = 60
    seed: Annotated[int, SEED] = 0

    @property
    def capacity(self) -> float:
        """Items that the sink can do in a second: workers by their time, or the rate limit."""
        able = self.workers / self.service_seconds
        return min(able, self.rate_limit) if self.rate_limit else able

    @property
    def overload(self) -> float:
        """Items that come a second for each that can be done: ρ, stable below 1."""
        return self.arrival_rate / self.capacity

    def load(self) -> Load:
        """Return the items."""
        p = self
        return model.load(
            p.arrival_rate, p.service_seconds, p.random, p.urgent_share, p.seconds, p.seed
        )


@dataclass(frozen=True, slots=True, eq=False)
class BackpressureResult:
    """The same items under each policy; ``measured`` is what Prefect's server said, if it was
    asked.
    """

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
        """Items that wait at the end."""
        return self.stream.last_depth

    @property
    def dropped_share(self) -> float:
        """Share of the items that were dropped, 0–1."""
        return self.stream.dropped_share

    @property
    def held_back_share(self) -> float:
        """Share of the items that the blocked source did not make, 0–1."""
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
        """Load against capacity, and what the policy makes of the surplus."""
        p, s = self.params, self.stream
        head = f"{p.arrival_rate:g} items come a second, {p.capacity:.2g} can be done"
        if p.policy == "drop what is new" and s.dropped.any():
            return (
                f"{head}: **{format_share(s.dropped_share)} are dropped**, so that no more than"
                f" {p.buffer} wait, 95% of them at most {format_seconds(self.worst_wait_seconds)}."
            )
        if p.policy == "block the source" and s.held_back_share > 0.005:
            return (
                f"{head}: nothing is lost and at most {p.buffer} wait, but the source is held back"
                f" by **{format_share(s.held_back_share)}**: that is backpressure."
            )
        if p.overload > 1:
            return (
                f"{head}: **{s.last_depth} wait after {p.seconds} s**,"
                f" {p.arrival_rate - p.capacity:.2g} more every second, and it never ends. Only"
                " dropping, slowing the source or a faster sink stops it."
            )
        if p.overload > 0.999 and p.random:
            return (
                f"{head}, just as many: random times never settle into that. **{s.mean_depth:.1f}**"
                f" wait on average in these {p.seconds} s, more in longer ones."
            )
        return (
            f"{head}: the queue holds, **{s.mean_depth:.1f}** wait on average; 95% of the items"
            f" wait at most {format_seconds(self.worst_wait_seconds)}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p, s = self.params, self.stream
        by = f"{p.workers} worker{'s' * (p.workers != 1)} of {p.service_seconds:g} s an item"
        if p.rate_limit and p.capacity == p.rate_limit:
            by = f"the rate limit of {p.rate_limit:g} starts"
        reasons = [
            f"The sink's capacity is set by {by}: {p.capacity:.3g} a second. ρ = {p.arrival_rate:g}"
            f" / {p.capacity:.3g} = {p.overload:.2f}: "
            + (
                "more comes than can go, whatever the queue."
                if p.overload > 1
                else "below 1, so it can hold."
            ),
            self._theory(),
            (
                "What each policy trades here:"
                f" {'; '.join(self._traded(policy) for policy in POLICIES)}."
            ),
        ]
        if p.urgent_share and s.urgent.any():
            reasons.append(
                f"Urgent items wait {format_seconds(self.urgent_wait_seconds)} on average, the"
                f" others {format_seconds(self.normal_wait_seconds)}: priority moves the waiting,"
                " it does not remove it."
            )
        if self.measured is not None:
            reasons.append(self.told_measured())
        reasons.append(
            "Simulated: the items, their times and the queue. Real, when run: the same items as"
            " flow runs, admitted by Prefect's own limits."
        )
        return reasons

    def _theory(self) -> str:
        p, s = self.params, self.stream
        mean = float(s.wait.mean()) if len(s.wait) else 0.0
        rate = int((~s.dropped).sum()) / s.seconds
        if p.policy == "let it grow" and p.overload > 0.999:
            return (
                f"Those taken waited {mean:.1f} s on average and every later one waits longer:"
                f" without a steady state there is no mean to plan with. {s.throughput:.2f} were"
                " done a second."
            )
        product = f"{rate:.2f} let in a second × {mean:.2f} s each = {rate * mean:.1f} waiting"
        little = f"Little's law: {product}; counted {s.mean_depth:.1f}"
        plain = p.random and not p.rate_limit
        if plain and p.policy == "let it grow":
            wait = model.erlang_wait(p.arrival_rate, p.service_seconds, p.workers)
            return f"{little}. For ever it would be {wait:.2f} s each (Erlang C)."
        if plain and p.policy == "drop what is new":
            lost = model.lost_share(p.arrival_rate, p.service_seconds, p.workers, p.buffer)
            name = f"M/M/{p.workers}/{p.workers + p.buffer}"
            return (
                f"{little}. For ever {format_share(lost)} would be dropped ({name}); here"
                f" {format_share(s.dropped_share)}."
            )
        return f"{little}. {s.throughput:.2f} were done a second."

    def _traded(self, policy: Policy) -> str:
        s = self.streams[policy]
        wait = format_seconds(float(np.quantile(s.wait, 0.95))) if len(s.wait) else "nothing"
        return (
            f"*{policy}*: 95% wait at most {wait}, {format_share(s.dropped_share)} lost, source"
            f" held back by {format_share(s.held_back_share)}"
        )

    def told_measured(self) -> str:
        """Return what the real run says, in a sentence or two."""
        m = self.measured
        if m is None or not len(m.depth):
            return ""
        expected = self.stream.depth_at(m.at_seconds)
        gap = float(np.abs(expected - m.depth).mean())
        waits = ", ".join(
            f"{queue} items {seconds:.1f} s" for queue, seconds in m.wait_seconds.items()
        )
        late = (
            f" The source came {m.late_seconds:.2f} s late (median): it waits while the server"
            " creates a run."
        )
        late = late if m.late_seconds > 0.05 else ""
        return (
            f"**On Prefect, {m.at_seconds[-1]:.0f} s**: {m.n_created} runs created, {m.n_dropped}"
            f" dropped, {m.n_completed} done, never more than {m.most_at_once} at once (limit"
            f" {self.params.workers}). {int(m.depth[-1])} waited at the end, {int(expected[-1])}"
            f" simulated; the counts differ by {gap:.1f} on average. Mean wait:"
            f" {waits or 'none started'}.{late}"
        )

    def trades(self) -> list[dict[str, str]]:
        """Return one line a policy for a table on the page."""
        return [
            {
                "policy": policy + (" ←" if policy == self.params.policy else ""),
                "95% wait at most": (
                    format_seconds(float(np.quantile(s.wait, 0.95))) if len(s.wait) else "–"
                ),
                "waiting at the end": f"{s.last_depth:,}",
                "dropped": format_share(s.dropped_share),
                "source held back": format_share(s.held_back_share),
                "done a second": f"{s.throughput:.2f}",
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
            "waiting at the end": s.last_depth,
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
    """Let the same items come under each policy."""
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
    """Let the first seconds of the items come for real, on Prefect's server; the result so far with
    each sign of life.

    Raises
    ------
    InputError
        Too many items a second for a real run; the server cannot be reached.
    """
    p, result = params, replace(run(params), complete=False)
    require(
        realistic(p),
        "arrival_rate must be {:g} at most for a real run. Got {:g}.",
        REAL_RATE,
        p.arrival_rate,
    )
    yield Progress(0.0, "waiting for Prefect's server", result)
    SERVER.ready()
    trial = Trial(
        SERVER, p.load(), p.workers, p.policy, p.buffer, p.rate_limit, min(REAL_SECONDS, p.seconds)
    )
    for measured in real.watch(trial):
        result = replace(result, measured=measured)
        yield Progress(trial.now / trial.seconds, f"{len(trial.created)} flow runs created", result)
    return replace(result, measured=trial.measured(), complete=True)
