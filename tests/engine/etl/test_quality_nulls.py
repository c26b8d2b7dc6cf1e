"""How each rule takes nulls, against the constraints of a database that gets the rows in turn."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pandas as pd
import pandera.pandas as pandera
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from engine import scripts
from engine.etl import gate, quality
from engine.etl import rules as quality_rules
from engine.etl.quality import QualityParams, tests_code
from tests.engine.etl.test_quality import pytest_outcomes
from tests.engine.printed import run_script

KEY = ("time_hour", "tailnum")
REPORTED = """[columns]
time_hour = { type = "time" }
tailnum = { type = "text", nullable = true }
[table]
unique = ["time_hour", "tailnum"]
"""
ROWS = some.lists(
    some.tuples(
        some.sampled_from([None, "a", "b"]),
        some.sampled_from([None, 1.0, 2.0, 9.0]),
        some.sampled_from([None, "EWR", "XXX"]),
    ),
    max_size=12,
)


def reported(nulls: str) -> QualityParams:
    said = f'unique_nulls = "{nulls}"\n' if nulls else ""
    return QualityParams(table="flights", fault="none", rules=REPORTED + said)


def by_sql(params: QualityParams, nulls: str) -> int:
    """Rows beyond the first of each key, counted by DuckDB."""
    batch = quality.batch_of("flights", "none", params.dose, params.first_day, params.n_days, 0)
    with duckdb.connect() as connection:
        connection.register("batch", batch.table)
        known = "tailnum IS NOT NULL" if nulls == "distinct" else "true"
        query = f"SELECT count(*) - count(DISTINCT (time_hour, tailnum)) FROM batch WHERE {known}"
        return int(connection.execute(query).fetchall()[0][0])


def test_the_reported_rule_says_how_it_takes_nulls_and_offers_the_other_reading() -> None:
    found = {}
    for nulls in ("equal", "distinct"):
        result = quality.run(reported(nulls))
        text = f"time_hour, tailnum must be unique (nulls {nulls})"
        found[nulls] = result.headline()[text]
        assert found[nulls] == by_sql(result.params, nulls)
        (reason,) = [text for text in result.why if "Nulls in unique" in text]
        assert "335 rows" in reason and "21 with nulls distinct" in reason
        assert run_script(scripts.render(result.params)) == result.headline()
    assert found == {"equal": 335, "distinct": 21}
    assert quality.run(reported("")).headline() == quality.run(reported("equal")).headline()


def test_equal_is_panderas_own_reading() -> None:
    batch = quality.batch_of("flights", "none", 0.0, 39, 14, 0).table.to_pandas()
    schema = pandera.DataFrameSchema(unique=list(KEY), report_duplicates="exclude_first")
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        schema.validate(batch, lazy=True)
    assert caught.value.failure_cases["index"].nunique() == 335


def test_a_rule_without_nullable_columns_says_nothing_of_nulls() -> None:
    built_in = quality_rules.parse("flights")
    assert quality_rules.unique_text(built_in) == "carrier, flight, time_hour must be unique"
    assert not any("Nulls" in reason for reason in quality.run(QualityParams()).why)


@pytest.mark.parametrize("nulls", ["equal", "distinct"])
def test_the_generated_tests_take_nulls_as_the_contract_does(nulls: str, tmp_path: Any) -> None:
    """A day on which only keys with a null come twice: with nulls distinct every test passes."""
    rules = REPORTED.replace("time_hour", "carrier").replace('"time" }', '"text" }')
    cut = 'dest = { type = "text" }\nflight = { type = "int" }\n'
    rules = rules.replace("tailnum =", cut + "tailnum =").replace(
        '"carrier", ', '"carrier", "dest", "flight", '
    )
    params = QualityParams(
        table="flights",
        fault="none",
        first_day=39,
        n_days=14,
        rules=rules + f"unique_nulls = {json.dumps(nulls)}\n",
    )
    compile(tests_code.generate(params), "<generated>", "exec")
    failed = {name for name, passed in pytest_outcomes(params, tmp_path).items() if not passed}
    outcome = next(check for check in quality.run(params).checks if check.kind == "unique")
    assert ("test_data" in failed) == ("test_idempotency" in failed) == outcome.failed


def refused(rows: list[tuple[Any, ...]], constraint: str) -> set[int]:
    """The places of the rows that a table with the constraint refuses, each asked in turn."""
    places = set()
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE airports (faa VARCHAR PRIMARY KEY)")
        connection.execute("INSERT INTO airports VALUES ('EWR')")
        connection.execute(f"CREATE TABLE t (k VARCHAR, x DOUBLE, dest VARCHAR, {constraint})")
        for place, row in enumerate(rows):
            try:
                connection.execute("INSERT INTO t VALUES (?, ?, ?)", row)
            except duckdb.ConstraintException:
                places.add(place)
    return places


@settings(max_examples=20, deadline=None)
@given(ROWS)
def test_every_rule_takes_nulls_as_sqls_constraints_do(rows: list[tuple[Any, ...]]) -> None:
    rules: gate.Rules = {
        "k": {"type": "text", "nullable": True, "in": ["a"]},
        "x": {"type": "float", "nullable": True, "min": 0, "max": 5},
        "dest": {"type": "text", "nullable": True, "references": "airports.faa"},
    }
    frame = pd.DataFrame(rows, columns=["k", "x", "dest"]).astype({"x": float})
    found = gate.broken(rules, ["k", "dest"], "distinct", {"airports.faa": {"EWR"}}, frame)
    assert found.get("k must be one of a", set()) == refused(rows, "CHECK (k IN ('a'))")
    assert found.get("x must be 0–5", set()) == refused(rows, "CHECK (x BETWEEN 0 AND 5)")
    assert found.get("dest must be in airports.faa", set()) == refused(
        rows, "FOREIGN KEY (dest) REFERENCES airports (faa)"
    )
    assert found.get("k, dest must be unique (nulls distinct)", set()) == refused(
        rows, "UNIQUE (k, dest)"
    )
    strict = {name: {"type": rule["type"]} for name, rule in rules.items()}
    found = gate.broken(strict, [], "equal", {}, frame)
    for name in rules:
        assert found.get(f"{name} must not be null", set()) == refused(
            rows, f"CHECK ({name} IS NOT NULL)"
        )


@settings(max_examples=20, deadline=None)
@given(ROWS)
def test_nulls_equal_is_group_by_a_key_of_nulls_alone_too(rows: list[tuple[Any, ...]]) -> None:
    rules: gate.Rules = {name: {"type": "text", "nullable": True} for name in ("k", "dest")}
    frame = pd.DataFrame(rows, columns=["k", "x", "dest"])[["k", "dest"]]
    found = gate.broken(rules, ["k", "dest"], "equal", {}, frame)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (k VARCHAR, dest VARCHAR)")
        for k, _, dest in rows:
            connection.execute("INSERT INTO t VALUES (?, ?)", (k, dest))
        groups = connection.execute("SELECT count(*) - 1 FROM t GROUP BY k, dest").fetchall()
    assert len(found.get("k, dest must be unique (nulls equal)", ())) == sum(n for (n,) in groups)


def test_a_row_without_its_place_or_hour_is_not_an_hour_that_is_there() -> None:
    frame = pd.DataFrame(
        {"origin": ["EWR", "EWR", None, "EWR"], "time_hour": pd.to_datetime([1, 2, 3, None])}
    )
    assert quality_rules.missing_hours(frame, "origin", 24) == 22
