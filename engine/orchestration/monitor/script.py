"""The flow on screen (engine/orchestration/prefect_flows.py), run once: its states and attempts.

Runs on the server that PREFECT_API_URL names; without one Prefect starts a temporary server, which
takes about 12 s.
"""

import json
import time
from collections import Counter
from dataclasses import asdict
from uuid import uuid4

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter

from engine.orchestration.flows import RunParams, plan
from engine.orchestration.prefect_flows import FLOW_FUNCTIONS, runner_of

PARAMS = RunParams()
settings = asdict(PARAMS) | {"root": str(uuid4())}  # the key of the cache: this run's own
flow = FLOW_FUNCTIONS[PARAMS.flow].with_options(task_runner=runner_of(PARAMS))
state = flow(settings, return_state=True)

run_id = state.state_details.flow_run_id
keys = {step.key for step in plan(PARAMS)}
with get_client(sync_client=True) as client:
    while True:  # task states reach the server a moment after they happened
        children = FlowRunFilter.model_validate({"parent_flow_run_id": {"any_": [run_id]}})
        ids = [run_id, *(child.id for child in client.read_flow_runs(flow_run_filter=children))]
        runs = FlowRunFilter.model_validate({"id": {"any_": ids}})
        tasks = client.read_task_runs(flow_run_filter=runs, limit=200)
        tasks = [task for task in tasks if task.name in keys]
        now = [task.state for task in tasks if task.state]
        if now and all(one.is_final() or one.name == "NotReady" for one in now):
            break
        time.sleep(0.5)
cached = [task for task in tasks if task.state_name == "Cached"]
ran = [task for task in tasks if task.state_name != "Cached"]
counts = Counter(task.state_type.value for task in ran if task.state_type)
numbers = {
    "state": state.type.value.lower(),
    "tasks completed": counts["COMPLETED"],
    "tasks cached": len(cached),
    "tasks failed": counts["FAILED"],
    "attempts": sum(task.run_count for task in ran),
}
print(json.dumps(numbers))
