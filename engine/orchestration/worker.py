"""``python -m engine.orchestration.worker``: a warm process that runs one flow run at a time, and
none once its parent is gone.

It reads JSON lines: ``{"run": id, "settings": …}``, ``{"hold": true}`` (no new task starts) and
``{"hold": false}``; it prints ``{"ready": true}`` and, after each run, ``{"ended": id, "error":
…}``. A runaway flow is ended with its process.
"""

from __future__ import annotations

import json
import queue
import sys
from typing import Any

from engine.processes import end_with_parent


def say(**message: Any) -> None:
    """Print one line of the protocol; what flows print goes to standard error."""
    sys.__stdout__.write(json.dumps(message) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def execute(run_id: str, settings: dict[str, Any]) -> str:
    """Run a flow run that exists on the server to its end; return what went wrong around it, "" if
    nothing did.
    """
    from prefect.client.orchestration import get_client

    from engine.orchestration import hooks as alert_hooks
    from engine.orchestration import prefect_flows
    from engine.orchestration.prefect_internals import run_existing_flow_run

    params = prefect_flows.parameters_of(settings)
    try:
        with get_client(sync_client=True) as client:
            flow_run = client.read_flow_run(run_id)  # type: ignore[arg-type]
        runner, hooks = prefect_flows.runner_of(params), alert_hooks.options()
        flow = prefect_flows.FLOW_FUNCTIONS[params.flow].with_options(task_runner=runner, **hooks)
        run_existing_flow_run(flow, flow_run, {"settings": {**settings, "root": run_id}})
    except Exception as error:
        # whatever Prefect raises around a flow, the launcher records it with the run
        return f"{type(error).__name__}: {error}"[:500]
    return ""


def main() -> None:
    """Serve runs until the parent is gone."""
    sys.stdout = sys.stderr
    runs: queue.Queue[dict[str, Any]] = queue.Queue()

    def listen(line: str) -> None:
        message = json.loads(line)
        if "hold" not in message:
            runs.put(message)
            return
        from engine.orchestration.runner import GATE

        (GATE.clear if message["hold"] else GATE.set)()

    end_with_parent(listen)
    import sklearn.ensemble

    from engine.orchestration import prefect_flows, runner

    assert sklearn.ensemble and prefect_flows
    say(ready=True)
    while True:
        message = runs.get()
        runner.GATE.set()
        error = execute(message["run"], message["settings"])
        say(ended=message["run"], error=error)


if __name__ == "__main__":
    main()
