"""Starts runs and keeps hold of them: two run at once, the rest wait in sight on the server; pause,
cancel, rerun.

A submitted run exists on the Prefect server at once (Scheduled), so that it can be seen waiting,
here and in Prefect's own pages. One of two warm worker processes takes it in turn; cancel ends that
process alone, and a fresh one takes its place. When a run is over it is read from the server and
kept (``records``). After a crash of this app, what waited on its own server is queued again, and
what ran is marked crashed.

Threads, all daemons of this process. The queue and the slots are guarded by one condition,
``_changed``; no thread holds it while it waits for the server:

- *launcher* (``_dispatch``) hands waiting runs to free workers and starts workers; it wakes when
  something changes, and twice a second.
- *follower* (``_follow``) reads the runs that a page is looking at.
- one *listener* for each worker (``_listen``) reads what the worker prints: ready, ended.
- *finish*, for one run that is over (``_finish``): a page or the launcher need not wait for it.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from engine import processes
from engine.errors import InputError, require
from engine.orchestration import records, watch
from engine.orchestration.flows import FLOWS, RunParams
from engine.orchestration.server import PATIENCE_SECONDS, SERVER, Server, iso
from engine.orchestration.slots import Slot

AT_ONCE = 2
PAUSE_SECONDS = 24 * 3600
TICK_SECONDS = 0.5
AGAIN_SECONDS = 5.0


def _alive(thread: threading.Thread | None) -> bool:
    return thread is not None and thread.is_alive()


def _start_thread(name: str, target: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    thread.start()
    return thread


@dataclass(slots=True)
class Launcher:
    """The queue of runs of one server. Thread-safe."""

    server: Server
    slots: list[Slot] = field(default_factory=lambda: [Slot() for _ in range(AT_ONCE)])
    queue: deque[str] = field(default_factory=deque)
    params: dict[str, RunParams] = field(default_factory=dict)  # of every run that is not over
    cancelled: set[str] = field(default_factory=set)
    ending: list[str] = field(default_factory=list)  # over, and being read for the last time
    # those of them that could not be read, and when to try again (monotonic seconds)
    unread: dict[str, float] = field(default_factory=dict)
    _changed: threading.Condition = field(
        default_factory=lambda: threading.Condition(threading.RLock())
    )
    _dispatcher: threading.Thread | None = None
    _follower: threading.Thread | None = None
    _stopping: bool = False
    _warm: bool = False
    _flow_ids: dict[tuple[str, int, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server.when_lost.append(self._forget)

    def start(self, warm: bool = False) -> None:
        """Start the server in the background, and the workers with the first run, or now
        (``warm``); again is no error.
        """
        self.server.start()
        with self._changed:
            self._warm = self._warm or warm
            if not _alive(self._dispatcher):
                self._stopping = False
                self._dispatcher = _start_thread("launcher", self._dispatch)
            if not _alive(self._follower):
                self._follower = _start_thread("follower", self._follow)

    def stop(self) -> None:
        """End the workers; what waits stays on the server and is queued again at the next start."""
        with self._changed:
            self._stopping = True
            self._forget()
            thread = self._dispatcher
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout=10)

    def _forget(self) -> None:
        """End the workers and forget their runs: a new server chokes on reports of unknown ones."""
        with self._changed:
            for slot in self.slots:
                self._end(slot)
            self.queue.clear()
            self.params.clear()
            self.ending.clear()
            self.unread.clear()

    def submit(self, params: RunParams, patience: float = PATIENCE_SECONDS) -> str:
        """Create the run on the server, where it waits in sight, and return its id.

        Raises
        ------
        InputError
            The server cannot be reached.
        """
        self.start()
        flow_id = self._flow_id(params.flow, patience)
        run = self.server.call(
            "flow_runs/",
            {
                "flow_id": flow_id,
                # a call that is tried again makes no second run
                "idempotency_key": uuid.uuid4().hex,
                "parameters": {"settings": asdict(params)},
                "state": {
                    "type": "SCHEDULED",
                    "name": "Scheduled",
                    "message": "Waits for one of two workers",
                },
            },
            patience=patience,
        )
        run_id = str(run["id"])
        with self._changed:
            self.params[run_id] = params
            watch.begin(self.server, run_id, params, run)
            self.queue.append(run_id)
            self._changed.notify_all()
        return run_id

    def _flow_id(self, name: str, patience: float) -> str:
        key = (self.server.state.url, self.server.n_databases, name)
        if key not in self._flow_ids:
            self._flow_ids[key] = str(
                self.server.call("flows/", {"name": name}, patience=patience)["id"]
            )
        return self._flow_ids[key]

    def active(self) -> list[str]:
        """Return the runs that are not over: those that run, then those that wait, in order."""
        with self._changed:
            ran = [*self.ending, *(slot.run_id for slot in self.slots if slot.run_id)]
            return ran + [run_id for run_id in self.queue if run_id not in ran]

    def position(self, run_id: str) -> int:
        """Return how many runs wait before this one does (0: it is next, or runs, or is over)."""
        with self._changed:
            return self.queue.index(run_id) if run_id in self.queue else 0

    def pid(self, run_id: str) -> int | None:
        """Return the process that runs it."""
        with self._changed:
            slot = self._slot(run_id)
            return slot.process.pid if slot is not None and slot.process is not None else None

    def _slot(self, run_id: str) -> Slot | None:
        return next((slot for slot in self.slots if slot.run_id == run_id), None)

    def pause(self, run_id: str) -> None:
        """Let no further task of a run start; those that run go on to their end.

        Raises
        ------
        InputError
            It does not run.
        """
        slot = self._slot(run_id)
        require(slot is not None, "run must be running to be paused. It is over or waits.")
        details = {"pause_timeout": iso(time.time() + PAUSE_SECONDS), "pause_reschedule": False}
        state = {"type": "PAUSED", "name": "Paused", "state_details": details}
        answer = self.server.call(f"flow_runs/{run_id}/set_state", {"state": state})
        require(
            answer["status"] == "ACCEPT",
            "run must be running to be paused. {}",
            answer.get("details", {}).get("reason", ""),
        )
        assert slot is not None
        slot.held = True
        slot.send(hold=True)
        watch.touch(run_id)

    def resume(self, run_id: str) -> None:
        """Let a paused run go on."""
        self.server.call(f"flow_runs/{run_id}/resume", {})
        self._release(run_id)

    def _release(self, run_id: str) -> None:
        slot = self._slot(run_id)
        if slot is not None and slot.held:
            slot.held = False
            slot.send(hold=False)
        watch.touch(run_id)

    def cancel(self, run_id: str, wait: bool = True) -> None:
        """End a run: one that waits is taken from the queue, one that runs loses its process, which
        no other run shares.

        Its process is gone on return; ``wait`` says whether to wait until that is recorded, too.
        """
        with self._changed:
            self.cancelled.add(run_id)
            slot = self._slot(run_id)
            waited = run_id in self.queue
            if waited:
                self.queue.remove(run_id)
            if slot is not None:
                self._end(slot)
            known = waited or slot is not None
            if known:
                self.ending.append(run_id)
            self._changed.notify_all()
        if known:
            if wait:
                self._finish(run_id)
            else:
                _start_thread("finish", self._finish, run_id)

    def _end(self, slot: Slot) -> None:
        """Kill the worker of a slot. The slot is empty first: its listener then knows that this end
        was meant.
        """
        process = slot.process
        slot.process, slot.ready, slot.run_id, slot.held = None, False, "", False
        if process is not None:
            processes.kill_group(process)

    def _finish(self, run_id: str, error: str = "") -> None:
        """Mark a run that ended without saying so, read it for the last time and keep it."""
        try:
            state = self.server.call(f"flow_runs/{run_id}")["state"]["type"]
            if state not in watch.FINAL:
                kind = "CANCELLED" if run_id in self.cancelled else "CRASHED"
                cancelled = "Cancelled from the run monitor"
                message = error or (cancelled if kind == "CANCELLED" else "Its process is gone")
                marked = {"type": kind, "name": kind.capitalize(), "message": message}
                self.server.call(f"flow_runs/{run_id}/set_state", {"state": marked, "force": True})
            watch.keep(self.server, run_id, self.params.get(run_id))
        # the server is away or locked for long: the run stays in sight and is read later
        except InputError as problem:
            logging.getLogger(__name__).warning(
                "run %s could not be read at its end yet: %s", run_id, problem
            )
            with self._changed:
                self.unread[run_id] = time.monotonic() + AGAIN_SECONDS
            return
        with self._changed:
            self.params.pop(run_id, None)
            self.cancelled.discard(run_id)
            self.ending = [other for other in self.ending if other != run_id]

    def _dispatch(self) -> None:
        """Hand waiting runs to free workers, and keep the workers alive."""
        try:
            self.server.ready(timeout=600)
            self._recover()
        except InputError as error:
            logging.getLogger(__name__).warning("the launcher does not start: %s", error)
            return
        while True:
            with self._changed:
                if self._stopping:
                    return
                self._fill_slots()
                self._read_again()
                held = [slot.run_id for slot in self.slots if slot.held]
                self._changed.wait(TICK_SECONDS)
            for run_id in held:  # somebody may press "Resume" in Prefect's own pages
                if watch.read(self.server, run_id).state == "running":
                    self._release(run_id)

    def _fill_slots(self) -> None:
        """Start a worker where there is none and one is wanted; give each free one the next run."""
        for slot in self.slots:
            if slot.process is None:
                if self.queue or self._warm:
                    self._start_worker(slot)
            elif slot.ready and not slot.run_id and self.queue:
                slot.run_id = self.queue.popleft()
                slot.send(run=slot.run_id, settings=asdict(self.params[slot.run_id]))

    def _read_again(self) -> None:
        """Finish the runs whose last reading failed and is due again."""
        now = time.monotonic()
        for run_id in [run_id for run_id, due in self.unread.items() if due < now]:
            del self.unread[run_id]
            _start_thread("finish", self._finish, run_id)

    def _follow(self) -> None:
        """Read what runs and is looked at, so that no page waits for the server."""
        while not self._stopping:
            for run_id in [slot.run_id for slot in self.slots if slot.run_id]:
                try:
                    watch.follow(self.server, run_id)
                except InputError:
                    pass  # the server is away: pages go on with what was last read
            time.sleep(watch.FRESH_SECONDS)

    def _start_worker(self, slot: Slot) -> None:
        with (self.server.home / "workers.log").open("a") as log:
            process = processes.start(
                "engine.orchestration.worker",
                environment=self.server.environment(),
                pipe=True,
                errors=log,
            )
        slot.process, slot.ready = process, False
        assert process.stdout is not None
        _start_thread("listener", self._listen, slot, process, process.stdout)

    def _listen(self, slot: Slot, process: subprocess.Popen[str], lines: IO[str]) -> None:
        """Read what one worker prints until it ends: each line means that it is free."""
        for line in lines:
            message = json.loads(line)
            with self._changed:
                if "ended" in message:
                    self.ending.append(message["ended"])
                if slot.process is process:  # else it was cancelled while it said so
                    slot.ready, slot.run_id, slot.held = True, "", False
                self._changed.notify_all()
            if "ended" in message:
                self._finish(message["ended"], message["error"])
        with self._changed:
            died = slot.process is process  # by itself: ``_end`` empties the slot first
            run_id = slot.run_id if died else ""
        if died and not self._stopping:
            if run_id:
                self._finish(run_id)
            with self._changed:
                self._end(slot)
                self._changed.notify_all()

    def _recover(self) -> None:
        """After a crash of the app: queue what waited on our own server, mark what ran."""
        if self.server.kind == "attached":
            return
        wanted = {
            "flows": {"name": {"any_": list(FLOWS)}},
            "flow_runs": {
                "state": {"type": {"any_": ["SCHEDULED", "PENDING", "RUNNING", "PAUSED"]}}
            },
            "sort": "EXPECTED_START_TIME_ASC",
            "limit": 200,
        }
        for run in self.server.call("flow_runs/filter", wanted):
            run_id = run["id"]
            if run_id in self.params or run.get("deployment_id"):
                continue
            try:
                params = RunParams(**run["parameters"]["settings"])
            except (KeyError, TypeError, InputError):
                continue
            self.params[run_id] = params
            watch.begin(self.server, run_id, params, run)
            if run["state"]["type"] == "SCHEDULED":
                self.queue.append(run_id)
            else:
                self._finish(run_id)


LAUNCHER = Launcher(SERVER)  # of this app


def submit(params: RunParams) -> str:
    """Submit a run, once the server is there, and return its id."""
    SERVER.ready()
    return LAUNCHER.submit(params)


def wait(run_id: str, timeout: float = 120.0) -> records.Run:
    """Wait until a run is over and kept, and return it: what a script or a test wants.

    Raises
    ------
    InputError
        It is not over in time.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if run_id not in LAUNCHER.params:
            return records.load(run_id)
        time.sleep(0.1)
    raise InputError(
        f"run must be over within {timeout:.0f} s. It is {watch.read(SERVER, run_id).state}."
    )
