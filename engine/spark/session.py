"""The one Spark of this server: started in the background, shared by all sessions, restarted when
its JVM dies.

Real: a Spark of this machine's cores in a JVM of its own (``local[*]``), or an existing cluster:
``PLAYGROUND_SPARK_MASTER`` (``spark://…``, ``yarn``, ``k8s://…``) attaches to its master,
``PLAYGROUND_SPARK_REMOTE`` (``sc://…``) to a Spark Connect server. All ports that are opened here
listen on 127.0.0.1. A local Spark moves shuffle data through files on one disk: no network is
crossed, which the pages say.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psutil

from engine import hosted, workspace
from engine.errors import InputError, require
from engine.jobs import SIGN_OF_LIFE_SECONDS, Progress, Steps, in_thread
from engine.spark import java
from engine.spark.target import Target, check_reachable, target

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

State = Literal["cold", "starting", "ready", "failed"]
REST_SECONDS = 60.0
REAP_SECONDS = 5.0  # a cancelled task that has not ended by then never will
DRIVER_MEMORY = "2g"
# of a task, as on a cluster (spark.task.maxFailures); local[n] alone gives up after the first
ATTEMPTS = 4
# Spark's default is 0.6: lowered so that the cache experiment can fill it, and the driver keeps
# room
MEMORY_FRACTION = 0.25
NO_CONNECT = (
    "Spark Connect has no {}. Unset PLAYGROUND_SPARK_REMOTE, or attach with"
    " PLAYGROUND_SPARK_MASTER, to run this."
)


class Engine:
    """Starts, watches and stops the Spark of this server. Thread-safe; every method may be called
    at any time.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._session: SparkSession | None = None
        self._target: Target | None = None
        self._folder: Path | None = None  # that the JVM shuffles in
        self.state: State = "cold"
        self.error = ""
        self.n_restarts = 0
        self.start_seconds = 0.0

    def session(self) -> SparkSession:
        """Return the live session; starts Spark if it is not there (about 5 s) and again if its JVM
        has died.

        Raises
        ------
        InputError
            The environment names a Spark that cannot be reached, or Spark does not start.
        """
        with self._lock:
            if self._session is not None and not self.alive():
                self._forget()
                self.n_restarts += 1
            if self._session is None:
                self._start()
            assert self._session is not None
            return self._session

    def _start(self) -> None:
        self.state, self.error = "starting", ""
        began = time.perf_counter()
        try:
            self._target = target()
            check_reachable(self._target)
            self._session = (
                _connect(self._target) if self._target.kind == "connect" else _launch(self._target)
            )
        except InputError as error:
            self.state, self.error = "failed", str(error)
            raise
        # whatever the launcher raises (Java, py4j, gRPC), the page says it and may try again
        except Exception as error:
            self._forget()
            self.state = "failed"
            self.error = f"Spark must start. Got {type(error).__name__}: {str(error)[:300]}."
            raise InputError(self.error) from error
        folder = _local_folder()
        self._folder = folder if folder.is_dir() else None
        self.start_seconds = time.perf_counter() - began
        self.state = "ready"

    def alive(self) -> bool:
        """Whether the session still works: its JVM runs, its context has not been stopped, and its
        folder for shuffles is there.
        """
        session, place = self._session, self._target
        if session is None or place is None:
            return False
        try:
            if place.kind == "connect":
                return bool(session.version)
            context = session.sparkContext
            gateway: Any = context._gateway
            runs = gateway.proc.poll() is None and not context._jsc.sc().isStopped()
            return runs and (self._folder is None or self._folder.is_dir())
        except Exception:
            # py4j raises many kinds once its peer is gone: any of them means that it is
            return False

    def _forget(self) -> None:
        """Drop every handle on a dead JVM, PySpark's own included: else ``getOrCreate`` asks the
        dead one.
        """
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        gateway = SparkContext._gateway
        if gateway is not None:
            _end(gateway)
        SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
        SparkSession._instantiatedSession = None
        os.environ.pop(
            "SPARK_CONNECT_MODE_ENABLED", None
        )  # PySpark's mark of Connect: it would take the next Spark for one
        self._session = None
        self.state = "cold"

    def kill(self) -> None:
        """End the JVM at once; the next call of ``session`` starts another."""
        gateway: Any = self._session.sparkContext._gateway if self._session is not None else None
        if gateway is not None:
            gateway.proc.kill()
            gateway.proc.wait()

    def stop(self) -> None:
        """Stop Spark and its JVM; a second call does nothing. A JVM that is still starting is ended
        at once.
        """
        if not self._lock.acquire(timeout=0.5):
            for child in psutil.Process().children():
                if any("org.apache.spark.deploy" in word for word in child.cmdline()):
                    child.kill()
            return
        try:
            if self._session is not None:
                if self.alive():
                    self._session.stop()
                self._forget()
        finally:
            self._lock.release()

    @property
    def target(self) -> Target:
        """Which Spark this is, or would be."""
        return self._target or target()

    @property
    def cores(self) -> int:
        """Cores that its tasks run on: of a local Spark the number in its address, of a cluster
        what its executors have.

        Until a cluster's executors have registered, and of Spark Connect, which does not say, it is
        this machine's number.
        """
        own = os.cpu_count() or 1
        if named := re.match(r"local\[(\d+)", self.target.address):
            return int(named[1])
        if self.target.kind != "cluster" or self.state != "ready" or not self.alive():
            return own
        try:
            found = rest("allexecutors")
        except Exception:  # it ended at this moment, of which Py4J says many things
            return own
        return (
            sum(one["totalCores"] for one in found if one["id"] != "driver" and one["isActive"])
            or own
        )

    @property
    def status(self) -> str:
        """One line for a page: where Spark runs and what it is doing."""
        if self.state == "failed":
            return self.error
        words = self.target.words
        if self.state != "ready":
            return (
                f"{words}. Spark is starting (about 8 s); until then charts show what is expected."
            )
        n = self.n_restarts
        again = (
            " Its Java process has ended and was started again"
            f" {'once' if n == 1 else f'{n} times'}."
            if n
            else ""
        )
        return f"{words}.{again}"


