"""Many runs at once, and what a person does to one of them: two run, the rest wait in sight, all
end, none is lost.
"""

from __future__ import annotations

import time
from dataclasses import replace

import psutil

from engine.orchestration import launch, monitor, predict, records, watch
from engine.orchestration.flows import RunParams
from engine.orchestration.launch import AT_ONCE, LAUNCHER
from engine.orchestration.server import SERVER
from tests.engine.orchestration.test_server import until

SMALL = RunParams(
    flow="daily ETL",
    tasks=4,
    width=2,
    duration_seconds=0.2,
    failure_probability=0.2,
    retries=1,
    delay_seconds=0.1,
    seed=20,
)
LONG = replace(
    SMALL, flow="fan-out", tasks=12, duration_seconds=2.0, failure_probability=0.0, concurrency=2
)


def on_server(ids: list[str]) -> dict[str, str]:
    """The state of each run, as Prefect's own API has it."""
    rows = SERVER.call("flow_runs/filter", {"flow_runs": {"id": {"any_": ids}}})
    return {row["id"]: row["state"]["type"] for row in rows}


def test_six_at_once_two_run_the_rest_wait_in_sight_all_end_none_is_lost() -> None:
    slower = replace(
        SMALL, duration_seconds=1.0
    )  # so that none is over before the sixth is there, on a busy machine too
    ids = [launch.submit(replace(slower, seed=20 + k)) for k in range(6)]
    assert set(on_server(ids)) == set(ids)  # in sight from the start
    seen: list[dict[str, str]] = []
    listed: list[int] = []
    while any(run_id in LAUNCHER.params for run_id in ids):
        seen.append(on_server(ids))
        listed.append(len(monitor.under_way()))
        time.sleep(0.2)
    n_running = [list(states.values()).count("RUNNING") for states in seen]
    assert max(n_running) == AT_ONCE and max(list(s.values()).count("SCHEDULED") for s in seen) >= 4
    assert max(listed) == 6 and LAUNCHER.active() == []
    for k, run_id in enumerate(ids):
        run = records.load(run_id)
        assert run.params == replace(slower, seed=20 + k) and run.ended
        assert (
            monitor.result_of(run).outcomes()
            == monitor.result_of(predict.run(run.params)).outcomes()
        )
    order = [records.load(run_id).started_at or 0.0 for run_id in ids]
    assert all(
        before < after for before, after in zip(order, order[2:], strict=False)
    )  # two may begin at the same moment
    text = (SERVER.home / "workers.log").read_text()
    assert "database is locked" not in text


def test_cancel_ends_the_process_of_that_run_alone_and_a_fresh_one_takes_its_place() -> None:
    first, second = launch.submit(LONG), launch.submit(replace(LONG, seed=21))
    waiting = launch.submit(replace(SMALL, seed=40))
    until(
        lambda: all(watch.read(SERVER, run_id).state == "running" for run_id in (first, second)), 90
    )
    until(lambda: watch.read(SERVER, first).counts().get("running", 0) > 0)
    doomed, other = LAUNCHER.pid(first), LAUNCHER.pid(second)
    assert doomed and other and doomed != other
    LAUNCHER.cancel(first)
    assert not psutil.pid_exists(doomed) and psutil.Process(other).is_running()
    run = records.load(first)
    assert run.state == "cancelled" and "cancelled" in {a.outcome for a in run.attempts}
    assert not any(i.end_seconds is None for a in run.attempts for i in a.intervals)
    assert (
        on_server([first])[first] == "CANCELLED" and watch.read(SERVER, second).state == "running"
    )
    queued = launch.submit(replace(SMALL, seed=41))
    LAUNCHER.cancel(queued)
    assert records.load(queued).state == "cancelled"
    assert launch.wait(waiting, 120).state == predict.run(replace(SMALL, seed=40)).state
    LAUNCHER.cancel(second)
    assert records.load(second).state == "cancelled"


def test_pause_lets_nothing_new_start_and_resume_goes_on() -> None:
    params = replace(LONG, duration_seconds=0.6, tasks=6, seed=22)
    run_id = launch.submit(params)
    until(lambda: watch.read(SERVER, run_id).counts().get("completed", 0) >= 2, 90)
    LAUNCHER.pause(run_id)
    until(lambda: watch.read(SERVER, run_id).counts().get("running", 0) == 0)
    paused = watch.read(SERVER, run_id, fresh_seconds=0.0)
    assert paused.state == "paused" and on_server([run_id])[run_id] == "PAUSED"
    time.sleep(1.5)
    later = watch.read(SERVER, run_id, fresh_seconds=0.0)
    assert later.n_attempts == paused.n_attempts and later.counts()["pending"] > 0
    LAUNCHER.resume(run_id)
    run = launch.wait(run_id, 120)
    assert (
        run.state == "completed"
        and monitor.result_of(run).outcomes() == monitor.result_of(predict.run(params)).outcomes()
    )


def test_workers_leave_no_process() -> None:
    LAUNCHER.start(warm=True)
    until(lambda: all(slot.ready for slot in LAUNCHER.slots))
    pids = [slot.process.pid for slot in LAUNCHER.slots if slot.process is not None]
    assert len(pids) == AT_ONCE and all(psutil.pid_exists(pid) for pid in pids)
    LAUNCHER.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert LAUNCHER.active() == [] and all(slot.process is None for slot in LAUNCHER.slots)
