"""Real runs for the Retry lab: Prefect runs of twelve tasks side by side, each task a dot on the
simulated distribution.

Real: runs of *daily ETL* with twelve sources, through the same launcher as the run monitor, so they
are in its list too. Its twelve ``extract`` tasks depend on nothing: each is one task run with
these retries. Whether an attempt fails and how long it is meant to last is predicted by the seed
(``flows.fate``); what it takes beyond that is Prefect's overhead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.orchestration import records, watch
from engine.orchestration.flows import RunParams, fate
from engine.orchestration.launch import LAUNCHER
from engine.orchestration.records import Run
from engine.orchestration.retry import RetryParams
from engine.units import format_seconds

N_TASKS = 12
N_RUNS = 2  # started by one click: two run in parallel
N_SEEDS = 1_000
MOST_SECONDS = 60.0  # of waiting for retries, that a real run may take
PRESS_SECONDS = 8.0  # a page waits no longer for the server to take a run
OVER = ("completed", "failed", "timed out")


@dataclass(frozen=True, slots=True)
class Dot:
    """One real task run; ``seconds`` is from its first start to its last end."""

    run: str
    task: str
    attempts: int
    completed: bool
    seconds: float
    predicted_attempts: int
    predicted_seconds: float  # of the attempts and, without jitter, the delays


def asked(params: RetryParams, turn: int = 0) -> RunParams:
    """Return the parameters of the real run number ``turn`` for these settings."""
    return RunParams(
        flow="daily ETL",
        tasks=N_TASKS,
        width=N_TASKS,
        duration_seconds=params.duration_seconds,
        failure_probability=params.failure_probability,
        retries=params.retries,
        delay_seconds=params.delay_seconds,
        backoff=params.backoff,
        jitter=params.jitter,
        concurrency=N_TASKS,
        seed=params.seed * N_SEEDS % 2**31 + turn,
    )


def most_seconds(params: RetryParams) -> float:
    """Return the seconds that the longest wait of a real run can add up to."""
    return float(params.waits.sum() * (1 + params.jitter))


def _same(settings: RunParams, params: RetryParams) -> bool:
    """Whether a run has these settings, whatever its seed."""
    return replace(settings, seed=0) == replace(asked(params), seed=0)


def start(params: RetryParams) -> list[str]:
    """Start two runs with seeds that no run of these settings had; return their ids.

    Raises
    ------
    InputError
        The server cannot be reached.
    """
    used = {run.params.seed for run in records.runs() if _same(run.params, params)}
    used |= {settings.seed for settings in LAUNCHER.params.values() if _same(settings, params)}
    fresh = (
        settings for turn in range(N_SEEDS) if (settings := asked(params, turn)).seed not in used
    )
    return [
        LAUNCHER.submit(settings, patience=PRESS_SECONDS)
        for settings, _ in zip(fresh, range(N_RUNS), strict=False)
    ]


def under_way(params: RetryParams) -> list[str]:
    """Return the runs of these settings that are not over."""
    return [run_id for run_id, settings in list(LAUNCHER.params.items()) if _same(settings, params)]


def found(params: RetryParams) -> list[Run]:
    """Return the runs of these settings: those kept, and those under way as far as they have
    come.
    """
    active = under_way(params)
    live = [run for run_id in active if (run := watch.peek(run_id)) is not None]
    return live + [
        run for run in records.runs() if _same(run.params, params) and run.id not in active
    ]


def dots(runs: list[Run]) -> list[Dot]:
    """Return a dot for each ``extract`` task that is over."""
    made = []
    for run in runs:
        for task, last in run.last().items():
            if not task.startswith("extract") or last.outcome not in OVER:
                continue
            attempts = [attempt for attempt in run.attempts if attempt.task == task]
            spans = [
                i
                for attempt in attempts
                for i in attempt.intervals
                if i.state == "running" and i.end_seconds is not None
            ]
            ends = [i.end_seconds for i in spans if i.end_seconds is not None]
            if not spans or (last.outcome != "completed" and len(attempts) <= run.params.retries):
                continue  # an attempt that failed and will be tried again
            seconds = max(ends) - min(i.start_seconds for i in spans)
            made.append(
                Dot(
                    run.id,
                    task,
                    len(attempts),
                    last.outcome == "completed",
                    seconds,
                    *predicted(run.params, task),
                )
            )
    return made


def predicted(settings: RunParams, task: str) -> tuple[int, float]:
    """Return how many attempts a task will need, and the seconds that they and their delays take,
    without jitter.
    """
    seconds, waits = 0.0, settings.delays()
    for attempt in range(1, settings.retries + 2):
        what = fate(settings, task, attempt)
        seconds += what.seconds
        if what.outcome == "completed" or attempt > settings.retries:
            break
        seconds += waits[attempt - 1]
    return attempt, seconds


def summary(made: list[Dot], params: RetryParams) -> str:
    """Return the real runs in one or two sentences."""
    if not made:
        return ""
    failed = sum(not dot.completed for dot in made)
    as_predicted = sum(dot.attempts == dot.predicted_attempts for dot in made)
    text = (
        f"**{len(made)} real task runs**: {failed} failed. {as_predicted} of {len(made)} took as"
        " many attempts as predicted."
    )
    if params.jitter:
        return text
    extra = np.array([dot.seconds - dot.predicted_seconds for dot in made])
    return (
        f"{text} Prefect's overhead: median {format_seconds(max(float(np.median(extra)), 0.0))},"
        f" maximum {format_seconds(float(extra.max()))}."
    )
