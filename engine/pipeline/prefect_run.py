"""A run through Prefect from the command line: on the server that the environment names, or on one
that lives as long as the run.
"""

from __future__ import annotations

import os

from engine.orchestration.server import SERVER
from engine.pipeline import store
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Run
from engine.pipeline.runner import Report, begin, plain
from engine.pipeline.stages import STAGES

# what the run says is on the terminal; Prefect's lines are on its server
QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}


def run_in_prefect(params: PipelineParams, report: Report, run: Run | None = None) -> Run:
    """Run the stages as a flow, or go on with ``run``; the flow's run is named by the run's id.

    Raises
    ------
    InputError
        The server does not start or cannot be reached.
    """
    SERVER.ready()
    os.environ.update(SERVER.environment() | QUIET)  # before Prefect is imported
    from engine.pipeline.prefect_flow import flow_of

    if run:
        mark_crashed(run.id)
    run = run or begin(params)
    made = flow_of(STAGES, report).with_options(flow_run_name=run.id)
    made(plain(params), run.id, return_state=True)
    return store.run_of(run.id)


def mark_crashed(run_id: str) -> None:
    """Mark what Prefect still takes for running of a run whose process is gone."""
    left = {"name": {"any_": [run_id]}, "state": {"type": {"any_": ["RUNNING", "PENDING"]}}}
    for found in SERVER.call("flow_runs/filter", {"flow_runs": left}):
        state = {"type": "CRASHED", "name": "Crashed", "message": "Its process was gone"}
        SERVER.call(f"flow_runs/{found['id']}/set_state", {"state": state, "force": True})
