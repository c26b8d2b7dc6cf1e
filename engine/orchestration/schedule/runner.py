"""``python -m engine.orchestration.schedule.runner DEPLOYMENT SECONDS``: runs what a deployment's
schedule makes due.

Real: what ``flow.serve()`` does, in one process instead of one a run: look every half second for
runs that are due, ask the server for a slot by proposing *Pending* (so the deployment's concurrency
limit and collision strategy decide), run the flow with Prefect's engine. It pauses the deployment
and ends by itself after ``LIFE_SECONDS``, so that a forgotten schedule does not run for ever.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from engine.orchestration.prefect_internals import run_existing_flow_run
from engine.processes import end_with_parent

POLL_SECONDS = 0.5
LIFE_SECONDS = 900.0


def flow_of(seconds: float) -> Any:
    """Return the flow: two tasks that take ``seconds`` together."""
    from prefect import flow, task

    @task
    def extract() -> str:
        """Take half of the time."""
        time.sleep(seconds / 2)
        return "rows"

    @task
    def load(rows: str) -> str:
        """Take the other half."""
        time.sleep(seconds / 2)
        return f"{rows} loaded"

    @flow(name="scheduled")
    def scheduled() -> str:
        """Extract and load."""
        return load(extract())

    return scheduled


def propose(client: Any, run: Any) -> bool:
    """Ask the server to let a run go from Scheduled to Pending; it may refuse, delay or
    cancel it.
    """
    from prefect.client.schemas.responses import SetStateStatus
    from prefect.states import Pending

    answer = client.set_flow_run_state(run.id, Pending())
    return bool(
        answer.status == SetStateStatus.ACCEPT
        and answer.state is not None
        and answer.state.is_pending()
    )


def serve(deployment: str, seconds: float) -> None:
    """Run what becomes due, until the time is over."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectException

    scheduled = flow_of(seconds)
    until = time.monotonic() + LIFE_SECONDS
    print('{"ready": true}', flush=True)
    with get_client(sync_client=True) as client:
        while time.monotonic() < until:
            ahead = (datetime.now(UTC) + timedelta(seconds=POLL_SECONDS)).isoformat()
            body = {"deployment_ids": [deployment], "scheduled_before": ahead, "limit": 20}
            answer = client.request("POST", "/deployments/get_scheduled_flow_runs", json=body)
            for found in answer.json():
                run = client.read_flow_run(UUID(found["id"]))
                try:
                    if propose(client, run):
                        run = client.read_flow_run(run.id)
                        threading.Thread(
                            target=run_existing_flow_run, args=(scheduled, run)
                        ).start()
                except PrefectException as error:  # deleted meanwhile
                    print(error, file=sys.stderr)
            time.sleep(POLL_SECONDS)
        client.request(
            "PATCH", "/deployments/{id}", path_params={"id": deployment}, json={"paused": True}
        )


def main() -> None:
    """Serve until the parent is gone."""
    end_with_parent()
    serve(sys.argv[1], float(sys.argv[2]))


if __name__ == "__main__":
    main()
