"""Which run a tab looks into; without one, the first run is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from engine.jobs import JOBS
from engine.pipeline import choice, flow, store
from engine.pipeline.flow import FlowParams, FlowResult
from engine.pipeline.flow import figure as figures
from engine.ranges import Params
from engine.units import format_day
from pages.shell import controls, lab, work

P = TypeVar("P", bound=Params)
ALT = "Stages of the pipeline with rows in and out, bytes, seconds and content hash"


def label(run_id: str) -> str:
    """Return a run by its days and when it began."""
    if not run_id:
        return "Latest with default settings"
    run = store.run_of(run_id)
    first, last = (format_day(date.fromisoformat(day)) for day in run.params["days"])
    return f"{first} to {last} · {run_id}"


def choose(default: Params) -> Any:
    """Draw the list of runs that are kept and return the id of the chosen one."""
    return controls.selectbox(
        default,
        "run",
        "Run",
        help="A run of the tab Run that is done and kept",
        options=["", *(run.id for run in choice.whole_runs())],
        format_func=label,
    )


def forget_gone(params: FlowParams) -> None:
    """Let the job of these settings run again where what its stages made is gone."""
    job = JOBS.find((flow.steps, params))
    if job is not None and job.state == "done" and not choice.is_whole(job.result.run):
        JOBS.forget(job.key)


def look_into(name: str, params: P, run_id: str, show: Callable[[P], None]) -> None:
    """Call ``show(params)``; where the first run is asked for and there is none, make it.

    Until it is made its stages are drawn: the job is the tab Run's own.
    """
    if run_id or choice.latest() is not None:
        show(params)
        return

    def progress(result: FlowResult) -> None:
        if result.complete:
            show(params)
            return
        with lab.aside(result):
            key = f"{name}_stages"
            lab.chart(figures.graph(result), key, ALT, verdict=result.verdict)

    first = FlowParams()
    forget_gone(first)
    work.run(name, first, flow.steps, progress, first=lambda: flow.expected(first))
