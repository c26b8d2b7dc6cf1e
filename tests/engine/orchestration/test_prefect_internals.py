"""What the lab uses of Prefect beyond its documented API: each name is where the adapter expects
it, and nobody else uses it. That runs, dates and the server work through it is tested by their own
files here.
"""

from __future__ import annotations

import ast
import inspect
from concurrent.futures import Future
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import pytest

from engine.orchestration import prefect_internals

LAB = Path(prefect_internals.__file__).parent
SHOWN_TO_PEOPLE = {"code.py", "example.py", "script.py"}  # Prefect as its users write it
DOCUMENTED = {
    "prefect",
    "prefect.client.orchestration",
    "prefect.client.schemas.responses",
    "prefect.context",
    "prefect.exceptions",
    "prefect.futures",
    "prefect.states",
    "prefect.task_runners",
    "prefect.tasks",
    "prefect.workers.process",
}


def test_prefect_is_the_version_that_the_adapter_was_written_for() -> None:
    """A new minor may move what is private: go through this file before the cap is raised."""
    assert version("prefect").startswith("3.8.")


@pytest.mark.parametrize(
    ("module", "name", "parameters"),
    [
        ("prefect.server.api.server", "create_app", {"final"}),
        ("prefect.server.schemas.schedules", "CronSchedule.get_dates", {"n", "start", "end"}),
        ("prefect.server.schemas.schedules", "RRuleSchedule.get_dates", {"n", "start", "end"}),
        ("prefect.server.schemas.schedules", "IntervalSchedule.get_dates", {"n", "start", "end"}),
        (
            "prefect._internal.schemas.validators",
            "normalize_rrule_string",
            {"rrule_string", "now", "timezone"},
        ),
        ("prefect.flow_engine", "run_flow", {"flow", "flow_run", "parameters", "return_type"}),
        (
            "prefect.task_engine",
            "_create_task_run_locally",
            {"task", "parameters", "wait_for", "extra_task_inputs"},
        ),
        (
            "prefect.task_engine",
            "run_task_sync",
            {"task", "task_run", "parameters", "wait_for", "return_type", "dependencies"},
        ),
        (
            "prefect.utilities.engine",
            "emit_task_run_state_change_event",
            {"task_run", "initial_state", "validated_state"},
        ),
        ("prefect.futures", "PrefectConcurrentFuture", {"task_run_id", "wrapped_future"}),
    ],
)
def test_what_is_called_is_there(module: str, name: str, parameters: set[str]) -> None:
    found = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert parameters <= set(inspect.signature(found).parameters)


def test_a_schedule_has_the_fields_that_are_given() -> None:
    fields = {"cron": "cron", "rrule": "rrule", "interval": "interval"}
    classes = prefect_internals.schedule_classes()
    assert set(classes) == set(fields)
    for kind, field in fields.items():
        assert {field, "timezone"} <= set(classes[kind].model_fields)
    assert "anchor_date" in classes["interval"].model_fields


def test_a_task_runner_has_threads_while_it_is_open() -> None:
    from prefect.task_runners import ThreadPoolTaskRunner

    runner = ThreadPoolTaskRunner(max_workers=1)
    assert prefect_internals.executor_of(runner) is None
    with runner:
        executor = prefect_internals.executor_of(runner)
        assert executor is not None and executor.submit(lambda: 7).result() == 7
    assert prefect_internals.executor_of(runner) is None


def test_a_future_is_done_with_its_outcome() -> None:
    from prefect.states import Completed

    outcome, task_run = Future(), uuid4()
    future = prefect_internals.future_of(task_run, outcome)
    assert future.task_run_id == task_run and future.wrapped_future is outcome
    outcome.set_result(Completed(data=7))
    future.wait()
    assert future.state.is_completed()


def reached_beyond_the_api(code: str) -> set[str]:
    """Modules of Prefect that the code imports and that are not documented."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return {name for name in found if name.split(".")[0] == "prefect"} - DOCUMENTED


def test_nobody_else_reaches_into_prefect() -> None:
    allowed = SHOWN_TO_PEOPLE | {Path(prefect_internals.__file__).name}
    found = {
        path.relative_to(LAB).as_posix(): reached_beyond_the_api(path.read_text(encoding="utf-8"))
        for path in LAB.rglob("*.py")
        if path.name not in allowed
    }
    assert {name: what for name, what in found.items() if what} == {}
    code = "from prefect.task_engine import _x\nimport prefect.server.api\nfrom prefect import flow"
    assert reached_beyond_the_api(code) == {"prefect.task_engine", "prefect.server.api"}
