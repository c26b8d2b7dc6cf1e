"""A real deployment with a schedule: Prefect's scheduler books its runs, a runner takes them, and
each can be watched.

Real: the deployment, its schedule, its concurrency limit and every run are on the Prefect server
(``server.SERVER``), created and read through its REST API. Each run trains the pipeline's model, in
a child process (``WORKER``). One deployment per visitor.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from engine import processes
from engine.errors import InputError
from engine.orchestration.schedule.params import ScheduleParams
from engine.orchestration.server import SERVER, epoch
from engine.source_code import literal

Fire = Literal["every 5 s", "every 10 s", "by this rule"]
FIRES: tuple[Fire, ...] = get_args(Fire)
Data = Literal["same days", "next day"]
DATAS: tuple[Data, ...] = get_args(Data)  # what a run trains on
WORKER = "engine.pipeline.deployed"  # by name: the pipeline imports this topic
TAG = "playground-schedule"
STRATEGIES = {"wait": "ENQUEUE", "cancel the new run": "CANCEL_NEW"}
SHOWN = 24
STATES = (
    "scheduled",
    "late",
    "waiting for a slot",
    "pending",
    "running",
    "completed",
    "failed",
    "cancelled",
    "crashed",
)
_WORDS = {"awaitingconcurrencyslot": "waiting for a slot"}


@dataclass(frozen=True, slots=True)
class Fired:
    """One run of the deployment, in seconds since the epoch."""

    id: str
    due: float
    state: str
    start: float | None
    end: float | None


@dataclass(slots=True, eq=False)
class Deployment:
    """What this server knows of a visitor's deployment."""

    id: str
    name: str
    fire: Fire
    data: Data
    created_at: float
    paused: bool = False
    runner: subprocess.Popen[str] | None = None
    note: str = ""


