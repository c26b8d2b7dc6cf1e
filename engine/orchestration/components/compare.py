"""What is known beside the run: how it ends, what Airflow does with the same fault, the course's
Prefect 2 words, and who starts a run's process.

Prefect's states are compared with real runs by the tests, the words with the installed version.
Airflow's column is from its documentation (3.2: "Dag Runs", "Tasks", "Trigger Rules"): Airflow is
not installed here.
"""

from __future__ import annotations

from typing import Final

Tasks = dict[str, tuple[str, int]]  # task -> last state, times started
DONE: Final = ("Completed", 1)
PREFECT_STATES: Final[dict[str, tuple[str, Tasks]]] = {
    "none": (
        "Completed",
        {"extract": DONE, "train_a": DONE, "train_b": DONE, "report": DONE},
    ),
    "a task fails once": (
        "Completed",
        {"extract": DONE, "train_a": ("Completed", 2), "train_b": DONE, "report": DONE},
    ),
    "a task always fails": (
        "Failed",
        {"extract": DONE, "train_a": ("Failed", 2), "train_b": DONE, "report": ("NotReady", 0)},
    ),
    "the process is killed": (
        "Crashed",
        {"extract": DONE, "train_a": ("Running", 1), "train_b": DONE, "report": ("Pending", 0)},
    ),
}
AIRFLOW: Final[dict[str, dict[str, str]]] = {
    "none": dict.fromkeys(("extract", "train_a", "train_b", "report", "run"), "success"),
    "a task fails once": {
        "extract": "success",
        "train_a": "up_for_retry, then success",
        "train_b": "success",
        "report": "success",
        "run": "success",
    },
    "a task always fails": {
        "extract": "success",
        "train_a": "failed, after its retry",
        "train_b": "success: another branch goes on",
        "report": "upstream_failed (rule all_success)",
        "run": "failed: a leaf is upstream_failed",
    },
    "the process is killed": {
        "extract": "success",
        "train_a": "up_for_retry, then success: only its own process is gone",
        "train_b": "success: each task has a process of its own",
        "report": "success, after the retry",
        "run": "success",
    },
}
BEHAVIOR: Final = (
    {
        "question": "What does a process hold?",
        "Prefect 3.8": "a flow run with all its tasks",
        "Airflow 3.2": "one task",
        "seen": "fault “the process is killed”",
    },
    {
        "question": "Who retries after a kill?",
        "Prefect 3.8": "nobody by itself; an automation can start the run again",
        "Airflow 3.2": "the scheduler, if the task has retries left",
        "seen": "fault “the process is killed”",
    },
    {
        "question": "When is the graph known?",
        "Prefect 3.8": "while the flow runs",
        "Airflow 3.2": "when the DAG file is parsed",
        "seen": "Run monitor, flow branching",
    },
    {
        "question": "What of runs that were missed?",
        "Prefect 3.8": "booked ones start late, others were never created",
        "Airflow 3.2": "catchup=True creates them; the default is False",
        "seen": "Dates, view Server down",
    },
    {
        "question": "Which code does a run use?",
        "Prefect 3.8": "what its deployment points to when the process starts",
        "Airflow 3.2": "a versioned bundle: the version of the run's start; else the newest",
        "seen": "documentation",
    },
    {
        "question": "How is a part run again?",
        "Prefect 3.8": "the flow again; tasks with stored results are not repeated",
        "Airflow 3.2": "clear the task, and those after it",
        "seen": "Run monitor, Cache",
    },
    {
        "question": "Which is simpler? (opinion)",
        "Prefect 3.8": "for Python teams and graphs that change",
        "Airflow 3.2": "for many fixed daily jobs and ready-made operators",
        "seen": "opinion",
    },
)
REMOVED, MOVED, THERE = "removed", "moved", "still there"
WORDS: Final = (  # the course's word, what replaces it, what is imported, what this version says
    ("Orion (`prefect orion start`)", "`prefect server start`", "prefect.orion:orion", REMOVED),
    ("agent", "worker", "prefect.agent:PrefectAgent", REMOVED),
    (
        "`Deployment.build_from_flow`",
        "`flow.serve`, `flow.deploy`",
        "prefect.deployments:Deployment",
        REMOVED,
    ),
    (
        "infrastructure block (`KubernetesJob`)",
        "work pool with job variables",
        "prefect.infrastructure:KubernetesJob",
        REMOVED,
    ),
    (
        "storage block (`S3`)",
        "`flow.from_source`; `prefect_aws.S3Bucket`",
        "prefect.filesystems:S3",
        REMOVED,
    ),
    ("block (credentials, settings)", "block", "prefect.blocks.core:Block", THERE),
    ("`Secret` block", "`Secret` block", "prefect.blocks.system:Secret", THERE),
    (
        "`ConcurrentTaskRunner`",
        "`ThreadPoolTaskRunner`",
        "prefect.task_runners:ConcurrentTaskRunner",
        THERE,
    ),
    (
        "`SequentialTaskRunner`",
        "`ThreadPoolTaskRunner(max_workers=1)`",
        "prefect.task_runners:SequentialTaskRunner",
        REMOVED,
    ),
    (
        "`pause_flow_run` of the engine",
        "`prefect.flow_runs.pause_flow_run`",
        "prefect.engine:pause_flow_run",
        MOVED,
    ),
    (
        "`get_client`",
        "`prefect.client.orchestration.get_client`",
        "prefect.client:get_client",
        MOVED,
    ),
    (
        "work queue",
        "queue of a work pool, with a priority",
        "prefect.client.schemas.objects:WorkQueue",
        THERE,
    ),
)
PATTERNS: Final = (
    {
        "pattern": "script: daily()",
        "process": "yours",
        "if it crashes": "nobody reports it: the run stays Running",
        "if nobody is there": "no schedule",
        "new code": "next call",
        "tried": "documentation",
    },
    {
        "pattern": "serve()",
        "process": "one server process, a child per run",
        "if it crashes": "no run starts until it is back",
        "if nobody is there": "runs turn Late, then start",
        "new code": "restart the process",
        "tried": "Real deployment, Stop worker",
    },
    {
        "pattern": "work pool: process",
        "process": "a worker starts a child per run",
        "if it crashes": "the worker reports Crashed",
        "if nobody is there": "runs turn Late, then start",
        "new code": "next run, from the deployment's source",
        "tried": "here: Run it",
    },
    {
        "pattern": "from_source(…).deploy()",
        "process": "as the work pool's",
        "if it crashes": "as the work pool's",
        "if nobody is there": "as the work pool's",
        "new code": "next run fetches the folder or branch",
        "tried": "here: the run's pull step",
    },
    {
        "pattern": "work pool: docker",
        "process": "a worker starts a container per run",
        "if it crashes": "the worker reports Crashed",
        "if nobody is there": "runs turn Late, then start",
        "new code": "build and deploy a new image",
        "tried": "documentation",
    },
    {
        "pattern": "push pool (Cloud)",
        "process": "Prefect Cloud starts a container",
        "if it crashes": "the provider's job ends, Cloud reports it",
        "if nobody is there": "no worker is needed",
        "new code": "build and deploy a new image",
        "tried": "documentation",
    },
)


def words() -> list[dict[str, str]]:
    """Return the course's words as rows of texts."""
    return [
        {"Prefect 2": old, "Prefect 3": new, "imported": f"`{path}`", "this version": answer}
        for old, new, path, answer in WORDS
    ]
