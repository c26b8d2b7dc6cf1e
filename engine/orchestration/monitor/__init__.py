"""Run monitor: every attempt, wait and retry of a flow run; predicted from the seed, then run by
Prefect.

Real: once *Run* is pressed, states, times and logs are Prefect's (``watch``); a finished run is
read from its record. Until then the same chart shows the run that the seed predicts
(``predict``), marked as such: its states and numbers of attempts are those of the real run, its
times leave out Prefect's overhead.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from engine.errors import InputError
from engine.orchestration import launch, predict, records, watch
from engine.orchestration.flows import RunParams, plan
from engine.orchestration.launch import LAUNCHER
from engine.orchestration.records import Attempt, IntervalState, LogLine, Run, state_of
from engine.orchestration.server import SERVER
from engine.units import format_seconds, format_share

MonitorParams = RunParams  # the settings of a run are the settings of the tab
COLUMNS: dict[str, IntervalState] = {
    "waited to start": "pending",
    "ran": "running",
    "waited to retry": "awaiting retry",
}
FINE = ("completed", "cached")
FAILED = ("failed", "timed out")


def attempts(run: Run | str) -> list[Attempt]:
    """Return every attempt of a run, live or kept, as task, number and intervals of states, in
    order of their start.
    """
    known = run if isinstance(run, Run) else watch.read(SERVER, run)
    return sorted(
        known.attempts,
        key=lambda a: (a.intervals[0].start_seconds if a.intervals else float("inf"), a.task),
    )


@dataclass(frozen=True, slots=True, eq=False)
class MonitorResult:
    """A run as far as it is known, beside its prediction."""

    params: RunParams
    run: Run
    predicted: Run

    @property
    def complete(self) -> bool:
        """Whether nothing will change any more."""
        return self.run.ended

    @property
    def state(self) -> str:
        """The state of the run."""
        return str(self.run.state)

    @property
    def n_attempts(self) -> int:
        """Attempts that ran."""
        return self.run.n_attempts

    @property
    def n_failed_attempts(self) -> int:
        """Attempts that failed or timed out, retried or not."""
        return sum(attempt.outcome in FAILED for attempt in self.run.attempts)

    def _n(self, *states: str) -> int:
        counts = self.run.counts()
        return sum(counts.get(state, 0) for state in states)

    @property
    def n_cached(self) -> int:
        """Tasks whose result came from the cache."""
        return self._n("cached")

    @property
    def n_not_run(self) -> int:
        """Tasks that never ran, because their upstream did not complete."""
        return self._n("not run")

    @property
    def n_failed(self) -> int:
        """Tasks whose last attempt failed."""
        return self._n(*FAILED)

    @property
    def seconds(self) -> float:
        """From the start of the run to its end, or to the last thing known."""
        return self.run.seconds

    @property
    def waiting_share(self) -> float:
        """Share of the tasks' time that went into waiting for a retry, 0–1."""
        waited = sum(attempt.seconds("awaiting retry") for attempt in self.run.attempts)
        ran = sum(attempt.seconds("running") for attempt in self.run.attempts)
        return waited / (waited + ran) if waited + ran else 0.0

    @property
    def verdict(self) -> str:
        """How the run ends or ended, and with how many attempts."""
        run, n_tasks = self.run, len(self.run.tasks)
        if run.state == "scheduled":
            return "The run **waits** for a worker. Two runs can run at the same time."
        if run.predicted:
            ends = "completes" if run.state == "completed" else "fails"
            return (
                f"Not run yet. Predicted: the run **{ends}** after about"
                f" {format_seconds(run.seconds)}, with **{self.n_attempts} attempts** for {n_tasks}"
                f" tasks. Failed attempts: {self.n_failed_attempts}."
            )
        done = f"{self._n(*FINE)} of {n_tasks} tasks are done"
        if not run.ended:
            return (
                f"The run is **{'paused' if run.state == 'paused' else 'running'}**: {done},"
                f" {self.n_failed_attempts} of {self.n_attempts} attempts failed so far."
            )
        if run.state == "completed":
            return (
                f"The run **completed** in {format_seconds(run.seconds)}, with"
                f" **{self.n_attempts} attempts** for {n_tasks} tasks. Failed and retried:"
                f" {self.n_failed_attempts}."
            )
        if run.state == "failed":
            lost = [attempt.task for attempt in run.last().values() if attempt.outcome in FAILED]
            names = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
            return (
                f"The run **failed**: {names} used all attempts, so **{_tasks(self.n_not_run)}"
                f" never ran**. {done}."
            )
        return f"The run was **{run.state}**. {done}."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        reasons = [self._odds()]
        reasons.append(
            f"**Waiting**: {format_share(self.waiting_share)} of the tasks' time is waiting for a"
            f" retry. A task that waits keeps its slot; there are {p.concurrency} slots."
        )
        if self.n_cached:
            reasons.append(
                f"**Cache**: {_tasks(self.n_cached)} took a result from the cache, because this run"
                " had done the same work before."
            )
        if self.n_not_run:
            reasons.append(
                f"**Downstream**: Prefect never starts {_tasks(self.n_not_run)}, because a task"
                " upstream did not complete."
            )
        return reasons + ([] if self.run.predicted else self._measured())

    def _odds(self) -> str:
        p = self.params
        if p.flow == "meant to fail":
            return (
                f"**A bug**: all {p.retries + 1} attempts of the upload fail in the same way. "
                "Retries help against temporary failures, not against bugs."
            )
        lost = p.failure_probability ** (p.retries + 1)
        n_tasks = sum(step.work == step.key or not p.cache for step in plan(p))
        return (
            f"**Retries**: an attempt fails in {format_share(p.failure_probability)}, a task only"
            f" if {p.retries + 1} attempts fail ({format_share(lost)}). So"
            f" {format_share((1 - lost) ** n_tasks)} of such runs complete."
        )

    def _measured(self) -> list[str]:
        """Return what only a real run shows."""
        first = [attempt.intervals[0] for attempt in self.run.attempts if attempt.intervals]
        waits = [
            i.end_seconds - i.start_seconds
            for i in first
            if i.state == "pending" and i.end_seconds is not None
        ]
        found = []
        if waits:
            found.append(
                f"**Start**: tasks waited {format_seconds(statistics.median(waits))} from"
                f" submission to start (median of {len(waits)})."
            )
        if self.run.ended:
            same = self.outcomes() == _outcomes(self.predicted)
            how = (
                "every attempt ended as predicted"
                if same
                else "attempts differ from the prediction (it was cancelled, or a task was late)"
            )
            found.append(
                f"**Prediction**: {how}. The run took {format_seconds(self.run.seconds)};"
                f" {format_seconds(self.predicted.seconds)} were predicted, without Prefect's"
                " overhead."
            )
        return found

    def outcomes(self) -> dict[tuple[str, int], str]:
        """Return how each attempt ended."""
        return _outcomes(self.run)

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: no seconds."""
        return {
            "state": self.state,
            "tasks completed": self._n("completed"),
            "tasks cached": self.n_cached,
            "tasks failed": self.n_failed,
            "attempts": self.n_attempts,
        }

    def table(self) -> pa.Table:
        """Return one row per interval of each attempt."""
        rows = [
            {
                "task": attempt.task,
                "attempt": attempt.attempt,
                "outcome": state_of(attempt),
                "state": interval.state,
                "start_seconds": interval.start_seconds,
                "end_seconds": interval.end_seconds,
            }
            for attempt in attempts(self.run)
            for interval in attempt.intervals
        ]
        return pa.Table.from_pylist(rows) if rows else pa.table({"task": pa.array([], pa.string())})

    def rows(self, task: str) -> list[dict[str, str]]:
        """Return one row per attempt of a task, for a table on the page."""
        return [
            {
                "attempt": str(attempt.attempt or "–"),
                "outcome": state_of(attempt),
                **{name: _seconds(attempt.seconds(kind)) for name, kind in COLUMNS.items()},
            }
            for attempt in sorted(self.run.attempts, key=lambda a: a.attempt)
            if attempt.task == task
        ]


def _outcomes(run: Run) -> dict[tuple[str, int], str]:
    return {(attempt.task, attempt.attempt): attempt.outcome for attempt in run.attempts}


def _tasks(n: int) -> str:
    return f"{n} task{'s' * (n != 1)}"


def _seconds(seconds: float) -> str:
    return format_seconds(seconds) if seconds else "–"


def result_of(run: Run) -> MonitorResult:
    """Return the Result of a run, live, kept or predicted."""
    return MonitorResult(run.params, run, predict.run(run.params))


def run(params: RunParams) -> MonitorResult:
    """Return what the seed predicts for these settings; ``launch.submit`` runs them for real."""
    return result_of(predict.run(params))


def latest(params: RunParams) -> Run:
    """Return the run to show for these settings: the latest one, live or kept; else the one
    predicted.
    """
    for run_id in reversed(LAUNCHER.active()):
        live = watch.peek(run_id)
        if live is not None and live.params == params:
            return live
    return next((run for run in records.runs() if run.params == params), predict.run(params))


def find(run_id: str) -> Run | None:
    """Return a run by its id, live or kept, or ``None``."""
    live = watch.peek(run_id)
    if live is not None:
        return live
    try:
        return records.load(run_id)
    except InputError:
        return None


def log_of(result: MonitorResult, task: str) -> dict[int, list[LogLine]]:
    """Return the log lines of a task by attempt."""
    lines: dict[int, list[LogLine]] = {}
    for line in () if result.run.predicted else watch.log(result.run.id):
        if line.task == task:
            lines.setdefault(line.attempt, []).append(line)
    return lines


def under_way() -> list[dict[str, str]]:
    """Return one row per run that has not ended, the running ones first."""
    rows = []
    for run_id in LAUNCHER.active():
        live = watch.peek(run_id)
        if live is None:
            continue
        place = LAUNCHER.position(run_id)
        waits = f"waits, {place} before it" if place else "next"
        done = Counter(live.counts())
        rows.append(
            {
                "run": live.name,
                "flow": live.params.flow,
                "state": waits if live.state == "scheduled" else live.state,
                "tasks done": f"{done['completed'] + done['cached']} of {len(live.tasks)}",
            }
        )
    return rows


def start_first() -> None:
    """Start server and workers, and run the defaults once if no run is kept: what the lifespan
    does.
    """
    LAUNCHER.start(warm=True)
    SERVER.ready(timeout=300)
    if not records.runs() and not LAUNCHER.active():
        launch.submit(RunParams())
