"""Architecture: one scheduled run followed through Prefect's scheduler, database, API, worker and
flow process.

Real: the server of this app books the run by its scheduler; Prefect's own process worker takes it
and starts a process that loads the flow from its file, as ``flow.from_source(…).deploy(…)`` sets it
up. Times are those that Prefect recorded, rows those in its SQLite file. Simplified: the tasks only
sleep, and the fault is asked for.
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from engine import processes
from engine.errors import InputError
from engine.jobs import Progress, Steps, run_to_end
from engine.orchestration.components.result import (
    TASKS,
    ComponentsParams,
    ComponentsResult,
    predicted,
)
from engine.orchestration.server import SERVER, epoch, iso
from engine.workspace import REPOSITORY

__all__ = ["ComponentsParams", "ComponentsResult", "predicted", "run", "steps"]
AHEAD_SECONDS = 8.0  # from the deployment to the time that its run is due
LIMIT_SECONDS = 300.0  # a busy machine is slow, not wrong
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
SETTLE_SECONDS = 3.0  # events and logs reach the database after the state
ENTRY = "engine/orchestration/components/daily.py:daily"
TABLES = {  # table of Prefect's database -> its column of the run
    "flow_run_state": "flow_run_id",
    "task_run": "flow_run_id",
    "log": "flow_run_id",
}


@contextlib.contextmanager
def deployed(fault: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Create a work pool and a deployment whose run is due soon, start a worker; yield the
    deployment's id and the worker, and take all of it away again.
    """
    name = f"followed-{uuid.uuid4().hex[:8]}"
    flow = SERVER.call("flows/", {"name": name})
    SERVER.call("work_pools/", {"name": name, "type": "process"})
    worker = None
    try:
        schedule = {"interval": 3600, "anchor_date": iso(time.time() + AHEAD_SECONDS)}
        step = {"directory": str(REPOSITORY)}
        body = {
            "name": name,
            "flow_id": flow["id"],
            "work_pool_name": name,
            "entrypoint": ENTRY,
            "pull_steps": [{"prefect.deployments.steps.set_working_directory": step}],
            "parameters": {"fault": fault},
            "schedules": [{"schedule": schedule, "active": True}],
            "enforce_parameter_schema": False,
        }
        deployment = SERVER.call("deployments/", body)
        more = {"PREFECT_WORKER_QUERY_SECONDS": "2"}
        with (SERVER.home / "followed.log").open("a") as log:
            worker = processes.start(
                "engine.orchestration.components.worker",
                name,
                environment={**SERVER.environment(), **more},
                pipe=True,
                output=log,
            )
        yield str(deployment["id"]), worker
    finally:
        if worker is not None:
            processes.kill_group(worker)
        SERVER.call(f"flows/{flow['id']}", method="DELETE")  # with its deployment and runs
        SERVER.call(f"work_pools/{name}", method="DELETE")


def _first_run(deployment: str) -> dict[str, Any] | None:
    """Return the deployment's earliest run, once it is booked."""
    wanted = {
        "deployments": {"id": {"any_": [deployment]}},
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": 1,
    }
    found = SERVER.call("flow_runs/filter", wanted)
    return dict(found[0]) if found else None


def _rows(run_id: str) -> dict[str, int] | None:
    """Return how many rows of the run the server's own database holds, by table."""
    path = SERVER.home / "prefect.db"
    if SERVER.kind != "own" or not path.exists():
        return None
    uri = f"{path.resolve().as_uri()}?mode=ro"
    asked = uuid.UUID(run_id)
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=5)) as connection:
        return {
            table: connection.execute(
                f"SELECT count(*) FROM {table} WHERE {column} IN (?, ?)", (str(asked), asked.hex)
            ).fetchone()[0]
            for table, column in TABLES.items()
        }


def _tasks(run_id: str) -> dict[str, tuple[str, int]]:
    """Return the last state of each task and how often it was started, as the API has it."""
    wanted = {"flow_runs": {"id": {"any_": [run_id]}}, "limit": 50}
    found = {}
    for task in SERVER.call("task_runs/filter", wanted):
        name = task["name"].rpartition("-")[0] or task["name"]
        found[name] = (str(task["state_name"]), int(task["run_count"]))
    return {name: found.get(name, ("never created", 0)) for name in TASKS}


