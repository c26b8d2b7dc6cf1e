"""Runs what a deployment's schedule makes due.

Real: what ``flow.serve()`` does, in one process instead of one a run: look every half second for
runs that are due, ask the server for a slot by proposing *Pending* (so the deployment's concurrency
limit and collision strategy decide), run the flow with Prefect's engine. It pauses the deployment
and ends by itself after ``LIFE_SECONDS``, so that a forgotten schedule does not run for ever.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

POLL_SECONDS = 0.5
LIFE_SECONDS = 900.0


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


def serve(deployment: str, work: Callable[[Any], None]) -> None:
    """Call ``work`` with each flow run that becomes due, in a thread, until the time is over."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectException

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
                        threading.Thread(target=work, args=(run,)).start()
                except PrefectException as error:  # deleted meanwhile
                    print(error, file=sys.stderr)
            time.sleep(POLL_SECONDS)
        client.request(
            "PATCH", "/deployments/{id}", path_params={"id": deployment}, json={"paused": True}
        )
