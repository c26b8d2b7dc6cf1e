"""Thundering herd: many clients fail at the same moment and come back; what a service of limited
capacity sees of them.

Simulated: all clients ask at second 0; the service answers the first ``capacity`` requests of each
second and refuses the others; who is refused waits as its backoff says and asks again, until its
retries are used up. The tests hold this against an event loop that takes one request after another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.orchestration.retry import model


@dataclass(frozen=True, slots=True, eq=False)
class Herd:
    """What the service saw: ``second`` (s,) with any request, requests ``n_asked`` (s,) and
    ``n_served`` (s,) of it.
    """

    jitter: float
    capacity: int
    second: np.ndarray
    n_asked: np.ndarray
    n_served: np.ndarray
    n_gave_up: int

    @property
    def n_requests(self) -> int:
        """All requests."""
        return int(self.n_asked.sum())

    @property
    def retry_peak(self) -> int:
        """Most requests in one second after the first."""
        later = self.n_asked[self.second > 0]
        return int(later.max()) if len(later) else 0

    @property
    def clear_seconds(self) -> int:
        """Seconds until the last client is served or gives up."""
        return int(self.second[-1]) + 1


def stampede(n_clients: int, capacity: int, waits: np.ndarray, jitter: float, seed: int) -> Herd:
    """Let the herd loose. Loops over seconds with requests, of which there are at most as many as
    clients.
    """
    factors = model.jitter_multiples(
        np.random.default_rng([seed, 2]), jitter, (n_clients, len(waits))
    )
    pauses = np.column_stack(
        [waits * factors, np.full(n_clients, np.inf)]
    )  # after the last attempt: never again
    at, attempts = np.zeros(n_clients), np.zeros(n_clients, int)
    seconds, asked, served = [], [], []
    n_gave_up = 0
    left = np.arange(n_clients)
    while len(left):
        second = int(at[left].min())
        now = left[at[left] < second + 1]
        now = now[np.argsort(at[now], kind="stable")]
        refused = now[capacity:]
        n_asked = len(now)
        while len(refused):  # who comes back within the same second is refused again: it is full
            at[refused] += pauses[refused, attempts[refused]]
            attempts[refused] += 1
            refused = refused[at[refused] < second + 1]
            n_asked += len(refused)
        gone = np.isin(left, now[:capacity]) | np.isinf(at[left])
        n_gave_up += int(np.isinf(at[left]).sum())
        left = left[~gone]
        seconds.append(second)
        asked.append(n_asked)
        served.append(min(capacity, len(now)))
    return Herd(jitter, capacity, np.array(seconds), np.array(asked), np.array(served), n_gave_up)
