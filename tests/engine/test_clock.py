"""The clock of the machine is put forward or back by an hour while the server runs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import hosted, kept, workspace
from engine.formats.race import RaceParams
from engine.formats.race import steps as race_steps
from engine.jobs import Jobs, Progress, Steps
from engine.pipeline import store

HOUR = 3_600.0
KEY = (race_steps, RaceParams(seed=99))
# a moment of the clock less another: what else is a duration is taken by time.monotonic
MOMENTS = re.compile(r"time\.time\(\) *[-<>]|[-<>]=? *time\.time\(\)")
FROM_ELSEWHERE = {  # the other moment is another program's, or outlives this server
    "engine/workspace.py": "a folder's time of change",
    "engine/pipeline/store.py": "a folder's time of change",
    "engine/orchestration/monitor/figure.py": "Prefect's records",
    "engine/orchestration/schedule/deployment.py": "Prefect's records",
    "engine/spark/contest/child.py": "the process's start, of the system's record",
    "engine/spark/cluster/child.py": "Spark's records",
    "engine/sign_in.py": "the provider's moment of a sign-in",
    "engine/feature_store/online/attached.py": "an earlier server's moment, in a schema's name",
}


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    queue = Jobs(keep_results=True)
    yield queue
    queue.stop()


@pytest.mark.parametrize("hours", [1, -1])
def test_a_job_goes_on_in_its_turn_and_its_duration_is_right(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    monkeypatch.setenv(hosted.VARIABLE, "1")
    monkeypatch.setenv("PLAYGROUND_HOSTED_JOB_SECONDS", "600")
    real, moved, ends = time.time, [False], []
    monkeypatch.setattr(time, "time", lambda: real() + hours * HOUR * moved[0])

    def steps(name: str) -> Steps:
        for tenth in range(10):
            moved[0] = moved[0] or tenth == 5
            yield Progress(tenth / 10)
        ends.append(name)
        return name

    def waits() -> Steps:
        while len(jobs._jobs) < 4:
            yield Progress(0.0)
        return (yield from steps("first"))

    first = jobs.submit("a", KEY, "", waits)
    others = [jobs.submit(name, name, "", lambda n=name: steps(n)) for name in "bc"]
    moved[0] = True  # what is queued from now on has another hour
    last = jobs.submit("d", "d", "", lambda: steps("d"))
    for job in (first, *others, last):
        assert job.ended.wait(60) and job.state == "done", job.message
    assert ends == ["first", "b", "c", "d"]
    found = kept.load(KEY)
    assert found is not None and 0 <= found.seconds < 600


def test_what_is_stored_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    kept.save(KEY, 1, 1.0)
    visitor = workspace.session(workspace.new_session_id())
    run = store.new_run({"days": "22"})
    store.save(run)
    part = store.place("load", "0" * 24).with_suffix(".part")
    part.mkdir()
    real = time.time
    for hours in (1, -1):
        monkeypatch.setattr(time, "time", lambda: real() + hours * HOUR)  # noqa: B023
        workspace.sweep()
        store.prune()
        kept.save((race_steps, RaceParams(seed=hours + 1)), 1, 1.0)
        assert visitor.is_dir() and part.is_dir() and kept.load(KEY) is not None
        assert store.run_of(run.id) == run


def test_durations_are_taken_by_a_clock_that_nobody_sets() -> None:
    found = {
        str(path.relative_to(workspace.REPOSITORY))
        for folder in ("engine", "pages")
        for path in (workspace.REPOSITORY / folder).rglob("*.py")
        if MOMENTS.search(path.read_text("utf-8"))
    }
    assert found == set(FROM_ELSEWHERE)
