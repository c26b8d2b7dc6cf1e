"""What a run on the cluster says: executors, attempts of stages and tasks, what ran again, and
whether the answer stayed the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from engine.spark.cluster.delays import Answer
from engine.spark.cluster.params import ClusterParams
from engine.units import format_binary_bytes, format_bytes, format_number, format_seconds

N_WORKERS = 2


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker: what the master may give of it, and the executors it has started."""

    number: int  # 1 …
    cores: int
    memory_bytes: int
    executors: tuple[str, ...]  # ids, lost ones too


@dataclass(frozen=True, slots=True)
class Executor:
    """One executor. Times in seconds since the run began; those there before have less than 0."""

    id: str
    cores: int
    added: float
    removed: float | None  # None: still there


@dataclass(frozen=True, slots=True)
class StageAttempt:
    """One attempt of a stage of the run."""

    stage: int  # 1 …
    attempt: int  # 0 …
    status: str
    n_tasks: int
    n_done: int
    n_failed: int
    n_active: int
    start: float | None  # None: it waits
    end: float | None


@dataclass(frozen=True, slots=True)
class TaskAttempt:
    """One attempt of the task of a partition."""

    stage: int
    attempt: int  # of the stage
    partition: int
    executor: str
    start: float
    seconds: float
    status: str  # as Spark says it: RUNNING, SUCCESS, FAILED, KILLED

    @property
    def failed(self) -> bool:
        """Whether it ended without a result."""
        return self.status not in ("RUNNING", "SUCCESS")


@dataclass(frozen=True, slots=True)
class File:
    """One file that the ETL wrote."""

    month: int
    partition: int  # of the task that wrote it
    size_bytes: int
    n_rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """The job, run once."""

    name: str
    seconds: float = 0.0
    executors: tuple[Executor, ...] = ()
    stages: tuple[StageAttempt, ...] = ()
    tasks: tuple[TaskAttempt, ...] = ()
    killed: tuple[tuple[str, float], ...] = ()  # id of an executor, seconds
    answer: Answer | None = None
    files: tuple[File, ...] = ()

    def executor_of(self, file: File) -> str:
        """Return the executor whose task wrote a file: the last one that finished its partition."""
        last = max((task.stage for task in self.tasks), default=0)
        own = [
            task.executor
            for task in self.tasks
            if (task.stage, task.partition, task.status) == (last, file.partition, "SUCCESS")
        ]
        return own[-1] if own else "?"

    @property
    def again(self) -> set[TaskAttempt]:
        """The attempts of tasks that had finished before: their partitions were lost and are
        computed again.
        """
        finished: set[tuple[int, int]] = set()
        found = set()
        for task in self.tasks:  # in order of their start
            if (task.stage, task.partition) in finished and not task.failed:
                found.add(task)
            if task.status == "SUCCESS":
                finished.add((task.stage, task.partition))
        return found

    @property
    def n_again(self) -> int:
        """How many finished tasks ran again."""
        return len({(task.stage, task.partition) for task in self.again})

    @property
    def n_done(self) -> int:
        """How many tasks of the job are done, each counted once."""
        done = {(task.stage, task.partition) for task in self.tasks if task.status == "SUCCESS"}
        return len(done)

    @property
    def n_failed(self) -> int:
        """Attempts of tasks that ended without a result."""
        return sum(task.failed for task in self.tasks)


