"""A source, a queue and a sink: every item's arrival, start and end, by a loop over events.

Simulated: items come at times of their own (regular or random), wait in a queue, and are taken by
``workers`` that run side by side. What happens when the queue is full is the policy. A rate limit
spaces the starts, as Prefect's global concurrency limit of one slot with ``slot_decay_per_second``
does; urgent items go first, as those of a work queue of higher priority do (what runs is never
interrupted). The tests hold this against Lindley's recursion, Little's law, Erlang's and the
M/M/1/K formulas.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

Policy = Literal["let it grow", "drop what is new", "block the source"]
POLICIES: tuple[Policy, ...] = get_args(Policy)


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """What comes: seconds between items, seconds that each takes, whether it is urgent; all
    (n,).
    """

    gaps: np.ndarray
    services: np.ndarray
    urgent: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What became of each item that came, all (n,), NaN for what did not happen before
    ``seconds``.
    """

    seconds: float
    arrival: np.ndarray
    start: np.ndarray
    end: np.ndarray
    urgent: np.ndarray
    dropped: np.ndarray
    n_planned: int  # that a source which nobody blocks would have made
    depth_after: np.ndarray  # (n,) items in the queue just after each came

    @property
    def started(self) -> np.ndarray:
        """Which items a worker took."""
        return np.asarray(np.isfinite(self.start))

    @property
    def wait(self) -> np.ndarray:
        """Seconds in the queue, of those taken by a worker."""
        return np.asarray((self.start - self.arrival)[self.started])

    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the times at which the queue changes, and how many wait from then on; who never
        waits changes nothing.
        """
        inside = ~self.dropped & (self.start != self.arrival)
        left = self.started & inside
        times = np.concatenate([self.arrival[inside], self.start[left]])
        change = np.concatenate([np.ones(int(inside.sum())), -np.ones(int(left.sum()))])
        order = np.lexsort((change, times))
        return np.append(0.0, times[order]), np.append(0.0, np.cumsum(change[order]))

    def depth_at(self, times: np.ndarray) -> np.ndarray:
        """Return how many wait at each of ``times``."""
        at, depth = self.steps()
        return depth[np.searchsorted(at, times, side="right") - 1]

    @property
    def mean_depth(self) -> float:
        """Items waiting, mean over time."""
        at, depth = self.steps()
        return float((np.diff(np.append(at, self.seconds)) * depth).sum() / self.seconds)

    @property
    def last_depth(self) -> int:
        """Items waiting at the end."""
        return int(self.steps()[1][-1])

    @property
    def dropped_share(self) -> float:
        """Share of the items that were dropped, 0–1."""
        return float(self.dropped.mean()) if len(self.dropped) else 0.0

    @property
    def held_back_share(self) -> float:
        """Share of the items that a blocked source did not get to make, 0–1."""
        return max(0.0, 1 - len(self.arrival) / self.n_planned) if self.n_planned else 0.0

    @property
    def throughput(self) -> float:
        """Items done per second."""
        return float((self.end <= self.seconds).sum() / self.seconds)


def load(
    arrival_rate: float,
    service_seconds: float,
    random: bool,
    urgent_share: float,
    seconds: float,
    seed: int,
) -> Load:
    """Draw enough items for ``seconds``: exponential times if ``random`` (Poisson arrivals), else
    all equal.
    """
    n = int(arrival_rate * seconds * 1.25 + 8 * np.sqrt(arrival_rate * seconds) + 10)
    rng = np.random.default_rng(seed)
    gaps, services, urgent = (
        rng.exponential(1.0, n),
        rng.exponential(1.0, n),
        rng.random(n) < urgent_share,
    )
    if not random:
        gaps, services = np.ones(n), np.ones(n)
    return Load(gaps / arrival_rate, services * service_seconds, urgent)


@dataclass(slots=True)
class _Sink:
    """Workers, the queue before them, and the rate limit."""

    workers: list[float]  # heap: when each is free
    services: list[float]
    spacing: float
    start: list[float]
    arrival: list[float]
    gate: float = 0.0
    queues: tuple[deque[int], deque[int]] = field(default_factory=lambda: (deque(), deque()))

    @property
    def waiting(self) -> int:
        return len(self.queues[0]) + len(self.queues[1])

    def next_start(self) -> float:
        """When the next of those that wait can start."""
        return max(self.workers[0], self.gate)

    def drain(self, until: float) -> None:
        """Start what can start up to ``until``; all that waits came before then."""
        while self.waiting:
            at = self.next_start()
            if at > until:
                return
            item = (self.queues[0] or self.queues[1]).popleft()
            at = max(at, self.arrival[item])
            self.start[item] = at
            heapq.heapreplace(self.workers, at + self.services[item])
            self.gate = at + self.spacing


def simulate(
    load: Load, workers: int, policy: Policy, buffer: int, rate_limit: float, seconds: float
) -> Stream:
    """Let the items come and go until ``seconds``."""
    n = len(load.gaps)
    gaps, urgent = load.gaps.tolist(), load.urgent.tolist()
    spacing = 1 / rate_limit if rate_limit else 0.0
    arrival: list[float] = []
    sink = _Sink([0.0] * workers, load.services.tolist(), spacing, [float("nan")] * n, arrival)
    dropped: list[bool] = []
    depth: list[int] = []
    now = 0.0
    for item in range(n):
        now += gaps[item]
        if now > seconds:
            break
        sink.drain(now)
        if policy == "block the source":
            while sink.waiting >= buffer:
                now = max(now, sink.next_start())
                sink.drain(now)
            if now > seconds:
                break
        lost = policy == "drop what is new" and sink.waiting >= buffer
        arrival.append(now)
        dropped.append(lost)
        if not lost:
            sink.queues[0 if urgent[item] else 1].append(item)
            sink.drain(now)
        depth.append(sink.waiting)
    sink.drain(seconds)
    m = len(arrival)
    start = np.array(sink.start[:m])
    start[start > seconds] = np.nan
    return Stream(
        seconds=seconds,
        arrival=np.array(arrival),
        start=start,
        end=start + load.services[:m],
        urgent=load.urgent[:m],
        dropped=np.array(dropped, bool),
        n_planned=int(np.searchsorted(np.cumsum(load.gaps), seconds, side="right")),
        depth_after=np.array(depth),
    )


def erlang_wait(arrival_rate: float, service_seconds: float, workers: int) -> float:
    """Return the mean seconds in the queue of M/M/c for ever (Erlang C, 1917); infinite when more
    comes than is done.
    """
    load_ = arrival_rate * service_seconds
    if load_ >= workers:
        return float("inf")
    blocked = 1.0
    for k in range(1, workers + 1):  # Erlang B by its recursion
        blocked = load_ * blocked / (k + load_ * blocked)
    waits = blocked / (1 - load_ / workers * (1 - blocked))
    return waits * service_seconds / (workers - load_)


def lost_share(arrival_rate: float, service_seconds: float, workers: int, buffer: int) -> float:
    """Return the share of items that M/M/c/(c + buffer) turns away for ever."""
    load_ = arrival_rate * service_seconds
    weights = [1.0]
    for k in range(1, workers + buffer + 1):
        weights.append(weights[-1] * load_ / min(k, workers))
    return weights[-1] / sum(weights)
