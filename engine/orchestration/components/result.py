"""One scheduled run on its way through Prefect: what is asked for, and what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import pyarrow as pa

from engine.orchestration.components.compare import AIRFLOW, PREFECT_STATES
from engine.ranges import Choice, Params
from engine.units import format_seconds

Fault = Literal["none", "a task fails once", "a task always fails", "the process is killed"]
MOMENTS = ("booked", "picked up", "process started", "running", "tasks", "ended")
TASKS = ("extract", "train_a", "train_b", "report")
LIT = {  # components that a moment passes
    "booked": ("scheduler", "database"),
    "picked up": ("worker", "API", "database"),
    "process started": ("worker", "flow process"),
    "running": ("flow process", "API", "database"),
    "tasks": ("flow process", "API", "database"),
    "ended": ("flow process", "API", "database"),
}
SAID = {
    "booked": "the **scheduler** books the run in the database before it is due",
    "picked up": "the **worker** asks the API for due runs and takes this one",
    "process started": "the **worker** starts a process of its own for the run",
    "running": "the **flow process** tells the API that it runs",
    "tasks": "the **flow process** runs the tasks and reports each state to the API",
    "ended": "the **flow process** reports the last state",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentsParams(Params):
    """The moment to look at, and what goes wrong in the run."""

    moment: Annotated[str, Choice(MOMENTS)] = "picked up"
    fault: Fault = "none"

    @property
    def job(self) -> ComponentsParams:
        """What Prefect runs; another moment needs no new run."""
        return replace(self, moment=ComponentsParams().moment)


@dataclass(frozen=True, slots=True, eq=False)
class ComponentsResult:
    """A run as Prefect recorded it, or as it is predicted. Times are seconds since the run was due,
    negative before.
    """

    params: ComponentsParams
    state: str  # of the run at the end: Completed, Failed, Crashed
    tasks: dict[str, tuple[str, int]]  # name -> last state, times started
    predicted: bool = True
    at_seconds: dict[str, float] | None = None  # of each moment
    states: tuple[tuple[float, str, str], ...] = ()  # of the run: time, name, message
    logs: tuple[tuple[float, str, str], ...] = ()  # time, logger, first line
    rows: dict[str, int] | None = None  # table of the database -> rows of this run
    booked_by: str = ""  # what Prefect says made the run
    pid: int | None = None  # of the flow process

    @property
    def lit(self) -> tuple[str, ...]:
        """Components that the moment passes: of a killed process, the worker reports the end."""
        if self.params.moment == "ended" and self.state == "Crashed":
            return ("worker", "API", "database")
        return LIT[self.params.moment]

    @property
    def verdict(self) -> str:
        """What happens at the moment, and when."""
        moment = self.params.moment
        said = SAID[moment]
        if moment == "ended" and self.state == "Crashed":
            said = "the process is gone: the **worker** reports it as Crashed"
        elif moment == "ended":
            said = f"{said}, **{self.state}**"
        if self.at_seconds is None:
            return f"Not run yet. Predicted: {said}."
        return f"{_when(self.at_seconds.get(moment))}{said}."

    @property
    def why(self) -> list[str]:
        """The reasons, with this run's numbers."""
        reasons = [
            "**Server**: API and scheduler are one process. It records states and never runs your"
            " code.",
            "**Worker**: it asks the API for due runs every few seconds. Nobody calls it, so it can"
            " be behind a firewall.",
            "**Flow process**: one per run. If it dies, the worker and the other runs live on.",
        ]
        if self.state == "Crashed":
            reasons.append(
                "**Killed**: a dead process reports nothing. The worker sees it end and sets"
                " Crashed; its last tasks keep their last state. Flow and task retries do not help:"
                " they run inside the process."
            )
        if self.rows:
            found = ", ".join(f"{n} {name}" for name, n in self.rows.items())
            reasons.append(f"**Database**: this run left {found} rows in SQLite.")
        return reasons

    def headline(self) -> dict[str, str | int]:
        """Return what the script reproduces."""
        found: dict[str, str | int] = {"state": self.state, "attempts": self.tasks["train_a"][1]}
        return found | {f"{name} ends": state for name, (state, _) in self.tasks.items()}

    def table(self) -> pa.Table:
        """Return one row for each task."""
        return pa.Table.from_pylist(
            [
                {"task": name, "state": state, "attempts": attempts}
                for name, (state, attempts) in self.tasks.items()
            ]
        )

    def moments(self) -> list[dict[str, str]]:
        """Return every moment with its time and the components, as texts."""
        at = self.at_seconds or {}
        return [
            {
                "moment": moment,
                "time": _when(at.get(moment)).rstrip(": ") or "not run yet",
                "passes": ", ".join(replace_moment(self, moment).lit),
                "what": SAID[moment].replace("**", ""),
            }
            for moment in MOMENTS
        ]

    def against_airflow(self) -> list[dict[str, str]]:
        """Return what the same DAG with the same fault does in both, as texts."""
        known = AIRFLOW[self.params.fault]
        source = "predicted" if self.predicted else "this run"
        return [
            {
                "what": name,
                f"Prefect ({source})": f"{state}, started {n}×",
                "Airflow 3.2 (documentation)": known[name],
            }
            for name, (state, n) in self.tasks.items()
        ] + [
            {
                "what": "the run",
                f"Prefect ({source})": self.state,
                "Airflow 3.2 (documentation)": known["run"],
            }
        ]


def replace_moment(result: ComponentsResult, moment: str) -> ComponentsResult:
    """Return the result at another moment."""
    return replace(result, params=replace(result.params, moment=moment))


def _when(seconds: float | None) -> str:
    """Return a time as a sentence begins: before or after the run was due."""
    if seconds is None:
        return ""
    side = "before" if seconds < 0 else "after"
    return f"{format_seconds(abs(seconds))} {side} it is due: "


def predicted(params: ComponentsParams) -> ComponentsResult:
    """Return, without Prefect, how the run ends: faults are given, so states are known."""
    state, tasks = PREFECT_STATES[params.fault]
    return ComponentsResult(params, state, dict(tasks))
