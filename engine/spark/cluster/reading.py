"""What a cluster says of itself: its master's, workers' and driver's own REST answers, as plain
data.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import psutil

from engine.spark import session, standalone
from engine.spark.tasks import moment

ANSWER_SECONDS = 20.0


def _json(address: str) -> Any:
    with urllib.request.urlopen(f"{address}/json/", timeout=ANSWER_SECONDS) as answer:
        return json.load(answer)


def workers(master: str) -> list[dict[str, Any]]:
    """Return the workers that the master knows, by id, each with the ids of its executors, present
    and past.
    """
    known = sorted(_json(master)["workers"], key=lambda worker: worker["id"])
    found = []
    for number, worker in enumerate(known, 1):
        own = _json(worker["webuiaddress"])
        ids = [str(one["id"]) for key in ("executors", "finishedexecutors") for one in own[key]]
        found.append(
            {
                "number": number,
                "cores": worker["cores"],
                "memory_bytes": worker["memory"] * 2**20,
                "executors": ids,
            }
        )
    return found


def executors(began: float) -> list[dict[str, Any]]:
    """Return the executors that have registered with the driver, in order of their ids; times in
    seconds since ``began``.
    """
    found = [one for one in session.rest("allexecutors") if one["id"] != "driver"]
    return [
        {
            "id": one["id"],
            "cores": one["totalCores"],
            "added": moment(one["addTime"]) - began,
            "removed": moment(one["removeTime"]) - began if "removeTime" in one else None,
        }
        for one in sorted(found, key=lambda one: int(one["id"]))
    ]


def next_stage() -> int:
    """Return a stage number that is above those of all stages so far."""
    return max((stage["stageId"] for stage in session.rest("stages")), default=-1) + 1


def attempts(first_stage: int, began: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return every attempt of the stages from ``first_stage`` on, and every attempt of their tasks;
    times in seconds since ``began``.
    """
    listed = [one for one in session.rest("stages") if one["stageId"] >= first_stage]
    listed.sort(key=lambda one: (one["stageId"], one["attemptId"]))
    order = sorted({one["stageId"] for one in listed})
    stages, tasks = [], []
    for one in listed:
        number = order.index(one["stageId"]) + 1
        start = moment(one["submissionTime"]) - began if "submissionTime" in one else None
        end = moment(one["completionTime"]) - began if "completionTime" in one else None
        stages.append(
            {
                "stage": number,
                "attempt": one["attemptId"],
                "status": one["status"],
                "n_tasks": one["numTasks"],
                "n_done": one["numCompleteTasks"],
                "n_failed": one["numFailedTasks"],
                "n_active": one["numActiveTasks"],
                "start": start,
                "end": end,
            }
        )
        if start is not None:
            path = f"stages/{one['stageId']}/{one['attemptId']}/taskList?length=1000"
            tasks += [_task(task, number, one["attemptId"], began) for task in session.rest(path)]
    return stages, sorted(tasks, key=lambda task: task["start"])


def _task(task: dict[str, Any], stage: int, attempt: int, began: float) -> dict[str, Any]:
    return {
        "stage": stage,
        "attempt": attempt,
        "partition": task.get("partitionId", task["index"]),
        "executor": task["executorId"],
        "start": moment(task["launchTime"]) - began,
        "seconds": task.get("duration", 0) / 1000,
        "status": task["status"],
    }


def processes() -> list[psutil.Process]:
    """Return the processes of the cluster: all below this one."""
    found: list[psutil.Process] = psutil.Process().children(recursive=True)
    return found


def process_of(executor: str) -> psutil.Process | None:
    """Return the process of an executor, by the id that its command names."""
    for process in processes():
        try:
            words = process.cmdline()
        except psutil.Error:  # it has ended
            continue
        own = standalone.EXECUTOR in words and "--executor-id" in words
        if own and words[words.index("--executor-id") + 1] == executor:
            return process
    return None


def held_bytes() -> int:
    """Return the resident memory of the cluster's processes together."""
    total = 0
    for process in processes():
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def addresses() -> list[str]:
    """Return the addresses on which the cluster's processes listen, each once."""
    found = set()
    for process in processes():
        try:
            links = process.net_connections(kind="inet")
        except psutil.Error:
            continue
        found |= {link.laddr.ip for link in links if link.status == psutil.CONN_LISTEN}
    return sorted(found)
