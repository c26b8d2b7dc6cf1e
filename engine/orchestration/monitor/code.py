"""The code of *run monitor*: the flow on screen as Prefect code, run once, its states and tries
counted.
"""

from __future__ import annotations

import ast
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

from engine.orchestration.flows import Flow, RunParams
from engine.source_code import literal

FUNCTIONS: dict[Flow, str] = {
    "model retraining": "retraining",
    "daily ETL": "daily_etl",
    "fan-out": "fan_out",
    "branching": "branching",
    "subflows": "subflows",
    "meant to fail": "failing",
}


@lru_cache(maxsize=16)
def source_of(name: str) -> str:
    """Return the source text of a flow, decorators included, without importing Prefect."""
    text = (
        Path(__file__).resolve().parents[1].joinpath("prefect_flows.py").read_text(encoding="utf-8")
    )
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return "\n".join(lines[node.decorator_list[0].lineno - 1 : node.end_lineno])
    raise KeyError(name)


def script(params: RunParams) -> str:
    """Return code that runs the flow and prints the headline as one JSON line."""
    function = FUNCTIONS[params.flow]
    used = ["Submit", "parameters_of", "runner_of"]
    body = source_of(function)
    needed = [name for name in ("_lanes", "child", "stages", "BROKEN") if name in body]
    from_flows = [name for name in needed if name in ("BROKEN",)]
    from_prefect_flows = sorted([*used, *(name for name in needed if name in ("_lanes", "child"))])
    changed = [f.name for f in fields(params) if getattr(params, f.name) != f.default]
    constructor = ", ".join(f"{name}={literal(getattr(params, name))}" for name in changed)
    names = ", ".join([*from_flows, "RunParams", "plan"])
    return f"""# Runs on the server named by PREFECT_API_URL;
# without one Prefect starts a temporary server (about 12 s).
import json
import time
from collections import Counter
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter

from engine.orchestration.flows import {names}
from engine.orchestration.prefect_flows import {", ".join(from_prefect_flows)}

Settings = dict[str, Any]


{body}


params = RunParams({constructor})
settings = asdict(params) | {{"root": str(uuid4())}}  # the cache is the run's own
state = {function}.with_options(task_runner=runner_of(params))(settings, return_state=True)

run_id = state.state_details.flow_run_id
keys = {{step.key for step in plan(params)}}
with get_client(sync_client=True) as client:
    while True:  # task states reach the server a moment after they happened
        parents = FlowRunFilter(parent_flow_run_id={{"any_": [run_id]}})
        ids = [run_id, *(child.id for child in client.read_flow_runs(flow_run_filter=parents))]
        filter = FlowRunFilter(id={{"any_": ids}})
        read = client.read_task_runs(flow_run_filter=filter, limit=200)
        rows = [r for r in read if r.name in keys]
        if rows and all(r.state.is_final() or r.state.name == "NotReady" for r in rows):
            break
        time.sleep(0.5)
states = Counter("cached" if r.state.name == "Cached" else r.state.type.value.lower() for r in rows)
print(json.dumps({{
    "state": state.type.value.lower(),
    "tasks completed": states["completed"],
    "tasks cached": states["cached"],
    "tasks failed": states["failed"],
    "tries": sum(r.run_count for r in rows if r.state.name != "Cached"),
}}))
"""
