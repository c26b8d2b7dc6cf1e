"""What is known of a run: its tasks, every attempt of each as intervals of states, its log.
Finished runs are kept as Parquet.

Real: times are the timestamps of the states that Prefect recorded. A finished run never changes, so
it is read from the server once and kept in ``<workspace>/server/runs``: one file of intervals a
run, one of log lines; a server that is gone, or an event that Prefect has swept after seven days,
takes nothing from this history.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from engine import workspace
from engine.errors import InputError, require
from engine.orchestration.flows import RunParams

IntervalState = Literal["pending", "running", "awaiting retry", "cached"]
Outcome = Literal[
    "", "completed", "failed", "timed out", "cached", "cancelled", "crashed", "not run"
]
RunState = Literal[
    "scheduled", "pending", "running", "paused", "completed", "failed", "cancelled", "crashed"
]
ENDED: tuple[RunState, ...] = ("completed", "failed", "cancelled", "crashed")


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in one state, in seconds since the run began; ``end_seconds`` is ``None`` while it
    lasts.
    """

    state: IntervalState
    start_seconds: float
    end_seconds: float | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a task: what it waited for, how long it ran, how it ended."""

    task: str
    attempt: int  # from 1; 0 for a task that never ran
    intervals: tuple[Interval, ...]
    # "" while it lasts; "failed" and "timed out" also for attempts that were tried again
    outcome: Outcome = ""
    message: str = ""  # the exception, as Prefect recorded it

    def seconds(self, state: IntervalState) -> float:
        """Return the time spent in ``state`` (what still lasts counts as nothing)."""
        return sum(
            i.end_seconds - i.start_seconds
            for i in self.intervals
            if i.state == state and i.end_seconds is not None
        )


@dataclass(frozen=True, slots=True)
class Task:
    """A node of the run's graph."""

    key: str
    upstream: tuple[str, ...] = ()
    subflow: str = ""  # the subflow that it belongs to


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a run logged; ``task`` is empty for the flow's own, ``attempt`` is assigned by
    time.
    """

    task: str
    attempt: int
    at_seconds: float
    level: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of a flow as far as it is known. Times of day are seconds since the epoch (UTC)."""

    id: str  # the flow run's id on the server; empty when predicted
    name: str
    params: RunParams
    state: RunState
    submitted_at: float
    started_at: float | None
    ended_at: float | None
    tasks: tuple[Task, ...]
    attempts: tuple[Attempt, ...]
    message: str = ""
    predicted: bool = False  # computed from the seed, nothing has run

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.state in ENDED

    @property
    def seconds(self) -> float:
        """Time from its start to the end of the last interval that is known."""
        if self.started_at is not None and self.ended_at is not None:
            return self.ended_at - self.started_at
        return max(
            (i.end_seconds or i.start_seconds for a in self.attempts for i in a.intervals),
            default=0.0,
        )

    def last(self) -> dict[str, Attempt]:
        """Return the last attempt of each task."""
        return {attempt.task: attempt for attempt in sorted(self.attempts, key=lambda a: a.attempt)}

    def counts(self) -> dict[str, int]:
        """Return how many tasks are in which state: outcome of the last attempt, or what it does
        now.
        """
        return dict(Counter(state_of(attempt) for attempt in self.last().values()))

    @property
    def n_attempts(self) -> int:
        """Attempts that really ran, cached ones not counted."""
        return sum(
            any(interval.state == "running" for interval in attempt.intervals)
            for attempt in self.attempts
        )


def state_of(attempt: Attempt) -> str:
    """Return what an attempt is at: the state that lasts, ``"awaiting retry"`` among them, else its
    outcome.
    """
    last = attempt.intervals[-1] if attempt.intervals else None
    if last is not None and last.end_seconds is None:
        return last.state
    return attempt.outcome or (last.state if last else "pending")


def folder() -> Path:
    """Return the folder of finished runs."""
    path = workspace.server() / "runs"
    path.mkdir(parents=True, exist_ok=True)
    return path


