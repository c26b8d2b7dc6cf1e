"""Lazy ledger: a chain of transformations costs nothing until an action asks; then jobs, stages and
tasks, each shown.

Real: the code of each line runs on the server's Spark over all flights of 2013; after each line the
number of jobs that Spark has run for it is read from its REST API (0, but where a sort must
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
        """Jobs before the action and for it, stages, tasks and seconds."""
        before, t = self.jobs_before_action, self.trace
        return (
            f"{len(self.lines) - 2} transformations ran {before} jobs; the action ran"
            f" {self.lines[-1].n_jobs - before} in **{self.n_stages}** stages, {len(t.tasks)} tasks"
            f" and {format_seconds(t.seconds)}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        wide = [step for step in p.chain if STEPS[step].wide]
        reasons = [
            (
                f"{len(wide)} of {len(p.chain)} steps are wide ({', '.join(wide) or 'none'}): the"
                " rows that they need lie in other partitions. The final plan has"
                f" {self.n_shuffles} exchanges, which cut the work into {self.n_stages} stages."
            ),
            (
                "Narrow steps cost no stage: Spark runs them in the same task, row by row, in one"
                " generated loop."
            ),
            (
                f"{format_bytes(self.trace.shuffle_bytes)} were written for other tasks to fetch;"
                f" {self.n_rows:,} rows came back."
            ),
        ]
        if any("rangepartitioning" in node.detail for node in self.nodes):
            reasons.append(
                "The sort first samples its input to find where to cut: what stands between it and"
                " the exchange before runs twice, and Spark's row counts there are of both runs."
            )
        if p.adaptive:
            same = self.initial_plan == self.final_plan
            reasons.append(
                "AQE left the plan as it was."
                if same
                else (
                    f"AQE read the sizes of each shuffle before it went on: {p.n_partitions}"
                    " partitions were asked for; tasks of the last stage:"
                    f" {self.trace.stages[-1].n_tasks if self.trace.stages else 0}."
                )
            )
        if self.jobs_before_action:
            reasons.append(
                "A transformation ran a job of its own: a range exchange samples its input to find"
                " the cuts."
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
        """Return one row a line of the ledger."""
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