def _read_run(found: dict[str, Any]) -> Run:
    return Run(
        found["name"],
        found.get("seconds", 0.0),
        tuple(Executor(**one) for one in found.get("executors", ())),
        tuple(StageAttempt(**one) for one in found.get("stages", ())),
        tuple(TaskAttempt(**one) for one in found.get("tasks", ())),
        tuple((one["id"], one["seconds"]) for one in found["killed"]),
        found.get("answer"),
        tuple(File(**one) for one in found.get("files", ())),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ClusterResult:
    """The cluster as far as it has come. Without a worker nothing has started."""

    params: ClusterParams
    workers: tuple[Worker, ...] = ()
    executors: tuple[Executor, ...] = ()
    runs: tuple[Run, ...] = ()
    lineage: str = ""
    expected: Answer | None = None  # pandas' answer
    held_bytes: int = 0  # resident, of all processes of the cluster
    addresses: tuple[str, ...] = ()  # on which they listened
    complete: bool = False

    @property
    def run(self) -> Run:
        """The latest run."""
        return self.runs[-1] if self.runs else Run("")

    @property
    def can_kill(self) -> tuple[str, ...]:
        """The executors that a button may kill now: those there while the second run goes on."""
        if len(self.runs) < 2 or self.complete or self.run.answer is not None:
            return ()
        return tuple(one.id for one in self.run.executors if one.removed is None)

    @property
    def same_answers(self) -> bool:
        """Whether both runs gave pandas' answer."""
        return self.complete and all(run.answer == self.expected for run in self.runs)

    @property
    def n_again(self) -> int:
        """How many finished tasks of the second run ran again."""
        return self.run.n_again

    @property
    def verdict(self) -> str:
        """What was lost, what ran again, and whether the answer changed."""
        run, n = self.run, self.params.n_tasks
        if not self.workers:
            return (
                "Not started. Expected: a killed executor takes its shuffle files along; Spark runs"
                " **their tasks again**, and the answer stays the same."
            )
        if not self.complete:
            if not self.runs:
                return "The cluster starts: the **master** asks each worker for an **executor**."
            lost = f" Executor {run.killed[-1][0]} is lost." if run.killed else ""
            where = "undisturbed" if len(self.runs) < N_WORKERS else "again"
            return f"The job runs {where}: **{run.n_done} of {n} tasks** are done.{lost}"
        equal = "the same answer" if self.same_answers else "**another answer**"
        if not run.killed:
            return f"Nobody was killed: both runs took {n} tasks and gave {equal}."
        ids = " and ".join(name for name, _ in run.killed)
        return (
            f"Executor {ids} was killed in mid-shuffle: **{run.n_again} of {n} tasks** ran again,"
            f" and Spark gave {equal}."
        )

    @property
    def why(self) -> list[str]:
        """What each part does, and what this run shows of it."""
        reasons = [
            "**Driver:** it cuts the job into stages and gives tasks to executors.",
            "**Cluster manager** (master): it gives the driver executors, and a new one for one"
            " that is lost. It sees no task.",
            "**Executor:** a Java process on a worker. It runs one task per core at a time and"
            " keeps what its tasks shuffle.",
            "**Lineage:** the driver knows from which steps each partition was made, so it can run"
            " them again. No copy is kept.",
        ]
        if not self.complete:
            return reasons
        first, last = self.runs[0], self.run
        if last.killed:
            reasons += [
                f"**Lost:** {last.n_failed} task attempts failed. The job's"
                f" {len(self.params.job.STAGES)} stages took {len(last.stages)} attempts.",
                f"**Time:** {format_seconds(last.seconds)}, undisturbed"
                f" {format_seconds(first.seconds)} (one run each; the undisturbed one comes first"
                " and starts the Python workers).",
            ]
        reasons.append(
            f"**Small on purpose:** all processes of this cluster held"
            f" {format_binary_bytes(self.held_bytes)}; each task waits"
            f" {format_seconds(self.params.wait_seconds)}, so that you can watch it."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: the answer's."""
        found = self.runs[0].answer if self.runs else None
        if not self.complete or found is None:
            return {}
        numbers: dict[str, int | float | str] = self.params.job.headline(found)
        return numbers

    def table(self) -> pa.Table:
        """Return one row for each attempt of a task."""
        rows = [(run, task) for run in self.runs for task in run.tasks]
        again = {run.name: run.again for run in self.runs}
        return pa.table(
            {
                "run": [run.name for run, _ in rows],
                "stage": [task.stage for _, task in rows],
                "stage_attempt": [task.attempt for _, task in rows],
                "partition": [task.partition for _, task in rows],
                "executor": [task.executor for _, task in rows],
                "start_seconds": [task.start for _, task in rows],
                "seconds": [task.seconds for _, task in rows],
                "status": [task.status for _, task in rows],
                "ran_again": [task in again[run.name] for run, task in rows],
            }
        )

    def rows(self) -> list[dict[str, str]]:
        """Return each attempt of a stage for a table on the page."""
        return [
            {
                "run": run.name,
                "stage": f"{one.stage}: {self.params.job.STAGES[one.stage - 1]}",
                "attempt": str(one.attempt + 1),
                "tasks": str(one.n_tasks),
                "done": str(one.n_done),
                "failed": str(one.n_failed),
                "status": one.status.lower(),
            }
            for run in self.runs
            for one in run.stages
        ]


def describe_files(run: Run) -> list[dict[str, str]]:
    """Return the files of a run for a table on the page."""
    return [
        {
            "folder": f"month={file.month}",
            "rows": format_number(file.n_rows),
            "size": format_bytes(file.size_bytes),
            "written by": f"executor {run.executor_of(file)}",
        }
        for file in run.files
    ]


def read(params: ClusterParams, found: dict[str, Any], **more: Any) -> ClusterResult:
    """Return the Result of what the child reports; ``more`` are fields that only its end has."""
    workers = (
        Worker(one["number"], one["cores"], one["memory_bytes"], tuple(one["executors"]))
        for one in found["workers"]
    )
    return ClusterResult(
        params,
        tuple(workers),
        tuple(Executor(**one) for one in found["executors"]),
        tuple(_read_run(one) for one in found["runs"]),
        found["lineage"],
        **more,
    )
