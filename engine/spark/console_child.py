"""A visitor's own SQL on a closed DuckDB: ``python -m engine.spark.console_child SETTINGS``, one
process for one query.

The order is what closes it. The bundled tables are copied into memory; then DuckDB's own switches
go off and are locked; then the kernel gives this process no further file, socket or pipe
(``RLIMIT_NOFILE`` of zero). Only after that is the visitor's text looked at, by DuckDB's own
parser, and run in a read-only transaction.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from engine.processes import report

SWITCHES = (
    "python_enable_replacements = false",  # no variable of this process is a table
    "python_scan_all_frames = false",
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "allow_persistent_secrets = false",
    "secret_directory = ''",
    "temp_directory = ''",  # nothing is spilled to disk
    "max_temp_directory_size = '0B'",
    "TimeZone = 'UTC'",
    "errors_as_json = true",  # an error says where in the text it is
    "enable_external_access = false",  # no file, no network, no ATTACH, COPY, INSTALL or LOAD
    "lock_configuration = true",  # last: from here on no setting changes
)
ROOM_BYTES = 1_000_000_000  # of address space beyond what the tables take
MAX_COLUMNS = 200
MAX_CELL = 1_000  # characters
MAX_ANSWER = 2_000_000  # characters
MAX_PLAN = 50_000  # characters
ONE_QUERY = (
    "This console answers one query: SELECT, FROM, WITH, VALUES, TABLE, DESCRIBE, SHOW TABLES, or"
    " EXPLAIN of one. It changes nothing. Got {}."
)
CLOSED = (
    "A query here reads the tables {} and nothing else: files, other databases, settings and the"
    " network are closed. Use these tables."
)
TOO_LARGE = (
    "The query needs more memory than the {} MB that it may use, so it was stopped. Read fewer rows"
    " or columns, or make the values smaller."
)


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """What the visitor reads instead of rows."""


def closed(tables: dict[str, str], memory_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that holds the tables (name to Parquet file) in memory and can reach nothing
    else any more.
    """
    base = duckdb.connect(":memory:")
    base.execute("SET enable_external_file_cache = false")  # it would remember the files' names
    for name, path in tables.items():
        base.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet(?)", [path])
    # What turns values into Python's imports modules at first use, which is a file: so once before
    # that is closed.
    base.execute(
        "SELECT now(), 1.5, DATE '2013-01-01', INTERVAL 1 DAY, uuid(), [1], {'a': 1}, MAP {'a': 1}"
    ).fetchall()
    for switch in (f"memory_limit = '{memory_mb}MB'", f"threads = {threads}", *SWITCHES):
        base.execute(f"SET {switch}")
    base.execute("BEGIN TRANSACTION READ ONLY")
    return base


def limit(cpu_seconds: int) -> None:
    """Let the kernel refuse this process any further file, and memory and time beyond its share."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(
        resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds)
    )  # should nobody be left who kills it


def limit_memory() -> None:
    """Let the kernel refuse memory beyond ``ROOM_BYTES``; elsewhere than on Linux the parent's
    watch alone does it.
    """
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + ROOM_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def json_value(value: Any) -> Any:
    """Return a value as JSON can carry it: numbers and truth values exactly, all else as text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 2**63:
        return value
    if isinstance(value, Decimal) and Decimal(repr(float(value))) == value:
        return float(value)
    text = str(value)
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}… ({len(text):,} characters)"


