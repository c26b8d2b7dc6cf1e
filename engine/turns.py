"""Whose job is next: fair to visitors, not to jobs.

The visitor who was served longest ago goes first, so nobody waits for two jobs of another person;
of the same claim, the job that was queued first. A job that several want goes by the best claim
among them. What only the server itself wants comes last.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, TypeVar


class Waiting(Protocol):
    """What the order of a job depends on."""

    queued_at: float

    @property
    def visitors(self) -> set[str]:
        """Who wants the job, without the server itself."""
        ...


J = TypeVar("J", bound=Waiting)


class Turns:
    """Remembers who was served when. It has no lock: the queue's is held around each call."""

    def __init__(self) -> None:
        self._served: dict[str, int] = {}  # owner -> number of the latest start
        self._n_starts = 0

    def take(self, job: Waiting) -> None:
        """Note that ``job`` starts."""
        self._n_starts += 1
        self._served.update(dict.fromkeys(job.visitors, self._n_starts))

    def forget(self, owner: str) -> None:
        """Drop what is known of a visitor who is gone."""
        self._served.pop(owner, None)

    def order(self, waiting: Collection[J]) -> list[J]:
        """Return the jobs in the order in which they will start, if nothing changes."""
        ahead, left = Turns(), list(waiting)
        ahead._served, ahead._n_starts = dict(self._served), self._n_starts
        found = []
        while left:
            following = min(left, key=ahead._claim)
            left.remove(following)
            ahead.take(following)
            found.append(following)
        return found

    def _claim(self, job: Waiting) -> tuple[bool, int, float]:
        served = min((self._served.get(visitor, 0) for visitor in job.visitors), default=0)
        return not job.visitors, served, job.queued_at
