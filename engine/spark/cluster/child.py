"""The cluster in a process group of its own: ``python -m engine.spark.cluster.child SETTINGS``.

It starts master, workers and a driver, runs the job twice, the second time losing an executor, and
reports what Spark says of itself meanwhile. A line on its standard input is the id of an executor
to kill; the end of its standard input ends the whole group.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from engine import processes
from engine.errors import InputError
from engine.spark import session, standalone, tasks
from engine.spark.cluster import reading
from engine.spark.cluster.jobs import JOBS

SAMPLE_SECONDS = 0.4
REGISTER_SECONDS = 180.0
MOST_KILLS = 2  # Spark gives a stage up after four attempts
EXECUTOR_MEMORY = "512m"
DONE_BEFORE_LOSS = 2  # tasks after a shuffle: by then both executors hold its files


class Cluster:
    """What runs here and what has been seen of it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.job = JOBS[settings["work"]]
        self.orders: queue.Queue[str] = queue.Queue()
        self.master = ""
        self.runs: list[dict[str, Any]] = []
        self.lineage = ""
        self.seen: dict[str, Any] = {"workers": [], "executors": []}

    def picture(self) -> dict[str, Any]:
        """Return all that is known, as the page gets it."""
        return {**self.seen, "runs": self.runs, "lineage": self.lineage}

    def report(self, share: float, message: str) -> None:
        """Look at the workers again and tell the page."""
        with suppress(OSError):  # its pages open a moment after its port
            self.seen["workers"] = reading.workers(self.master)
        processes.report(share=share, message=message, partial=self.picture())

    def wait_for_executors(self) -> None:
        """Wait until each worker has given the driver its executor.

        Raises
        ------
        InputError
            ``REGISTER_SECONDS`` passed.
        """
        until = time.monotonic() + REGISTER_SECONDS
        while True:
            found = [one for one in reading.executors(time.time()) if one["removed"] is None]
            self.seen["executors"] = found
            self.report(0.3, "the workers start an executor each")
            if len(found) >= 2:
                return
            if time.monotonic() > until:
                raise InputError(
                    f"Two executors must register within {REGISTER_SECONDS:.0f} s."
                    f" Got {len(found)}. Run again once this machine is less busy."
                )
            time.sleep(SAMPLE_SECONDS)

    def run(self, name: str, loses: str, share: float) -> None:
        """Run the job and watch it; ``loses`` names the executor to kill in mid-shuffle, "" leaves
        it to the orders that come.
        """
        live, folder = session.session(), Path(self.settings["folder"])
        act, self.lineage = self.job.prepare(live, self.settings["wait_seconds"], folder)
        tasks.settle(live)
        first, began = reading.next_stage(), time.time()
        run: dict[str, Any] = {"name": name, "killed": [], "stages": []}
        self.runs.append(run)
        while not self.orders.empty():  # of the run before
            self.orders.get()
        with ThreadPoolExecutor(1) as caller:
            future = caller.submit(act)
            over = False
            while not over:
                over = bool(wait([future], SAMPLE_SECONDS).done)
                run["seconds"] = time.time() - began
                if over:
                    tasks.settle(live)
                with suppress(InputError) if not over else nullcontext():  # asked too early
                    self._look(run, first, began)
                if not over and name != "undisturbed":
                    self._lose(run, loses, began)
                self.report(share, f"the job runs, {name}")
            run["answer"] = future.result()
        run["files"] = self.job.files(folder)

    def _look(self, run: dict[str, Any], first: int, began: float) -> None:
        run["stages"], run["tasks"] = reading.attempts(first, began)
        run["executors"] = self.seen["executors"] = reading.executors(began)

    def _lose(self, run: dict[str, Any], loses: str, began: float) -> None:
        """Kill the executor that is due: ``loses`` once the shuffle is half way, or one that was
        asked for.
        """
        asked = [self.orders.get() for _ in range(self.orders.qsize())]
        stage = self.job.KILL_STAGE
        done = sum(one["n_done"] for one in run["stages"] if one["stage"] == stage)
        if loses and not run["killed"] and done >= DONE_BEFORE_LOSS:
            asked.append(loses)
        for executor in asked:
            process = reading.process_of(executor)
            if process is not None and len(run["killed"]) < MOST_KILLS:
                process.kill()
                run["killed"].append({"id": executor, "seconds": time.time() - began})


def _private(folder: Path) -> Path:
    """Write the properties that master, workers and driver share: without their secret nobody can
    give this cluster work.
    """
    settings = folder / "spark.conf"
    lines = {
        "spark.authenticate": "true",
        "spark.authenticate.secret": secrets.token_hex(32),
        "spark.ui.killEnabled": "false",
        "spark.executor.memory": EXECUTOR_MEMORY,
        # as between machines: else an executor reads the files of a lost one from their common disk
        "spark.shuffle.readHostLocalDisk": "false",
        "spark.shuffle.io.retryWait": "1s",
        "spark.executor.extraJavaOptions": "-XX:-UsePerfData",
    }
    with os.fdopen(os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{key} {value}\n" for key, value in lines.items())
    return settings


def main() -> None:
    """Run all of it and report."""
    settings = json.loads(sys.argv[1])
    cluster = Cluster(settings)
    processes.end_with_parent(lambda line: cluster.orders.put(line.strip()), group=True)
    folder = Path(settings["folder"])
    own = _private(folder)
    os.environ["PLAYGROUND_WORKSPACE"] = str(folder)  # apart from the server's
    os.environ["PYSPARK_SUBMIT_ARGS"] = f'--properties-file "{own}" pyspark-shell'
    processes.report(share=0.05, message="a master and two workers start")
    try:
        with standalone.standalone(folder, settings=own) as running:
            cluster.master = running.web
            os.environ["PLAYGROUND_SPARK_MASTER"] = running.place.address
            cluster.report(0.15, "the driver starts")
            session.session()
            cluster.wait_for_executors()
            cluster.run("undisturbed", "", 0.5)
            cluster.run("disturbed", settings["loses"], 0.75)
            found = {"held_bytes": reading.held_bytes(), "addresses": reading.addresses()}
            cluster.report(0.95, "the cluster ends")
            processes.report(result={**cluster.picture(), **found})
            session.ENGINE.stop()
    except InputError as error:
        processes.report(error=str(error))


if __name__ == "__main__":
    main()
