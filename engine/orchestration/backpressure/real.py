"""The same items on Prefect: a work pool with a concurrency limit, queues with priorities, a rate
limit, for some seconds.

Real: each item is a flow run on the Prefect server. Which run may start, and when, is the server's
decision: the work pool's concurrency limit, the priorities of its two queues, and a global
concurrency limit of one slot that decays (a rate limit). How many wait is what the server counts as
Scheduled. Simplified: the worker is ours and runs no code; an item keeps its slot for as long as
the simulated one does. Dropping and blocking are the source's doing, by the server's count: Prefect
has no such setting.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from engine.errors import InputError
from engine.orchestration.backpressure.model import Load, Policy
from engine.orchestration.server import Server, iso

ASK_SECONDS = 0.3  # between two questions to the server; each is a write to its SQLite file
FULL_SECONDS = 1.5  # the same, while all slots are taken: the server must refuse
COUNT_SECONDS = 0.9  # between two counts of the queue
QUEUES = ("urgent", "normal")  # of priority 1 and 2


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the server said: ``depth`` (m,) runs Scheduled at ``at_seconds`` (m,), and what became
    of the items.
    """

    at_seconds: np.ndarray
    depth: np.ndarray
    n_created: int
    n_dropped: int
    n_completed: int
    wait_seconds: dict[str, float]  # queue -> mean of those that started
    most_parallel: int
    late_seconds: float  # median by which the source came later than planned


@dataclass(slots=True, eq=False)
class Trial:
    """One real run: what is shared by the source, the worker and who looks on."""

    server: Server
    load: Load
    workers: int
    policy: Policy
    buffer: int
    rate_limit: float
    seconds: float
    name: str = field(default_factory=lambda: f"backpressure-{uuid.uuid4().hex[:8]}")
    flow_id: str = ""
    began: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    changed: threading.Event = field(default_factory=threading.Event)  # an item has come or gone
    slot_at: float = 0.0  # when the rate limit can next have decayed
    created: dict[str, tuple[float, int]] = field(
        default_factory=dict
    )  # run id -> when, which item
    started: dict[str, float] = field(default_factory=dict)
    completed: set[str] = field(default_factory=set)
    counts: list[tuple[float, int]] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    n_dropped: int = 0
    most_parallel: int = 0
    n_busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def now(self) -> float:
        """Seconds since the source began."""
        return time.monotonic() - self.began

    def waiting(self) -> int:
        """How many runs the server holds as Scheduled."""
        body = {
            "flows": {"id": {"any_": [self.flow_id]}},
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        }
        return int(self.server.call("flow_runs/count", body))

    def source(self) -> None:
        """Create the runs when they are due, as the policy has it."""
        due = 0.0
        for item, gap in enumerate(self.load.gaps.tolist()):
            due += gap
            if due > self.seconds or self.over.wait(max(0.0, due - self.now)):
                return
            self.lags.append(max(0.0, self.now - due))
            if self.policy == "drop what is new" and self.waiting() >= self.buffer:
                self.n_dropped += 1
                continue
            while self.policy == "block the source" and self.waiting() >= self.buffer:
                if self.over.wait(ASK_SECONDS):
                    return
            due = max(due, self.now) if self.policy == "block the source" else due
            self._create(item)

    def _create(self, item: int) -> None:
        queue = QUEUES[0] if self.load.urgent[item] else QUEUES[1]
        state = {
            "type": "SCHEDULED",
            "name": "Scheduled",
            "state_details": {"scheduled_time": iso(time.time())},
        }
        where = {"work_pool_name": self.name, "work_queue_name": queue}
        once = {
            "flow_id": self.flow_id,
            "name": f"item {item}",
            "idempotency_key": f"{self.name} {item}",
        }
        made = self.server.call("flow_runs/", {**once, "state": state, **where})
        with self.lock:
            self.created[made["id"]] = (self.now, item)
        self.changed.set()

    def worker(self, pool: ThreadPoolExecutor) -> None:
        """Ask the server for a run that may start; take it once the rate limit lets it; until it is
        over.
        """
        while not self.over.is_set():
            self.changed.clear()
            if self.n_busy >= self.workers:
                self._until_free()
            body = {"scheduled_before": iso(time.time()), "limit": 1}
            found = self.server.call(f"work_pools/{self.name}/get_scheduled_flow_runs", body)
            if not found or (self.rate_limit and not self._slot()):
                self.changed.wait(ASK_SECONDS)
                continue
            run_id = str(found[0]["flow_run"]["id"])
            if self._set(run_id, "PENDING"):
                with self.lock:
                    self.started[run_id] = self.now
                    self.n_busy += 1
                    self.most_parallel = max(self.most_parallel, self.n_busy)
                pool.submit(self._serve, run_id, self.now)

    def _until_free(self) -> None:
        """Wait until an item is done, or until it is time to ask the server for one more than the
        limit.
        """
        until = self.now + FULL_SECONDS
        while self.n_busy >= self.workers and self.now < until and not self.over.is_set():
            self.changed.wait(until - self.now)
            self.changed.clear()

    def _slot(self) -> bool:
        """Ask for the slot of the rate limit; the server answers 423 (Locked) while it has not
        decayed.
        """
        self.over.wait(max(0.0, self.slot_at - self.now))
        try:
            self.server.call(
                "v2/concurrency_limits/increment",
                {"slots": 1, "names": [self.name], "mode": "rate_limit"},
            )
        except InputError as error:
            if " 423 " in str(error):
                return False
            raise
        self.slot_at = self.now + 1 / self.rate_limit
        return True

    def _set(self, run_id: str, kind: str) -> bool:
        state = {"type": kind, "name": kind.capitalize()}
        answer = self.server.call(f"flow_runs/{run_id}/set_state", {"state": state})
        return bool(answer["status"] == "ACCEPT")

    def _serve(self, run_id: str, start: float) -> None:
        """Keep the slot for as long as the item takes."""
        while run_id not in self.created and not self.over.is_set():
            time.sleep(0.005)  # the worker was quicker than the answer to the source
        self._set(run_id, "RUNNING")
        seconds = (
            float(self.load.services[self.created[run_id][1]]) if run_id in self.created else 0.0
        )
        self.over.wait(max(0.0, start + seconds - self.now))
        if not self.over.is_set():
            self._set(run_id, "COMPLETED")
            self.completed.add(run_id)
        with self.lock:
            self.n_busy -= 1
        self.changed.set()

    def measured(self) -> Measured:
        """Return what is known so far."""
        with self.lock:
            created, started, counts = dict(self.created), dict(self.started), list(self.counts)
        waits: dict[str, float] = {}
        for place, queue in enumerate(QUEUES):
            of = [
                max(0.0, at - created[i][0])
                for i, at in started.items()
                if i in created and bool(self.load.urgent[created[i][1]]) == (place == 0)
            ]
            if of:
                waits[queue] = float(np.mean(of))
        at, depth = (np.array([count[k] for count in counts]) for k in (0, 1))
        n = (len(created), self.n_dropped, len(self.completed))
        return Measured(
            at,
            depth,
            *n,
            waits,
            self.most_parallel,
            float(np.median(self.lags)) if self.lags else 0.0,
        )


