"""Follows a run on the server: states from Prefect's events, its log, its own state; and reads it
for the last time.

Real: every interval begins and ends with the timestamp of a state that Prefect recorded
(``prefect.task-run.*`` events). Log lines carry no attempt number, so they are assigned by time;
why a retried attempt failed is in the log alone. What is new is asked for at most
every ``FRESH_SECONDS``, however many pages look on.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, fields
from typing import Any, get_args

from engine.errors import InputError, require
from engine.orchestration import predict, records
from engine.orchestration.flows import RunParams
from engine.orchestration.records import Attempt, Interval, LogLine, Outcome, Run, RunState
from engine.orchestration.server import Server, epoch, iso

FINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
FRESH_SECONDS = 0.4
LOOKED_SECONDS = 5.0  # a run that no page has looked at for so long is not read again
# events and lines are asked for again from so long before the last one: they may arrive out of
# order
OVERLAP_SECONDS = 1.5
# a page without news ends the reading of events that far back: a page costs a busy server 0.1 s and
# more
SURE_SECONDS = 0.4
PAGE_ROWS = 200
SETTLE_SECONDS = 8.0  # how long the last events of a run are waited for
LEVELS = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A task's change of state."""

    at: float  # seconds since the epoch
    kind: str  # Prefect's state type
    name: str
    message: str


