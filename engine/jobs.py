"""Background jobs: what takes longer than about a second runs here, one at a time a server, and the
page polls.

A job's work is a generator function: it yields ``Progress`` at least once a second and returns its
result; it is cancelled between yields (its ``finally`` blocks run). Jobs are named by what they
compute: two sessions that ask for the same key share one job, and a session that comes back after a
reload finds it again. A job that nobody owns for ``GRACE_SECONDS`` is cancelled. What the server
measures for itself makes way for a visitor's job and starts anew later. A queue that keeps results
finds those of an earlier server on disk (``engine.kept``). Nothing here knows Streamlit.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Literal

from engine import hosted, kept, pace
from engine.errors import explain
from engine.turns import Turns

State = Literal["queued", "running", "done", "failed", "cancelled"]
GRACE_SECONDS = 15.0
SIGN_OF_LIFE_SECONDS = 0.5
KEPT_JOBS = 64
SERVER = "server"  # owner of the jobs that warm the server up


@dataclass(frozen=True, slots=True)
class Progress:
    """One sign of life: ``share`` done in 0–1, what is being done, and the result so far if it can
    be shown.
    """

    share: float
    message: str = ""
    partial: Any = None


Steps = Generator[Progress, None, Any]


@dataclass(slots=True, eq=False)
class Job:
    """One piece of background work and what is known of it. Written by the worker thread, read by
    pages.
    """

    key: Hashable
    title: str
    make_steps: Callable[[], Steps]
    owners: set[str] = field(default_factory=set)
    state: State = "queued"
    progress: Progress = Progress(0.0, "waiting")
    result: Any = None
    message: str = ""  # of a failed job: what a page says about it
    queued_at: float = field(default_factory=time.monotonic)
    started_at: float | None = None  # of its latest start, by the clock that nobody sets
    finished_at: float | None = None  # seconds since 1970
    expected_seconds: float | None = None  # what the same run took before
    steady: bool = False  # earlier runs of the experiment kept their pace
    marks: list[tuple[float, float]] = field(default_factory=list)  # (time, share), share rising
    cancel_requested: threading.Event = field(default_factory=threading.Event)
    preempted: bool = False  # it makes way for a visitor's job and is queued again
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """Whether the job still waits or runs."""
        return self.state in ("queued", "running")

    @property
    def latest(self) -> Any:
        """The result if there is one, else the last partial result, else ``None``."""
        return self.result if self.result is not None else self.progress.partial

    @property
    def visitors(self) -> set[str]:
        """Who wants the job, without the server itself."""
        return self.owners - {SERVER}

    @property
    def servers_own(self) -> bool:
        """Whether no visitor wants the job."""
        return not self.visitors

    def note(self, progress: Progress, now: float) -> None:
        """Take a sign of life at the time ``now``. A share that falls means that the work began
        again.
        """
        if self.marks and progress.share < self.marks[-1][1]:
            self.marks = []
            self.expected_seconds = None
        if not self.marks or progress.share > self.marks[-1][1]:
            self.marks.append((now, progress.share))
        self.progress = progress

    def remaining_seconds(self) -> float | None:
        """Estimate the seconds left; ``None`` while the estimates do not agree (``engine.pace``),
        or where no earlier run says that they can be trusted.
        """
        if not self.steady and self.expected_seconds is None:
            return None
        return pace.remaining_seconds(self.marks, self.expected_seconds, time.monotonic())


class Jobs:
    """The queue of one server: a single worker thread, visitors in turn, finished jobs kept.

    Visitors go before the server's own, nobody waits for two jobs of another (``engine.turns``),
    and of one visitor's the newest goes first. ``engine.hosted`` bounds how many wait and how long
    one runs. With ``keep_results`` a result outlives the server, and is found by the next one.
    """

    def __init__(self, grace_seconds: float = GRACE_SECONDS, keep_results: bool = False) -> None:
        self.grace_seconds = grace_seconds
        self.keep_results = keep_results
        self._anew: set[Hashable] = set()  # keys that are to be measured, whatever is on disk
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()
        self._turns = Turns()
        self._changed = threading.Condition(threading.RLock())
        self._leaving: dict[str, threading.Timer] = {}
        self._worker: threading.Thread | None = None
        self._stopped = False

    def submit(self, owner: str, key: Hashable, title: str, make_steps: Callable[[], Steps]) -> Job:
        """Queue the work for ``owner``, or join the job that computes ``key`` already (waiting,
        running or done). Raises ``InputError`` if too many of the owner's wait on a shared server.
        """
        self.find(key)  # reads the disk, for which nobody else waits
        with self._changed:
            job = self._jobs.get(key)
            ending = job is not None and job.cancel_requested.is_set() and not job.preempted
            if job is None or job.state in ("failed", "cancelled") or (job.active and ending):
                before, job = job, Job(key, title, make_steps)
                self._place_new(job, owner)
                self._jobs[key] = job
                if before is not None:  # what was measured is shown until there is more
                    job.progress = Progress(0.0, "waiting", before.latest)
                if self.keep_results:
                    job.expected_seconds = kept.seconds(key)
                    job.steady = kept.is_steady(key)
            self._jobs.move_to_end(key)
            job.owners.add(owner)
            self._forget_oldest()
            if job.active and (self._worker is None or not self._worker.is_alive()):
                self._stopped = False
                self._worker = threading.Thread(target=self._work, name="jobs", daemon=True)
                self._worker.start()
            self._make_way()
            self._changed.notify_all()
            return job

    def _place_new(self, job: Job, owner: str) -> None:
        """Put a visitor's newest wish before their oldest that waits: it is what is on screen."""
        own = [j.queued_at for j in self._waiting() if j.owners == {owner}]
        if own and owner != SERVER:
            hosted.check_waiting(len(own))
            job.queued_at = min(own) - 1e-6

    def _forget_oldest(self) -> None:
        ended = [key for key, job in self._jobs.items() if not job.active]
        for key in ended[: max(0, len(self._jobs) - KEPT_JOBS)]:
            del self._jobs[key]

    def _make_way(self) -> None:
        """Stop the server's own job if a visitor's waits; it is queued again."""
        visitors = any(j.state == "queued" and not j.servers_own for j in self._jobs.values())
        for job in self._jobs.values() if visitors else ():
            if job.state == "running" and job.servers_own and not job.cancel_requested.is_set():
                job.preempted = True
                job.cancel_requested.set()

    def find(self, key: Hashable) -> Job | None:
        """Return the job of ``key`` in any state (done: an earlier server measured it), or None."""
        with self._changed:
            job = self._jobs.get(key)
            if job is not None or not self.keep_results or key in self._anew:
                return job
        found = kept.load(key)
        with self._changed:
            if found is not None and key not in self._jobs and key not in self._anew:
                job = self._jobs[key] = Job(key, "kept", _no_steps)
                job.result, job.finished_at, job.state = found.result, found.measured_at, "done"
                job.ended.set()
            return self._jobs.get(key)

    def position(self, job: Job) -> int:
        """Return how many jobs run or wait before ``job`` (0: it runs, or is next with nothing
        running).
        """
        with self._changed:
            running = [j for j in self._jobs.values() if j.state == "running"]
            queue = running + self._turns.order(self._waiting())
            return queue.index(job) if job in queue else 0

    def drop(self, owner: str, key: Hashable) -> None:
        """Take ``owner`` off the active job of ``key``; one without owners is cancelled at once and
        forgotten.
        """
        with self._changed:
            job = self._jobs.get(key)
            if job is not None and job.active:
                job.owners.discard(owner)
                if not job.owners:
                    self._jobs.pop(key)
                    self.cancel(job)
                self._make_way()

    def give_up(self, owner: str, job: Job) -> None:
        """Take ``owner`` off ``job``, which is cancelled once nobody is left who wants it; what it
        has so far is kept.
        """
        with self._changed:
            job.owners.discard(owner)
            if job.active and not job.owners:
                self.cancel(job)
            self._make_way()

    def cancel(self, job: Job) -> None:
        """Cancel ``job``: a waiting one at once, a running one at its next yield."""
        with self._changed:
            job.preempted = False
            job.cancel_requested.set()
            if job.state == "queued":
                self._finish(job, "cancelled")

    def forget(self, key: Hashable) -> None:
        """Cancel the job of ``key`` if it is active and drop its result, so that the next submit
        measures anew. On disk the old result stays until there is a new one.
        """
        with self._changed:
            job = self._jobs.pop(key, None)
            self._anew.add(key)
            if job is not None and job.active:
                self.cancel(job)

    def leave(self, owner: str) -> None:
        """Note that the owner's browser tab is gone: its jobs end after the grace period unless it
        comes back.
        """
        timer = threading.Timer(self.grace_seconds, self._expire, [owner])
        timer.daemon = True
        with self._changed:
            self.touch(owner)
            self._leaving[owner] = timer
        timer.start()

    def touch(self, owner: str) -> None:
        """Note that the owner is there: ends a grace period."""
        with self._changed:
            timer = self._leaving.pop(owner, None)
        if timer is not None:
            timer.cancel()

    def stop(self, seconds: float = 10) -> None:
        """Cancel everything and wait at most ``seconds`` for the worker to end (the server shuts
        down).
        """
        with self._changed:
            self._stopped = True
            for job in self._jobs.values():
                if job.active:
                    self.cancel(job)
            for timer in self._leaving.values():
                timer.cancel()
            worker = self._worker
            self._changed.notify_all()
        if worker is not None:
            worker.join(timeout=seconds)

    def _expire(self, owner: str) -> None:
        with self._changed:
            self._leaving.pop(owner, None)
            self._turns.forget(owner)
            active = [key for key, job in self._jobs.items() if job.active and owner in job.owners]
            for key in active:
                self.drop(owner, key)

    def _finish(self, job: Job, state: State) -> None:
        job.finished_at, now = time.time(), time.monotonic()
        if state == "done" and self.keep_results:
            seconds = now - (job.started_at or now)
            steady = pace.is_steady(job.marks, now)
            kept.save(job.key, job.result, seconds, steady)
        with self._changed:
            if state == "done":
                self._anew.discard(job.key)
            job.state = state
        job.ended.set()

    def _queue_again(self, job: Job) -> None:
        """Put a job that made way back in its place; what it showed stays."""
        job.progress = Progress(0.0, "waiting", job.progress.partial)
        job.marks, job.started_at, job.preempted = [], None, False
        job.cancel_requested.clear()
        job.state = "queued"

    def _waiting(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.state == "queued"]

    def _next(self) -> Job | None:
        """Wait for the next queued job and mark it running; ``None`` once the queue is stopped."""
        with self._changed:
            while not self._stopped:
                if waiting := self._waiting():
                    job = self._turns.order(waiting)[0]
                    self._turns.take(job)
                    job.state, job.started_at = "running", time.monotonic()
                    job.marks = [(job.started_at, 0.0)]
                    return job
                self._changed.wait()
            return None

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._run(job)
            except BaseException as error:
                # A panic of Polars is no Exception, and Polars gives the signal that ends the
                # server to whoever calls it. What the end of Python breaks is no fault either.
                if self._stopped or isinstance(error, KeyboardInterrupt):
                    self._finish(job, "cancelled")
                else:
                    job.message = explain(error)  # the page says so and the queue goes on
                    self._finish(job, "failed")

    def _run(self, job: Job) -> None:
        steps = job.make_steps()
        try:
            while not job.cancel_requested.is_set():
                if job.visitors and job.started_at is not None:
                    hosted.check_seconds(time.monotonic() - job.started_at)
                try:
                    job.note(next(steps), time.monotonic())
                except StopIteration as stop:
                    job.result = stop.value
                    self._finish(job, "done")
                    return
        finally:
            steps.close()
        with self._changed:
            if job.preempted and not self._stopped:
                self._queue_again(job)
            else:
                self._finish(job, "cancelled")


def _no_steps() -> Steps:
    """Make the steps of a job that was done before."""
    yield Progress(1.0)


def in_thread(caller: ThreadPoolExecutor, call: Callable[[], Any], progress: Progress) -> Steps:
    """Run ``call`` in the thread of ``caller``, yield ``progress`` twice a second until it ends,
    return what it returns.

    For a call that cannot be cut: the page keeps seeing signs of life; a cancelled job ends when
    the call does.
    """
    future = caller.submit(call)
    while not wait([future], SIGN_OF_LIFE_SECONDS).done:
        yield progress
    return future.result()


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the wall-clock seconds that ``call()`` takes, and what it returns."""
    start = time.perf_counter()
    answer = call()
    return time.perf_counter() - start, answer


def to_end(steps: Callable[[Any], Steps]) -> Callable[[Any], Any]:
    """Return the function that runs ``steps(params)`` here and now: ``run = to_end(steps)``."""

    def run(params: Any) -> Any:
        return run_to_end(steps(params))

    return run


def run_to_end(steps: Steps) -> Any:
    """Run the steps here and now and return the result: what a script, a notebook or a test
    wants.
    """
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


JOBS = Jobs(keep_results=True)  # the one queue of this server
