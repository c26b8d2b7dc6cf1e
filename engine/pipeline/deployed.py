"""``python -m engine.pipeline.deployed DEPLOYMENT``: trains whenever the deployment's schedule says
so.

Its runs are kept apart from those of the Pipeline page (``server/pipeline-scheduled/``): a schedule
of seconds would otherwise push them out.
"""

from __future__ import annotations

import sys
from typing import Any

from engine.orchestration.prefect_internals import run_existing_flow_run
from engine.orchestration.schedule.runner import serve
from engine.pipeline import store
from engine.pipeline.runner import TURN_SECONDS
from engine.processes import end_with_parent


def run(flow_run: Any) -> None:
    """Run the pipeline as a flow run that exists, then end the Spark that it started: many
    deployments share one machine.
    """
    from engine.pipeline.prefect_flow import pipeline

    run_existing_flow_run(pipeline, flow_run, flow_run.parameters)
    spark = sys.modules.get("engine.spark.session")
    if spark is not None:
        with store.alone(TURN_SECONDS):  # no stage is at work
            spark.ENGINE.stop()


def main() -> None:
    """Serve until the parent is gone."""
    end_with_parent()
    store.NAME = "pipeline-scheduled"
    from engine.pipeline import prefect_flow

    assert prefect_flow.pipeline  # imported before the first run is due
    serve(sys.argv[1], run)


if __name__ == "__main__":
    main()
