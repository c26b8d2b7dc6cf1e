"""A visitor's own SQL on a closed DuckDB.

A visitor's own text goes to no Spark: Spark has no switch that closes it. Its SQL names files
(``text.`/a/path```), calls any Java method (``reflect``), runs some of that while it only plans,
and has further names for each; a list of what to refuse was circumvented. DuckDB has such switches:
external access off, configuration locked, in a process of its own to which the kernel gives no
further file (``console_child``). So what a query can reach does not depend on what it says.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from engine import data, hosted, processes
from engine.errors import InputError, require
from engine.jobs import Progress, Steps, to_end
from engine.ranges import Params, Range
from engine.spark.sql.queries import MAX_ROWS, NAMES, QUERIES, ROWS
from engine.units import format_seconds

TABLES = data.TABLES
MAX_TEXT = 4_000
WHY_DUCKDB = (
    "Your own SQL runs on DuckDB, not on Spark: DuckDB can be closed, so that a query reads"
    f" {', '.join(TABLES)} and nothing else; Spark's SQL can also read files and call Java, and no"
    " setting forbids it."
)
CHILD = "engine.spark.console_child"
CHILD_MEMORY_MB = 500  # of DuckDB for one query; the tables are part of it
WATCHED_BYTES = 1_500_000_000  # resident, of the whole child: what DuckDB does not count itself
START_SECONDS = 30.0  # of the child, before the query's own time; a busy machine takes seconds
WATCH_SECONDS = 0.1
MAX_SECONDS = 60
MAX_LINE = 20_000_000  # characters of the child's answer
TOO_SLOW = (
    "The query took longer than {} s and was stopped. Add a WHERE or a LIMIT inside, or allow more."
)
TOO_LARGE = (
    "The query held too much memory and was stopped. Read fewer rows or columns, or make the values"
    " smaller."
)
NO_ANSWER = "DuckDB ended without an answer to this query. Write it another way, or ask for less."
TOLERANCE = 1e-9  # relative, between fractions of the two engines: they add in another order


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnParams(Params):
    """A visitor's query and its limits."""

    experiment: ClassVar[str] = "sql"
    query: str = QUERIES[NAMES[0]]
    n_rows: Annotated[int, Range(1, MAX_ROWS, options=ROWS)] = 20  # shown
    limit_seconds: Annotated[int, Range(1, MAX_SECONDS)] = 20  # then the query is stopped

    def check_together(self) -> None:
        """Raise ``InputError`` unless the query is a text that DuckDB's process can be given."""
        require(
            bool(self.query.strip()),
            "The query is empty. Write one, for example: SELECT count(*) FROM flights.",
        )
        n = len(self.query)
        require(
            n <= MAX_TEXT, "The query must have at most {:,} characters. Got {:,}.", MAX_TEXT, n
        )
        whole = self.query.isascii() or not any(
            "\ud800" <= letter <= "\udfff" for letter in self.query
        )
        require(
            whole and "\0" not in self.query,
            "The query must be text. Got a character that is none: type it again.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The rows of a query, and the plan of the engine that ran it."""

    columns: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    more: bool  # there are rows beyond the limit
    plan: str  # "" where there is none
    seconds: float

    def rows(self) -> dict[str, list[Any]]:
        """Return the values by column; a name that comes twice is numbered."""
        names = [
            name if name not in self.columns[:i] else f"{name} ({i + 1})"
            for i, name in enumerate(self.columns)
        ]
        return {name: [row[i] for row in self.values] for i, name in enumerate(names)}

    def describe(self, engine: str) -> str:
        """Return what came back, as the beginning of a sentence."""
        n = len(self.values)
        rows = f"{'The first ' * self.more}{n:,} row{'' if n == 1 else 's'}"
        took = f"{format_seconds(self.seconds)} (one run)"
        return f"**{rows}** from {engine} in {took}{'; there are more' * self.more}."


@dataclass(frozen=True, slots=True, eq=False)
class OwnResult:
    """What DuckDB answers to a visitor's query."""

    params: OwnParams
    answer: Answer

    @property
    def verdict(self) -> str:
        """What came back, in one sentence."""
        if not self.answer.columns:
            return f"DuckDB's plan, made in {format_seconds(self.answer.seconds)}."
        return self.answer.describe("DuckDB")


def same_rows(left: tuple[tuple[Any, ...], ...], right: tuple[tuple[Any, ...], ...]) -> bool:
    """Whether two answers have equal rows in the same order: exactly, except for fractions, which
    may differ by ``TOLERANCE``.
    """

    def same(one: Any, other: Any) -> bool:
        if isinstance(one, float) and isinstance(other, float):
            return math.isclose(one, other, rel_tol=TOLERANCE)
        return bool(one == other)

    return len(left) == len(right) and all(
        len(one) == len(other) and all(map(same, one, other))
        for one, other in zip(left, right, strict=True)
    )


def on_duckdb(query: str, n_rows: int, limit_seconds: int) -> Steps:
    """Run a query in a child that can reach nothing but the bundled tables, and return its
    ``Answer``.

    The child gets no environment of this process. It is killed when its time is over, when it holds
    more memory than ``WATCHED_BYTES``, and when the job is cancelled.

    Raises
    ------
    InputError
        What the child says of the query; a query that is too slow or too large.
    """
    settings = {
        "query": query,
        "n_rows": n_rows,
        "tables": {name: str(data.path_of(name)) for name in TABLES},
        "memory_mb": CHILD_MEMORY_MB,
        "threads": min(2, os.cpu_count() or 1),
        "cpu_seconds": 2 * (limit_seconds + int(START_SECONDS)),
    }
    began: list[float] = []  # once the child is on the query
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        child = processes.start(
            CHILD, json.dumps(settings), environment={"PATH": os.defpath}, errors=nowhere
        )
    starts = time.monotonic()
    with ThreadPoolExecutor(1) as listener:
        heard = listener.submit(_listen, child, began)
        try:
            while not wait([heard], WATCH_SECONDS).done:
                over = began[0] if began else starts + START_SECONDS
                if time.monotonic() > over + limit_seconds:
                    raise InputError(TOO_SLOW.format(limit_seconds))
                if processes.resident_bytes(child.pid) > WATCHED_BYTES:
                    raise InputError(TOO_LARGE)
                yield Progress(0.5, "DuckDB at work")
        finally:
            processes.kill_group(
                child
            )  # before the listener is waited for, who listens until it has ended
    return _read(heard.result())


def _listen(child: subprocess.Popen[str], began: list[float]) -> str:
    """Return the line with the child's answer, "" if it ended without one; note when it began on
    the query.
    """
    last = ""
    while child.stdout is not None and (line := child.stdout.readline(MAX_LINE)):
        if line.startswith('{"share"'):
            began.append(time.monotonic())
        else:
            last = line
    return last


def _read(line: str) -> Answer:
    """Return the answer that a child's line carries; raise its error instead."""
    try:
        message = json.loads(line)
    except ValueError as error:
        raise InputError(NO_ANSWER) from error
    if "error" in message:
        raise InputError(message["error"])
    found = message["result"]
    return Answer(
        tuple(found["columns"]),
        tuple(map(tuple, found["values"])),
        found["more"],
        found["plan"],
        found["seconds"],
    )


def own_steps(params: OwnParams) -> Steps:
    """Run a visitor's query on DuckDB.

    Raises
    ------
    InputError
        A query that is refused, wrong, too slow or too large; any query on a shared server.
    """
    hosted.refuse("sql")
    answer = yield from on_duckdb(params.query, params.n_rows, params.limit_seconds)
    return OwnResult(params, answer)


run_own: Callable[[OwnParams], OwnResult] = to_end(own_steps)
