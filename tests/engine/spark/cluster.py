"""A real Spark cluster on this machine for a test: a standalone master and two workers, or a Spark
Connect server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from engine.processes import free_port
from engine.spark import standalone as launcher
from engine.spark.session import ENGINE
from engine.spark.target import Target

WORKER = launcher.WORKER
SUBMIT = "org.apache.spark.deploy.SparkSubmit"
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"


@contextlib.contextmanager
def standalone(folder: Path) -> Iterator[Target]:
    """Run a master and two workers of one core each."""
    with launcher.standalone(folder) as cluster:
        yield cluster.place


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
    program = launcher.start(
        folder / "connect",
        SUBMIT,
        "--master",
        "local[2]",
        *words,
        "--class",
        CONNECT,
        "spark-internal",
    )
    place = Target("connect", f"sc://127.0.0.1:{port}")
    with launcher.running([program], place):
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
