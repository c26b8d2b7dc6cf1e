"""Lazy ledger: a chain of transformations runs nothing until an action; then its jobs, stages and
tasks.

Real: the code of each line runs on the server's Spark over all flights of 2013; after each line the
number of jobs that Spark has run for it is read from its REST API (0, except where a sort must
sample), then the action, the plan that AQE made of it, and every task on its core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa

from engine import data
from engine.errors import require
from engine.jobs import Progress, Steps, to_end
from engine.ranges import Params, Range
from engine.spark import plan_tree, session, tasks
from engine.spark.lazy import chain as lazy_chain
from engine.spark.lazy.chain import STEPS, Action, Operation
from engine.spark.restarts import repeat_if_spark_ends
from engine.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MAX_STEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LazyParams(Params):
    """The chain, the action, and what Spark may change."""

    chain: tuple[Operation, ...] = (
        "filter late",
        "join airlines",
        "group by carrier",
        "sort by delay",
    )
    action: Action = "collect"
    n_partitions: Annotated[int, Range(1, 200)] = 8  # of a shuffle
    adaptive: bool = True  # AQE
    broadcast: bool = False  # may small tables be broadcast

    def check_together(self) -> None:
        """Raise ``InputError`` for a chain that is too long or cannot be run in its order."""
        require(
            len(self.chain) <= MAX_STEPS,
            "chain must have at most {} steps. Got {}.",
            MAX_STEPS,
            len(self.chain),
        )
        lazy_chain.check(self.chain)

    @property
    def settings(self) -> dict[str, str]:
        """The SQL settings of this run."""
        limit = "10MB" if self.broadcast else "-1"
        return {
            "spark.sql.shuffle.partitions": str(self.n_partitions),
            "spark.sql.adaptive.enabled": str(self.adaptive).lower(),
            "spark.sql.autoBroadcastJoinThreshold": limit,
            "spark.sql.adaptive.autoBroadcastJoinThreshold": limit,
        }


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger: its code and the jobs that Spark had run once the line was done."""

    code: str
    kind: str  # "source", "narrow", "wide" or "action"
    n_jobs: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class LazyResult:
    """The ledger, the plan and the tasks."""

    params: LazyParams
    lines: tuple[Line, ...]
    nodes: tuple[plan_tree.Node, ...]
    initial_plan: str
    final_plan: str
    trace: tasks.Trace
    n_rows: int  # that the action returned, or the count

    @property
    def n_stages(self) -> int:
        """Stages that ran."""
        return len(self.trace.stages)

    @property
    def n_shuffles(self) -> int:
        """Exchanges in the final plan."""
        return sum(node.wide for node in self.nodes)

    @property
    def jobs_before_action(self) -> int:
        """Jobs that had run before the action."""
        return self.lines[-2].n_jobs

    @property
    def verdict(self) -> str:
        """What the transformations ran, and what the action ran."""
        before, n = self.jobs_before_action, self.lines[-1].n_jobs - self.jobs_before_action
        return (
            f"{len(self.lines) - 2} transformations ran **{before} job{'s' * (before != 1)}**."
            f" The action ran {n} job{'s' * (n != 1)}, **{self.n_stages}"
            f" stage{'s' * (self.n_stages != 1)}** and {len(self.trace.tasks)} tasks in"
            f" {format_seconds(self.trace.seconds)}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        wide = [step for step in p.chain if STEPS[step].wide]
        reasons = [
            f"**{len(wide)} of {len(p.chain)} steps are wide** ({', '.join(wide) or 'none'}): they"
            " need rows of other partitions.",
            f"**Stage boundaries:** the final plan has {self.n_shuffles} exchanges. The action ran"
            f" {self.n_stages} stages.",
            "**Narrow steps add no stage:** Spark runs them in one task, row by row, in one"
            " generated loop.",
            f"**Shuffle:** {format_bytes(self.trace.shuffle_bytes)} were written for other tasks."
            f" {self.n_rows:,} rows came back.",
        ]
        if p.adaptive:
            n_last = self.trace.stages[-1].n_tasks if self.trace.stages else 0
            reasons.append(
                "**AQE** did not change the plan."
                if self.initial_plan == self.final_plan
                else (
                    f"**AQE** read the sizes of each shuffle: {p.n_partitions} partitions were"
                    f" asked for, the last stage ran {n_last} tasks."
                )
            )
        if any("rangepartitioning" in node.detail for node in self.nodes):
            reasons.append(
                "**A sort samples its input first** to find the split points. The steps before it"
                " run twice, and their row counts are of both runs."
            )
        elif self.jobs_before_action:
            reasons.append(
                "**A transformation ran a job:** a range exchange samples its input to find the"
                " split points."
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "rows": self.n_rows,
            "jobs before the action": self.jobs_before_action,
            "stages": self.n_stages,
        }

    def table(self) -> pa.Table:
        """Return one row per line of the ledger."""
        return pa.table(
            {
                "code": [line.code for line in self.lines],
                "kind": [line.kind for line in self.lines],
                "jobs_so_far": [line.n_jobs for line in self.lines],
                "seconds": [line.seconds for line in self.lines],
            }
        )

    def rows(self) -> list[dict[str, str]]:
        """Return the ledger for a table on the page."""
        return [
            {
                "line": line.code,
                "kind": line.kind,
                "jobs so far": str(line.n_jobs),
                "took": format_seconds(line.seconds),
            }
            for line in self.lines
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What follows from the code of a chain alone: nothing of it is measured."""

    params: LazyParams
    complete: bool = False

    @property
    def n_wide(self) -> int:
        """Steps whose rows must move."""
        return sum(STEPS[step].wide for step in self.params.chain)

    @property
    def verdict(self) -> str:
        """What the code says, before Spark runs it."""
        return (
            f"Not measured yet. Expected: {len(self.params.chain)} transformations run **0 jobs**;"
            f" {self.n_wide} of them move rows and may end a stage."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for what is expected."""
        return [
            "**Lazy:** a transformation only adds a step to the plan. Only the action runs it.",
            "**Wide steps** need rows of other partitions: each may need a shuffle, which ends a"
            " stage.",
            "**Narrow steps** run inside the stage that is already there.",
        ]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The code of each line and its kind: source, narrow, wide or action."""
        steps = [
            (STEPS[step].code, "wide" if STEPS[step].wide else "narrow")
            for step in self.params.chain
        ]
        action = f".{lazy_chain.ACTION_CODE[self.params.action]}"
        return [(lazy_chain.SOURCE, "source"), *steps, (action, "action")]

    def headline(self) -> dict[str, int | float | str]:
        """Return nothing: no number is measured."""
        return {}

    def table(self) -> pa.Table:
        """Return one row per line of the chain."""
        code, kind = zip(*self.lines, strict=True)
        return pa.table({"code": code, "kind": kind})

    def rows(self) -> list[dict[str, str]]:
        """Return the ledger for a table on the page."""
        return [
            {
                "line": code,
                "kind": kind,
                "jobs so far": "…" if kind == "action" else "0",
                "took": "",
            }
            for code, kind in self.lines
        ]


def configure(live: SparkSession, params: LazyParams) -> None:
    """Set what Spark may change, and name the small table."""
    for key, value in params.settings.items():
        live.conf.set(key, value)
    live.read.parquet(str(data.path_of("airlines"))).createOrReplaceTempView("airlines")


def _ledger(live: SparkSession, params: LazyParams) -> LazyResult:
    configure(live, params)
    tasks.settle(live)
    jobs = tasks.JobCounter(live)
    began = time.perf_counter()
    frame = live.read.parquet(str(data.path_of("flights"))).select(*sorted(lazy_chain.COLUMNS))
    jobs.forget()  # reading a Parquet footer runs a job that is no part of the chain
    lines = [Line(lazy_chain.SOURCE, "source", 0, time.perf_counter() - began)]
    for operation in params.chain:
        began = time.perf_counter()
        frame = lazy_chain.apply(live, frame, operation)
        step = STEPS[operation]
        lines.append(
            Line(
                step.code,
                "wide" if step.wide else "narrow",
                jobs.count(),
                time.perf_counter() - began,
            )
        )
    asked = lazy_chain.apply_action(frame, params.action)
    found, trace = tasks.traced(live, asked.toArrow)
    lines.append(
        Line(f".{lazy_chain.ACTION_CODE[params.action]}", "action", jobs.count(), trace.seconds)
    )
    initial, final = plan_tree.texts(asked)
    n_rows = found[0][0].as_py() if params.action == "count" else found.num_rows
    return LazyResult(params, tuple(lines), plan_tree.read(asked), initial, final, trace, n_rows)


@repeat_if_spark_ends
def steps(params: LazyParams) -> Steps:
    """Run the chain and the action.

    Returns
    -------
    LazyResult
        Complete.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    yield from session.begin("plan and job list to read")
    result: LazyResult = yield from session.act(
        lambda live: _ledger(live, params), Progress(0.3, "Spark at work")
    )
    return result


TYPICAL_SECONDS = 12.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs."""
    return steps, LazyParams()


run: Callable[[LazyParams], LazyResult] = to_end(steps)
