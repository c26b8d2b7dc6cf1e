"""The job queue: order, making way, cancelling, owners, results of an earlier server, time left."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from engine import kept, pace
from engine.errors import InputError, explain
from engine.jobs import SERVER, Job, Jobs, Progress, Steps, run_to_end


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    queue = Jobs(grace_seconds=0.05)
    yield queue
    queue.stop()
    assert not any(
        thread.name == "jobs" and thread is queue._worker and thread.is_alive()
        for thread in threading.enumerate()
    )


def counting(n: int) -> Steps:
    for i in range(n):
        yield Progress(i / n, f"{i}", partial=i)
    return n


def blocked(gate: threading.Event, closed: threading.Event) -> Steps:
    try:
        while not gate.wait(0.01):
            yield Progress(0.5, "waiting", partial="half")
    finally:
        closed.set()
    return "opened"


def test_a_job_runs_to_its_result_and_is_found_again(jobs: Jobs) -> None:
    job = jobs.submit("a", "count", "Counting", lambda: counting(3))
    assert job.ended.wait(10)
    assert (job.state, job.result, job.progress.partial, job.latest) == ("done", 3, 2, 3)
    assert jobs.find("count") is job and jobs.submit("b", "count", "", lambda: counting(9)) is job
    jobs.forget("count")
    assert jobs.find("count") is None


def test_one_runs_and_the_next_one_knows_its_place(jobs: Jobs) -> None:
    gate, closed, second_gate = threading.Event(), threading.Event(), threading.Event()
    first = jobs.submit("a", 1, "", lambda: blocked(gate, closed))
    while first.latest is None:
        threading.Event().wait(0.01)
    second = jobs.submit("a", 2, "", lambda: blocked(second_gate, threading.Event()))
    third = jobs.submit("b", 3, "", lambda: counting(1))
    assert (first.state, second.state, third.state) == ("running", "queued", "queued")
    assert [jobs.position(job) for job in (first, third, second)] == [0, 1, 2]
    jobs.cancel(second)
    assert second.state == "cancelled" and jobs.position(third) == 1
    gate.set()
    assert third.ended.wait(10) and (first.result, third.result) == ("opened", 1)


def noting(order: list[str], key: str) -> Steps:
    order.append(key)
    yield Progress(1.0)


def test_a_visitor_goes_before_what_the_server_warms(jobs: Jobs) -> None:
    gate, order = threading.Event(), []
    running = jobs.submit(SERVER, 0, "", lambda: blocked(gate, threading.Event()))
    while running.latest is None:
        threading.Event().wait(0.01)
    for owner, key in ((SERVER, "warm-up"), (SERVER, "wanted"), ("a", "asked")):
        jobs.submit(owner, key, "", lambda key=key: noting(order, key))  # type: ignore[misc]
    warm, wanted, asked = (jobs.find(key) for key in ("warm-up", "wanted", "asked"))
    jobs.submit("a", "wanted", "", lambda: counting(1))
    assert [jobs.position(job) for job in (wanted, asked, warm) if job] == [1, 2, 3]
    gate.set()
    assert warm is not None and warm.ended.wait(10) and order == ["wanted", "asked", "warm-up"]


def test_the_newest_wish_of_a_visitor_goes_before_their_older_ones_and_after_who_waits_for_them(
    jobs: Jobs,
) -> None:
    gate, order = threading.Event(), []
    running = jobs.submit("a", 0, "", lambda: blocked(gate, threading.Event()))
    while running.latest is None:
        threading.Event().wait(0.01)
    for owner, key in (
        ("b", "b"),
        ("a", "scene 1"),
        ("c", "c"),
        ("a", "scene 2"),
        ("a", "scene 3"),
    ):
        last = jobs.submit(owner, key, "", lambda key=key: noting(order, key))  # type: ignore[misc]
    assert jobs.position(last) == 3
    gate.set()
    for key in ("scene 1", "c"):
        assert (job := jobs.find(key)) and job.ended.wait(10)
    assert order == ["b", "c", "scene 3", "scene 2", "scene 1"]


def test_cancel_runs_the_finally_of_a_running_job(jobs: Jobs) -> None:
    closed = threading.Event()
    job = jobs.submit("a", 1, "", lambda: blocked(threading.Event(), closed))
    while job.latest is None:
        pass
    jobs.cancel(job)
    assert job.ended.wait(10) and closed.is_set()
    assert (job.state, job.latest) == ("cancelled", "half")


def test_a_failure_keeps_its_cause_and_the_queue_goes_on(jobs: Jobs) -> None:
    def failing() -> Steps:
        yield Progress(0.1)
        raise InputError("k must be 1. Got 2.")

    failed = jobs.submit("a", 1, "", failing)
    after = jobs.submit("b", 2, "", lambda: counting(2))
    assert after.ended.wait(10) and after.result == 2
    assert failed.state == "failed" and failed.message == "k must be 1. Got 2."


@pytest.mark.logs_traceback
def test_a_failure_that_nobody_foresaw_is_said_by_a_reference_that_the_log_explains(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    def failing() -> Steps:
        yield Progress(0.1)
        raise KeyError("the secret cause")

    failed = jobs.submit("a", 1, "", failing)
    assert failed.ended.wait(10)
    (record,) = caplog.records
    (reference,) = re.findall(r"reference ([0-9a-f]{8})", failed.message)
    assert reference in record.getMessage() and "the secret cause" in str(record.exc_info)
    assert "secret" not in failed.message
    assert explain(InputError("k must be 1. Got 2.")) == "k must be 1. Got 2."


def test_a_job_ends_with_its_last_owner_only(jobs: Jobs) -> None:
    closed = threading.Event()
    job = jobs.submit("a", 1, "", lambda: blocked(threading.Event(), closed))
    assert jobs.submit("b", 1, "", lambda: counting(1)) is job
    jobs.drop("a", 1)
    assert job.active
    jobs.leave("b")
    assert job.ended.wait(10) and job.state == "cancelled" and closed.is_set()


@pytest.mark.logs_traceback
def test_a_panic_that_is_no_exception_ends_its_job_and_not_the_queue(jobs: Jobs) -> None:
    class Panic(BaseException):
        """As Polars raises them."""

    def panicking() -> Steps:
        yield Progress(0.1)
        raise Panic("out-of-range datetime")

    failed = jobs.submit("a", 1, "", panicking)
    after = jobs.submit("b", 2, "", lambda: counting(2))
    assert after.ended.wait(10) and after.result == 2
    assert failed.state == "failed" and "that the playground did not expect" in failed.message


def test_a_job_that_hears_the_servers_end_is_cancelled_and_logs_no_fault(jobs: Jobs) -> None:
    def interrupted() -> Steps:
        yield Progress(0.1)
        raise KeyboardInterrupt

    job = jobs.submit("a", 1, "", interrupted)
    assert job.ended.wait(10) and job.state == "cancelled" and job.message == ""


def test_a_job_that_the_end_of_python_breaks_is_cancelled_and_logs_no_fault(jobs: Jobs) -> None:
    begun, ended = threading.Event(), threading.Event()

    def broken() -> Steps:
        yield Progress(0.1)
        begun.set()
        ended.wait(10)
        raise AttributeError("a module that is half gone")

    job = jobs.submit("a", 1, "", broken)
    assert begun.wait(10)
    jobs.stop(seconds=0)
    ended.set()
    assert job.ended.wait(10) and job.state == "cancelled" and job.message == ""


def test_who_gives_up_takes_the_job_from_nobody_else(jobs: Jobs) -> None:
    closed = threading.Event()
    job = jobs.submit("a", 1, "", lambda: blocked(threading.Event(), closed))
    jobs.submit("b", 1, "", lambda: counting(1))
    while job.latest is None:
        threading.Event().wait(0.01)
    jobs.give_up("a", job)
    assert job.active and not job.cancel_requested.is_set()
    jobs.give_up("b", job)
    assert (
        job.ended.wait(10) and job.state == "cancelled" and closed.is_set() and jobs.find(1) is job
    )
    again = jobs.submit("c", 1, "", lambda: counting(1))
    assert again is not job and again.ended.wait(10) and again.result == 1


def test_who_comes_back_within_the_grace_keeps_the_job() -> None:
    queue = Jobs(grace_seconds=30)
    gate = threading.Event()
    job = queue.submit("a", 1, "", lambda: blocked(gate, threading.Event()))
    queue.leave("a")
    timer = queue._leaving["a"]
    queue.touch("a")
    timer.join(10)
    assert not timer.is_alive() and job.active
    gate.set()
    assert job.ended.wait(10) and job.result == "opened"
    queue.stop()


def test_run_to_end_returns_the_result() -> None:
    assert run_to_end(counting(4)) == 4


def wait_until_runs(job: Job) -> None:
    while job.latest is None:
        threading.Event().wait(0.01)


def test_the_servers_own_job_makes_way_and_starts_anew_later(jobs: Jobs) -> None:
    gate, closed, order = threading.Event(), threading.Event(), []
    warm = jobs.submit(SERVER, "warm", "", lambda: blocked(gate, closed))
    next_warm = jobs.submit(SERVER, "next", "", lambda: noting(order, "next"))
    wait_until_runs(warm)
    asked = jobs.submit("a", "asked", "", lambda: noting(order, "asked"))
    assert asked.ended.wait(10) and closed.is_set() and order == ["asked"]
    assert warm.active and warm.latest == "half" and not warm.ended.is_set()
    gate.set()
    assert warm.ended.wait(10) and warm.result == "opened" and next_warm.ended.wait(10)
    assert order == ["asked", "next"] and jobs.find("warm") is warm


def test_who_asks_for_what_the_server_measures_stops_it_not(jobs: Jobs) -> None:
    gate, closed = threading.Event(), threading.Event()
    warm = jobs.submit(SERVER, 1, "", lambda: blocked(gate, closed))
    wait_until_runs(warm)
    assert jobs.submit("a", 1, "", lambda: counting(1)) is warm
    jobs.submit("b", 2, "", lambda: counting(1))
    assert not warm.preempted and not closed.is_set()
    gate.set()
    assert warm.ended.wait(10) and warm.result == "opened"


def test_one_visitors_job_does_not_stop_anothers(jobs: Jobs) -> None:
    gate, closed = threading.Event(), threading.Event()
    first = jobs.submit("a", 1, "", lambda: blocked(gate, closed))
    wait_until_runs(first)
    second = jobs.submit("b", 2, "", lambda: counting(1))
    assert jobs.position(second) == 1 and not first.cancel_requested.is_set()
    gate.set()
    assert second.ended.wait(10) and first.result == "opened"


def test_a_job_that_only_the_server_wants_any_more_makes_way(jobs: Jobs) -> None:
    gate, closed = threading.Event(), threading.Event()
    job = jobs.submit(SERVER, 1, "", lambda: blocked(gate, closed))
    jobs.submit("a", 1, "", lambda: counting(1))
    wait_until_runs(job)
    other = jobs.submit("b", 2, "", lambda: counting(1))
    jobs.give_up("a", job)  # its tab was left
    assert other.ended.wait(10) and job.active
    gate.set()
    assert job.ended.wait(10) and job.result == "opened"


def test_who_comes_back_to_a_job_given_up_sees_what_it_had(jobs: Jobs) -> None:
    gate = threading.Event()
    job = jobs.submit("a", 1, "", lambda: blocked(threading.Event(), threading.Event()))
    wait_until_runs(job)
    jobs.give_up("a", job)
    assert job.ended.wait(10)
    running = jobs.submit("b", 2, "", lambda: blocked(gate, threading.Event()))
    wait_until_runs(running)
    again = jobs.submit("a", 1, "", lambda: counting(1))
    assert again is not job and again.state == "queued" and again.latest == "half"
    gate.set()
    assert again.ended.wait(10) and again.result == 1


def test_a_stopped_queue_keeps_nothing_that_made_way() -> None:
    queue = Jobs()
    warm = queue.submit(SERVER, 1, "", lambda: blocked(threading.Event(), threading.Event()))
    wait_until_runs(warm)
    queue.stop()
    assert warm.state == "cancelled"


calls: list[int] = []


def measured(params: int) -> Steps:
    calls.append(params)
    yield Progress(0.5)
    return {"params": params, "call": len(calls)}


def test_the_next_server_finds_what_this_one_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    calls.clear()
    key = (measured, 7)
    queue = Jobs(keep_results=True)
    first = queue.submit("a", key, "", lambda: measured(7))
    assert first.ended.wait(10)
    queue.stop()
    later = Jobs(keep_results=True)
    found = later.submit("b", key, "", lambda: measured(7))
    assert (found.state, found.result, calls) == ("done", {"params": 7, "call": 1}, [7])
    assert found.finished_at is not None and first.finished_at is not None
    assert abs(found.finished_at - first.finished_at) < 5
    later.forget(key)  # "Run again"
    assert later.find(key) is None and kept.is_kept(key)
    again = later.submit("b", key, "", lambda: measured(7))
    assert again.ended.wait(10) and again.result == {"params": 7, "call": 2}
    later.stop()
    last = kept.load(key)
    assert last is not None and last.result == again.result
    assert Jobs().find(key) is None  # a queue that keeps nothing looks nowhere


def left_along(shares: list[tuple[float, float]], expected: float | None = None) -> list[object]:
    """What is said at each (time, share) of a run, and whether it is right within a factor of
    two.
    """
    end, said = shares[-1][0], []
    for n in range(1, len(shares)):
        now = shares[n - 1][0]
        left = pace.remaining_seconds(shares[:n], expected, now)
        if left is not None:
            said.append((end - now) / 2 <= left <= (end - now) * 2)
    return said


def test_the_time_left_of_a_steady_run_is_said_and_right() -> None:
    steady = [(100.0 + second, second / 60) for second in range(61)]
    said = left_along(steady)
    assert len(said) > 50 and all(said)
    assert all(left_along(steady, expected=60.0))
    assert left_along(steady, expected=600.0) == []  # what it took before says otherwise


def test_no_time_left_is_said_of_a_run_whose_pace_changes() -> None:
    late = [(0.0, 0.0), (30.0, 0.0), (31.0, 0.3), (32.0, 0.6), (33.0, 0.9), (34.0, 1.0)]
    rising = [late[0], *[b for a, b in pairwise(late) if b[1] > a[1]]]
    assert left_along(rising) == []
    assert pace.remaining_seconds([(0.0, 0.0), (10.0, 0.5)], None, 10.0) is None  # one point


def test_a_run_that_begins_again_counts_from_there() -> None:
    job = Job(1, "", lambda: counting(1))
    job.marks, job.expected_seconds = [(0.0, 0.0)], 40.0
    for now, share in ((100.0, 0.5), (101.0, 0.5), (110.0, 0.0), (120.0, 0.25), (130.0, 0.5)):
        job.note(Progress(share), now)
    assert job.marks == [(110.0, 0.0), (120.0, 0.25), (130.0, 0.5)]
    assert job.expected_seconds is None
    assert pace.remaining_seconds(job.marks, None, 130.0) == pytest.approx(20.0)


def test_nothing_is_said_of_the_time_left_until_an_earlier_run_kept_its_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady = [(float(second), second / 60) for second in range(61)]
    assert pace.is_steady(steady, 60.0)
    assert not pace.is_steady(steady, 200.0)  # its last step took most of the time
    assert not pace.is_steady(steady[:2], 60.0)
    start = time.monotonic() - 30  # half is done now
    job = Job(1, "", lambda: counting(1), marks=[(start + at, share) for at, share in steady[:31]])
    assert job.remaining_seconds() is None
    job.steady = True
    assert job.remaining_seconds() == pytest.approx(30.0, abs=2.0)
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    assert not kept.is_steady((measured, 1))
    kept.save((measured, 2), 0, 60.0, steady=True)
    assert kept.is_steady((measured, 1))
    kept.save((measured, 3), 0, 60.0, steady=False)
    assert not kept.is_steady((measured, 1))
