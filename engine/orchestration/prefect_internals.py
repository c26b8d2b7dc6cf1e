"""Whatever the lab needs of Prefect beyond its documented API, each name here and nowhere else.

Prefect 3.8 has no public way to announce a task run before it starts, to run a task or a flow run
that exists already, to serve its API without its command line, or to ask its scheduler for dates.
What is used instead may move with any minor version: ``requirements.in`` caps Prefect,
``tests/engine/orchestration/test_prefect_internals.py`` fails for each name that moves. The code
panel's scripts show Prefect as its users write it and import what they need themselves. Prefect is
imported inside the functions: this process never imports it, its children do.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from prefect.futures import PrefectConcurrentFuture
    from prefect.task_runners import ThreadPoolTaskRunner


def server_app() -> Any:
    """Return Prefect's API server and services as an ASGI app, as ``prefect server start`` does."""
    from prefect.server.api.server import create_app

    return create_app(final=True)


def schedule_classes() -> dict[str, Any]:
    """Return kind -> class of the schedules from which the server's scheduler books runs."""
    from prefect.server.schemas import schedules

    return {
        "cron": schedules.CronSchedule,
        "rrule": schedules.RRuleSchedule,
        "interval": schedules.IntervalSchedule,
    }


def anchored_rrule(rrule: str, now: datetime, zone: str) -> str:
    """Return an rrule as the API stores it when a deployment is created at ``now``: with a DTSTART,
    for rules by the minute or second the last one before ``now``.
    """
    from prefect._internal.schemas.validators import normalize_rrule_string

    return normalize_rrule_string(rrule, now=now, timezone=zone)


def run_existing_flow_run(
    flow: Any, flow_run: Any, parameters: dict[str, Any] | None = None
) -> Any:
    """Run ``flow`` as a flow run that exists on the server; return its last state."""
    from prefect.flow_engine import run_flow

    return run_flow(flow, flow_run=flow_run, parameters=parameters, return_type="state")


def announce_task_run(
    task: Any, parameters: dict[str, Any], wait_for: Any, dependencies: Any
) -> Any:
    """Return a new task run, Pending on the server before a thread takes it."""
    from prefect.states import Pending
    from prefect.task_engine import _create_task_run_locally
    from prefect.utilities.engine import emit_task_run_state_change_event

    task_run = _create_task_run_locally(
        task, parameters=parameters, wait_for=wait_for, extra_task_inputs=dependencies
    )
    if isinstance(task.task_run_name, str):
        task_run.name = task.task_run_name
    emit_task_run_state_change_event(
        task_run, initial_state=None, validated_state=task_run.state or Pending()
    )
    return task_run


def run_existing_task_run(**arguments: Any) -> Any:
    """Run a task as the task run that ``announce_task_run`` returned; return its last state."""
    from prefect.task_engine import run_task_sync

    return run_task_sync(**arguments, return_type="state")


def future_of(task_run_id: UUID, outcome: Future[Any]) -> PrefectConcurrentFuture[Any]:
    """Return the future that a flow gets for a task whose last state ``outcome`` will hold."""
    from prefect.futures import PrefectConcurrentFuture

    return PrefectConcurrentFuture(task_run_id=task_run_id, wrapped_future=outcome)


def executor_of(runner: ThreadPoolTaskRunner[Any]) -> Executor | None:
    """Return the threads of a task runner, ``None`` once it is closed."""
    return runner._executor
