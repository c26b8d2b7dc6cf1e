"""Run monitor: a flow run with every attempt, wait and retry of its own; foretold from the seed,
then run for real.

Real: once *Run* is pressed, states, times and logs are Prefect's (``watch``); a finished run is
read from its record. Until then the same chart shows the run that the seed foretells
(``predict``), marked as such: its states and numbers of tries are those of the real run, its times
leave Prefect's overhead out.
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
    """A run as far as it is known, beside what was foretold."""

    params: RunParams
    run: Run
    foretold: Run

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
        """Tries that ran."""
        return self.run.n_attempts

    @property
    def n_failed_tries(self) -> int:
        """Tries that failed or timed out, whether or not another one followed."""
        return sum(attempt.outcome in FAILED for attempt in self.run.attempts)

    def _n(self, *states: str) -> int:
        counts = self.run.counts()
        return sum(counts.get(state, 0) for state in states)

    @property
    def n_cached(self) -> int:
        """Tasks whose result was there already."""
        return self._n("cached")

    @property
    def n_not_run(self) -> int:
        """Tasks that never ran, for their upstream did not complete."""
        return self._n("not run")

    @property
    def n_failed(self) -> int:
        """Tasks whose last try failed."""
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
        """How the run ends or ended, and with how many tries."""
        run, n_tasks = self.run, len(self.run.tasks)
        if run.state == "scheduled":
            return (
                "The run **waits** on the server: it starts as soon as one of the two workers is"
                " free."
            )
        if run.foretold:
            ends = "complete" if run.state == "completed" else "fail"
            return (
                f"Foretold from the seed, not run yet: it will **{ends}** after **{self.n_attempts}"
                f" tries** of {n_tasks} tasks, {self.n_failed_tries} of them failing, in about"
                f" {format_seconds(run.seconds)}."
            )
        done = f"{self._n(*FINE)} of {n_tasks} tasks"
        if not run.ended:
            doing = (
                "is **paused**: what runs goes on to its end, nothing new starts"
                if run.state == "paused"
                else "is **running**"
            )
            return (
                f"The run {doing}; {done} done, {self.n_failed_tries} of {self.n_attempts} tries"
                " have failed so far."
            )
        if run.state == "completed":
            return (
                f"The run **completed** in {format_seconds(run.seconds)}: {n_tasks} tasks took"
                f" **{self.n_attempts} tries**, {self.n_failed_tries} of them failed and were tried"
                " again."
            )
        if run.state == "failed":
            lost = [attempt.task for attempt in run.last().values() if attempt.outcome in FAILED]
            names = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
            return (
                f"The run **failed**: {names} used up all tries, so **{self.n_not_run} tasks never"
                f" ran**; {done} done."
            )
        return (
            f"The run was **{run.state}** with {done} done. Run it again with these parameters, or"
            " with others."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        reasons = [self._odds()]
        reasons.append(
            f"{format_share(self.waiting_share)} of the tasks' time is spent waiting for a retry; a"
            f" try that waits keeps its place among the {p.concurrency} tasks that may run at once."
        )
        if self.n_cached:
            reasons.append(
                f"{self.n_cached} of the tasks asked for work that this run had done before: taken"
                " from the cache."
            )
        if self.n_not_run:
            reasons.append(
                f"{self.n_not_run} tasks depend, directly or not, on one that did not complete:"
                " Prefect leaves them unstarted."
            )
        return reasons + ([] if self.run.foretold else self._measured())

    def _odds(self) -> str:
        p = self.params
        if p.flow == "meant to fail":
            return (
                f"The upload has a bug: each of its {p.retries + 1} tries fails alike. "
                "Retries cure what is passing, not what is wrong."
            )
        lost = p.failure_probability ** (p.retries + 1)
        n_tasks = sum(step.work == step.key or not p.cache for step in plan(p))
        return (
            f"A try fails with probability {format_share(p.failure_probability)}, a task only if"
            f" {p.retries + 1} tries in a row do ({format_share(lost)}); of all runs of {n_tasks}"
            f" such tasks {format_share((1 - lost) ** n_tasks)} come through."
        )

    def _measured(self) -> list[str]:
        """Return what only a real run can tell."""
        first = [attempt.intervals[0] for attempt in self.run.attempts if attempt.intervals]
        waits = [
            i.end_seconds - i.start_seconds
            for i in first
            if i.state == "pending" and i.end_seconds is not None
        ]
        told = []
        if waits:
            told.append(
                f"From submission to start tasks waited {format_seconds(statistics.median(waits))}"
                f" (median of {len(waits)})."
            )
        if self.run.ended:
            same = self.outcomes() == _outcomes(self.foretold)
            how = (
                "every try as foretold"
                if same
                else "other tries than foretold (it was ended, or a task was late)"
            )
            told.append(
                f"Foretold were {self.foretold.n_attempts} tries and"
                f" {format_seconds(self.foretold.seconds)}: the real run has {how} and took"
                f" {format_seconds(self.run.seconds)} (one run, with Prefect's overhead)."
            )
        return told

    def outcomes(self) -> dict[tuple[str, int], str]:
        """Return how each try ended."""
        return _outcomes(self.run)

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: no seconds."""
        return {
            "state": self.state,
            "tasks completed": self._n("completed"),
            "tasks cached": self.n_cached,
            "tasks failed": self.n_failed,
            "tries": self.n_attempts,
        }

    def table(self) -> pa.Table:
        """Return one row an interval of each attempt."""
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
        """Return one line a try of a task, for a table on the page."""
        return [
            {
                "attempt": str(attempt.attempt or "–"),
                "outcome": state_of(attempt),
                **{name: _told(attempt.seconds(kind)) for name, kind in COLUMNS.items()},
            }
            for attempt in sorted(self.run.attempts, key=lambda a: a.attempt)
            if attempt.task == task
        ]


def _outcomes(run: Run) -> dict[tuple[str, int], str]:
    return {(attempt.task, attempt.attempt): attempt.outcome for attempt in run.attempts}


def _told(seconds: float) -> str:
    return format_seconds(seconds) if seconds else "–"


def result_of(run: Run) -> MonitorResult:
    """Return the Result of a run, live, kept or foretold."""
    return MonitorResult(run.params, run, predict.run(run.params))


def run(params: RunParams) -> MonitorResult:
    """Return what the seed foretells for these settings; ``launch.submit`` runs them for real."""
    return result_of(predict.run(params))


def latest(params: RunParams) -> Run:
    """Return the run to show for these settings: the latest one, live or kept; else the one
    foretold.
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
    for line in () if result.run.foretold else watch.log(result.run.id):
        if line.task == task:
            lines.setdefault(line.attempt, []).append(line)
    return lines


def under_way() -> list[dict[str, str]]:
    """Return one line a run that is not over, those that run first: what a queue in sight shows."""
    rows = []
    for run_id in LAUNCHER.active():
        live = watch.peek(run_id)
        if live is None:
            continue
        place = LAUNCHER.position(run_id)
        waits = f"waits, {place} before it" if place else "next, or about to start"
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