def _end(gateway: Any) -> None:
    """End the JVM behind ``gateway``: closing its standard input is what it waits for."""
    try:
        gateway.shutdown()
    except Exception:  # it may be gone already
        pass
    if gateway.proc is not None:
        gateway.proc.stdin.close()
        try:
            gateway.proc.wait(timeout=10)
        except Exception:
            gateway.proc.kill()
            gateway.proc.wait()


def _local_folder() -> Path:
    return workspace.temporary() / "spark"


def _launch(place: Target) -> SparkSession:
    """Start a driver JVM of this process and return its session."""
    from pyspark.sql import SparkSession

    folder = workspace.server() / "spark"
    folder.mkdir(exist_ok=True)
    os.environ.update(
        java.environment(),
        SPARK_LOCAL_IP="127.0.0.1",
        PYSPARK_PYTHON=sys.executable,
        PYSPARK_DRIVER_PYTHON=sys.executable,
    )
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.memory.fraction": str(MEMORY_FRACTION),
        "spark.ui.port": "0",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(_local_folder()),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.shuffle.partitions": "8",
        "spark.task.reaper.enabled": "true",
        "spark.task.reaper.killTimeout": f"{REAP_SECONDS:.0f}s",
        "spark.ui.retainedJobs": "2000",
        "spark.ui.retainedStages": "2000",
        "spark.driver.extraJavaOptions": java.options(folder),
    }
    master = re.sub(r"^local\[(\d+|\*)\]$", rf"local[\1,{ATTEMPTS}]", place.address)
    if place.kind == "cluster" and (limit := hosted.bounds()):
        settings["spark.cores.max"] = str(limit.spark_cores)
    builder = SparkSession.builder.master(master).appName("Data Pipeline Playground")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _connect(place: Target) -> SparkSession:
    from pyspark.sql import SparkSession

    return SparkSession.builder.remote(place.address).create()


