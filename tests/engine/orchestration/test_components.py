"""Architecture: real runs on the server against what is predicted; the course's words against the
installed Prefect.
"""

from __future__ import annotations

import os
from importlib import import_module

import pytest

from engine import scripts
from engine.orchestration import components
from engine.orchestration.components import ComponentsParams, ComponentsResult, compare, figure
from engine.orchestration.components.result import LIT, MOMENTS, TASKS
from engine.orchestration.server import SERVER
from tests.engine.printed import run_script

FAILS = ComponentsParams(fault="a task always fails")
KILLED = ComponentsParams(fault="the process is killed", moment="ended")


@pytest.fixture(scope="module")
def followed() -> ComponentsResult:
    SERVER.ready(120)
    return components.run(FAILS)


def test_a_real_run_ends_as_predicted_and_passes_the_components(
    followed: ComponentsResult,
) -> None:
    assert not followed.predicted
    assert followed.headline() == components.predicted(FAILS).headline()
    at = followed.at_seconds or {}
    assert tuple(at) == MOMENTS, "each moment was recorded"
    times = [at[moment] for moment in MOMENTS]
    assert times[0] < 0 and followed.booked_by == "SCHEDULE", "booked before it is due"
    assert at["picked up"] <= at["process started"] and at["running"] <= at["tasks"] <= at["ended"]
    assert at["picked up"] < at["running"]
    names = [name for _, name, _ in followed.states]
    assert names[0] == "Scheduled" and names[-2:] == ["Running", "Failed"]
    assert followed.pid is not None and followed.pid != os.getpid()
    loggers = {logger for _, logger, _ in followed.logs}
    assert any("worker" in name for name in loggers), loggers
    assert {"prefect.flow_runs", "prefect.task_runs"} <= loggers
    assert followed.rows is not None and followed.rows["task_run"] == len(TASKS)
    assert followed.rows["flow_run_state"] == len(followed.states)
    assert followed.rows["log"] == len(followed.logs)
    left = SERVER.call("deployments/filter", {"deployments": {"name": {"like_": "followed-"}}})
    assert not left, "what was created is deleted"


def test_a_killed_process_is_reported_by_the_worker() -> None:
    """The script is the second real run: nothing of the process is left to report."""
    printed = run_script(scripts.render(KILLED))
    assert printed == components.predicted(KILLED).headline()
    result = components.predicted(KILLED)
    assert result.lit == ("worker", "API", "database") and "Crashed" in result.verdict


def test_every_moment_lights_its_way() -> None:
    for moment in MOMENTS:
        result = components.predicted(ComponentsParams(moment=moment))
        drawn = figure.architecture(result)
        lit = {trace.name: set(trace.ids or ()) for trace in drawn.data if trace.mode == "markers"}
        assert lit["passed"] == set(LIT[moment])
        lines = [trace for trace in drawn.data if trace.mode == "lines"]
        assert [sum(x is None for x in trace.x) for trace in lines] == [
            5 - len(LIT[moment]) + 1,
            len(LIT[moment]) - 1,
        ], "the lit components are one way"
        assert len(result.moments()) == len(MOMENTS)


@pytest.mark.parametrize(("word", "path", "answer"), [(w, p, a) for w, _, p, a in compare.WORDS])
def test_the_installed_version_answers_so(word: str, path: str, answer: str) -> None:
    module, _, name = path.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        assert answer == compare.REMOVED, word
        return
    moved = found.__module__ != module and answer == compare.MOVED
    assert moved or answer == compare.THERE, (word, found.__module__)


def test_both_engines_are_compared_on_every_fault() -> None:
    assert set(compare.AIRFLOW) == set(compare.PREFECT_STATES)
    for fault, (_, tasks) in compare.PREFECT_STATES.items():
        assert set(tasks) == set(TASKS) and set(compare.AIRFLOW[fault]) == {*TASKS, "run"}
        rows = components.predicted(ComponentsParams(fault=fault)).against_airflow()  # type: ignore[arg-type]
        assert len(rows) == len(TASKS) + 1
    for rows in (compare.BEHAVIOR, compare.PATTERNS, compare.words()):
        assert all(all(row.values()) and set(row) == set(rows[0]) for row in rows)
