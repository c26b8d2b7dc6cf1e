"""``python -m tests.engine.pipeline.flow_child RUN MODE``: flows of a test, in a process that may
import Prefect with the server's settings.

``stop``: the first three stages, of which the load hangs after some days. ``go``: the same, which
does not hang. ``retry``: two stages, whose first fails once for want of a source and whose second
has wrong data. ``due``: the flow run RUN of a deployment, without stages.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from engine.errors import InputError
from engine.orchestration.prefect_internals import run_existing_flow_run
from engine.pipeline import store
from engine.pipeline.prefect_flow import flow_of
from engine.pipeline.records import Count, Run
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages import STAGES


def attempts(task: Task) -> int:
    """Return the number of this attempt, from 1; it is kept in the unfinished output."""
    path = task.folder / "attempts"
    n = int(path.read_text("utf-8")) + 1 if path.exists() else 1
    path.write_text(str(n), encoding="utf-8")
    return n


def away_at_first(task: Task) -> Count:
    """Fail as a source does that does not answer, the first time."""
    if attempts(task) == 1:
        raise InputError("The source must answer.") from ConnectionError("refused")
    return Count(1, 1)


def wrong(task: Task) -> Count:
    """Fail as wrong data does."""
    raise InputError(f"The data must be right. Got {attempts(task)}.")


def hang(run: Run, stage: str, share: float) -> None:
    """Stop for ever in the middle of the load."""
    if stage == "load" and 0.1 < share < 1:
        print("loading", flush=True)
        time.sleep(600)


def main(run_id: str, mode: str) -> None:
    """Run one flow to its end."""
    if mode == "due":
        from prefect.client.orchestration import get_client

        with get_client(sync_client=True) as client:
            due = client.read_flow_run(run_id)  # type: ignore[arg-type]
        run_existing_flow_run(flow_of(()), due, due.parameters)
        return
    stages = STAGES[:3]
    if mode == "retry":
        first = Stage("ingest", "Ingest", (), ("seed",), away_at_first)
        stages = (first, replace(first, name="validate", needs=("ingest",), work=wrong))
    flow = flow_of(stages, *([hang] if mode == "stop" else []))
    settings = store.run_of(run_id).params
    flow.with_options(flow_run_name=run_id)(settings, run_id, return_state=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
