"""SQL console: own SQL reaches the five tables and nothing else, whatever it says; fixed queries
agree in both engines.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psutil
import pyarrow.compute as pc
import pytest

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.jobs import run_to_end
from engine.spark import sql
from engine.spark.sql import EXPLAINS, SqlParams, SqlResult, console
from engine.spark.sql.console import TABLES, OwnParams
from engine.spark.sql.queries import CLAUSES, NAMES
from tests.engine.printed import run_script

CANARY = "canary-5e0c91"
# {p}: a path that exists and must never be read; {o}: one that must never be made.
SPARK_SQL = [  # what got round the list of names that guarded Spark, and its kin
    "WITH `text.{p}` AS (SELECT 1) SELECT * FROM text.`{p}`",
    'WITH "text.{p}" AS (SELECT 1) SELECT * FROM text."{p}"',
    "WITH `csv.{p}` AS (SELECT 1) SELECT * FROM csv.`{p}`",
    "WITH `binaryFile.{p}` AS (SELECT 1) SELECT * FROM binaryFile.`{p}`",
    "EXPLAIN SELECT IDENTIFIER('java_method')('java.lang.System', 'setProperty', 'a', '{o}')",
    "SELECT IDENTIFIER('reflect')('java.lang.System', 'getProperty', 'user.dir')",
    "SELECT IDENTIFIER('re' || 'flect')('java.lang.System', 'getenv', 'HOME')",
    "SELECT * FROM IDENTIFIER('text.' || '`{p}`')",
    "SELECT reflect('java.lang.System', 'getProperty', 'user.dir')",
    "EXPLAIN SELECT try_reflect('java.lang.System', 'exit', '0')",
    "SELECT java_method('java.lang.Runtime', 'getRuntime')",
    "SELECT transform(array(1), x -> reflect('a', 'b'))",
    "SELECT TRANSFORM(carrier) USING 'touch {o}' AS (b) FROM flights",
    "SELECT /*+ BROADCAST(`text.{p}`) */ * FROM text.`{p}`",
    "FROM text.`{p}` SELECT *",
    "FROM flights INSERT OVERWRITE DIRECTORY '{o}' SELECT *",
    "TABLE text.`{p}`",
    "SELECT input_file_name() FROM flights",
    "SELECT * FROM python_worker_logs()",
    "CREATE TEMPORARY VIEW v USING text OPTIONS (path '{p}')",
    "EXECUTE IMMEDIATE 'SELECT * FROM text.`{p}`'",
]
FILES = [  # DuckDB's own ways out
    "SELECT * FROM '{p}'",
    'SELECT * FROM "{p}"',
    "FROM '{p}'",
    "TABLE '{p}'",
    "SELECT /* a comment */ * FROM -- another\n '{p}'",
    "SELECT (SELECT string_agg(content, '') FROM read_text('{p}'))",
    "SELECT * FROM flights WHERE EXISTS (FROM read_text('{p}') WHERE content LIKE 'canary%')",
    "WITH a AS MATERIALIZED (FROM read_blob('{p}')) FROM a",
    "FROM read_csv('{p}', header = false)",
    "FROM read_csv(['{p}'], header = false)",
    "FROM read_json_auto('{p}')",
    "FROM read_ndjson_objects('{p}')",
    "FROM sniff_csv('{p}')",
    "FROM glob('{d}/*')",
    "FROM parquet_schema('{t}')",
    "FROM parquet_kv_metadata('{t}')",
    "FROM '{t}'",
    "FROM query('SELECT * FROM read_text(''{p}'')')",
    "FROM query_table('{p}')",
    "FROM query_table(['flights', '{p}'])",
    "FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{p}'')'))",
    "FROM read_duckdb('{p}')",
    "EXPLAIN SELECT * FROM read_text('{p}')",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{p}')",
    "EXPLAIN ANALYZE COPY flights TO '{o}'",
    "EXPLAIN ANALYZE ATTACH '{o}'",
    "SELECT getenv('PATH')",
    "SELECT * FROM 'http://127.0.0.1:1/x.parquet'",
    "FROM 's3://bucket/x.parquet'",
    "COPY flights TO '{o}'",
    "COPY (FROM flights) TO '{o}' (FORMAT parquet)",
    "COPY airlines FROM '{p}'",
    "EXPORT DATABASE '{o}'",
    "IMPORT DATABASE '{d}'",
    "ATTACH '{o}' AS x",
    "ATTACH ':memory:' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{p}'",
    "CREATE SECRET (TYPE s3, KEY_ID 'a')",
    "SET enable_external_access = true",
    "SET allowed_paths = ['{p}']",
    "SET VARIABLE a = 1",
    "RESET lock_configuration",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL enable_logging(storage = 'file', storage_config = {{'path': '{o}'}})",
    "FROM enable_logging(storage = 'file', storage_config = {{'path': '{o}'}})",
    "FROM enable_profiling(format = 'json', save_location = '{o}')",
    "FROM pandas_scan()",
    "FROM arrow_scan(1, 2, 3)",
    "FROM python_map_function((SELECT 1))",
    "SELECT * FROM settings",
    "SELECT * FROM data",
]
WRITES = [
    "DROP TABLE flights",
    "CREATE VIEW v AS SELECT 1",
    "CREATE MACRO f() AS TABLE FROM read_text('{p}')",
    "INSERT INTO airlines VALUES ('x', 'y')",
    "WITH t AS (INSERT INTO airlines VALUES ('x', 'y') RETURNING *) FROM t",
    "DELETE FROM flights",
    "UPDATE flights SET month = 1",
    "EXPLAIN ANALYZE DELETE FROM flights",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "BEGIN",
    "COMMIT",
    "VACUUM",
    "CHECKPOINT",
    "USE system",
    "SELECT 1; DROP TABLE flights",
    "SELECT 1; ; SELECT 2",
    ";",
    "-- nothing",
    "PIVOT flights ON origin USING count(*)",
]


HARMLESS = [
    "WITH \"{p}\" AS (SELECT 1) SELECT * FROM '{p}'",
    'WITH "{p}" AS (SELECT 1) FROM "{p}"',
    'SELECT * FROM (SELECT 1) AS "{p}"',
    'WITH "read_text" AS (SELECT 1) TABLE "read_text"',
]
SYSTEM = [
    "FROM duckdb_settings()",
    "FROM pg_catalog.pg_settings",
    (
        "SELECT current_setting('temp_directory'), current_setting('secret_directory'),"
        " current_setting('home_directory')"
    ),
    "FROM duckdb_secrets()",
    "FROM duckdb_databases()",
    "FROM pragma_database_list()",
    "FROM duckdb_external_file_cache()",
    "FROM duckdb_temporary_files()",
    "FROM duckdb_logs()",
    "FROM duckdb_variables()",
    "SELECT sql FROM duckdb_tables()",
    "FROM duckdb_extensions()",
    "FROM duckdb_extension_repositories()",
    "FROM information_schema.tables",
    "SHOW ALL TABLES",
    "FROM pragma_version()",
    "FROM which_secret('s3://x', 's3')",
    "EXPLAIN ANALYZE SELECT count(*) FROM flights",
    "SELECT error('/etc')",
]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "canary.csv").write_text(f"{CANARY}\n", encoding="utf-8")
    return {
        "p": str(folder / "canary.csv"),
        "o": str(folder / "made"),
        "d": str(folder),
        "t": str(data.path_of("airlines")),
    }


def each_alone(queries: list[str]) -> dict[str, dict[str, Any]]:
    """What the child would print for each query: one closed DuckDB answers them in turn, for a
    process each takes minutes.
    """
    child = (
        "import json, sys\n"
        "from engine.processes import report\n"
        "from engine.spark import console_child as child\n"
        "tables, queries = json.loads(sys.argv[1])\n"
        "base = child.closed(tables, 500, 2)\n"
        "child.limit_memory()\n"
        "child.limit(600)\n"
        "for query in queries:\n"
        "    child.tell(base, query, 1000, list(tables), 500)\n"
        "    base.rollback()\n"
        "    base.execute('BEGIN TRANSACTION READ ONLY')\n"
    )
    tables = {name: str(data.path_of(name)) for name in TABLES}
    out = subprocess.run(
        [sys.executable, "-c", child, json.dumps([tables, queries])],
        cwd=workspace.REPOSITORY,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=300,
    )
    answers = [json.loads(line) for line in out.stdout.splitlines()]
    return dict(zip(queries, answers, strict=True))


@pytest.fixture(scope="module")
def answers(places: dict[str, str]) -> dict[str, dict[str, Any]]:
    return each_alone(
        [query.format(**places) for query in (*SPARK_SQL, *FILES, *WRITES, *HARMLESS)] + SYSTEM
    )


@pytest.mark.parametrize("query", [*SPARK_SQL, *FILES, *WRITES])
def test_nothing_but_the_tables_can_be_reached(
    query: str, places: dict[str, str], answers: dict[str, dict[str, Any]]
) -> None:
    answer = answers[query.format(**places)]
    assert list(answer) == ["error"]
    said = answer["error"]
    assert CANARY not in said and "Traceback" not in said and "\n" not in said and len(said) < 500
    assert [path.name for path in Path(places["d"]).iterdir()] == ["canary.csv"]


@pytest.mark.parametrize("query", HARMLESS)
def test_a_name_that_looks_like_a_path_is_a_name(
    query: str, places: dict[str, str], answers: dict[str, dict[str, Any]]
) -> None:
    answer = answers[query.format(**places)]
    assert answer["result"]["values"] == [[1]] and CANARY not in str(answer)


@pytest.mark.parametrize(
    "query", [SPARK_SQL[0], SPARK_SQL[5], FILES[0], FILES[8], "COPY flights TO '{o}'", WRITES[4]]
)
def test_nothing_but_the_tables_can_be_reached_from_the_page(
    query: str, places: dict[str, str]
) -> None:
    with pytest.raises(InputError) as caught:
        console.run_own(OwnParams(query=query.format(**places)))
    assert CANARY not in str(caught.value) and str(caught.value) != console.NO_ANSWER
    assert [path.name for path in Path(places["d"]).iterdir()] == ["canary.csv"]


def test_the_canary_can_be_read_where_nothing_is_closed(places: dict[str, str]) -> None:
    """So the tests above can fail: the same DuckDB, its switches left alone, shows the file."""
    for query in ("FROM '{p}'", "FROM read_text('{p}')", FILES[8]):
        found = duckdb.connect().execute(query.format(**places))
        assert CANARY in str([found.description, found.fetchall()])


@pytest.mark.parametrize("query", SYSTEM)
def test_what_duckdb_says_of_itself_names_no_place_of_this_server(
    query: str, answers: dict[str, dict[str, Any]]
) -> None:
    seen = json.dumps(answers[query])
    for place in (workspace.REPOSITORY, workspace.root(), Path.home(), Path(sys.prefix)):
        assert str(place) not in seen
    assert ".parquet'" not in seen


def test_the_child_sees_no_variable_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "a-secret")
    steps = console.own_steps(OwnParams(query="SELECT sleep_ms(20000)"))
    next(steps)
    child = next(one for one in psutil.Process().children() if console.CHILD in one.cmdline())
    for _ in range(100):
        if child.status() == psutil.STATUS_ZOMBIE or set(child.environ()):
            break
        time.sleep(0.05)
    assert set(child.environ()) == {"PATH", "OMP_NUM_THREADS", "PYTHONPATH", "TMPDIR"}
    steps.close()
    assert not child.is_running(), "a cancel ends the child"


LIMITS = [
    ("SELECT repeat('x', 1000000000)", console.OwnParams().limit_seconds, r"memory|took longer"),
    ("SELECT list(a.tailnum) FROM flights a, flights b", 20, "memory"),
    ("SELECT * FROM flights a, flights b ORDER BY a.dep_delay * b.dep_delay", 20, "memory"),
    ("SELECT string_agg(repeat('x', 10000)) FROM flights", 20, "memory"),
    ("SELECT printf('%1000000000d', 1)", 20, "memory"),
    ("SELECT range(1000000000)", 20, "memory"),
    (
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        2,
        "took longer than 2 s",
    ),
    (
        (
            "SELECT count(*) FROM flights a, flights b, range(1000) r WHERE a.dep_delay *"
            " b.dep_delay > r.range"
        ),
        2,
        "longer than 2 s",
    ),
    ("SELECT sum(range) FROM range(1000000000000)", 2, "took longer than 2 s"),
    ("SELECT sleep_ms(60000)", 1, "took longer than 1 s"),
    (
        "SELECT COLUMNS(*), " + ", ".join(["*"] * 12) + " FROM flights",
        20,
        "at most 200 columns. Got 247",
    ),
    ("SELECT " + "(" * 1_900 + "1" + ")" * 1_900, 20, "Max expression depth"),
]


@pytest.mark.parametrize(("query", "seconds", "said"), LIMITS)
def test_a_query_that_asks_for_too_much_is_stopped_with_a_sentence(
    query: str, seconds: int, said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        console.run_own(OwnParams(query=query, limit_seconds=seconds))
    assert "\n" not in str(caught.value)
    assert not [
        one
        for one in psutil.Process().children()
        if one.is_running() and console.CHILD in one.cmdline()
    ]


def test_large_answers_are_cut() -> None:
    cell = console.run_own(
        OwnParams(query="SELECT repeat('x', 20000000) AS a, 'é' AS b")
    ).answer.values[0]
    assert cell == ("x" * 1_000 + "… (20,000,000 characters)", "é")
    many = console.run_own(
        OwnParams(query="SELECT * FROM range(1000000000000)", n_rows=1_000)
    ).answer
    assert many.values == tuple((n,) for n in range(1_000)) and many.more
    wide = "SELECT " + ", ".join(f"repeat('x', 500) AS c{i}" for i in range(90)) + " FROM flights"
    answer = console.run_own(OwnParams(query=wide, n_rows=1_000)).answer
    assert answer.more and 40 < len(answer.values) < 50, "two million characters in all"


def frame(name: str) -> pd.DataFrame:
    return data.load(name).to_pandas()


def late_by_carrier() -> list[tuple[Any, ...]]:
    flights = frame("flights").merge(frame("airlines"), on="carrier")
    found = flights[flights.dep_delay > 60].groupby("name").size().sort_index()
    return [(name, int(n)) for name, n in found.items()]


def worst_day() -> list[tuple[Any, ...]]:
    mean = frame("flights").groupby(["month", "day"]).dep_delay.mean()
    month, day = mean.idxmax()
    return [(int(month), int(day), float(mean.max()))]


def honolulu() -> list[tuple[Any, ...]]:
    flights = data.load("flights")
    kept = flights.filter(pc.equal(flights["dest"], "HNL"))
    return [(kept.num_rows, pc.sum(kept["distance"]).as_py())]


HONEST = [
    (
        (
            "SELECT name, count(*) FROM flights JOIN airlines USING (carrier) WHERE dep_delay > 60"
            " GROUP BY name ORDER BY name"
        ),
        late_by_carrier,
    ),
    (
        (
            "SELECT month, day, avg(dep_delay) AS late FROM flights GROUP BY month, day ORDER BY"
            " late DESC LIMIT 1"
        ),
        worst_day,
    ),
    (
        "WITH far AS (FROM flights WHERE dest = 'HNL') SELECT count(*), sum(distance) FROM far",
        honolulu,
    ),
    (
        "TABLE airlines ORDER BY carrier",
        lambda: list(frame("airlines").sort_values("carrier").itertuples(index=False, name=None)),
    ),
    ("VALUES (1, 'a''b'), (2, NULL)", lambda: [(1, "a'b"), (2, None)]),
    (
        "SELECT 0.1 + 0.2, 2::HUGEINT ** 3, true, 1e400 > 1, DATE '2013-01-02'",
        lambda: [(0.3, 8.0, True, True, "2013-01-02")],
    ),
    (
        "SELECT 170141183460469231731687303715884105727",
        lambda: [("170141183460469231731687303715884105727",)],
    ),
    ("SELECT 'SELECT 1; DROP TABLE flights' -- ;", lambda: [("SELECT 1; DROP TABLE flights",)]),
    ("FROM flights SELECT min(time_hour)", lambda: [("2013-01-01 10:00:00+00:00",)]),
    (
        "SELECT count(DISTINCT tailnum) FROM flights;",
        lambda: [(frame("flights").tailnum.nunique(),)],
    ),
]


@pytest.mark.parametrize(("query", "oracle"), HONEST, ids=range(len(HONEST)))
def test_an_honest_query_gives_the_right_rows(query: str, oracle: Any) -> None:
    result = console.run_own(OwnParams(query=query, n_rows=1_000))
    wanted = tuple(tuple(row) for row in oracle())
    assert console.same_rows(result.answer.values, wanted) and not result.answer.more
    assert f"{len(wanted):,} row" in result.verdict and "from DuckDB" in result.verdict
    assert result.answer.plan


def test_rows_and_columns_are_named_and_counted() -> None:
    result = console.run_own(OwnParams(query="TABLE airlines", n_rows=3))
    assert len(result.answer.values) == 3 and result.answer.more
    assert result.verdict.startswith("**The first 3 rows** from DuckDB")
    assert console.run_own(OwnParams(query="SELECT 1 AS a, 2 AS a")).answer.rows() == {
        "a": [1],
        "a (2)": [2],
    }
    explained = console.run_own(
        OwnParams(query="EXPLAIN SELECT count(*) FROM flights WHERE month = 1")
    )
    assert "Filter" in explained.answer.plan or "month" in explained.answer.plan
    assert explained.verdict.startswith("DuckDB's plan") and not explained.answer.columns
    assert "carrier" in str(console.run_own(OwnParams(query="DESCRIBE airlines")).answer.values)
    assert {row[0] for row in console.run_own(OwnParams(query="SHOW TABLES")).answer.values} == set(
        TABLES
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELEC 1",
            (
                "Line 1, column 1: Syntax error at or near 'SELEC'. Correct the query there and run"
                " it again."
            ),
        ),
        (
            "SELECT month\nFROM flights\nGROUP BI month",
            "Line 3, column 7: Syntax error at or near 'BI'.",
        ),
        (
            "SELECT carier FROM flights",
            (
                "Line 1, column 8: Referenced column 'carier' not found in FROM clause. Did you"
                " mean carrier"
            ),
        ),
        ("SELECT 'äö', carier\nFROM flights", "Line 1, column 14: Referenced column 'carier'"),
        (
            "SELECT 1 % 0",
            "Division by zero in expression (1 % 0). Correct the query and run it again.",
        ),
        (
            "SELECT *\nFROM nothing",
            (
                "Line 2, column 6: Tables here are flights, weather, planes, airports, airlines."
                " Got 'nothing'."
            ),
        ),
        (
            "SELECT no_such(1)",
            "Line 1, column 8: Scalar Function with name no_such does not exist.",
        ),
        (
            "SELECT sum(dest) FROM flights",
            (
                "Line 1, column 8: No function matches the given name and argument types"
                " 'sum(VARCHAR)'."
            ),
        ),
        (
            "SELECT $1",
            (
                "Values were not provided for the following parameters: 1. Correct the query and"
                " run it again."
            ),
        ),
        (
            "DROP TABLE flights",
            "This console answers one query: SELECT, FROM, WITH, VALUES, TABLE, DESCRIBE",
        ),
        (
            "FROM '/etc/x.csv'",
            (
                "A query here reads the tables flights, weather, planes, airports, airlines and"
                " nothing else"
            ),
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(query: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        console.run_own(OwnParams(query=query))
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
    assert not re.search(r"\bSET\b", str(caught.value)), "no advice that cannot be followed"


def spark_rows(name: str) -> Iterator[tuple[Any, ...]]:
    """The same answer by pandas alone."""
    flights = frame("flights")
    if name == "Busiest routes":
        found = (
            flights.groupby(["origin", "dest"])
            .agg(n=("month", "size"), late=("arr_delay", "mean"))
            .reset_index()
        )
        found = found.sort_values(["n", "origin", "dest"], ascending=[False, True, True])
    elif name == "Join: delay by airline":
        joined = flights.merge(frame("airlines"), on="carrier")
        found = (
            joined.groupby("name")
            .agg(n=("month", "size"), late=("dep_delay", "mean"))
            .reset_index()
        )
        found = found.assign(late=found.late.round(1)).sort_values(
            ["late", "name"], ascending=[False, True]
        )
    elif name == "CTE: wind and delay":
        weather = frame("weather")
        windy = weather[weather.wind_speed.between(25, 100)][["origin", "time_hour"]]
        joined = flights.merge(windy, on=["origin", "time_hour"])
        found = (
            joined.groupby("origin")
            .agg(n=("month", "size"), late=("dep_delay", "mean"))
            .reset_index()
        )
    else:
        mean = flights.groupby(["origin", "hour"]).dep_delay.mean().rename("late").reset_index()
        found = mean.loc[mean.groupby("origin").late.idxmax()]
    return found.itertuples(index=False, name=None)


@pytest.mark.parametrize("name", NAMES)
def test_spark_and_duckdb_and_pandas_agree_on_each_fixed_query(name: str) -> None:
    result = sql.run(SqlParams(name=name, n_rows=1_000))
    wanted = list(spark_rows(name))
    # what the clauses say before the run is what the plan then has
    assert result.n_exchanges == sum(moves for _, moves in CLAUSES[name])
    assert result.same and result.n_rows == len(wanted) == len(result.answer.values)
    assert f"the same {len(wanted):,} rows in the same order" in result.verdict
    for row, other in zip(result.answer.values, wanted, strict=True):
        assert row[:-1] == other[:-1] and (
            row[-1] is None or row[-1] == pytest.approx(other[-1], abs=0.0501)
        )


def test_the_script_prints_the_numbers_of_its_run() -> None:
    params = SqlParams(name="Join: delay by airline")
    assert run_script(scripts.render(params)) == sql.run(params).headline()


def test_answers_that_differ_are_said_to_differ() -> None:
    assert console.same_rows(((1, 0.1 + 0.2, None),), ((1, 0.3, None),))
    for other in (((1, 0.3001, None),), ((2, 0.3, None),), ((1, 0.3, 0.0),), (), ((1, 0.3),)):
        assert not console.same_rows(((1, 0.3, None),), other)
    result = SqlResult(SqlParams(), console.Answer((), (), False, "", 1.0), 4, False)
    assert "**other rows**" in result.verdict


def test_plans_in_every_mode_hide_the_servers_folder() -> None:
    marks = {
        "formatted": "(1) Scan",
        "extended": "== Analyzed Logical Plan ==",
        "cost": "sizeInBytes",
        "codegen": "Found",
    }
    for mode in EXPLAINS:
        plan = sql.run(SqlParams(explain=mode)).answer.plan
        assert (
            marks.get(mode, "") in plan
            and bool(plan) == (mode in marks)
            and str(data.DATASETS) not in plan
        )


def test_a_visitors_text_reaches_no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when there is none to be had."""
    monkeypatch.setenv("PLAYGROUND_SPARK_MASTER", "nonsense")
    monkeypatch.setattr(sql.session.ENGINE, "session", lambda: pytest.fail("Spark was asked"))
    result = run_to_end(console.own_steps(OwnParams(query="SELECT count(*) FROM airlines")))
    assert result.answer.values == ((16,),)
    assert {field.name for field in fields(SqlParams)} == {"name", "explain", "n_rows"}


