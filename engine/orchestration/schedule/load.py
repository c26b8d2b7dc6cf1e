"""Load of a schedule: runs that overlap, and runs that were due while the server was down.

Simulated from Prefect's dates and Prefect's rules: a deployment's concurrency limit with its
collision strategy (``ENQUEUE``: wait, ``CANCEL_NEW``: drop the new run); a scheduler that books
ahead at least three runs and at least one hour (``PREFECT_SERVER_SERVICES_SCHEDULER_MIN_RUNS`` and
``…_MIN_SCHEDULED_TIME``) and never looks back. The real worker looks for a free slot every 30 s
only; here it starts immediately.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Literal, get_args

Collision = Literal["wait", "cancel the new run"]
COLLISIONS: tuple[Collision, ...] = get_args(Collision)
MIN_RUNS, MIN_AHEAD_SECONDS, MAX_RUNS = (
    3,
    3600.0,
    100,
)  # Prefect's defaults, which a test reads from its settings
LATE_SECONDS = 15.0  # after which Prefect calls a run late


@dataclass(frozen=True, slots=True)
class Turn:
    """One run: when it is due, when it starts and ends (``None``: it never runs), in seconds since
    the epoch.
    """

    due: float
    start: float | None
    end: float | None

    @property
    def wait_seconds(self) -> float:
        """How long after its time it starts; 0 for one that never does."""
        return 0.0 if self.start is None else self.start - self.due


def turns(
    dates: tuple[float, ...], run_seconds: float, limit: int, collision: Collision
) -> tuple[Turn, ...]:
    """Return what becomes of runs due at ``dates`` that all take ``run_seconds``; ``limit`` 0: any
    number in parallel.
    """
    busy: list[float] = []  # ends of the runs that hold a slot
    made = []
    for due in sorted(dates):
        while busy and busy[0] <= due:
            heapq.heappop(busy)
        if not limit or len(busy) < limit:
            start = due
        elif collision == "cancel the new run":
            made.append(Turn(due, None, None))
            continue
        else:  # every slot is taken, by runs or by what waits before this one
            start = heapq.nlargest(limit, busy)[-1]
        heapq.heappush(busy, start + run_seconds)
        made.append(Turn(due, start, start + run_seconds))
    return tuple(made)


def most_parallel(made: tuple[Turn, ...]) -> int:
    """Return the largest number of runs at the same time."""
    events = sorted(
        (at, step)
        for t in made
        if t.start is not None and t.end is not None
        for at, step in ((t.start, 1), (t.end, -1))
    )
    now = most = 0
    for _, step in events:  # at the same moment an end sorts before a start
        now += step
        most = max(most, now)
    return most


def booked(dates: tuple[float, ...], now: float) -> tuple[float, ...]:
    """Return the runs that Prefect's scheduler has booked at ``now``: at least three, at least an
    hour ahead, at most 100.
    """
    ahead: list[float] = []
    for date in dates:
        if date < now:
            continue
        ahead.append(date)
        if (len(ahead) >= MIN_RUNS and date >= now + MIN_AHEAD_SECONDS) or len(ahead) == MAX_RUNS:
            break
    return tuple(ahead)


@dataclass(frozen=True, slots=True)
class Outage:
    """The server is down from ``begin`` to ``end``: the runs due meanwhile, and who runs them
    afterwards.
    """

    begin: float
    end: float
    missed: tuple[float, ...]
    late: tuple[float, ...]  # booked before: Prefect runs them as soon as it is back
    caught_up: tuple[Turn, ...]  # those, as they run

    @property
    def lost(self) -> tuple[float, ...]:
        """Runs that Prefect never creates: they were not booked yet, and its scheduler never looks
        back.
        """
        return tuple(date for date in self.missed if date not in self.late)

    @property
    def airflow(self) -> dict[str, tuple[float, ...]]:
        """Return which of the missed runs Airflow makes up for, with ``catchup=True`` and ``False``
        (only the latest).
        """
        return {"catchup=True": self.missed, "catchup=False": self.missed[-1:]}


def outage(
    dates: tuple[float, ...], begin: float, seconds: float, run_seconds: float, limit: int
) -> Outage:
    """Return what an outage of ``seconds`` from ``begin`` on does to the runs due at ``dates``."""
    end = begin + seconds
    missed = tuple(date for date in dates if begin <= date < end)
    ahead = set(booked(dates, begin))
    late = tuple(date for date in missed if date in ahead)
    ran = turns((end,) * len(late), run_seconds, limit, "wait")
    caught_up = tuple(Turn(due, turn.start, turn.end) for due, turn in zip(late, ran, strict=True))
    return Outage(begin, end, missed, late, caught_up)
