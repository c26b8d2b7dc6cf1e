"""A shared server: what is off there, what is bounded, and neither on a server of one's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from engine import data, hosted
from engine.errors import InputError
from engine.etl.quality import QualityParams, load_tests
from engine.feature_store.own import repo
from engine.hosted import Bounds
from engine.jobs import SERVER, Jobs, Progress, Steps
from engine.orchestration.alerts import AlertsParams
from engine.orchestration.alerts.webhook import Post
from engine.orchestration.server import Server
from engine.ranges import Params, Range
from engine.rooms.registry import Rooms
from engine.spark import cluster, target
from engine.spark.sql import console


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Params):
    n_rows: Annotated[int, Range(1, 2_000_000)] = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Many(Rows):
    n_rows: Annotated[int, Range(1, 2_000_000)] = 9_000


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hosted.VARIABLE, "1")


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    queue = Jobs()
    yield queue
    queue.stop()


def endless() -> Steps:
    while True:
        time.sleep(0.01)
        yield Progress(0.5, "at work", partial="half")


REFUSED: dict[hosted.What, Callable[[], object]] = {
    "webhook": lambda: Post().set("visitor", "https://hooks.example.com/x", AlertsParams()),
    "sql": lambda: next(console.own_steps(console.OwnParams())),
    "tests": lambda: next(load_tests.steps(QualityParams())),
    "cluster": lambda: next(cluster.steps(cluster.ClusterParams())),
    "room": lambda: Rooms().open(()),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_off_is_refused(shared: None, what: hosted.What) -> None:
    with pytest.raises(InputError) as refused:
        REFUSED[what]()
    assert str(refused.value) == hosted.off(what) and "make run" in hosted.off(what)


def test_engines_that_the_environment_names_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "https://prefect.example.com/api")
    monkeypatch.setenv("PREFECT_API_KEY", "key-1")
    monkeypatch.setenv(repo.VARIABLE, "/srv/features")
    own = Server()
    assert (own.kind, repo.own_repo(), repo.ignored()) == ("attached", "/srv/features", "")
    monkeypatch.setenv(hosted.VARIABLE, "yes")
    assert (own.kind, repo.own_repo()) == ("own", "")
    assert hosted.off("prefect") in own.state.message and "example" not in own.state.message
    assert repo.ignored() == hosted.off("feast")
    assert "PREFECT_API_KEY" not in own.environment()


def test_rows_uploads_and_cores_are_bounded(
    shared: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLAYGROUND_HOSTED_ROWS", "5000")
    monkeypatch.setenv("PLAYGROUND_HOSTED_UPLOAD_MB", "1")
    monkeypatch.setenv("PLAYGROUND_HOSTED_SPARK_CORES", "1")
    monkeypatch.setenv("PLAYGROUND_SPARK_MASTER", "local[*]")
    assert Rows(n_rows=5_000).n_rows == 5_000 and Many().n_rows == 9_000, "a default stays"
    with pytest.raises(InputError, match=r"n_rows must be at most 5,000 .* Got 5,001\."):
        Rows(n_rows=5_001)
    with pytest.raises(InputError, match="at most 1,000,000 bytes"):
        data.save_upload(b"a\n" * 500_001, "a.csv", tmp_path)
    assert target.target().address == "local[1]"
    monkeypatch.delenv(hosted.VARIABLE)
    assert Rows(n_rows=2_000_000).n_rows and target.target().address == "local[*]"
    assert data.save_upload(b"a\n" * 500_001, "a.csv", tmp_path).exists()


def test_a_job_ends_when_its_time_is_over(
    shared: None, monkeypatch: pytest.MonkeyPatch, jobs: Jobs
) -> None:
    monkeypatch.setenv("PLAYGROUND_HOSTED_JOB_SECONDS", "1")
    job = jobs.submit("visitor", "endless", "", endless)
    assert job.ended.wait(10)
    assert job.state == "failed" and "within 1 s" in job.message and job.latest == "half"
    job = jobs.submit(SERVER, "the server's own", "", endless)
    assert not job.ended.wait(1.5), "what the server measures for all is not bounded"


def test_few_jobs_of_one_visitor_wait(shared: None, jobs: Jobs) -> None:
    running = jobs.submit("other", "runs", "", endless)
    while running.latest is None:
        time.sleep(0.01)
    waiting = [jobs.submit("visitor", number, "", endless) for number in range(Bounds().waiting)]
    assert [job.state for job in waiting] == ["queued"] * 3
    with pytest.raises(InputError, match="At most 3 of your jobs may wait"):
        jobs.submit("visitor", "one more", "", endless)
    assert jobs.find("one more") is None
    assert jobs.submit("visitor", "runs", "", endless) is running, "who joins is welcome"


@pytest.mark.parametrize("hosts", [(), ("*",), ("*.example.com",)])
def test_a_shared_server_names_its_hosts(shared: None, hosts: tuple[str, ...]) -> None:
    assert "server.allowedHosts" in hosted.start_problem(hosts)
    assert hosted.start_problem(("example.com",)) == ""


def test_a_bound_is_a_number(shared: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("0", "-1", "many", "1.5", "²"):
        monkeypatch.setenv("PLAYGROUND_HOSTED_ROWS", given)
        assert "PLAYGROUND_HOSTED_ROWS must be" in hosted.start_problem(("example.com",))
    monkeypatch.setenv(hosted.VARIABLE, "0")
    assert hosted.bounds() is None and hosted.start_problem(()) == "" and not hosted.off("sql")
