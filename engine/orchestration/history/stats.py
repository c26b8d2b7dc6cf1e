"""Shares and medians of many runs with their intervals, task by task."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from engine.orchestration.records import Run
from engine.statistics import share_interval
from engine.units import format_interval, format_share


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number from ``n`` observations with its 95% interval."""

    value: float
    low: float
    high: float
    n: int

    def percent(self) -> str:
        """Return a share as a person reads it."""
        interval = format_interval(self.low, self.high, format_share)
        return f"{format_share(self.value)} ({interval}, n = {self.n})"


def share(hits: int, n: int) -> Estimate:
    """Return a share with its Wilson score interval (Wilson 1927); nothing observed is anything
    from 0 to 1.
    """
    low, high = share_interval(hits, n)
    return Estimate(hits / n if n else 0.0, low, high, n)


@lru_cache(maxsize=1024)
def _rank(n: int) -> int:
    """Return how many of n sorted values may be left off at each end so that 95% still hold the
    median between them.
    """
    rank, below = 0, 0.0
    while (below := below + math.comb(n, rank) / 2**n) <= 0.025:
        rank += 1
    return max(rank - 1, 0)


def middle(values: list[float]) -> Estimate:
    """Return the median with its interval by order statistics: no assumption about the
    distribution.

    Fewer than six values cannot reach 95%: then the interval is from the least to the greatest.
    """
    found = sorted(values)
    if not found:
        return Estimate(0.0, 0.0, 0.0, 0)
    rank = _rank(len(found))
    return Estimate(median(found), found[rank], found[-1 - rank], len(found))


@dataclass(frozen=True, slots=True)
class TaskStats:
    """One task in many runs."""

    task: str
    seconds: Estimate  # median of the running time in a run, all its attempts together
    flaky: Estimate  # share of the runs in which at least one attempt failed
    n_failed_runs: int  # in which it failed for good


def by_task(runs: tuple[Run, ...]) -> list[TaskStats]:
    """Return the statistics of each task that ran at least once, in order of its first
    appearance.
    """
    seconds: dict[str, list[float]] = defaultdict(list)
    stumbled: dict[str, int] = defaultdict(int)
    lost: dict[str, int] = defaultdict(int)
    for run in runs:
        total: dict[str, float] = defaultdict(float)
        failed: dict[str, bool] = {}
        for attempt in run.attempts:
            if attempt.attempt > 0 and attempt.outcome != "cached":
                total[attempt.task] += attempt.seconds("running")
                failed[attempt.task] = failed.get(attempt.task, False) or attempt.outcome in (
                    "failed",
                    "timed out",
                    "crashed",
                )
        last = run.last()
        for task, amount in total.items():
            seconds[task].append(amount)
            stumbled[task] += failed[task]
            lost[task] += last[task].outcome in ("failed", "timed out", "crashed")
    return [
        TaskStats(t, middle(seconds[t]), share(stumbled[t], len(seconds[t])), lost[t])
        for t in seconds
    ]
