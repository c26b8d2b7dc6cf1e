"""The features from a real standalone cluster of two workers, one of which is killed at work."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.pipeline import store
from engine.pipeline.records import Run
from engine.pipeline.runner import Task
from engine.pipeline.stages import features
from engine.spark import session
from tests.engine.pipeline.conftest import PARAMS
from tests.engine.spark import cluster as spark_cluster

KILLER_SECONDS = 60.0


def executors() -> list[dict[str, Any]]:
    return [one for one in session.rest("allexecutors") if one["id"] != "driver"]


def is_worker(process: psutil.Process) -> bool:
    try:
        return spark_cluster.WORKER in process.cmdline()
    except psutil.Error:  # it has ended
        return False


def kill_a_worker_at_work() -> None:
    """Kill a worker with its executor once both executors are there and tasks run."""
    until = time.monotonic() + KILLER_SECONDS
    while not (
        len(executors()) == 2 and any(one["numActiveTasks"] for one in session.rest("stages"))
    ):
        assert time.monotonic() < until, "no task was seen at work on two executors"
        time.sleep(0.02)
    workers = [
        process for process in psutil.Process().children(recursive=True) if is_worker(process)
    ]
    for process in [*workers[-1].children(recursive=True), workers[-1]]:
        process.kill()


def test_the_features_are_the_same_from_a_cluster_that_loses_a_worker(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {}
    for name in ("validate", "load"):
        record = run.stage(name)
        assert record is not None
        folders[name] = store.place(name, record.key)
    made = tmp_path / "features"
    made.mkdir()
    killer = threading.Thread(target=kill_a_worker_at_work)
    write = features.write

    def write_while_a_worker_dies(frame: Any, folder: Path, name: str, keys: list[str]) -> int:
        if name == "planes":
            for _ in range(300):  # an executor registers some seconds after the driver
                if len(executors()) == 2:
                    break
                time.sleep(0.2)
            killer.start()
        return write(frame, folder, name, keys)

    monkeypatch.setattr(features, "write", write_while_a_worker_dies)
    cluster = partial(spark_cluster.standalone, tmp_path)
    with spark_cluster.attached("PLAYGROUND_SPARK_MASTER", cluster()):
        count = features.work(Task(PARAMS, made, folders, lambda share: None))
        killer.join(KILLER_SECONDS)
        assert not killer.is_alive() and len(executors()) >= 2
        until = time.monotonic() + KILLER_SECONDS
        while all(one["isActive"] for one in executors()):  # the driver hears of it a little later
            assert time.monotonic() < until, "no executor was lost"
            time.sleep(0.1)
    on_one_machine = run.stage("features")
    assert on_one_machine is not None and count.details["spark"] == "cluster"
    assert count.details["rows"] == on_one_machine.details["rows"]
    assert store.digest(made) == on_one_machine.digest
