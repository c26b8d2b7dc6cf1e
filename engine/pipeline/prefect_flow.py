"""The run as a Prefect flow: a task for each stage, with retries, and caching by the name under
which the store keeps the stage's output.

The run is the same as without Prefect, stage by stage, and either can go on with the other's.
Imported where Prefect may be: importing it takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any, Literal

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext

from engine.pipeline import events, store
from engine.pipeline.params import FIRST, LAST, LEAST_DAYS, PipelineParams
from engine.pipeline.records import Run, StageRecord
from engine.pipeline.runner import (
    TURN_SECONDS,
    Report,
    Stage,
    begin,
    extend,
    inputs_of,
    key_of,
    plain,
    read,
    step,
)
from engine.pipeline.stages import STAGES

RETRY_SECONDS = [
    1.0,
    10.0,
]  # before each retry: one that may help comes soon, or the source is away
Data = Literal["same days", "next day"]
DAILY = PipelineParams(days=(FIRST, FIRST + timedelta(LEAST_DAYS - 1)))


class StageError(RuntimeError):
    """A stage has failed; its record says why."""

    def __init__(self, record: StageRecord) -> None:
        super().__init__(f"{record.stage}: {record.error}")
        self.record = record

    def __reduce__(self) -> tuple[type[StageError], tuple[StageRecord]]:
        return StageError, (self.record,)


def may_pass(_task: Any, _task_run: Any, state: Any) -> bool:
    """Return whether Prefect is to try a failed stage again."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, StageError) or error.record.transient


def keyed(key: str) -> Callable[..., str]:
    """Return the cache key function of a stage whose output has the name ``key``."""

    def cache_key(*_: Any) -> str:
        return key

    return cache_key


def shifted(days: tuple[date, date], n: int) -> tuple[date, date]:
    """Return the range moved on by ``n`` days; after the last day of 2013 it begins again."""
    n %= (LAST - days[1]).days + 1
    return days[0] + timedelta(n), days[1] + timedelta(n)


def number_of_run() -> int:
    """Return how many runs of this deployment were due before this one, 0 without a deployment."""
    context = FlowRunContext.get()
    run = context.flow_run if context is not None else None
    if run is None or run.deployment_id is None or run.expected_start_time is None:
        return 0
    body = {
        "deployments": {"id": {"any_": [str(run.deployment_id)]}},
        "flow_runs": {"expected_start_time": {"before_": run.expected_start_time.isoformat()}},
    }
    with get_client(sync_client=True) as client:
        earlier = int(client.request("POST", "/flow_runs/count", json=body).json())
    return max(earlier - 1, 0)  # "before" includes the moment itself


def flow_of(stages: Sequence[Stage], report: Report = lambda run, name, share: None) -> Any:
    """Return the flow that runs ``stages``.

    Its parameters: ``settings`` as ``plain`` gives them (by default the first days of January),
    ``run_id`` of a run to go on with, ``data``: whether each run of a deployment takes the same
    days or moves on by one.
    """
    named = {stage.name: stage for stage in stages}

    @task(
        persist_result=True,
        retries=len(RETRY_SECONDS),
        retry_delay_seconds=RETRY_SECONDS,
        retry_condition_fn=may_pass,
    )
    def stage(name: str, settings: dict[str, Any], run_id: str) -> dict[str, Any]:
        """Run one stage and return its record."""
        run = store.run_of(run_id)
        sound = tuple(record for record in run.stages if record.state != "failed")  # on a retry
        run = step(named[name], read(settings), replace(run, stages=sound), report)
        if run.state == "failed":
            raise StageError(run.stages[-1])
        return asdict(run.stages[-1])

    @flow(name="pipeline")
    def pipeline(
        settings: dict[str, Any] | None = None, run_id: str = "", data: Data = "same days"
    ) -> str:
        """Run the stages in order and return the run's id."""
        params = read(settings or plain(DAILY))
        if data == "next day":
            params = replace(params, days=shifted(params.days, number_of_run()))
        run = begin(params, store.run_of(run_id) if run_id else None)
        states: dict[str, Any] = {}
        for one in stages:
            report(run, one.name, 0.0)
            key = key_of(one, params, inputs_of(one, run))
            states[one.name] = stage.with_options(
                task_run_name=one.name,
                cache_key_fn=keyed(key),
                refresh_cache=store.load(one.name, key) is None,  # deleted since
            )(
                *(one.name, plain(params), run.id),
                wait_for=[states[name] for name in one.needs],
                return_state=True,
            )
            record = StageRecord.read(states[one.name].result())
            run = known(store.run_of(run.id), record)
            report(run, one.name, 1.0)
        with store.alone(TURN_SECONDS):
            store.prune()
        events.write(run)
        return run.id

    return pipeline


def known(run: Run, record: StageRecord) -> Run:
    """Return the run with the stage in it: one from Prefect's cache is not there yet."""
    return run if run.stage(record.stage) else extend(run, replace(record, state="kept"))


pipeline = flow_of(STAGES)
