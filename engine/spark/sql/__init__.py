"""Spark SQL: a query, the plan that Spark makes of it, and the same rows from DuckDB.

Real: the fixed queries run on the server's Spark over the bundled tables; plan and answer are
Spark's, and DuckDB's rows are compared with them. A visitor's own text runs on DuckDB alone
(``console``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import pyarrow as pa

from engine import data
from engine.jobs import Progress, Steps, timed, to_end
from engine.ranges import Choice, Params, Range
from engine.spark import plan_tree, session
from engine.spark.restarts import repeat_if_spark_ends
from engine.spark.sql.console import MAX_SECONDS, TABLES, TOLERANCE, Answer, on_duckdb, same_rows
from engine.spark.sql.queries import CLAUSES, MAX_ROWS, NAMES, QUERIES, ROWS, Clauses

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Explain = Literal["formatted", "extended", "cost", "codegen", "result only"]
EXPLAINS: tuple[Explain, ...] = get_args(Explain)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlParams(Params):
    """One of the fixed queries, and how Spark is to explain it."""

    name: Annotated[str, Choice(NAMES)] = NAMES[0]
    explain: Explain = "formatted"
    n_rows: Annotated[int, Range(1, MAX_ROWS, options=ROWS)] = 20  # shown

    @property
    def query(self) -> str:
        """The text of the query."""
        return QUERIES[self.name]

    @property
    def clauses(self) -> Clauses:
        """Its clauses in the order in which they run, and whether each moves rows."""
        return CLAUSES[self.name]


@dataclass(frozen=True, slots=True, eq=False)
class SqlResult:
    """What Spark answers to a fixed query, and whether DuckDB answers the same; without ``answer``
    what the text alone says.
    """

    params: SqlParams
    answer: Answer | None = None  # Spark's, the rows shown
    n_rows: int = 0  # of the whole answer
    same: bool = False  # DuckDB's whole answer, row by row
    nodes: tuple[plan_tree.Node, ...] = ()  # of the executed plan

    @property
    def complete(self) -> bool:
        """Whether the query has run."""
        return self.answer is not None

    @property
    def n_exchanges(self) -> int:
        """Exchanges of the executed plan: how often rows move."""
        return sum(node.wide for node in self.nodes)

    @property
    def verdict(self) -> str:
        """How often rows move, and whether the engines agree."""
        if self.answer is None:
            n = sum(wide for _, wide in self.params.clauses)
            return (
                f"Not measured yet. Expected: **{n} of {len(self.params.clauses)} clauses** move"
                " rows, each by an exchange."
            )
        equal = (
            f"the same {self.n_rows:,} rows in the same order" if self.same else "**other rows**"
        )
        return f"Spark's plan of it has **{self.n_exchanges} exchanges**. DuckDB gives {equal}."

    @property
    def why(self) -> list[str]:
        """What the plan says, and how the two engines were compared."""
        digits = round(-math.log10(TOLERANCE))
        took = [] if self.answer is None else [self.answer.describe("Spark")]
        return [
            *took,
            "**SQL and DataFrame** become the same plan. Catalyst, the optimizer, rewrites it"
            " before it runs.",
            "**GROUP BY, JOIN, PARTITION BY, ORDER BY** need rows of other partitions: an exchange"
            " moves them. WHERE and SELECT move nothing.",
            "**The scan** reads only the columns that the query names.",
            "**Compared row by row** with DuckDB on the same text: all values equal, fractions to"
            f" {digits} digits.",
            f"**Your own SQL** runs on DuckDB alone, which can be closed: a query reads"
            f" {', '.join(TABLES)} and nothing else.",
        ]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {"rows": self.n_rows, "exchanges": self.n_exchanges} if self.complete else {}

    def table(self) -> pa.Table:
        """Return the rows shown; before the run the clauses."""
        if self.answer is None:
            return pa.table({"clause": [clause for clause, _ in self.params.clauses]})
        return pa.table(self.answer.rows())


def register(live: SparkSession) -> None:
    """Name the bundled tables in this session."""
    for name in TABLES:
        live.read.parquet(str(data.path_of(name))).createOrReplaceTempView(name)


def _spark_answer(
    live: SparkSession, params: SqlParams
) -> tuple[Answer, tuple[plan_tree.Node, ...]]:
    """Run a fixed query on Spark: all of its rows, its plan as text and as a tree."""
    register(live)
    frame = live.sql(params.query)
    seconds, found = timed(frame.collect)
    plan = ""
    if params.explain != "result only":
        modes: Any = live.sparkContext._jvm.org.apache.spark.sql.execution.ExplainMode  # type: ignore[union-attr]
        plan = frame._jdf.queryExecution().explainString(modes.fromString(params.explain))
        plan = plan.replace(
            str(data.path_of("flights").parent), "datasets"
        )  # no folder of this server
    answer = Answer(tuple(frame.columns), tuple(map(tuple, found)), False, plan, seconds)
    return answer, plan_tree.read(frame)


@repeat_if_spark_ends
def steps(params: SqlParams) -> Steps:
    """Run a fixed query on Spark, then on DuckDB.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    yield from session.begin("plan to read")
    answer, nodes = yield from session.act(
        partial(_spark_answer, params=params), Progress(0.1, "Spark at work")
    )
    other = yield from on_duckdb(params.query, MAX_ROWS, MAX_SECONDS)
    n = len(answer.values)
    shown = replace(answer, values=answer.values[: params.n_rows], more=n > params.n_rows)
    return SqlResult(params, shown, n, same_rows(answer.values, other.values), nodes)


TYPICAL_SECONDS = 8.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs."""
    return steps, SqlParams()


run: Callable[[SqlParams], SqlResult] = to_end(steps)
