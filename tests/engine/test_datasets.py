"""datasets/README.md against the files: checksums, counts, types, and every oddity measured
again.
"""

from __future__ import annotations

import hashlib
import re

import duckdb
import pytest

from engine import data
from engine.data import DATASETS, TABLES

README = (DATASETS / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sql() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for name in TABLES:
        connection.execute(f"create view {name} as select * from '{data.path_of(name)}'")
    return connection


@pytest.mark.parametrize("name", TABLES)
def test_the_files_are_those_of_the_readme(name: str) -> None:
    path, table = data.path_of(name), data.load(name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    row = (
        f"| {name} | {table.num_rows:,} | {table.num_columns} | {path.stat().st_size:,} |"
        f" `{digest}` |"
    )
    assert row in README
    section = README.partition(f"## {name}:")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\w+) \| ([^|]+) \|", section, re.M)[1:] == [
        (f.name, str(f.type)) for f in table.schema
    ]


@pytest.mark.parametrize(
    ("query", "value", "words"),
    [
        (
            "select count(distinct (origin, year, month, day, hour)) from weather",
            26_112,
            "26,112 values",
        ),
        (
            "select count(distinct (origin, time_hour)) from weather",
            26_115,
            "(origin, time_hour) is unique",
        ),
        (
            (
                "with hours as (select unnest(generate_series((select min(time_hour) from weather),"
                " (select max(time_hour) from weather), interval 1 hour)) as t) select count(*)"
                " from hours cross join (select distinct origin from weather) o anti join weather w"
                " on w.origin = o.origin and w.time_hour = t"
            ),
            75,
            "75 hours of weather are missing",
        ),
        (
            "select strftime(max(time_hour), '%Y-%m-%d %H:%M') from weather",
            "2013-12-30 23:00",
            "2013-12-30 23:00 UTC",
        ),
        ("select round(max(wind_speed), 2) from weather", 1048.36, "1,048.36 mph"),
        (
            "select round(100 * avg((pressure is null)::int), 1) from weather where precip > 0",
            53.3,
            "53.3 %",
        ),
        (
            "select round(100 * avg((pressure is null)::int), 1) from weather where precip = 0",
            7.4,
            "7.4 %",
        ),
        (
            (
                "select round(100 * avg((p.tailnum is null and f.tailnum is not null)::int), 1)"
                " from flights f left join planes p using (tailnum)"
            ),
            14.9,
            "14.9 % of flights",
        ),
        ("select count(*) from flights where tailnum is null", 2_512, "2,512 have none"),
        (
            "select count(*) from flights where tailnum is null and dep_time is not null",
            0,
            "all of those were cancelled",
        ),
        (
            (
                "select round(100 * avg((tailnum is null)::int), 1) from flights where dep_time is"
                " null"
            ),
            30.4,
            "30.4 % of the cancelled",
        ),
        (
            "select count(*) from flights f anti join airports a on f.dest = a.faa",
            7_602,
            "7,602 flights",
        ),
        (
            "select round(100 * avg((dep_time is null)::int), 2) from flights",
            2.45,
            "2.45 % of flights cancelled",
        ),
        (
            "select round(100 * avg((arr_delay > 180)::int), 2) from flights",
            1.17,
            "1.17 % arrived more than 180",
        ),
        (
            (
                "select round(100 * avg((arr_delay is null and dep_time is not null)::int), 2) from"
                " flights"
            ),
            0.35,
            "0.35 % diverted",
        ),
    ],
)
def test_each_oddity_is_still_there(
    sql: duckdb.DuckDBPyConnection, query: str, value: object, words: str
) -> None:
    assert sql.execute(query).fetchone() == (value,)
    assert words in README
