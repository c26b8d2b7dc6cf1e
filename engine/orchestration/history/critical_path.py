"""The critical path of a run, and what it would have taken had one task been faster: its own times,
replayed on its graph.

Model: a task starts a fixed *lag* after the last task that it depends on has ended (after the run's
start if there is none). The lag is what was measured: waiting for a slot, Prefect's overhead. A
task that is faster ends earlier, and so moves all that depends on it; lags stay as they were, so
slots that it frees are not given to others: a bound on the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import require
from engine.orchestration.records import Run


@dataclass(frozen=True, slots=True)
class Span:
    """A task's whole time in a run, from its first start to its last end, waits for retries
    included; seconds of the run.
    """

    task: str
    upstream: tuple[str, ...]
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Link:
    """One task of the critical path, with the lag before it."""

    task: str
    lag_seconds: float
    seconds: float


def spans(run: Run) -> dict[str, Span]:
    """Return the span of each task that ran or was taken from the cache, in order of their
    starts.
    """
    names = {task.key: task.upstream for task in run.tasks}
    found: dict[str, tuple[float, float]] = {}
    for attempt in run.attempts:
        times = [
            (i.start_seconds, i.end_seconds)
            for i in attempt.intervals
            if i.state != "pending" and i.end_seconds is not None
        ]
        if not times:
            continue
        low, high = min(t[0] for t in times), max(t[1] for t in times)
        before = found.get(attempt.task, (low, high))
        found[attempt.task] = (min(low, before[0]), max(high, before[1]))
    order = sorted(found, key=lambda task: found[task])
    return {t: Span(t, tuple(u for u in names.get(t, ()) if u in found), *found[t]) for t in order}


def _ready(span: Span, ends: dict[str, float]) -> float:
    """Return when the last task upstream ends."""
    return max((ends[task] for task in span.upstream), default=0.0)


def replay(
    found: dict[str, Span], faster: str = "", factor: float = 1.0
) -> dict[str, tuple[float, float]]:
    """Return when each task starts and ends if ``faster`` takes its time divided by ``factor``.

    A graph whose recorded order contradicts its edges (a task that began before its upstream ended)
    keeps its negative lag.
    """
    require(factor > 0, "factor must be more than 0. Got {}.", factor)
    measured = {task: span.end for task, span in found.items()}
    times: dict[str, tuple[float, float]] = {}

    def times_of(task: str) -> tuple[float, float]:
        if task not in times:
            span = found[task]
            ends = {name: times_of(name)[1] for name in span.upstream}
            start = _ready(span, ends) + span.start - _ready(span, measured)
            times[task] = (start, start + span.seconds / (factor if task == faster else 1.0))
        return times[task]

    for task in found:
        times_of(task)
    return times


def critical_path(found: dict[str, Span]) -> list[Link]:
    """Return the chain of tasks that decides when the run is over, from its first task to its
    last.
    """
    if not found:
        return []
    measured = {task: span.end for task, span in found.items()}
    chain = [max(found.values(), key=lambda span: span.end)]
    while chain[-1].upstream:
        chain.append(found[max(chain[-1].upstream, key=lambda task: measured[task])])
    return [
        Link(span.task, span.start - _ready(span, measured), span.seconds)
        for span in reversed(chain)
    ]


def finish(found: dict[str, Span], faster: str = "", factor: float = 1.0) -> float:
    """Return when the last task ends, in seconds of the run."""
    return max((end for _, end in replay(found, faster, factor).values()), default=0.0)
