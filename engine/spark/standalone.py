"""A real standalone cluster of Spark on this machine: a master and its workers, each a Java process
of its own that listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from engine.errors import InputError, require
from engine.processes import free_port
from engine.spark import java
from engine.spark.target import Target, check_reachable

MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
START_SECONDS = 180.0  # a busy machine takes long
DAEMON_MEMORY = "512m"  # heap of master and worker, at most
WORKER_MEMORY = "1g"  # that a worker may give to executors


@dataclass(frozen=True, slots=True)
class Standalone:
    """A cluster that runs."""

    place: Target
    web: str  # address of the master's own pages, which answer as JSON below ``/json/``


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start one of Spark's own programs; it keeps its files and its log in ``folder``, made for
    it.
    """
    folder.mkdir()
    found = find_spec("pyspark")
    require(found is not None, "pyspark must be installed. Run make run, which installs it.")
    home = Path(str(found.origin)).parent  # type: ignore[union-attr]
    own = {
        **java.environment(),
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_WORKER_DIR": str(folder),
        "SPARK_DAEMON_MEMORY": DAEMON_MEMORY,
        "SPARK_DAEMON_JAVA_OPTS": java.NO_TRACE,
    }
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [str(home / "bin" / "spark-class"), *words],
            cwd=folder,
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


@contextlib.contextmanager
def running(programs: Sequence[subprocess.Popen[bytes]], *places: Target) -> Iterator[None]:
    """Wait until every one of ``places`` answers; afterwards end the programs.

    Raises
    ------
    InputError
        A program ended before that, or ``START_SECONDS`` passed.
    """
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                for place in places:
                    check_reachable(place)
                break
            except InputError:
                ended = any(program.poll() is not None for program in programs)
                if ended or time.monotonic() > until:
                    raise
                time.sleep(0.2)
        yield
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait(timeout=60)


@contextlib.contextmanager
def standalone(
    folder: Path, n_workers: int = 2, settings: Path | None = None
) -> Iterator[Standalone]:
    """Run a master and workers of one core each; ``settings`` is a file of Spark properties that
    all of them read.
    """
    port, web = free_port(), free_port()
    place = Target("cluster", f"spark://127.0.0.1:{port}")
    shared = ("--host", "127.0.0.1", *(("--properties-file", str(settings)) if settings else ()))
    programs = [
        start(folder / "master", MASTER, *shared, "--port", str(port), "--webui-port", str(web))
    ]
    own = ("--webui-port", "0", "--cores", "1", "--memory", WORKER_MEMORY)
    for number in range(1, n_workers + 1):
        programs.append(start(folder / f"worker-{number}", WORKER, *shared, *own, place.address))
    pages = Target("cluster", f"http://127.0.0.1:{web}")  # which open after the master's own port
    with running(programs, place, pages):
        yield Standalone(place, pages.address)
