"""Run: the whole pipeline for a range of days, as a job that shows each stage as it ends.

Real: every stage (``engine.pipeline.stages``). The job runs them in a thread of its own; a cancel
stops the run at the next sign of life of the stage at work, and what was made stays.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from engine.errors import InputError
from engine.jobs import SIGN_OF_LIFE_SECONDS, Progress, Steps, to_end
from engine.pipeline import choice
from engine.pipeline.flow.params import FlowParams as FlowParams
from engine.pipeline.flow.result import FlowResult as FlowResult
from engine.pipeline.records import Run
from engine.pipeline.runner import run_stages
from engine.pipeline.stages import STAGES

TYPICAL_SECONDS = 30.0


class Stopped(BaseException):
    """The job was cancelled. No ``Exception``: a stage that is stopped has not failed."""


def expected(params: FlowParams) -> FlowResult:
    """Return the latest run with these settings that is kept, else the stages before they run."""
    run = choice.latest(params.pipeline)
    return FlowResult(params, run)


def steps(params: FlowParams) -> Steps:
    """Run the stages: a ``Progress`` twice a second with the run so far.

    Returns
    -------
    FlowResult
        Of a run that is done.

    Raises
    ------
    InputError
        A stage failed: its reason. What was made before stays, and is not made again.
    """
    stop = threading.Event()
    seen: list[tuple[Run, str, float]] = []

    def report(run: Run, stage: str, share: float) -> None:
        if stop.is_set():
            raise Stopped
        seen[:] = [(run, stage, share)]

    yield Progress(0.0, "starting", expected(params))
    with ThreadPoolExecutor(1) as caller:
        future = caller.submit(run_stages, STAGES, params.pipeline, report)
        try:
            while not wait([future], SIGN_OF_LIFE_SECONDS).done:
                yield _progress(params, *seen)
        finally:
            stop.set()
        run = future.result()
    result = FlowResult(params, run)
    if run.state == "failed":
        yield Progress(1.0, "failed", result)
        raise InputError(f"{run.stages[-1].stage}: {run.stages[-1].error}")
    return result


def _progress(params: FlowParams, *seen: tuple[Run, str, float]) -> Progress:
    """Return the sign of life of the stage at work; before the first, that the run starts."""
    if not seen:
        return Progress(0.0, "starting")
    run, stage, share = seen[0]
    done = min(len(run.stages) + share * (stage not in [one.stage for one in run.stages]), 9.9)
    title = next(one.title for one in STAGES if one.name == stage)
    return Progress(done / len(STAGES), title, FlowResult(params, run, stage, share))


def default_job() -> tuple[Any, Any]:
    """Return the steps and params that the server runs at its start."""
    return steps, FlowParams()


run = to_end(steps)
