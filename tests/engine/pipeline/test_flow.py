"""The run as a Prefect flow on the real server: what is cached, tried again, killed and resumed."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from engine import processes
from engine.orchestration.server import SERVER, iso
from engine.pipeline import store
from engine.pipeline.params import FIRST, LAST, LEAST_DAYS
from engine.pipeline.prefect_run import mark_crashed
from engine.pipeline.records import Run
from engine.pipeline.runner import begin
from tests.engine.pipeline.conftest import PARAMS

CHILD = "tests.engine.pipeline.flow_child"


def start(run_id: str, mode: str) -> subprocess.Popen[str]:
    SERVER.ready(120)
    return processes.start(CHILD, run_id, mode, environment=SERVER.environment())


def finished(run_id: str, mode: str) -> str:
    """What a flow printed, once it is over."""
    child = start(run_id, mode)
    try:
        printed, errors = child.communicate(timeout=120)
    finally:
        processes.kill_group(child)
    assert child.returncode == 0, errors
    return printed + errors


def flow_runs(run: Run) -> list[dict[str, Any]]:
    """What the server knows of a run, the first attempt first."""
    wanted = {"flow_runs": {"name": {"any_": [run.id]}}, "sort": "START_TIME_ASC"}
    return list(SERVER.call("flow_runs/filter", wanted))


def tasks(flow_run: dict[str, Any], n: int) -> dict[str, tuple[str, int]]:
    """Task -> its state and number of attempts, once the server has all ``n`` (it learns of them
    some seconds later).
    """
    wanted = {"flow_runs": {"id": {"any_": [flow_run["id"]]}}}
    deadline, found = time.monotonic() + 30, []
    while time.monotonic() < deadline:
        found = SERVER.call("task_runs/filter", wanted)
        if sum(one["state_type"] in ("COMPLETED", "FAILED") for one in found) == n:
            break
        time.sleep(0.3)
    return {one["name"]: (one["state_name"], one["run_count"]) for one in found}


def test_a_run_that_was_killed_goes_on_where_it_stopped() -> None:
    run = begin(replace(PARAMS, late_share=0.07))
    child = start(run.id, "stop")
    try:
        assert child.stdout is not None and child.stdout.readline() == "loading\n"
    finally:
        processes.kill_group(child)
    killed = store.run_of(run.id)
    assert [record.stage for record in killed.stages] == ["ingest", "validate"]
    (part,) = store.place("load", "x").parent.glob("load-*.part")
    before = {path: path.stat().st_mtime_ns for path in part.rglob("part-0.parquet")}
    assert 0 < len(before) < PARAMS.n_days
    mark_crashed(run.id)
    finished(run.id, "go")
    done = store.run_of(run.id)
    assert [record.state for record in done.stages] == ["kept", "kept", "done"]
    assert done.stages[:2] == tuple(replace(record, state="kept") for record in killed.stages)
    made = store.place("load", done.stages[2].key)
    for path, stamp in before.items():
        assert (made / path.relative_to(part)).stat().st_mtime_ns == stamp
    first, second = flow_runs(run)
    assert (first["state_name"], second["state_name"]) == ("Crashed", "Completed")
    assert tasks(second, 3) == {
        "ingest": ("Cached", 1),
        "validate": ("Cached", 1),
        "load": ("Completed", 1),
    }
    for path in made.parent.glob("load-*"):  # the output goes, and Prefect's cache does not say so
        store.workspace.remove(path)
    finished(run.id, "go")
    again = store.run_of(run.id)
    assert [record.state for record in again.stages] == ["kept", "kept", "done"]
    assert again.stages[2].digest == done.stages[2].digest


def test_a_stage_is_tried_again_only_where_that_can_help() -> None:
    run = begin(PARAMS)
    finished(run.id, "retry")
    done = store.run_of(run.id)
    assert [(record.stage, record.state) for record in done.stages] == [
        ("ingest", "done"),
        ("validate", "failed"),
    ]
    assert done.stages[1].error == "The data must be right. Got 1."
    (flow_run,) = flow_runs(run)
    assert flow_run["state_name"] == "Failed"
    assert tasks(flow_run, 2) == {"ingest": ("Completed", 2), "validate": ("Failed", 1)}


def test_each_run_of_a_deployment_takes_the_next_day() -> None:
    SERVER.ready(120)
    flow = SERVER.call("flows/", {"name": "pipeline"})
    body = {"name": "daily", "flow_id": flow["id"], "parameters": {"data": "next day"}}
    deployment = SERVER.call("deployments/", body | {"enforce_parameter_schema": False})
    known = {run.id for run in store.runs()}
    due = [
        SERVER.call(
            f"deployments/{deployment['id']}/create_flow_run",
            {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": iso(at)}}},
        )
        for at in (time.time() - seconds for seconds in (30, 20, 10))
    ]
    finished(due[2]["id"], "due")
    SERVER.call(f"deployments/{deployment['id']}", method="DELETE")
    (run,) = [run for run in store.runs() if run.id not in known]
    first = FIRST + timedelta(2)
    assert run.params["days"] == [
        first.isoformat(),
        (first + timedelta(LEAST_DAYS - 1)).isoformat(),
    ]


def test_the_days_move_on_and_begin_again_after_the_last() -> None:
    from engine.pipeline.prefect_flow import shifted

    days = (FIRST, FIRST + timedelta(27))
    assert shifted(days, 0) == days
    assert shifted(days, 3) == (date(2013, 1, 4), date(2013, 1, 31))
    n = (LAST - days[1]).days
    assert shifted(days, n)[1] == LAST and shifted(days, n + 1) == days