def _worker_events(run_id: str) -> dict[str, float]:
    """Return event -> time of what the worker says of the run."""
    related = {"id": [f"prefect.flow-run.{run_id}"]}
    body = {"filter": {"related": related, "event": {"prefix": ["prefect.worker."]}}, "limit": 50}
    found = SERVER.call("events/filter", body)["events"]
    return {event["event"]: epoch(event["occurred"]) or 0.0 for event in found}


def read(params: ComponentsParams, run: dict[str, Any]) -> ComponentsResult:
    """Return a run that is over as the server has it."""
    run_id = str(run["id"])
    run = SERVER.call(f"flow_runs/{run_id}")
    due = epoch(run["expected_start_time"]) or 0.0
    states = sorted(
        (epoch(state["timestamp"]) or 0.0, str(state["name"]), str(state["message"] or ""))
        for state in SERVER.call(f"flow_run_states/?flow_run_id={run_id}")
    )
    wanted = {"logs": {"flow_run_id": {"any_": [run_id]}}, "sort": "TIMESTAMP_ASC", "limit": 100}
    logs = tuple(
        (
            (epoch(line["timestamp"]) or 0.0) - due,
            str(line["name"]),
            str(line["message"]).partition("\n")[0],
        )
        for line in SERVER.call("logs/filter", wanted)
    )
    at = {name: moment for moment, name, _ in reversed(states)}
    events = _worker_events(run_id)
    running = at.get("Running")
    ended = states[-1][0]
    found = {
        "booked": epoch(run["created"]),
        "picked up": at.get("Pending"),
        "process started": events.get("prefect.worker.submitted-flow-run"),
        "running": running,
        "tasks": running,
        "ended": ended,
    }
    moments = {name: moment - due for name, moment in found.items() if moment is not None}
    first = next((second for second, logger, _ in logs if "task_runs" in logger), None)
    if first is not None:
        moments["tasks"] = first
    return ComponentsResult(
        params,
        states[-1][1],
        _tasks(run_id),
        predicted=False,
        at_seconds=moments,
        states=tuple((moment - due, name, message) for moment, name, message in states),
        logs=logs,
        rows=_rows(run_id),
        booked_by=str((run.get("created_by") or {}).get("type") or ""),
        pid=int(pid) if (pid := str(run.get("infrastructure_pid") or "")).isdigit() else None,
    )


def steps(params: ComponentsParams) -> Steps:
    """Deploy, wait for the run to end, read it.

    Returns
    -------
    ComponentsResult
        With ``predicted`` false.
    """
    yield Progress(0.0, "waiting for Prefect's server", predicted(params))
    SERVER.start()
    until = time.monotonic() + LIMIT_SECONDS
    while not SERVER.state.ready and time.monotonic() < until:
        time.sleep(0.5)
        yield Progress(0.05, "waiting for Prefect's server", predicted(params))
    with deployed(params.fault) as (deployment, worker):
        found, share = None, 0.1
        while time.monotonic() < until:
            found = _first_run(deployment)
            if found is not None and found["state"]["type"] in FINAL:
                break
            if worker.poll() is not None:
                raise InputError("Prefect's worker must run. It ended at once; see followed.log.")
            state = (
                "waiting for the scheduler"
                if found is None
                else f"the run is {found['state_name']}"
            )
            share = min(0.9, share + 0.02)
            yield Progress(share, state, predicted(params))
            time.sleep(0.5)
        else:
            raise InputError(f"The run must end within {LIMIT_SECONDS:.0f} s. Try it again.")
        settled = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < settled:
            yield Progress(0.95, "reading", predicted(params))
            time.sleep(0.5)
        return read(params, found)


def run(params: ComponentsParams) -> ComponentsResult:
    """Follow a run here and now."""
    result: ComponentsResult = run_to_end(steps(params.job))
    return replace(result, params=params)
