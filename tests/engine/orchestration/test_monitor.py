"""The run monitor: attempts by hand and against Prefect's state history, plans against its graph,
fates against real runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import scripts, workspace
from engine.errors import InputError
from engine.orchestration import launch, monitor, predict, records, watch, work
from engine.orchestration.flows import (
    BACKOFFS,
    FLOWS,
    TIMEOUT_MARGIN_SECONDS,
    RunParams,
    fate,
    plan,
    stages,
)
from engine.orchestration.monitor import figure as figures
from engine.orchestration.records import Attempt, Interval, Run
from engine.orchestration.server import SERVER, epoch, iso
from engine.orchestration.watch import Change

QUICK = RunParams(
    tasks=3, width=2, duration_seconds=0.05, failure_probability=0.3, delay_seconds=0.2, seed=5
)


def outcomes(run: Run) -> dict[tuple[str, int], str]:
    return {(attempt.task, attempt.attempt): attempt.outcome for attempt in run.attempts}


# --- worked by hand


def test_attempts_by_hand() -> None:
    changes = [
        Change(100.0, "PENDING", "Pending", ""),
        Change(101.0, "RUNNING", "Running", ""),
        Change(103.0, "SCHEDULED", "AwaitingRetry", ""),
        Change(104.0, "RUNNING", "Retrying", ""),
        Change(104.5, "COMPLETED", "Completed", ""),
    ]
    failures = [(102.9, "Task run failed with exception: TaskRunTimeoutError()")]
    assert watch.attempts_of("a", changes, 100.0, failures) == [
        Attempt(
            "a",
            1,
            (
                Interval("pending", 0, 1),
                Interval("running", 1, 3),
                Interval("awaiting retry", 3, 4),
            ),
            "timed out",
            "Task run failed with exception: TaskRunTimeoutError()",
        ),
        Attempt("a", 2, (Interval("running", 4, 4.5),), "completed"),
    ]


def test_what_lasts_has_no_end_and_ends_with_its_run() -> None:
    changes = [Change(10.0, "PENDING", "Pending", ""), Change(11.0, "RUNNING", "Running", "")]
    (live,) = watch.attempts_of("a", changes, 10.0, [])
    assert live == Attempt("a", 1, (Interval("pending", 0, 1), Interval("running", 1, None)), "")
    assert records.state_of(live) == "running"
    assert watch.closed(live, 5.0, "cancelled") == Attempt(
        "a", 1, (Interval("pending", 0, 1), Interval("running", 1, 5.0)), "cancelled"
    )
    (waiting,) = watch.attempts_of("a", changes[:1], 10.0, [])
    assert watch.closed(waiting, 5.0, "crashed") == Attempt(
        "a", 0, (Interval("pending", 0, 5.0),), "not run"
    )


def test_cached_not_ready_and_immediate_retry_by_hand() -> None:
    begun = [Change(0.0, "PENDING", "Pending", ""), Change(1.0, "RUNNING", "Running", "")]
    (cached,) = watch.attempts_of("a", [*begun, Change(1.5, "COMPLETED", "Cached", "")], 0.0, [])
    assert cached == Attempt(
        "a", 1, (Interval("pending", 0, 1), Interval("cached", 1, 1.5)), "cached"
    )
    (never,) = watch.attempts_of(
        "a", [begun[0], Change(2.0, "PENDING", "NotReady", "Upstream b")], 0.0, []
    )
    assert never == Attempt("a", 0, (Interval("pending", 0, 2.0),), "not run", "Upstream b")
    again = [
        *begun,
        Change(2.0, "RUNNING", "Retrying", ""),
        Change(3.0, "FAILED", "Failed", "boom"),
    ]
    assert [
        a.outcome for a in watch.attempts_of("a", again, 0.0, [(1.9, "Task run failed with x")])
    ] == ["failed", "failed"]


def test_a_retry_keeps_its_slot_by_hand() -> None:
    """One slot, two steps: while the first waits for its retry, the second waits for the slot."""
    params = RunParams(
        flow="daily ETL",
        tasks=2,
        width=2,
        duration_seconds=1,
        concurrency=1,
        failure_probability=0,
        cache=False,
    )
    alone = {a.task: a for a in predict.run(params).attempts}
    first = fate(params, "extract 1", 1).seconds
    assert alone["extract 2"].intervals[0] == Interval("pending", 0.0, first)
    failing = replace(params, failure_probability=1.0, retries=1, delay_seconds=3.0)
    attempts = predict.run(failing).attempts
    lost = sum(fate(failing, "extract 1", k).seconds for k in (1, 2))
    waited = next(a for a in attempts if a.task == "extract 2" and a.attempt == 1).intervals[0]
    assert waited == Interval("pending", 0.0, pytest.approx(lost + 3.0))


@settings(max_examples=150, deadline=None)
@given(
    flow=st.sampled_from(FLOWS),
    tasks=st.integers(1, 30),
    width=st.integers(1, 12),
    probability=st.floats(0, 1),
    retries=st.integers(0, 4),
    backoff=st.sampled_from(BACKOFFS),
    concurrency=st.integers(1, 8),
    timeout=st.sampled_from([0.0, 1.0, 2.0]),
    seed=st.integers(0, 99),
)
def test_every_run_predicted_is_a_possible_one(
    flow, tasks, width, probability, retries, backoff, concurrency, timeout, seed
) -> None:
    params = RunParams(
        flow=flow,
        tasks=tasks,
        width=width,
        failure_probability=probability,
        retries=retries,
        backoff=backoff,
        concurrency=concurrency,
        timeout_seconds=timeout,
        seed=seed,
    )
    run = predict.run(params)
    last = run.last()
    assert set(last) == {step.key for step in plan(params)} and len(run.tasks) == len(
        {t.key for t in run.tasks}
    )
    assert max((attempt.attempt for attempt in run.attempts), default=0) <= retries + 1
    ends = {
        key: attempt.intervals[-1].end_seconds if attempt.intervals else 0.0
        for key, attempt in last.items()
    }
    begins = {a.task: a.intervals[0].start_seconds for a in run.attempts if a.attempt == 1}
    for task in run.tasks:
        if last[task.key].outcome == "not run":
            assert any(last[key].outcome not in ("completed", "cached") for key in task.upstream)
        else:
            assert all(ends[key] <= begins[task.key] + 1e-9 for key in task.upstream)
    edges = [
        (i.start_seconds, i.end_seconds)
        for a in run.attempts
        for i in a.intervals
        if i.state != "pending"
    ]
    for start, _ in edges:
        assert sum(low <= start < high for low, high in edges if high > low) <= concurrency
    assert (run.state == "completed") == all(
        a.outcome in ("completed", "cached") for a in last.values()
    )


def test_no_try_ends_close_to_the_timeout() -> None:
    params = RunParams(duration_seconds=2.0, timeout_seconds=2.0, failure_probability=0.0)
    found = [fate(params, f"train {k}", 1) for k in range(200)]
    assert {f.outcome for f in found} == {"completed", "timed out"}
    assert all(f.seconds <= 2.0 - TIMEOUT_MARGIN_SECONDS for f in found if f.outcome == "completed")


def test_a_lane_has_as_many_stages_as_asked_for() -> None:
    for tasks in range(1, 40):
        names = stages(RunParams(tasks=tasks, width=4))
        assert len(names) == len(set(names)) == -(-tasks // 4)
    assert stages(RunParams(tasks=4, width=1)) == ["extract", "validate", "clean", "load"]


def test_a_timeout_is_none_or_at_least_a_second() -> None:
    with pytest.raises(InputError, match=r"timeout_seconds must be 0 \(none\) or 1–60. Got 0.5"):
        RunParams(timeout_seconds=0.5)


# --- records


def test_a_kept_run_comes_back_as_it_was() -> None:
    told = predict.run(RunParams(flow="meant to fail"))
    run = replace(told, id="0123-abc", predicted=False)
    lines = (
        records.LogLine("upload", 2, 1.5, "error", "boom"),
        records.LogLine("", 0, 0.1, "info", "begun"),
    )
    records.save(run, lines)
    records._load.cache_clear()
    again = records.load("0123-abc")
    for field in ("id", "name", "params", "state", "started_at", "ended_at", "tasks", "message"):
        assert getattr(again, field) == getattr(run, field), field
    assert sorted(again.attempts, key=str) == sorted(run.attempts, key=str)
    assert records.logs("0123-abc") == lines and again.id in {run.id for run in records.runs()}
    (records.folder() / "broken.parquet").write_bytes(b"no")
    assert "broken" not in {run.id for run in records.runs()}
    for path in records.folder().glob("0123-abc*"):
        path.unlink()
    (records.folder() / "broken.parquet").unlink()


def test_a_run_that_is_not_over_or_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="run must have ended before it is kept. Got running"):
        records.save(replace(predict.run(QUICK), id="x", state="running"))
    for name in ("nothing", "../../etc/passwd"):
        with pytest.raises(InputError, match="run must be one that is kept"):
            records.load(name)


# --- figures


def test_each_attempt_is_a_bar_of_its_own() -> None:
    result = monitor.run(RunParams())
    bars = {trace.name: len(trace.y) for trace in figures.gantt(result).data}
    attempts = [attempt.outcome for attempt in result.run.attempts]
    assert bars["failed"] == attempts.count("failed") == result.n_failed_attempts
    assert bars["completed"] == attempts.count("completed") and bars["cached"] == attempts.count(
        "cached"
    )
    assert bars["retry wait"] == sum(a.seconds("awaiting retry") > 0 for a in result.run.attempts)
    nodes = {trace.name: len(trace.x) for trace in figures.graph(result).data if trace.name}
    assert nodes == {f"{state} {n}": n for state, n in result.run.counts().items()}


def test_the_largest_figures_stay_small() -> None:
    result = monitor.run(RunParams(flow="fan-out", tasks=200, width=12, failure_probability=0.5))
    for figure in (figures.gantt(result, result), figures.graph(result)):
        assert len(figure.to_json()) < 300_000


# --- on the real server


def server_states(run_id: str) -> dict[str, list[tuple[str, str]]]:
    """Prefect's own history of each task: (type, name) in order of time, one call a task."""
    rows = SERVER.call("task_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}, "limit": 200})
    found = {}
    for row in rows:
        states = SERVER.call(f"task_run_states/?task_run_id={row['id']}")
        states.sort(key=lambda state: state["timestamp"])
        found[row["name"]] = [
            (state["type"], state["name"], epoch(state["timestamp"])) for state in states
        ]
    return found


@pytest.fixture(scope="module")
def real() -> dict[str, Run]:
    """One small run of each flow, all submitted at once."""
    asked = {flow: replace(QUICK, flow=flow) for flow in FLOWS}
    asked["timeouts"] = replace(
        QUICK, flow="daily ETL", duration_seconds=0.5, timeout_seconds=1.0, retries=1, seed=3
    )
    ids = {name: launch.submit(params) for name, params in asked.items()}
    return {name: launch.wait(run_id, 240) for name, run_id in ids.items()}


def test_every_try_of_every_flow_ends_as_predicted(real: dict[str, Run]) -> None:
    for name, run in real.items():
        told = predict.run(run.params)
        assert outcomes(run) == outcomes(told), name
        assert (
            run.state == told.state
            and run.counts() == told.counts()
            and run.n_attempts == told.n_attempts
        ), name
    assert {"timed out"} <= set(outcomes(real["timeouts"]).values())
    assert {"cached", "failed", "completed"} <= {
        o for run in real.values() for o in outcomes(run).values()
    }
    assert "not run" in outcomes(real["meant to fail"]).values()


def test_attempts_are_those_of_prefects_own_state_history(real: dict[str, Run]) -> None:
    run = real["daily ETL"]
    history = server_states(run.id)
    zero = run.started_at or 0.0
    assert set(history) == {task.key for task in run.tasks}
    for key, states in history.items():
        mine = [attempt for attempt in monitor.attempts(run) if attempt.task == key]
        starts = sorted(i.start_seconds for a in mine for i in a.intervals)
        theirs = [at - zero for _, _, at in states[:-1]]
        assert starts == pytest.approx(theirs, abs=1e-3), key
        assert sum(kind == "RUNNING" for kind, _, _ in states) == len(mine), key
        assert ("cached" if states[-1][1] == "Cached" else states[-1][0].lower()) == mine[
            -1
        ].outcome, key
        assert mine[-1].intervals[-1].end_seconds == pytest.approx(states[-1][2] - zero, abs=1e-3)


def test_plans_are_the_graphs_that_prefect_recorded(real: dict[str, Run]) -> None:
    for name in ("model retraining", "daily ETL", "fan-out", "branching"):
        run = real[name]
        rows = SERVER.call(
            "task_runs/filter", {"flow_runs": {"id": {"any_": [run.id]}}, "limit": 200}
        )
        keys = {row["id"]: row["name"] for row in rows}
        edges = {
            (keys[source["id"]], row["name"])
            for row in rows
            for sources in row["task_inputs"].values()
            for source in sources
            if source["input_type"] == "task_run"
        }
        planned = {(key, task.key) for task in run.tasks for key in task.upstream}
        assert edges == {edge for edge in planned if edge[1] in keys.values()}, name


def test_logs_come_by_attempt_with_the_exception(real: dict[str, Run]) -> None:
    run = real["meant to fail"]
    lines = [line for line in records.logs(run.id) if line.task == "upload"]
    said = {line.attempt for line in lines if line.message.startswith("Attempt ")}
    assert said == set(range(1, run.params.retries + 2))
    for line in lines:
        if line.message.startswith("Attempt "):
            assert line.message.startswith(f"Attempt {line.attempt} of {run.params.retries + 1}")
    attempts = [attempt for attempt in run.attempts if attempt.task == "upload"]
    assert all("TypeError" in attempt.message for attempt in attempts)


def test_more_lines_at_a_moment_than_a_page_holds_are_all_read(real: dict[str, Run]) -> None:
    run_id, began = str(uuid.uuid4()), time.time()
    line = {"name": "prefect.flow_runs", "level": 20, "flow_run_id": run_id}
    SERVER.call(
        "logs/",
        [{**line, "message": str(k), "timestamp": iso(began + k / 1000)} for k in range(450)],
    )
    found = watch.Watch(run_id, QUICK, {})
    for _ in range(2):  # the second reading begins 1.5 s before the last line: with the first one
        found._log(SERVER, 10.0)
        assert sorted(int(message) for *_, message in found.lines.values()) == list(range(450))


def test_the_training_is_real_and_the_same_here(real: dict[str, Run]) -> None:
    run = real["model retraining"]
    said = [
        line.message
        for line in records.logs(run.id)
        if line.task == "train 2" and line.message.startswith("Done")
    ]
    assert str(work.do("train 2", [{"months": run.params.width}], run.params)) in said[-1]


def test_the_page_finds_the_real_run_in_place_of_the_predicted_one(real: dict[str, Run]) -> None:
    run = real["fan-out"]
    assert monitor.latest(run.params).id == run.id and monitor.run(run.params).run.predicted
    result = monitor.result_of(run)
    assert result.complete and "every attempt ended as predicted" in " ".join(result.why)
    assert result.headline() == monitor.run(run.params).headline()


def test_the_script_of_each_flow_reproduces_the_headline(real: dict[str, Run]) -> None:
    """All in one child: importing Prefect takes seconds."""
    codes = [scripts.render(real[flow].params) for flow in FLOWS]
    out = subprocess.run(
        [
            sys.executable,
            "-c",
            f"for code in {codes!r}:\n    exec(code, {{'__name__': 'script'}})",
        ],
        cwd=workspace.REPOSITORY,
        env={**os.environ, **SERVER.environment(), "PYTHONPATH": str(workspace.REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert out.returncode == 0, out.stderr[-2000:]
    printed = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
    assert printed == [monitor.result_of(real[flow]).headline() for flow in FLOWS]