ENGINE = Engine()  # the one Spark of this server


def session() -> SparkSession:
    """Return the server's live session, started or restarted when needed."""
    return ENGINE.session()


def classic(what: str) -> SparkSession:
    """Return the live session for work that needs a SparkContext (``what`` names it); Spark Connect
    has none.

    Raises
    ------
    InputError
        The lab is attached by Spark Connect.
    """
    live = session()
    require(ENGINE.target.kind != "connect", NO_CONNECT, what)
    return live


def rest(path: str) -> Any:
    """Return the JSON of Spark's own REST API below ``/api/v1/applications/<id>/``; needs a
    SparkContext.

    Raises
    ------
    InputError
        Spark Connect, or a Spark that does not answer in ``REST_SECONDS``.
    """
    context = classic("REST API").sparkContext
    address = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/{path}"
    try:
        with urllib.request.urlopen(address, timeout=REST_SECONDS) as answer:
            return json.load(answer)
    except OSError as error:  # a time-out and an HTTP error are of this kind as well
        raise InputError(
            f"Spark's REST API must answer {path} within {REST_SECONDS:.0f} s. Got: {error}. "
            "Run again once this machine is less busy."
        ) from error


def begin(needed: str = "", so_far: Any = None) -> Steps:
    """Start Spark if it is not there, with a sign of life twice a second; the first steps of every
    Spark job.

    ``needed`` names what the job needs a SparkContext for (nothing: any Spark will do), ``so_far``
    is its partial result.

    Raises
    ------
    InputError
        No Spark to be had, or Spark Connect, which has no ``needed``.
    """
    progress = Progress(0.0, "Spark at work" if ENGINE.alive() else "starting Spark", so_far)
    yield progress
    with ThreadPoolExecutor(1) as caller:
        yield from in_thread(caller, partial(classic, needed) if needed else session, progress)


def act(call: Callable[[SparkSession], Any], progress: Progress) -> Steps:
    """Run ``call(session)`` under a job group of its own and return its answer; yields ``progress``
    twice a second.

    The session is one for this call alone: what it sets with ``conf.set`` concerns nobody else. A
    generator for jobs: closing it (a cancel) cancels the Spark jobs of this group and of no other.
    """
    group = f"playground-{uuid.uuid4().hex[:12]}"
    own: list[SparkSession] = []  # the session of this call, once there is one

    def work() -> Any:
        live = session()
        own.append(live.newSession())
        if ENGINE.target.kind == "connect":
            own[0].addTag(group)
        else:
            live.sparkContext.setJobGroup(group, progress.message, interruptOnCancel=True)
        return call(own[0])

    with ThreadPoolExecutor(1) as caller:
        future = caller.submit(work)
        try:
            while not wait([future], SIGN_OF_LIFE_SECONDS).done:
                yield progress
        except GeneratorExit:
            while (
                not future.done()
            ):  # again and again: a call that was between two Spark jobs would begin the next
                if own and ENGINE.alive():
                    cancel(own[0], group)
                wait([future], SIGN_OF_LIFE_SECONDS)
            raise
        return future.result()


def cancel(live: SparkSession, group: str) -> None:
    """Cancel what runs under ``group`` in the session ``live``."""
    if ENGINE.target.kind == "connect":
        live.interruptTag(group)
        return
    live.sparkContext.cancelJobGroup(group)
    if ENGINE.target.kind == "local":
        _reap()


def _reap() -> None:
    """End a local Spark whose cancelled tasks go on: code that loops over rows in memory hears no
    interrupt.

    They would hold the cores for good. A new JVM takes over at the next use; a cluster does the
    same by its task reaper.
    """
    deadline = time.monotonic() + REAP_SECONDS
    while any(stage["status"] == "FAILED" and stage["numActiveTasks"] for stage in rest("stages")):
        if time.monotonic() > deadline:
            ENGINE.kill()
            return
        time.sleep(0.2)
