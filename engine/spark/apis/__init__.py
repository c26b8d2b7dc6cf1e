"""One workload in five APIs: the time of each, its plan, where rows leave the JVM for Python, and
whether all give one answer.

Real: every run is the server's Spark on flights of 2013, built for each repeat (Spark would
reuse the shuffle of one that has run); rows and bytes that cross to Python are Spark's own metrics.
Limit: an RDD's bytes are not metered by Spark. Datasets, the typed API, exist on the JVM
only: the guide explains them.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa

from engine.jobs import Progress, Steps, timed, to_end
from engine.ranges import Params, Range
from engine.spark import plan_tree, session, skew
from engine.spark.apis import jobs
from engine.spark.apis.jobs import APIS, JOBS, Api, Job
from engine.spark.restarts import repeat_if_spark_ends
from engine.units import format_bytes, format_factor, format_range, format_seconds, format_share

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PYTHON_OPERATORS = ("BatchEvalPython", "ArrowEvalPython", "PythonRDD")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApisParams(Params):
    """Which workload, over how many flights, how often."""

    workload: Job = "mean gain by carrier"
    months: Annotated[int, Range(1, 12)] = 3  # of flights
    # rows reach a Python UDF in Arrow batches (Spark 4.3's default), else pickled
    arrow_udf: bool = False
    once: bool = False  # UDFs are marked nondeterministic: called once per row
    repeats: Annotated[int, Range(1, 15)] = 3  # after a warm-up run


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of a plan; ``python``: it runs in, or hands rows to, a Python process."""

    name: str
    detail: str
    python: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One API, run."""

    api: Api
    seconds: tuple[float, ...]
    answer: tuple[tuple[str, int, int], ...]
    operators: tuple[Operator, ...]  # from the scan to the answer
    plan: str  # as Spark writes it
    rows_to_python: int
    bytes_to_python: int | None  # None: Spark does not meter it
    bytes_from_python: int | None

    @property
    def median(self) -> float:
        """The median of the timed runs, in seconds."""
        return statistics.median(self.seconds)

    @property
    def door(self) -> str:
        """The operator through which rows reach Python, or "none"."""
        return next((step.name for step in self.operators if step.python), "none")


@dataclass(frozen=True, slots=True, eq=False)
class ApisResult:
    """Every API as far as it has come."""

    params: ApisParams
    expected: tuple[tuple[str, int, int], ...]  # by Arrow alone
    outcomes: tuple[Outcome, ...] = ()
    complete: bool = False

    def outcome_of(self, api: Api) -> Outcome | None:
        """Return the outcome of an API if it has run."""
        return next((outcome for outcome in self.outcomes if outcome.api == api), None)

    @property
    def ranked(self) -> list[Outcome]:
        """The APIs, fastest first."""
        return sorted(self.outcomes, key=lambda outcome: outcome.median)

    @property
    def same_answers(self) -> bool:
        """Whether every API gave the rows that Arrow gives."""
        return all(outcome.answer == self.expected for outcome in self.outcomes)

    @property
    def same_plan(self) -> bool:
        """Whether DataFrame and SQL became the same operators."""
        frame, sql = self.outcome_of("DataFrame"), self.outcome_of("SQL")
        return frame is not None and sql is not None and _names(frame) == _names(sql)

    @property
    def udf_door(self) -> str:
        """The operator through which rows reach the Python UDF."""
        udf = self.outcome_of("Python UDF")
        return udf.door if udf else "none"

    @property
    def udf_rows(self) -> int:
        """Rows that crossed to the Python UDF."""
        udf = self.outcome_of("Python UDF")
        return udf.rows_to_python if udf else 0

    @property
    def rdd_rows(self) -> int:
        """Rows that crossed to the RDD's functions."""
        rdd = self.outcome_of("RDD")
        return rdd.rows_to_python if rdd else 0

    @property
    def calls_a_row(self) -> float:
        """How often a flight is handed to the Python UDF, by the rows that the RDD hands over."""
        return self.udf_rows / self.rdd_rows if self.rdd_rows else 0.0

    @property
    def verdict(self) -> str:
        """Which API is fastest and slowest; before a run, which hand rows to Python."""
        if not self.outcomes:
            return (
                f"Not measured yet. Expected: **{len(jobs.TO_PYTHON)} of {len(APIS)}** APIs hand up"
                f" to {jobs.n_rows(self.params.months):,} rows to Python."
            )
        best, worst = self.ranked[0], self.ranked[-1]
        if len(self.outcomes) < len(APIS):
            return (
                f"So far **{best.api}** is fastest: {format_seconds(best.median)}"
                f" ({len(self.outcomes)} of {len(APIS)} APIs measured)."
            )
        if max(best.seconds) >= min(worst.seconds):
            return (
                f"**No clear winner:** the runs of the fastest, {best.api}"
                f" ({format_seconds(best.median)}), and the slowest, {worst.api}"
                f" ({format_seconds(worst.median)}), overlap."
            )
        reason = (
            f"{worst.rows_to_python:,} of its rows leave the JVM for Python"
            if worst.rows_to_python
            else "no row leaves the JVM"
        )
        return (
            f"**{best.api}** is {format_factor(worst.median / best.median)} faster than"
            f" **{worst.api}**: {format_seconds(best.median)} against"
            f" {format_seconds(worst.median)}; {reason}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        if not self.outcomes:
            return [
                f"**{' and '.join(jobs.JVM_ONLY)}** become one plan, run by generated JVM code.",
                f"**{', '.join(jobs.TO_PYTHON)}** run Python functions: their rows leave the JVM"
                " for a Python process and come back.",
                "**Answers** are compared with Arrow's once an API has run.",
            ]
        reasons = []
        frame, sql, udf, pandas_udf, rdd = (
            self.outcome_of(api) for api in ("DataFrame", "SQL", "Python UDF", "pandas UDF", "RDD")
        )
        if frame and sql:
            same = "the same operators" if self.same_plan else "different operators"
            reasons.append(f"**DataFrame and SQL** become {same}, which generated JVM code runs.")
        if udf:
            how = "in Arrow batches" if self.params.arrow_udf else "pickled, row by row"
            reasons.append(
                f"**Python UDF:** {udf.rows_to_python:,} rows"
                f" ({format_bytes(udf.bytes_to_python or 0)}) go to Python through {udf.door},"
                f" {how}."
            )
        if pandas_udf:
            reasons.append(
                f"**pandas UDF:** {format_bytes(pandas_udf.bytes_to_python or 0)} in Arrow batches,"
                " one call for thousands of rows."
            )
        if rdd:
            reasons.append(
                f"**RDD:** {rdd.rows_to_python:,} rows go to Python as objects. Spark cannot look"
                " into the functions, so it cannot optimize them."
            )
        if udf and rdd:
            reasons.append(self._explain_moves(udf))
        proof = "the same rows as Arrow" if self.same_answers else "rows that DIFFER from Arrow's"
        reasons.append(
            f"**Checked:** all {len(self.outcomes)} give {proof}. Median of {self.params.repeats}"
            " after a warm-up run (not timed)."
        )
        return reasons

    def _explain_moves(self, udf: Outcome) -> str:
        """Return what the optimizer did around the UDF."""
        n_calls = sum(step.python for step in udf.operators)
        if n_calls > 1:
            return (
                f"**Called {n_calls} times:** Spark moved the filter on the UDF's result down and"
                f" calls the UDF again above it: {self.calls_a_row:.2f} calls per flight."
            )
        if self.params.workload == JOBS[1] and self.calls_a_row < 1:
            return (
                "**Filter moved:** Spark runs the filter by origin before the UDF:"
                f" {format_share(1 - self.calls_a_row)} of the rows never leave the JVM."
            )
        return (
            "**Called once:** a UDF marked nondeterministic is called once per flight, and no"
            " filter may move below it."
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: no seconds."""
        return {
            "answer": digest(self.expected),
            "groups": len(self.expected),
            "rows to the RDD's functions": self.rdd_rows,
            "rows to the Python UDF": self.udf_rows,
            "Python UDF enters through": self.udf_door,
        }

    def table(self) -> pa.Table:
        """Return one row per run."""
        rows = [
            {
                "api": outcome.api,
                "run": i + 1,
                "seconds": seconds,
                "rows_to_python": outcome.rows_to_python,
                "bytes_to_python": outcome.bytes_to_python,
                "bytes_from_python": outcome.bytes_from_python,
                "enters_through": outcome.door,
            }
            for outcome in self.outcomes
            for i, seconds in enumerate(outcome.seconds)
        ]
        return pa.Table.from_pylist(rows) if rows else pa.table({"api": pa.array([], pa.string())})

    def rows(self) -> list[dict[str, str]]:
        """Return one line per API for a table on the page, fastest first."""
        return [
            {
                "API": outcome.api,
                "median": format_seconds(outcome.median),
                "spread": format_range(min(outcome.seconds), max(outcome.seconds), format_seconds),
                "Python enters through": outcome.door,
                "rows to Python": f"{outcome.rows_to_python:,}",
                "bytes there / back": _bytes(outcome),
                "answer": digest(outcome.answer),
            }
            for outcome in self.ranked
        ]


def _names(outcome: Outcome) -> list[str]:
    return [step.name for step in outcome.operators]


def _bytes(outcome: Outcome) -> str:
    if outcome.bytes_to_python is None:
        return "not metered"
    return (
        f"{format_bytes(outcome.bytes_to_python)} / {format_bytes(outcome.bytes_from_python or 0)}"
    )


def digest(answer: tuple[tuple[str, int, int], ...]) -> str:
    """Return eight hex digits that are the same only for the same rows."""
    return skew.digest(list(answer))


def lineage(text: str) -> tuple[Operator, ...]:
    """Return the steps of an RDD's lineage (``toDebugString``), the first one first."""
    names = re.findall(r"(\w+RDD)\[", text)[::-1]
    return tuple(Operator(name, name, name == "PythonRDD") for name in names)


def _operators(asked: jobs.Query) -> tuple[Operator, ...]:
    if asked.rdd is not None:
        return lineage((asked.rdd.toDebugString() or b"").decode())
    nodes = plan_tree.read(asked.frame)[::-1]
    return tuple(
        Operator(node.name.strip(), node.detail, node.name in PYTHON_OPERATORS) for node in nodes
    )


def _run_api(live: SparkSession, params: ApisParams, api: Api, so_far: Outcome | None) -> Outcome:
    """Run one API once, built for this run; return what ``so_far`` knows with it added."""
    asked = jobs.query(live, api, params.workload, params.months, params.arrow_udf, params.once)
    took, answer = timed(asked.act)
    if so_far is not None:
        return replace(so_far, seconds=(*so_far.seconds, took))
    rows, sent, received = plan_tree.python_metrics(asked.frame)
    plan = plan_tree.texts(asked.frame)[1]
    if asked.rdd is not None:
        rows = next(node.n_rows for node in plan_tree.read(asked.frame) if node.n_rows is not None)
        plan = (asked.rdd.toDebugString() or b"").decode()
    known = asked.rdd is None
    return Outcome(
        api,
        (took,),
        tuple(answer),
        _operators(asked),
        plan,
        rows,
        sent if known else None,
        received if known else None,
    )


@repeat_if_spark_ends
def steps(params: ApisParams) -> Steps:
    """Run every API, what stays in the JVM first; the result so far comes before each run.

    The first run of each is a warm-up: workers start, code is generated; the very first one has
    two.

    Returns
    -------
    ApisResult
        With ``complete`` set.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    result = ApisResult(params, jobs.expected(params.workload, params.months))
    yield from session.begin("RDDs and plans to read", result)
    order = (*jobs.JVM_ONLY, *jobs.TO_PYTHON)
    for turn, api in enumerate(order):
        before, outcome = result.outcomes, None
        for number in range(0 if turn else -1, params.repeats + 1):
            message = (
                f"{api}, run {number} of {params.repeats}"
                if number > 0
                else f"{api}, warm-up run (not timed)"
            )
            progress = Progress(
                (turn + max(number, 0) / (params.repeats + 1)) / len(order), message, result
            )
            ran = yield from session.act(
                partial(_run_api, params=params, api=api, so_far=outcome), progress
            )
            if number > 0:
                outcome = ran
                result = replace(result, outcomes=(*before, outcome))
    return replace(result, complete=True)


TYPICAL_SECONDS = 30.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs."""
    return steps, ApisParams()


run: Callable[[ApisParams], ApisResult] = to_end(steps)
