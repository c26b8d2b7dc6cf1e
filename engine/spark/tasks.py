"""What Spark's REST API reports of the tasks of a run: who ran what, when, over which bytes.

Real: every number is Spark's own. A core has no name in Spark: tasks are laid into lanes, one per
core, by their start and end. A task counts as running until the driver has its result, so two tasks
of a lane may overlap by some milliseconds.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.jobs import timed
from engine.spark import session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WORTH_NAMING_BYTES = 100_000  # a shuffle of partial sums is smaller


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt of one task. Times in seconds since the first task of the run began."""

    stage: int
    index: int  # the partition it works on
    attempt: int
    executor: str
    lane: int  # core, 0 …
    start_seconds: float
    seconds: float
    run_seconds: float  # inside the task, without scheduling and fetching it
    n_rows_read: int  # from input or shuffle
    shuffle_read_bytes: int
    shuffle_write_bytes: int
    spill_bytes: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage that ran."""

    id: int
    name: str
    n_tasks: int
    shuffle_read_bytes: int
    shuffle_write_bytes: int
    spill_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """All that ran for one call."""

    seconds: float  # wall clock of the call
    n_jobs: int
    stages: tuple[Stage, ...]  # in order of submission
    tasks: tuple[Task, ...]

    @property
    def shuffle_bytes(self) -> int:
        """Bytes written for other tasks to fetch."""
        return sum(stage.shuffle_write_bytes for stage in self.stages)

    @property
    def spill_bytes(self) -> int:
        """Bytes that did not fit execution memory and went to disk."""
        return sum(stage.spill_bytes for stage in self.stages)

    def tasks_of(self, stage: int) -> list[Task]:
        """Return the tasks of a stage."""
        return [task for task in self.tasks if task.stage == stage]

    @property
    def reads_a_shuffle(self) -> bool:
        """Whether a stage reads shuffled bytes that are worth naming: a few hundred are the merge
        of the cores' sums.
        """
        read = max((stage.shuffle_read_bytes for stage in self.stages), default=0)
        return read > WORTH_NAMING_BYTES

    @property
    def widest(self) -> list[Task]:
        """The tasks of the stage that does the work: the one that reads most of the shuffled bytes,
        else that runs longest.
        """
        if self.reads_a_shuffle:
            return self.tasks_of(max(self.stages, key=lambda stage: stage.shuffle_read_bytes).id)
        by_stage = [self.tasks_of(stage.id) for stage in self.stages]
        return max(by_stage, key=lambda tasks: sum(t.run_seconds for t in tasks), default=[])

    @property
    def unevenness(self) -> float:
        """Longest by median task of that stage: 1 is even."""
        times = [task.run_seconds for task in self.widest]
        return max(times) / max(statistics.median(times), 1e-3) if times else 1.0


def moment(text: str) -> float:
    """Return a time of the REST API in seconds since 1970."""
    return dt.datetime.strptime(text.replace("GMT", "+0000"), "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def _lanes(found: list[dict[str, Any]], cores: dict[str, int]) -> list[int]:
    """Return a lane for each task, in order of start: of the cores of its executor the one that is
    free the longest.
    """
    free_at = {executor: [0.0] * max(1, n) for executor, n in cores.items()}
    lanes = []
    for task in found:
        ends = free_at.setdefault(task["executorId"], [0.0])
        lane = ends.index(min(ends))
        ends[lane] = task["start"] + task["duration"] / 1000
        lanes.append(lane)
    return lanes


def _tasks(stages: list[dict[str, Any]]) -> tuple[Task, ...]:
    found = []
    for stage in stages:
        for task in session.rest(
            f"stages/{stage['stageId']}/{stage['attemptId']}/taskList?length=10000"
        ):
            start = moment(task["launchTime"])
            found.append(
                {
                    **task,
                    "stage": stage["stageId"],
                    "start": start,
                    "duration": task.get("duration", 0),
                }
            )
    found.sort(key=lambda task: (task["start"], task["taskId"]))
    cores = {executor["id"]: executor["totalCores"] for executor in session.rest("allexecutors")}
    first = found[0]["start"] if found else 0.0
    made = []
    for task, lane in zip(found, _lanes(found, cores), strict=True):
        metrics = task.get("taskMetrics", {})
        read, write = metrics.get("shuffleReadMetrics", {}), metrics.get("shuffleWriteMetrics", {})
        made.append(
            Task(
                stage=task["stage"],
                index=task["index"],
                attempt=task["attempt"],
                executor=task["executorId"],
                lane=lane,
                start_seconds=task["start"] - first,
                seconds=task["duration"] / 1000,
                run_seconds=metrics.get("executorRunTime", 0) / 1000,
                n_rows_read=read.get("recordsRead", 0)
                + metrics.get("inputMetrics", {}).get("recordsRead", 0),
                shuffle_read_bytes=read.get("localBytesRead", 0) + read.get("remoteBytesRead", 0),
                shuffle_write_bytes=write.get("bytesWritten", 0),
                spill_bytes=metrics.get("diskBytesSpilled", 0),
                failed=task["status"] not in ("SUCCESS", "RUNNING"),
            )
        )
    return tuple(made)


def settle(live: SparkSession) -> None:
    """Wait until Spark has informed its own listeners of everything that ended: the REST API lags
    behind otherwise.
    """
    live.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()


class JobCounter:
    """Counts the jobs that ran under this thread's job group since it was made, or since
    ``forget``.
    """

    def __init__(self, live: SparkSession) -> None:
        self._live = live
        self._before = len(_jobs(live))

    def count(self) -> int:
        """Return how many jobs have run."""
        return len(_jobs(self._live)) - self._before

    def forget(self) -> None:
        """Begin at zero again."""
        self._before = len(_jobs(self._live))


def _jobs(live: SparkSession) -> list[dict[str, Any]]:
    """Return the jobs of this thread's job group, once Spark has reported all that ended."""
    settle(live)
    group = live.sparkContext.getLocalProperty("spark.jobGroup.id")
    return [job for job in session.rest("jobs") if job.get("jobGroup") == group]


def traced(live: SparkSession, call: Callable[[], Any]) -> tuple[Any, Trace]:
    """Return what ``call()`` returns and what ran for it under this thread's job group; needs a
    SparkContext.
    """
    before = {job["jobId"] for job in _jobs(live)}
    seconds, answer = timed(call)
    jobs = [job for job in _jobs(live) if job["jobId"] not in before]
    ids = {stage for job in jobs for stage in job["stageIds"]}
    ran = [
        stage
        for stage in session.rest("stages")
        if stage["stageId"] in ids and stage["status"] != "SKIPPED"
    ]
    ran.sort(key=lambda stage: (stage.get("submissionTime", ""), stage["stageId"]))
    stages = tuple(
        Stage(
            stage["stageId"],
            stage["name"],
            stage["numTasks"],
            stage["shuffleReadBytes"],
            stage["shuffleWriteBytes"],
            stage["diskBytesSpilled"],
        )
        for stage in ran
    )
    return answer, Trace(seconds, len(jobs), stages, _tasks(ran))