def save(run: Run, logs: tuple[LogLine, ...] = ()) -> None:
    """Keep a finished run; written aside and moved, so that a reader never meets half a file."""
    require(run.ended, "run must have ended before it is kept. Got {}.", run.state)
    rows = [
        (
            a.task,
            a.attempt,
            a.outcome,
            a.message,
            *((i.state, i.start_seconds, i.end_seconds) if i else (None, None, None)),
        )
        for a in run.attempts
        for i in a.intervals or (None,)  # a task that never existed has a row, and no interval
    ]
    columns = ("task", "attempt", "outcome", "message", "state", "start_seconds", "end_seconds")
    head = {
        field: getattr(run, field)
        for field in ("id", "name", "state", "submitted_at", "started_at", "ended_at", "message")
    }
    head |= {"params": asdict(run.params), "tasks": [asdict(task) for task in run.tasks]}
    table = pa.table({name: [row[k] for row in rows] for k, name in enumerate(columns)}, _SCHEMA)
    _write(table.replace_schema_metadata({"run": json.dumps(head)}), folder() / f"{run.id}.parquet")
    _write(
        pa.Table.from_pylist([asdict(line) for line in logs], _LOG_SCHEMA),
        folder() / f"{run.id}.log.parquet",
    )


# what a damaged file raises: Arrow's errors are some of these, or their own
UNREADABLE = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, AttributeError)
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("task",)]
    + [("attempt", pa.int32())]
    + [(name, pa.string()) for name in ("outcome", "message", "state")]
    + [(name, pa.float64()) for name in ("start_seconds", "end_seconds")]
)
_LOG_SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("attempt", pa.int32()),
        ("at_seconds", pa.float64()),
        ("level", pa.string()),
    ]
    + [("message", pa.string())]
)


def _write(table: pa.Table, path: Path) -> None:
    aside = path.with_suffix(".new")
    pq.write_table(table, aside, compression="zstd")
    aside.replace(path)


def load(run_id: str) -> Run:
    """Return a kept run.

    Raises
    ------
    InputError
        Nothing is kept under this id.
    """
    path = folder() / f"{run_id}.parquet"
    require(
        run_id.replace("-", "").isalnum() and path.exists(),
        "run must be one that is kept. Got {!r}.",
        run_id,
    )
    return _load(path)


@lru_cache(maxsize=1_000)
def _load(path: Path) -> Run:
    try:
        return _run(pq.read_table(path))
    except UNREADABLE as error:
        raise InputError(
            f"{path.name} must be a kept run. Got {type(error).__name__}: {error}."
        ) from error


def _run(table: pa.Table) -> Run:
    head = json.loads(table.schema.metadata[b"run"])
    attempts: dict[tuple[str, int], Attempt] = {}
    columns = [table[name].to_pylist() for name in _SCHEMA.names]
    for task, attempt, outcome, message, state, start, end in zip(*columns, strict=True):
        before = attempts.get((task, attempt))
        intervals = before.intervals if before else ()
        if state is not None:
            intervals += (Interval(state, start, end),)
        attempts[task, attempt] = Attempt(task, attempt, intervals, outcome, message)
    head["params"] = RunParams(**head["params"])
    head["tasks"] = tuple(Task(t["key"], tuple(t["upstream"]), t["subflow"]) for t in head["tasks"])
    return Run(**head, attempts=tuple(attempts.values()))


def logs(run_id: str) -> tuple[LogLine, ...]:
    """Return the log of a kept run, in order of time; of one that cannot be read, nothing."""
    try:
        rows = pq.read_table(folder() / f"{run_id}.log.parquet").to_pylist()
        return tuple(LogLine(**row) for row in rows)
    except UNREADABLE:
        return ()


def runs() -> list[Run]:
    """Return every kept run, the latest first. Files that cannot be read are passed over."""
    found = []
    for path in folder().glob("*.parquet"):
        if path.name.endswith(".log.parquet"):
            continue
        try:
            found.append(_load(path))
        except InputError:
            continue
    return sorted(found, key=lambda run: run.submitted_at, reverse=True)