@contextmanager
def prepared(trial: Trial) -> Iterator[None]:
    """Create pool, queues and limit on the server, and take them away again, with the runs that
    never started.
    """
    call = trial.server.call
    trial.flow_id = call("flows/", {"name": trial.name})["id"]
    call("work_pools/", {"name": trial.name, "type": "process", "concurrency_limit": trial.workers})
    try:
        for priority, queue in enumerate(QUEUES, 1):
            call(f"work_pools/{trial.name}/queues", {"name": queue, "priority": priority})
        if trial.rate_limit:
            body = {"name": trial.name, "limit": 1, "slot_decay_per_second": trial.rate_limit}
            call("v2/concurrency_limits/", body)
        done = {"type": "COMPLETED", "name": "Completed"}
        where = {"work_pool_name": trial.name, "work_queue_name": QUEUES[1]}
        call(
            "flow_runs/", {"flow_id": trial.flow_id, "name": "first", "state": done, **where}
        )  # the first one takes longest
        trial.waiting()
        yield
    finally:
        trial.over.set()
        call(f"work_pools/{trial.name}", method="DELETE")
        if trial.rate_limit:
            call(f"v2/concurrency_limits/{trial.name}", method="DELETE")
        call(f"flows/{trial.flow_id}", method="DELETE")


def watch(trial: Trial) -> Iterator[Measured]:
    """Let the items come for the trial's seconds; yield what is known at least once a second.

    Raises
    ------
    InputError
        The server cannot be reached, or refuses.
    """
    with prepared(trial), ThreadPoolExecutor(trial.workers + 2) as pool:
        try:
            trial.began = time.monotonic()
            busy = [pool.submit(trial.source), pool.submit(trial.worker, pool)]
            while trial.now < trial.seconds:
                trial.over.wait(max(0.05, min(COUNT_SECONDS, trial.seconds - trial.now)))
                trial.counts.append((trial.now, trial.waiting()))
                for future in busy:
                    if future.done():
                        future.result()  # raises what went wrong
                yield trial.measured()
        finally:
            trial.over.set()