@dataclass(slots=True, eq=False)
class Watch:
    """What is known of one run so far."""

    run_id: str
    params: RunParams
    flow_run: dict[str, Any]
    changes: dict[str, dict[str, Change]] = field(
        default_factory=dict
    )  # task key -> event id -> change
    lines: dict[str, tuple[str, float, str, str]] = field(
        default_factory=dict
    )  # id -> task, at, level, message
    task_of: dict[str, str] = field(default_factory=dict)  # task run id -> key
    flow_runs: set[str] = field(default_factory=set)  # the run and its subflows
    latest_event: float = 0.0
    latest_line: float = 0.0
    read_at: float = 0.0  # when the last reading began
    touched_at: float = 0.0  # what was read before is out of date
    kept_now: bool = False  # it is over, and being read for the last time
    looked_at: float = 0.0
    snapshot: Run | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self, server: Server, patience: float = 5.0) -> int:
        """Ask the server for what is new; return how many events were."""
        began = time.monotonic()
        self.flow_run = server.call(f"flow_runs/{self.run_id}", patience=patience)
        n_new = self._events(server, patience)
        self._log(server, patience)
        self.snapshot = self.run()
        self.read_at = began
        return n_new

    def _events(self, server: Server, patience: float) -> int:
        if self.params.flow == "subflows":
            children = {
                "flow_runs": {"parent_flow_run_id": {"any_": [self.run_id]}},
                "limit": PAGE_ROWS,
            }
            self.flow_runs |= {
                child["id"]
                for child in server.call("flow_runs/filter", children, patience=patience)
            }
        known_until = self.latest_event
        since = (known_until or epoch(self.flow_run["created"]) or 0.0) - OVERLAP_SECONDS
        wanted = {
            "occurred": {"since": iso(since), "until": iso(time.time() + 60)},
            "event": {"prefix": ["prefect.task-run."]},
            "related": {
                "id": [
                    f"prefect.flow-run.{run_id}"
                    for run_id in sorted({self.run_id, *self.flow_runs})
                ]
            },
            "order": "DESC",  # the news first; what arrives meanwhile moves pages, and is met again
        }
        page: dict[str, Any] = server.call(
            "events/filter", {"filter": wanted, "limit": 50}, patience=patience
        )
        n_new = 0
        while True:
            news = sum(self._note(event) for event in page["events"])
            n_new += news
            oldest = min((epoch(event["occurred"]) or 0.0 for event in page["events"]), default=0.0)
            if not page.get("next_page") or (not news and oldest < known_until - SURE_SECONDS):
                return n_new
            page = server.call(
                "events/" + page["next_page"].partition("/events/")[2], patience=patience
            )

    def _note(self, event: dict[str, Any]) -> bool:
        resource = event["resource"]
        key = resource["prefect.resource.name"]
        self.task_of[resource["prefect.resource.id"].removeprefix("prefect.task-run.")] = key
        known = self.changes.setdefault(key, {})
        if event["id"] in known:
            return False
        at = epoch(event["occurred"]) or 0.0
        self.latest_event = max(self.latest_event, at)
        known[event["id"]] = Change(
            at,
            resource["prefect.state-type"],
            resource["prefect.state-name"],
            resource.get("prefect.state-message") or "",
        )
        return True

    def _log(self, server: Server, patience: float) -> None:
        wanted: dict[str, Any] = {"flow_run_id": {"any_": sorted({self.run_id, *self.flow_runs})}}
        if self.latest_line:
            wanted["timestamp"] = {"after_": iso(self.latest_line - OVERLAP_SECONDS)}
        asked: dict[str, Any] = {
            "logs": wanted,
            "sort": "TIMESTAMP_ASC",
            "limit": PAGE_ROWS,
            "offset": 0,
        }
        while True:
            rows = server.call("logs/filter", asked, patience=patience)
            for row in rows:
                at = epoch(row["timestamp"]) or 0.0
                self.latest_line = max(self.latest_line, at)
                task = self.task_of.get(row.get("task_run_id") or "", "")
                level = LEVELS.get(row["level"] // 10 * 10, "info")
                self.lines[row["id"]] = (task, at, level, row["message"])
            if len(rows) < PAGE_ROWS:
                return
            asked = {**asked, "offset": asked["offset"] + PAGE_ROWS}

    def run(self) -> Run:
        """Return the run as far as it is known."""
        state = state_of(self.flow_run["state"])
        began = epoch(self.flow_run.get("start_time"))
        ended = epoch(self.flow_run.get("end_time")) if state in records.ENDED else None
        if state in records.ENDED and ended is None:
            ended = epoch(self.flow_run["state"]["timestamp"])
        zero = began or epoch(self.flow_run["created"]) or 0.0
        tasks = predict.tasks(self.params)
        failures = self._failures()
        attempts: list[Attempt] = []
        for task in tasks:
            changes = sorted(self.changes.get(task.key, {}).values())
            made = attempts_of(task.key, changes, zero, failures.get(task.key, []))
            attempts += [
                closed(attempt, ended - zero, state) if ended else attempt for attempt in made
            ]
            if not made and ended:
                attempts.append(Attempt(task.key, 0, (), "not run"))
        return Run(
            id=self.run_id,
            name=self.flow_run["name"],
            params=self.params,
            state=state,
            submitted_at=epoch(self.flow_run["created"]) or zero,
            started_at=began,
            ended_at=ended,
            tasks=tasks,
            attempts=tuple(attempts),
            message=self.flow_run["state"].get("message") or "",
        )

    def _sorted_lines(self) -> list[tuple[str, float, str, str]]:
        lines = tuple(self.lines.values())  # at once: another thread may be adding to them
        return sorted(lines, key=lambda line: line[1])

    def _failures(self) -> dict[str, list[tuple[float, str]]]:
        """Return when and why attempts failed, from the log."""
        found: dict[str, list[tuple[float, str]]] = {}
        for task, at, _, message in self._sorted_lines():
            if message.startswith(("Task run failed with", "Task run exceeded")):
                found.setdefault(task, []).append((at, message.split("\n")[0]))
        return found

    def log(self, run: Run) -> tuple[LogLine, ...]:
        """Return the log of the run, each line with its attempt."""
        zero = run.started_at or run.submitted_at
        starts: dict[str, list[tuple[float, int]]] = {}
        for attempt in run.attempts:
            begin = next((i.start_seconds for i in attempt.intervals if i.state == "running"), None)
            if begin is not None:
                starts.setdefault(attempt.task, []).append((begin, attempt.attempt))
        lines = []
        for task, at, level, message in self._sorted_lines():
            begun = [number for begin, number in starts.get(task, []) if begin <= at - zero]
            lines.append(
                LogLine(task, max(begun, default=1 if task else 0), at - zero, level, message)
            )
        return tuple(lines)


def state_of(state: dict[str, Any]) -> RunState:
    """Return a flow run's state as the lab names it ("Late" still waits, "Cancelling" still
    runs).
    """
    name = state["type"].lower()
    return {"cancelling": "running"}.get(name, name if name in get_args(RunState) else "running")  # type: ignore[return-value]


def attempts_of(
    task: str, changes: list[Change], zero: float, failures: list[tuple[float, str]]
) -> list[Attempt]:
    """Return the attempts of a task from its changes of state, in order of time."""
    made: list[Attempt] = []
    intervals: list[Interval] = []
    number = 0

    def end(at: float, outcome: Outcome, message: str = "") -> None:
        made.append(Attempt(task, max(number, 1), tuple(intervals), outcome, message))
        intervals.clear()

    def shut(at: float) -> None:
        if intervals and intervals[-1].end_seconds is None:
            last = intervals.pop()
            intervals.append(Interval(last.state, last.start_seconds, at - zero))

    for change in changes:
        shut(change.at)
        start = change.at - zero
        if change.name == "NotReady":
            return [*made, Attempt(task, 0, tuple(intervals), "not run", change.message)]
        if change.kind == "PENDING":
            intervals.append(Interval("pending", start, None))
        elif change.kind == "SCHEDULED":
            intervals.append(Interval("awaiting retry", start, None))
        elif change.kind == "RUNNING":
            if number:  # the attempt before failed; its reason is the last one logged until now
                reason = next(
                    (text for at, text in reversed(failures) if at <= change.at + 0.001), ""
                )
                end(change.at, "timed out" if "TimeoutError" in reason else "failed", reason)
            number += 1
            intervals.append(Interval("running", start, None))
        elif change.name == "Cached":
            intervals[-1:] = (
                [Interval("cached", intervals[-1].start_seconds, start)] if intervals else []
            )
            end(change.at, "cached")
        else:
            outcome: dict[str, Outcome] = {
                "COMPLETED": "completed",
                "CRASHED": "crashed",
                "CANCELLED": "cancelled",
            }
            late: Outcome = "timed out" if change.name == "TimedOut" else "failed"
            end(change.at, outcome.get(change.kind, late), change.message)
    if intervals:
        end(0.0, "")
    return made


def closed(attempt: Attempt, end_seconds: float, state: RunState) -> Attempt:
    """Return an attempt that its run left open, ended with the run."""
    if attempt.outcome:
        return attempt
    intervals = tuple(
        (
            Interval(i.state, i.start_seconds, max(end_seconds, i.start_seconds))
            if i.end_seconds is None
            else i
        )
        for i in attempt.intervals
    )
    ran = any(i.state == "running" for i in attempt.intervals)
    # A flow completes only when all its tasks have: then the server missed the last event (it had
    # died), not the task.
    ended: dict[str, Outcome] = {"cancelled": "cancelled", "completed": "completed"}
    outcome: Outcome = ended.get(state, "crashed") if ran else "not run"
    return Attempt(attempt.task, attempt.attempt if ran else 0, intervals, outcome, attempt.message)


_watches: dict[str, Watch] = {}


def begin(server: Server, run_id: str, params: RunParams, flow_run: dict[str, Any]) -> None:
    """Begin to follow a run that has just been created."""
    watch = _watches[run_id] = Watch(run_id, params, flow_run)
    watch.snapshot = watch.run()


def peek(run_id: str) -> Run | None:
    """Return a run that is not over as it was last read, at once; the launcher reads what is looked
    at.
    """
    watch = _watches.get(run_id)
    if watch is None:
        return None
    watch.looked_at = time.monotonic()
    return watch.snapshot or watch.run()


def follow(server: Server, run_id: str) -> None:
    """Read a run again if somebody has looked at it lately: what the launcher does for runs that
    run.
    """
    watch = _watches.get(run_id)
    if watch is not None and time.monotonic() - watch.looked_at < LOOKED_SECONDS:
        read(server, run_id)


def touch(run_id: str) -> None:
    """Let the next read ask the server, however fresh the last answer."""
    if run_id in _watches:
        _watches[run_id].touched_at = time.monotonic()


def _watch(server: Server, run_id: str) -> Watch:
    if run_id not in _watches:
        flow_run = server.call(f"flow_runs/{run_id}")
        settings = (flow_run.get("parameters") or {}).get("settings") or {}
        require(
            "flow" in settings, "run must be one of this lab's flows. Got {!r}.", flow_run["name"]
        )
        names = {one.name for one in fields(RunParams)}
        known = {key: value for key, value in settings.items() if key in names}
        begin(server, run_id, RunParams(**known), flow_run)
    return _watches[run_id]


def read(server: Server, run_id: str, fresh_seconds: float = FRESH_SECONDS) -> Run:
    """Return a run: kept ones from the workspace, others as the server knows them, at most
    ``fresh_seconds`` old.

    While the server is away, the last answer is returned.
    """
    if run_id not in _watches:
        try:
            return records.load(run_id)
        except InputError:
            pass
    watch = _watch(server, run_id)
    if watch.kept_now and watch.snapshot is not None:
        return watch.snapshot
    with watch.lock:
        if time.monotonic() - watch.read_at > fresh_seconds or watch.touched_at > watch.read_at:
            try:
                watch.refresh(server, patience=1.0)
            except InputError:
                watch.read_at = time.monotonic()
        return watch.snapshot or watch.run()


def log(run_id: str) -> tuple[LogLine, ...]:
    """Return the log of a run, live or kept."""
    watch = _watches.get(run_id)
    return records.logs(run_id) if watch is None else watch.log(watch.snapshot or watch.run())


def keep(server: Server, run_id: str, params: RunParams | None) -> Run:
    """Read a run that is over for the last time, once its last events have arrived, and keep it."""
    watch = _watch(server, run_id)
    watch.kept_now = True
    deadline = time.monotonic() + SETTLE_SECONDS
    quiet = 0
    run = watch.run()
    while time.monotonic() < deadline and quiet < 2:
        with (
            watch.lock
        ):  # for one reading at a time: whoever looks at the run meanwhile waits no longer
            if quiet:  # nothing new since the last reading: now all of it, with what came very late
                watch.latest_event = watch.latest_line = 0.0
            n_new = watch.refresh(server)
            run = watch.run()
        open_ends = run.state in ("completed", "failed") and any(
            a.outcome in ("crashed", "cancelled") for a in run.attempts
        )
        quiet = 0 if n_new or open_ends or not run.ended else quiet + 1
        time.sleep(0.3)
    records.save(run, watch.log(run))
    _watches.pop(run_id, None)
    return run