@dataclass(slots=True)
class Board:
    """The deployments of the visitors of this server. Thread-safe."""

    found: dict[str, Deployment] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, owner: str) -> Deployment | None:
        """Return the owner's deployment, if there is one."""
        return self.found.get(owner)

    def create(self, owner: str, params: ScheduleParams, fire: Fire, data: Data) -> Deployment:
        """Create the deployment and start its runner; an earlier one of the owner is deleted.

        Raises
        ------
        InputError
            The server cannot be reached or refuses.
        """
        self.delete(owner)
        self.sweep()
        flow = SERVER.call("flows/", {"name": "pipeline", "tags": [TAG]})
        body = {
            "name": f"{fire} {owner[:6]}",
            "flow_id": flow["id"],
            "tags": [TAG],
            "parameters": {"data": data},
            "schedules": [{"schedule": schedule_body(params, fire), "active": True}],
            "concurrency_limit": params.limit or None,
            "concurrency_options": {"collision_strategy": STRATEGIES[params.collision]},
            "enforce_parameter_schema": False,
        }
        made = SERVER.call("deployments/", body)
        deployment = Deployment(str(made["id"]), body["name"], fire, data, time.time())
        with self._lock:
            self.found[owner] = deployment
        self.start_worker(owner)
        return deployment

    def start_worker(self, owner: str) -> None:
        """Start the runner of the owner's deployment unless it is there."""
        with self._lock:
            deployment = self.found[owner]
            if deployment.runner is not None and deployment.runner.poll() is None:
                return
            log = (SERVER.home / "schedule.log").open("a")
            deployment.runner = processes.start(
                WORKER,
                deployment.id,
                environment=SERVER.environment(),
                pipe=True,
                output=log,
            )
            log.close()

    def stop_worker(self, owner: str) -> None:
        """End the runner: the schedule goes on, and its runs come late."""
        with self._lock:
            deployment = self.found[owner]
            runner, deployment.runner = deployment.runner, None
        if runner is not None:
            processes.kill_group(runner)

    def pause(self, owner: str, paused: bool) -> None:
        """Pause the schedule (Prefect takes its booked runs back) or let it go on."""
        deployment = self.found[owner]
        SERVER.call(f"deployments/{deployment.id}", {"paused": paused}, method="PATCH")
        deployment.paused = paused

    def delete(self, owner: str) -> None:
        """End the runner and delete the deployment with what it has booked; none is no error."""
        if owner not in self.found:
            return
        self.stop_worker(owner)
        with self._lock:
            deployment = self.found.pop(owner)
        try:
            SERVER.call(f"deployments/{deployment.id}", method="DELETE")
        except InputError as error:
            if " 404 " not in str(error):  # somebody may have deleted it in Prefect's own pages
                raise

    def runs(self, owner: str) -> list[Fired]:
        """Return the runs around now, in order of their time: those over, those at work, those
        booked.
        """
        deployment = self.found[owner]
        wanted = {
            "deployments": {"id": {"any_": [deployment.id]}},
            "sort": "EXPECTED_START_TIME_ASC",
            "limit": 200,
        }
        found = [fired(run) for run in SERVER.call("flow_runs/filter", wanted)]
        past = [run for run in found if run.due <= time.time()]
        return past[-SHOWN:] + [run for run in found if run.due > time.time()][: SHOWN // 3]

    def sweep(self) -> None:
        """Delete what a server of ours that was ended at once has left behind: nobody would ever
        take its runs.
        """
        if SERVER.kind == "attached":
            return
        known = {deployment.id for deployment in self.found.values()}
        for left in SERVER.call("deployments/filter", {"deployments": {"tags": {"all_": [TAG]}}}):
            if left["id"] not in known:
                SERVER.call(f"deployments/{left['id']}", method="DELETE")

    def stop(self) -> None:
        """Delete every deployment (this app shuts down); a server that does not answer is not
        waited for.
        """
        for owner in list(self.found):
            self.stop_worker(owner)
            deployment = self.found.pop(owner)
            try:
                SERVER.call(f"deployments/{deployment.id}", method="DELETE", patience=3.0)
            except InputError as error:
                logging.getLogger(__name__).warning(
                    "deployment %s stays: %s", deployment.name, error
                )


def schedule_body(params: ScheduleParams, fire: Fire) -> dict[str, Any]:
    """Return the schedule as the API takes it."""
    if fire != "by this rule":
        return {"interval": float(fire.split()[1]), "timezone": params.zone}
    if params.kind == "interval":
        anchor = params.anchor.replace(
            tzinfo=ZoneInfo(params.zone)
        ).isoformat()  # a naive one would be taken for UTC
        return {
            "interval": params.every_minutes * 60.0,
            "anchor_date": anchor,
            "timezone": params.zone,
        }
    day_or = {} if params.day_or or params.kind != "cron" else {"day_or": False}
    return {params.kind: params.rule, "timezone": params.zone, **day_or}


def fired(run: dict[str, Any]) -> Fired:
    """Return a run of the API in short."""
    name = (run.get("state_name") or "scheduled").lower()
    return Fired(
        run["id"],
        epoch(run["expected_start_time"]) or 0.0,
        _WORDS.get(name, name),
        epoch(run.get("start_time")),
        epoch(run.get("end_time")),
    )


def summary(runs: list[Fired]) -> str:
    """Return how many runs are in which state."""
    counts = Counter(run.state for run in runs)
    parts = [
        f"**{counts[state]}** {state}"
        for state in [*STATES, *sorted(set(counts) - set(STATES))]
        if counts[state]
    ]
    return (
        ", ".join(parts) or "no run is scheduled yet. Prefect's scheduler looks every few seconds"
    )


def table(runs: list[Fired]) -> list[dict[str, str]]:
    """Return the runs as rows of a page, the latest first."""
    return [
        {
            "due (UTC)": datetime.fromtimestamp(run.due, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "state": run.state,
            "started after": "" if run.start is None else f"{max(run.start - run.due, 0):.1f} s",
            "took": "" if run.start is None or run.end is None else f"{run.end - run.start:.1f} s",
        }
        for run in reversed(runs)
    ]


def as_sent(params: ScheduleParams, fire: Fire, data: Data = "same days") -> str:
    """Return the code that makes the same deployment with Prefect's own ``serve``."""
    zone = f"timezone={literal(params.zone)}"
    if fire != "by this rule":
        schedule = f"Interval({float(fire.split()[1]):g}, {zone})"
    elif params.kind == "interval":
        start = (
            f"datetime({literal(params.year)}, 1, 1, 9, tzinfo=ZoneInfo({literal(params.zone)}))"
        )
        every = f"timedelta(minutes={literal(params.every_minutes)})"
        schedule = f"Interval({every}, anchor_date={start}, {zone})"
    else:
        day_or = "" if params.day_or or params.kind != "cron" else ", day_or=False"
        name = "Cron" if params.kind == "cron" else "RRule"
        schedule = f"{name}({literal(params.rule)}, {zone}{day_or})"
    lines = [f"name={literal(fire)}", f"schedule={schedule}"]
    lines.append(f"parameters={{'data': {literal(data)}}}")
    if params.limit:
        limit = f"limit={literal(params.limit)}"
        strategy = f"collision_strategy={literal(STRATEGIES[params.collision])}"
        lines.append(f"global_limit=ConcurrencyLimitConfig({limit}, {strategy})")
    return "pipeline.serve(\n    " + ",\n    ".join(lines) + ",\n)"


BOARD = Board()  # of this server
