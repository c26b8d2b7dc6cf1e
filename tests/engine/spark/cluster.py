"""A real Spark cluster on this machine for a test: a standalone master and two workers, or a Spark
Connect server.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyspark
import pytest

from engine.errors import InputError
from engine.processes import free_port
from engine.spark import java
from engine.spark.session import ENGINE
from engine.spark.target import Target, check_reachable

HOME = Path(pyspark.__file__).parent
MASTER, WORKER, SUBMIT = (
    f"org.apache.spark.deploy.{name}" for name in ("master.Master", "worker.Worker", "SparkSubmit")
)
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
LOCAL = ("--host", "127.0.0.1", "--webui-port", "0")


def _start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start one of Spark's own programs; it keeps its files and its log in ``folder``."""
    folder.mkdir()
    own = {
        "JAVA_HOME": str(java.find().home),
        "SPARK_HOME": str(HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_WORKER_DIR": str(folder),
        "SPARK_DAEMON_MEMORY": "512m",
    }
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [str(HOME / "bin" / "spark-class"), *words],
            cwd=folder,
            env={**os.environ, **own},
            stdout=log,
            stderr=log,
        )


@contextlib.contextmanager
def _running(programs: list[subprocess.Popen[bytes]], place: Target) -> Iterator[Target]:
    """Wait until ``place`` answers, hand it out, and end the programs."""
    try:
        for _ in range(600):
            with contextlib.suppress(InputError):
                check_reachable(place)
                break
            assert all(program.poll() is None for program in programs), (
                f"{place.address} ended before it answered"
            )
            time.sleep(0.2)
        yield place
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait(timeout=60)


@contextlib.contextmanager
def standalone(folder: Path) -> Iterator[Target]:
    """Run a master and two workers of one core each."""
    port = free_port()
    place = Target("cluster", f"spark://127.0.0.1:{port}")
    programs = [_start(folder / "master", MASTER, *LOCAL, "--port", str(port))]
    for name in ("first", "second"):
        programs.append(
            _start(folder / name, WORKER, *LOCAL, "--cores", "1", "--memory", "1g", place.address)
        )
    with _running(programs, place):
        yield place


@contextlib.contextmanager
def connect(folder: Path) -> Iterator[Target]:
    """Run a Spark Connect server on one local core."""
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
    }
    settings |= {
        "spark.driver.memory": "1g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    settings |= {"spark.ui.enabled": "false", "spark.sql.warehouse.dir": str(folder / "warehouse")}
    words = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    program = _start(
        folder / "connect",
        SUBMIT,
        "--master",
        "local[2]",
        *words,
        "--class",
        CONNECT,
        "spark-internal",
    )
    with _running([program], Target("connect", f"sc://127.0.0.1:{port}")) as place:
        yield place


@contextlib.contextmanager
def attached(variable: str, started: AbstractContextManager[Target]) -> Iterator[Target]:
    """Attach the lab's engine to what ``started`` runs; afterwards the engine is as it was."""
    ENGINE.stop()
    with started as place, pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable, place.address)
        try:
            yield place
        finally:  # else what runs next waits for a cluster that is gone
            ENGINE.stop()