def answer(base: duckdb.DuckDBPyConnection, text: str, n_rows: int) -> dict[str, Any]:
    """Return the first rows of the query in ``text``, and its plan.

    Raises
    ------
    Refused
        ``text`` is not exactly one query.
    """
    statements = base.extract_statements(text)
    if len(statements) != 1:
        raise Refused(ONE_QUERY.format(f"{len(statements)} statements"))
    kind = statements[0].type
    if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        many = kind == duckdb.StatementType.MULTI
        raise Refused(
            ONE_QUERY.format(
                "a statement that DuckDB runs as several" if many else kind.name.replace("_", " ")
            )
        )
    began = time.perf_counter()
    found = base.execute(statements[0])
    columns = [json_value(column[0]) for column in found.description]
    if len(columns) > MAX_COLUMNS:
        raise Refused(
            f"The answer must have at most {MAX_COLUMNS} columns. Got {len(columns):,}. Name those"
            " that you need."
        )
    if kind == duckdb.StatementType.EXPLAIN:
        plan = "\n".join(str(row[-1]) for row in found.fetchall())[:MAX_PLAN]
        return {
            "columns": [],
            "values": [],
            "more": False,
            "plan": plan,
            "seconds": time.perf_counter() - began,
        }
    values: list[list[Any]] = []
    size, row = 0, found.fetchone()
    while row is not None and len(values) < n_rows and size < MAX_ANSWER:
        values.append([json_value(value) for value in row])
        size += sum(len(str(value)) for value in values[-1])
        row = found.fetchone()
    seconds = time.perf_counter() - began
    return {
        "columns": columns,
        "values": values,
        "more": row is not None,
        "plan": plan_of(base, text),
        "seconds": seconds,
    }


def plan_of(base: duckdb.DuckDBPyConnection, text: str) -> str:
    """Return DuckDB's plan of a query, "" of what it does not explain (DESCRIBE, SHOW)."""
    try:
        rows = base.execute(f"EXPLAIN {text}").fetchall()
    except duckdb.Error:
        return ""
    return "\n".join(str(row[-1]) for row in rows)[:MAX_PLAN]


def sentence(error: Exception, text: str, tables: list[str], memory_mb: int) -> str:
    """Return what an error of DuckDB means for the visitor, with its place in ``text``; never
    DuckDB's own advice to SET.
    """
    known = ", ".join(tables)
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return TOO_LARGE.format(memory_mb)
    if isinstance(error, duckdb.PermissionException):
        return CLOSED.format(known)
    found = re.search(r"\{.*\}", str(error), re.DOTALL)
    said = json.loads(found[0]) if found else {"exception_message": str(error)}
    message = str(said["exception_message"])
    if "configuration has been locked" in message:
        return CLOSED.format(known)
    if "read-only mode" in message:
        return ONE_QUERY.format("a statement that writes")
    if said.get("type") == "Table" and said.get("error_subtype") == "MISSING_ENTRY":
        message = f"Tables here are {known}. Got '{said.get('name')}'"
    first = (
        re.sub(r"\. (Use|You might|Please|Try) .*", "", message.split("\n")[0])
        .replace('"', "'")
        .rstrip(" .!")
    )
    if said.get("error_subtype") == "COLUMN_NOT_FOUND" and said.get("candidates"):
        first += f". Did you mean {', '.join(str(said['candidates']).split(',')[:3])}?"
    where, there = "", ""
    if "position" in said:
        before = text.encode()[: int(said["position"])].decode(errors="ignore")
        where = f"Line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}: "
        there = " there"
    end = "" if first.endswith("?") else "."
    return (
        f"{where}{first[:1].upper()}{first[1:300]}{end} Correct the query{there} and run it again."
    )


def tell(
    base: duckdb.DuckDBPyConnection, text: str, n_rows: int, tables: list[str], memory_mb: int
) -> None:
    """Print the answer to the query in ``text``, or why there is none."""
    try:
        report(result=answer(base, text, n_rows))
    except Refused as error:
        report(error=str(error))
    except (duckdb.Error, MemoryError) as error:
        report(error=sentence(error, text, tables, memory_mb))


def main(settings: dict[str, Any]) -> None:
    """Answer the query of ``settings``."""
    tables, memory_mb = settings["tables"], settings["memory_mb"]
    base = closed(tables, memory_mb, settings["threads"])
    limit_memory()
    limit(settings["cpu_seconds"])
    report(share=0.5)  # from here on the query's own time is counted
    tell(base, settings["query"], settings["n_rows"], list(tables), memory_mb)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