@pytest.mark.parametrize(
    ("make", "setting", "message"),
    [
        (
            OwnParams,
            {"query": "  "},
            "The query is empty. Write one, for example: SELECT count(*) FROM flights.",
        ),
        (
            OwnParams,
            {"query": "x" * 4_001},
            "The query must have at most 4,000 characters. Got 4,001.",
        ),
        (OwnParams, {"query": "SELECT '\0'"}, "The query must be text."),
        (OwnParams, {"query": "SELECT '\ud800'"}, "The query must be text."),
    ],
)
def test_each_setting_says_its_rule(make: Any, setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make(**setting)
    assert str(caught.value).startswith(message)


def test_the_kernel_alone_would_keep_files_closed(places: dict[str, str]) -> None:
    """The second lock: DuckDB's own switches are left open here."""
    code = (
        "import duckdb, sys\n"
        "from engine.spark import console_child as child\n"
        "base = duckdb.connect()\n"
        "base.execute('SELECT 1')\n"
        "child.limit(60)\n"
        "for query in sys.argv[1:]:\n"
        "    try: print(base.execute(query).fetchall())\n"
        "    except duckdb.Error as error: print(type(error).__name__)\n"
    )
    asked = ("FROM read_text('{p}')", "COPY (SELECT 1) TO '{o}'", "ATTACH '{o}'")
    queries = [query.format(**places) for query in asked]
    out = subprocess.run(
        [sys.executable, "-c", code, *queries],
        cwd=workspace.REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert out.stdout.split() == ["IOException"] * 3
    assert [path.name for path in Path(places["d"]).iterdir()] == ["canary.csv"]
