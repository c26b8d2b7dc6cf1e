"""Writes the tests of a load for pytest from a contract: a file that a person takes to their own
pipeline, so it holds the rules as plain values and the code that checks them, and imports nothing
of this project.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from engine.etl import faults, rules
from engine.etl.quality.result import QualityParams
from engine.source_code import Code, fill, literal

TOTALS = {
    "weather": "wind_speed",
    "flights": "distance",
    "planes": "seats",
}  # the control total that the source sends along
TRANSFORMS = {  # the code under test, and what it gives for three rows by hand
    "weather": (
        (
            'batch.groupby("origin", as_index=False).agg(hours=("wind_speed", "size"),'
            ' mean_wind=("wind_speed", "mean"))'
        ),
        '{"origin": ["EWR", "EWR", "JFK"], "wind_speed": [10.0, 20.0, 5.0]}',
        '{"origin": ["EWR", "JFK"], "hours": [2, 1], "mean_wind": [15.0, 5.0]}',
    ),
    "flights": (
        (
            'batch.groupby("carrier", as_index=False).agg(flights=("dep_delay", "size"),'
            ' mean_delay=("dep_delay", "mean"))'
        ),
        '{"carrier": ["UA", "UA", "B6"], "dep_delay": [10, None, 5]}',
        '{"carrier": ["B6", "UA"], "flights": [1, 2], "mean_delay": [5.0, 10.0]}',
    ),
    "planes": (
        (
            'batch.groupby("manufacturer", as_index=False).agg(planes=("seats", "size"),'
            ' seats=("seats", "sum"))'
        ),
        '{"manufacturer": ["BOEING", "BOEING", "AIRBUS"], "seats": [100, 200, 150]}',
        '{"manufacturer": ["AIRBUS", "BOEING"], "planes": [1, 2], "seats": [150, 300]}',
    ),
}


GATE = Path(__file__).resolve().parents[1].joinpath("gate.py")
IMPORTS = "import pandera.pandas as pa\n"


@lru_cache(maxsize=1)
def gate_source() -> Code:
    """Return the code of the checks, which the page runs too: ``gate`` below its imports."""
    return Code(GATE.read_text(encoding="utf-8").partition(IMPORTS)[2].strip("\n"))


TESTS = '''"""Tests of the load of @table: unit, contract, data, idempotency, reconciliation.

Run from the repository root: BATCH=<a Parquet file> python -m pytest test_@table.py
"""
import os
from typing import Any

import duckdb
import pandas as pd
import pandera.pandas as pa

BATCH = os.environ["BATCH"]
RULES = @rules
UNIQUE = @unique  # together
NULLS = @nulls  # in UNIQUE: equal (a value like any other) or distinct (never the same)
KEYS = @keys
MANIFEST = @manifest  # what the source says that it sent

@gate


def values_of(reference):
    """Return the values of table.column, to which a foreign key points."""
    table, _, name = reference.partition(".")
    return set(pd.read_parquet(f"datasets/{table}.parquet")[name].dropna())


KNOWN = {
    rule["references"]: values_of(rule["references"])
    for rule in RULES.values()
    if "references" in rule
}
WARN_ONLY = [
    text
    for name, rule in RULES.items()
    if rule.get("on_fail") == "warn"
    for text in texts(name, rule).values()
]


def transform(batch):
    """The code under test: import it from your pipeline instead."""
    return @transform


def load(connection, batch):
    """The load under test: delete and insert by key, in one transaction."""
    connection.register("batch", batch)
    connection.execute("BEGIN")
    same = " AND ".join(f"t.{key} IS NOT DISTINCT FROM b.{key}" for key in KEYS)
    connection.execute(f"DELETE FROM target t USING batch b WHERE {same}")
    connection.execute("INSERT INTO target SELECT * FROM batch")
    connection.execute("COMMIT")


def test_unit():
    """Three rows by hand give exactly this."""
    rows = pd.DataFrame(@given)
    pd.testing.assert_frame_equal(transform(rows), pd.DataFrame(@expected), check_dtype=False)


def test_contract():
    """The columns are there, with the types that were agreed."""
    batch = pd.read_parquet(BATCH)
    assert set(RULES) <= set(batch.columns), f"missing: {set(RULES) - set(batch.columns)}"
    is_type = {
        "int": pd.api.types.is_numeric_dtype,
        "float": pd.api.types.is_numeric_dtype,
        "text": lambda column: column.dropna().map(type).eq(str).all(),
        "time": pd.api.types.is_datetime64_any_dtype,
    }
    wrong = [
        f"{name} is {batch[name].dtype}"
        for name, rule in RULES.items()
        if not is_type[rule["type"]](batch[name])
    ]
    assert not wrong, wrong


def test_data():
    """Every row keeps every rule that quarantines."""
    rules = broken(RULES, UNIQUE, NULLS, KNOWN, pd.read_parquet(BATCH))
    found = {rule: len(rows) for rule, rows in rules.items() if rule not in WARN_ONLY}
    assert not found, found


def test_idempotency():
    """Loading the batch again changes nothing, and each key is there once."""
    batch = pd.read_parquet(BATCH)
    with duckdb.connect() as connection:
        connection.register("batch", batch)
        connection.execute("CREATE TABLE target AS SELECT * FROM batch LIMIT 0")
        states = []
        for _ in range(2):
            load(connection, batch)
            state = "SELECT count(*), sum(hash(t)::HUGEINT) FROM target t"
            states.append(connection.execute(state).fetchall())
        known = " AND ".join(f"{key} IS NOT NULL" for key in KEYS)
        compared = known if NULLS == "distinct" else "true"
        counts = f"count(*), count(DISTINCT row({', '.join(KEYS)}))"
        found = connection.execute(f"SELECT {counts} FROM target WHERE {compared}").fetchall()
        n_rows, n_keys = found[0]
        assert states[0] == states[1]
        assert n_keys == n_rows, "a key is there more than once"


def test_reconciliation():
    """What was loaded is what the source says that it sent: rows and a control total."""
    batch = pd.read_parquet(BATCH)
    with duckdb.connect() as connection:
        connection.register("batch", batch)
        connection.execute("CREATE TABLE target AS SELECT * FROM batch LIMIT 0")
        load(connection, batch)
        rows, total = connection.execute("SELECT count(*), sum(@total) FROM target").fetchall()[0]
    loaded = {"rows": rows, "sum of @total": round(total, 2)}
    assert loaded == MANIFEST, f"loaded {loaded}, sent {MANIFEST}"
'''


def generate(params: QualityParams) -> str:
    """Return pytest code for the load of the table in view; the manifest is that of the real rows,
    as the source sent them.
    """
    contract = params.contract
    sent = faults.real(params.table, params.first_day, params.n_days)
    total = TOTALS[params.table]
    transform, given, expected = map(Code, TRANSFORMS[params.table])
    values = [value for value in sent[total].to_pylist() if value is not None]
    lines = "".join(
        f"    {literal(name)}: {literal(rule)},\n" for name, rule in contract.rules.items()
    )
    return fill(
        TESTS,
        rules=Code(f"{{\n{lines}}}"),
        unique=list(contract.unique),
        nulls=contract.unique_nulls,
        gate=gate_source(),
        table=Code(params.table),  # one of TABLES
        keys=list(contract.unique or rules.parse(params.table).unique),
        manifest={"rows": sent.num_rows, f"sum of {total}": round(sum(values), 2)},
        transform=transform,
        given=given,
        expected=expected,
        total=Code(total),
    )
