"""SQL console: dangerous statements are refused before they run, good ones give DuckDB's rows, mistakes are sentences."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from engine import data
from engine.errors import InputError
from engine.spark import console, session
from engine.spark.console import EXAMPLES, EXPLAINS, TABLES, ConsoleParams

DANGEROUS = [
    "DROP TABLE flights",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TABLE t AS SELECT * FROM flights",
    "INSERT INTO flights VALUES (1)",
    "WITH t AS (SELECT 1) INSERT INTO x SELECT * FROM t",
    "FROM flights INSERT OVERWRITE DIRECTORY '/tmp/x' SELECT *",
    "MERGE INTO flights a USING planes b ON true WHEN MATCHED THEN DELETE",
    "DELETE FROM flights",
    "UPDATE flights SET month = 1",
    "TRUNCATE TABLE flights",
    "ALTER VIEW flights RENAME TO f",
    "LOAD DATA INPATH 'x' INTO TABLE y",
    "SET spark.sql.ansi.enabled = false",
    "RESET",
    "USE default",
    "CACHE TABLE flights",
    "REFRESH TABLE flights",
    "ADD JAR x",
    "LIST JARS",
    "DECLARE v INT",
    "CALL x()",
    "EXECUTE IMMEDIATE 'DROP TABLE flights'",
    "BEGIN SELECT 1; END",
    "EXPLAIN DROP TABLE flights",
    "DESCRIBE EXTENDED flights",
    "DESCRIBE QUERY SELECT 1",
    "SELECT 1; DROP TABLE flights",
    "SELECT * FROM parquet.`/etc/passwd`",
    "EXPLAIN SELECT * FROM csv.`/etc/passwd`",
    "WITH a AS (SELECT * FROM text.`/etc/hosts`) SELECT * FROM a",
    "SELECT (SELECT count(*) FROM csv.`/etc/passwd`)",
    "SELECT * FROM flights WHERE EXISTS (SELECT 1 FROM json.`/x`)",
    "SELECT * FROM flights WHERE carrier IN (SELECT c FROM orc.`/x`)",
    "SELECT * FROM flights f JOIN LATERAL (SELECT * FROM avro.`/x`) t",
    "SELECT * FROM IDENTIFIER('parquet.' || '`/x`')",
    "SELECT reflect('java.lang.System', 'exit', '0')",
    "SELECT java_method('java.lang.System', 'exit', '0')",
    "SELECT try_reflect('java.lang.System', 'exit', '0')",
    "SELECT transform(array(1), x -> reflect('a', 'b'))",
    "VALUES (reflect('java.lang.System', 'currentTimeMillis'))",
    "SELECT max(month) OVER w FROM flights WINDOW w AS (PARTITION BY reflect('java.lang.System', 'currentTimeMillis'))",
    "SELECT month FROM flights ORDER BY java_method('java.lang.System', 'currentTimeMillis')",
    "SELECT TRANSFORM(carrier) USING 'cat' AS (b) FROM flights",
    "SELECT input_file_name() FROM flights",
    "SELECT repeat('x', 2000000000)",
    "SELECT explode(sequence(1, 1000000000))",
    "SELECT * FROM sql_keywords()",
]
GOOD = [
    *(EXAMPLES[name] for name in ("Busiest routes", "Join: delay by airline", "CTE: wind and delay")),
    "SELECT count(*) FROM flights",
    "VALUES (1), (2)",
    "SELECT (SELECT max(dep_delay) FROM flights) AS most, count(*) FROM planes WHERE seats > 300",
    "SELECT carrier FROM flights UNION SELECT carrier FROM airlines ORDER BY carrier",
    "SELECT origin, count(*) FILTER (WHERE dep_delay > 60) AS late FROM flights GROUP BY origin HAVING late > 0 ORDER BY late",
    "SELECT DISTINCT month FROM flights WHERE dest IN (SELECT faa FROM airports WHERE tz = -10) ORDER BY month",
    "SELECT name, rank() OVER w AS place FROM airlines WINDOW w AS (ORDER BY name) ORDER BY place LIMIT 5",
]


@pytest.fixture(scope="module")
def live() -> Any:
    made = session.classic("parser").newSession()
    console.register(made, TABLES)
    return made


@pytest.mark.parametrize("query", DANGEROUS)
def test_what_may_do_more_than_read_is_refused_before_it_runs(live: Any, query: str) -> None:
    with pytest.raises(InputError) as caught:
        kind, _ = console.check(live, query)
        assert kind == "query"
        console._look_again(live.sql(query))  # names resolved, nothing run
    assert "Traceback" not in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


def plain(value: Any) -> Any:
    return round(float(value), 6) if isinstance(value, float) or type(value).__name__ == "Decimal" else value


@pytest.mark.parametrize("query", GOOD)
def test_a_good_query_gives_the_rows_of_duckdb(query: str) -> None:
    oracle = duckdb.connect()
    for name in TABLES:
        oracle.execute(f"CREATE VIEW {name} AS SELECT * FROM '{data.path_of(name)}'")
    wanted = [tuple(map(plain, row)) for row in oracle.execute(query).fetchall()]
    result = console.run(ConsoleParams(query=query, n_rows=1_000))
    found = [tuple(map(plain, row)) for row in result.values]
    ordered = "ORDER BY" in query and "Busiest" not in query and "flights DESC" not in query  # ties have no order
    assert (found == wanted) if ordered else (sorted(found) == sorted(wanted))
    assert not result.more and f"{len(wanted):,} row" in result.verdict


def test_more_rows_than_asked_for_are_left_and_said() -> None:
    result = console.run(ConsoleParams(query="TABLE airlines", n_rows=3))
    assert len(result.values) == 3 and result.more and result.verdict.startswith("**The first 3 rows; there are more**")
    twice = console.run(ConsoleParams(query="SELECT 1 AS a, 2 AS a"))
    assert twice.rows() == {"a": [1], "a (2)": [2]}


def test_plans_in_every_mode_hide_the_servers_folder() -> None:
    marks = {"formatted": "(1) Scan", "extended": "== Analyzed Logical Plan ==", "cost": "sizeInBytes", "codegen": "Found"}
    for mode in EXPLAINS[1:]:
        plan = console.run(ConsoleParams(query="SELECT origin, count(*) FROM flights GROUP BY 1", explain=mode)).plan
        assert marks[mode] in plan and str(data.path_of("flights").parent) not in plan
    explained = console.run(ConsoleParams(query="EXPLAIN FORMATTED SELECT count(*) FROM flights"))
    assert "HashAggregate" in explained.plan and explained.verdict.endswith("nothing was run.") and not explained.columns
    shown = console.run(ConsoleParams(query="SHOW TABLES"))
    assert {row[1] for row in shown.values} == set(TABLES)
    assert console.run(ConsoleParams(query="DESCRIBE airlines")).values[0][0] == "carrier"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", "Line 1, column 1: Syntax error at or near 'SELEC'. Correct the query there and run it again."),
        ("SELECT month\nFROM flights\nGROUP BI month", "Line 3, column "),
        (EXAMPLES["A mistake"], "Line 1, column 8: A column, variable, or function parameter with name `carier` cannot be"),
        ("SELECT 1 / 0", "Line 1, column 8: Division by zero."),
        ("SELECT * FROM nothing", "Tables here are flights, weather, planes, airports, airlines. Got 'nothing'."),
        ("SELECT no_such(1)", "Line 1, column 8: "),
        (EXAMPLES["Refused"], "This console answers queries (SELECT, WITH, VALUES, TABLE)"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(query: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        console.run(ConsoleParams(query=query))
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_a_query_without_end_is_stopped_and_spark_goes_on() -> None:
    endless = "SELECT count(*) FROM flights a, flights b, range(1000) WHERE a.dep_delay * b.dep_delay > id"
    with pytest.raises(InputError, match="The query took longer than 2 s and was stopped"):
        console.run(ConsoleParams(query=endless, limit_seconds=2))
    assert console.run(ConsoleParams(query="SELECT count(*) FROM airlines")).values == ((16,),)
    assert not any(stage["numActiveTasks"] for stage in session.rest("stages")), "nothing of it holds a core"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"query": "  "}, "The query is empty. Write one, for example: SELECT count(*) FROM flights."),
        ({"query": "x" * 4_001}, "The query must have at most 4,000 characters. Got 4,001."),
        ({"explain": "twice"}, "explain must be one of result only, formatted"),
        ({"n_rows": 0}, "n_rows must be 1 … 1,000. Got 0."),
        ({"limit_seconds": 61}, "limit_seconds must be 1 … 60. Got 61."),
    ],
)
def test_each_setting_says_its_rule(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ConsoleParams(**setting)
    assert str(caught.value).startswith(message)
