"""A read-only SQL console over the bundled tables: a visitor's query, checked by Spark's own parser, planned and run.

Real: the text goes to the server's Spark. Read-only in two steps, both before anything runs. The parsed text may hold only the
plan nodes and relations listed here: a command, a script, a file or another catalog is none of them. Then, once names are
resolved, every function and every leaf of the plan is looked at again. What is not known is refused.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from engine import data
from engine.errors import InputError, require, require_choice
from engine.jobs import Progress, Steps, run_to_end, timed
from engine.spark import session
from engine.units import human_seconds

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLES = ("flights", "weather", "planes", "airports", "airlines")
Explain = Literal["result only", "formatted", "extended", "cost", "codegen"]
EXPLAINS: tuple[Explain, ...] = get_args(Explain)
MAX_TEXT = 4_000
MAX_ROWS = 1_000
EXAMPLES = {
    "Busiest routes": "SELECT origin, dest, count(*) AS flights, round(avg(arr_delay), 1) AS arr_delay\nFROM flights\n"
    "GROUP BY origin, dest\nORDER BY flights DESC",
    "Join: delay by airline": "SELECT name, count(*) AS flights, round(avg(dep_delay), 1) AS dep_delay\n"
    "FROM flights JOIN airlines USING (carrier)\nGROUP BY name\nORDER BY dep_delay DESC",
    "Window: worst hour of each airport": "SELECT origin, hour, late\nFROM (SELECT *, rank() OVER (PARTITION BY origin "
    "ORDER BY late DESC) AS place\n      FROM (SELECT origin, hour, avg(dep_delay) AS late\n"
    "            FROM flights GROUP BY origin, hour))\n"
    "WHERE place = 1",
    "CTE: wind and delay": "WITH windy AS (SELECT origin, time_hour FROM weather WHERE wind_speed BETWEEN 25 AND 100)\n"
    "SELECT origin, count(*) AS flights, round(avg(dep_delay), 1) AS dep_delay\n"
    "FROM flights JOIN windy USING (origin, time_hour)\nGROUP BY origin",
    "A mistake": "SELECT carier, count(*) FROM flights GROUP BY carier",
    "Refused": "DROP TABLE flights",
}
# Names of Spark's logical plan nodes that read, compute and nothing else.
READS = frozenset(
    [
        "Project",
        "Filter",
        "Aggregate",
        "Join",
        "LateralJoin",
        "AsOfJoin",
        "Sort",
        "GlobalLimit",
        "LocalLimit",
        "Offset",
        "SubqueryAlias",
        "UnresolvedWith",
        "UnresolvedRelation",
        "OneRowRelation",
        "LocalRelation",
        "UnresolvedInlineTable",
        "Union",
        "Distinct",
        "Deduplicate",
        "Except",
        "Intersect",
        "Window",
        "WithWindowDefinition",
        "UnresolvedSubqueryColumnAliases",
        "UnresolvedHaving",
        "UnresolvedTableValuedFunction",
        "Generate",
        "Pivot",
        "Unpivot",
        "UnresolvedUnpivot",
        "Transpose",
        "Expand",
        "Sample",
        "PipeOperator",
        "UnresolvedTVFAliases",
        "UnresolvedHint",
        "UnresolvedOrdinal",
        "Tail",
    ]
)
SHOWS = ("ShowTables", "ShowFunctions")
# Functions that reach out of the data (Java calls, file names) or make much out of nothing.
REFUSED = frozenset(
    [
        "reflect",
        "java_method",
        "try_reflect",
        "input_file_name",
        "input_file_block_start",
        "input_file_block_length",
        "repeat",
        "space",
        "array_repeat",
        "sequence",
        "lpad",
        "rpad",
        "python_worker_logs",
    ]
)
REFUSED_CLASSES = frozenset(
    [
        "CallMethodViaReflection",
        "TryReflect",
        "InputFileName",
        "StringRepeat",
        "StringSpace",
        "ArrayRepeat",
        "Sequence",
        "StringLPad",
        "StringRPad",
        "PythonUDF",
        "ScalaUDF",
    ]
)
TABLE_FUNCTIONS = frozenset(("range", "explode", "explode_outer", "posexplode", "inline", "stack"))
LEAVES = frozenset(["LogicalRelation", "OneRowRelation", "LocalRelation", "Range", "CTERelationRef"])
QUERIES_ONLY = (
    "This console answers queries (SELECT, WITH, VALUES, TABLE), EXPLAIN, SHOW TABLES and DESCRIBE; it changes nothing. Got {}."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParams:
    """A query, how it is to be explained, and its limits."""

    query: str = EXAMPLES["Busiest routes"]
    explain: Explain = "result only"
    n_rows: int = 20  # shown, 1 … 1,000
    limit_seconds: int = 20  # then the query is stopped, 1 … 60

    def __post_init__(self) -> None:
        require_choice("explain", self.explain, EXPLAINS)
        require(1 <= self.n_rows <= MAX_ROWS, "n_rows must be 1 … {:,}. Got {}.", MAX_ROWS, self.n_rows)
        require(1 <= self.limit_seconds <= 60, "limit_seconds must be 1 … 60. Got {}.", self.limit_seconds)
        require(bool(self.query.strip()), "The query is empty. Write one, for example: SELECT count(*) FROM flights.")
        n = len(self.query)
        require(n <= MAX_TEXT, "The query must have at most {:,} characters. Got {:,}.", MAX_TEXT, n)


@dataclass(frozen=True, slots=True, eq=False)
class ConsoleResult:
    """The rows of a query and its plan."""

    params: ConsoleParams
    columns: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    more: bool  # there are rows beyond the limit
    plan: str  # "" where only the result was asked for
    seconds: float

    @property
    def verdict(self) -> str:
        """What came back, in one sentence."""
        if not self.columns:
            return f"The plan, made in {human_seconds(self.seconds)}; nothing was run."
        n = len(self.values)
        rows = f"The first {n:,} rows; there are more" if self.more else f"{n:,} row{'' if n == 1 else 's'}"
        return f"**{rows}** in {human_seconds(self.seconds)}, one run."

    def rows(self) -> dict[str, list[Any]]:
        """Return the values by column; a name that comes twice is numbered."""
        names = [name if name not in self.columns[:i] else f"{name} ({i + 1})" for i, name in enumerate(self.columns)]
        return {name: [row[i] for row in self.values] for i, name in enumerate(names)}


def register(live: SparkSession, names: Iterable[str]) -> None:
    """Name bundled tables in this session."""
    for name in names:
        live.read.parquet(str(data.path_of(name))).createOrReplaceTempView(name)


def _items(found: Any) -> Iterator[Any]:
    for i in range(found.size()):
        yield found.apply(i)


def _class(node: Any) -> str:
    return str(node.getClass().getSimpleName()).rstrip("$")


def _is(node: Any, kind: str) -> bool:
    """Whether a node of a tree is a Catalyst ``kind``, such as ``plans.QueryPlan``."""
    from py4j.java_gateway import is_instance_of
    from pyspark import SparkContext

    return bool(is_instance_of(SparkContext._gateway, node, f"org.apache.spark.sql.catalyst.{kind}"))


def _nodes(tree: Any) -> Iterator[tuple[Any, bool]]:
    """Yield every node of a plan and whether it is a plan (else an expression): subqueries and common tables included."""
    is_plan = _is(tree, "plans.QueryPlan")
    yield tree, is_plan
    inner = [*_items(tree.children()), *_items(tree.innerChildren())]
    if is_plan:
        inner += list(_items(tree.expressions()))
    elif _is(tree, "expressions.PlanExpression"):
        inner.append(tree.plan())
    for node in inner:
        yield from _nodes(node)


def check(live: SparkSession, text: str) -> tuple[str, set[str]]:
    """Return the kind of a text that only reads ("query", "explain" or "show"), and the bundled tables that it needs.

    Raises
    ------
    InputError
        In one sentence: not SQL, or SQL that may do more than read the bundled tables.
    """
    parser = live._jsparkSession.sessionState().sqlParser()
    plan = said(lambda: parser.parsePlan(text))
    kind = _class(plan)
    if kind in SHOWS:
        return "show", set(TABLES)
    if kind == "DescribeRelation":
        name = ".".join(_items(plan.relation().multipartIdentifier()))
        require(name in TABLES, "DESCRIBE must name one of {}. Got {!r}.", ", ".join(TABLES), name)
        require(not plan.isExtended(), "DESCRIBE EXTENDED tells paths of this server: leave EXTENDED out.")
        return "show", {name}
    if kind == "ExplainCommand":
        return "explain", _only_reads(plan.logicalPlan())
    return "query", _only_reads(plan)


def _only_reads(plan: Any) -> set[str]:
    """Return the tables of a parsed plan made of nodes that read, over tables that are there, by functions that stay inside."""
    nodes = list(_nodes(plan))
    own = {
        str(pair._1()).lower() for node, _ in nodes if _class(node) == "UnresolvedWith" for pair in _items(node.cteRelations())
    }
    used = set()
    for node, is_plan in nodes:
        kind = _class(node)
        require(not is_plan or kind in READS, QUERIES_ONLY, kind)
        if kind == "UnresolvedFunction":
            name = ".".join(_items(node.nameParts())).lower()
            require(name.split(".")[-1] not in REFUSED, "The function {} is not offered here. Leave it out.", name)
        elif kind == "UnresolvedTableValuedFunction":
            name = ".".join(_items(node.name())).lower()
            offered = ", ".join(sorted(TABLE_FUNCTIONS))
            require(name in TABLE_FUNCTIONS, "Table functions here are {}. Got {}.", offered, name)
        elif kind == "UnresolvedRelation":
            name = ".".join(_items(node.multipartIdentifier()))
            known = name.lower() in TABLES
            require(known or name.lower() in own, "Tables here are {}. Got {!r}.", ", ".join(TABLES), name)
            used |= {name.lower()} if known else set()
    return used


def _look_again(frame: DataFrame) -> None:
    """Raise unless the plan, its names resolved, still reads the bundled tables and calls nothing that is refused."""
    for node, is_plan in _nodes(frame._jdf.queryExecution().analyzed()):
        kind = _class(node)
        require(kind not in REFUSED_CLASSES, "This function is not offered here: {}. Leave it out.", kind)
        if is_plan and node.children().size() == 0:
            require(kind in LEAVES, QUERIES_ONLY, kind)


def said(call: Callable[[], Any]) -> Any:
    """Return what ``call()`` returns; what Spark objects to becomes a sentence with its place in the text."""
    from pyspark.errors import PySparkException

    try:
        return call()
    except PySparkException as error:
        raise InputError(_sentence(error)) from error


def _sentence(error: Any) -> str:
    text = str(error).split("== SQL")[0]
    place = re.search(r"[Ll]ine (\d+),? (pos|position) (\d+)", str(error))
    first = re.sub(r"\[[A-Z_.0-9]+\]\s*", "", text).split("SQLSTATE")[0].split("\n\n")[0]
    first = " ".join(first.split()).rstrip(" ;.")
    first = re.sub(r" If necessary set .*? to bypass this error", "", first)  # SET is refused here
    column = int(place[3]) + (place[2] == "pos") if place else 0  # the parser counts from 0, the analyzer from 1
    where = f"Line {place[1]}, column {column}: " if place else ""
    return f"{where}{first[:300]}. Correct the query there and run it again."


def _answer(live: SparkSession, params: ConsoleParams) -> ConsoleResult:
    kind, tables = check(live, params.query)
    register(live, tables)
    began = time.perf_counter()
    frame = said(lambda: live.sql(params.query))  # a query is only planned by this; EXPLAIN and SHOW run, and run no job
    if kind == "explain":
        text = _without_paths(frame.collect()[0][0])
        return ConsoleResult(params, (), (), False, text, time.perf_counter() - began)
    plan = ""
    if kind == "query":
        _look_again(frame)
        if params.explain != "result only":
            plan = _without_paths(said(lambda: frame._jdf.queryExecution().explainString(_mode(live, params.explain))))
    return _fetched(live, params, frame, plan)


def _mode(live: SparkSession, explain: Explain) -> Any:
    return live.sparkContext._jvm.org.apache.spark.sql.execution.ExplainMode.fromString(explain)  # type: ignore[union-attr]


def _without_paths(text: str) -> str:
    """Return a plan without the folder of this server in it."""
    return text.replace(str(data.path_of("flights").parent), "datasets")


def _fetched(live: SparkSession, params: ConsoleParams, frame: DataFrame, plan: str) -> ConsoleResult:
    """Run the query, stopped by its job group when its time is over."""
    group = live.sparkContext.getLocalProperty("spark.jobGroup.id")
    over = threading.Event()

    def stop() -> None:
        over.set()
        session.cancel(live, str(group))

    timer = threading.Timer(params.limit_seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        seconds, found = timed(lambda: said(frame.limit(params.n_rows + 1).collect))
    except Exception as error:  # a cancelled job comes back as an error of Py4J or of Spark, whichever was waiting
        if over.is_set():
            raise InputError(
                f"The query took longer than {params.limit_seconds} s and was stopped. Add a WHERE or a LIMIT inside, or allow "
                "more."
            ) from error
        raise
    finally:
        timer.cancel()
        if over.is_set():
            timer.join()  # until the cores are free again, if need be by a new JVM: the next query must not meet the old one
    values = tuple(tuple(row) for row in found[: params.n_rows])
    return ConsoleResult(params, tuple(frame.columns), values, len(found) > params.n_rows, plan, seconds)


def steps(params: ConsoleParams) -> Steps:
    """Check, plan and run the query.

    Raises
    ------
    InputError
        No Spark to be had, Spark Connect (its parser is out of reach), or a query that is refused, wrong or too slow.
    """
    yield from session.begin("parser at hand to check that a query only reads")
    result: ConsoleResult = yield from session.act(partial(_answer, params=params), Progress(0.1, "Spark at work"))
    return result


def run(params: ConsoleParams) -> ConsoleResult:
    """Check, plan and run the query here and now."""
    result: ConsoleResult = run_to_end(steps(params))
    return result
