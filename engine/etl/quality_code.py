"""Python source written from a contract: the pandera schema, the script of the quality gate, the tests of a load for pytest."""

from __future__ import annotations

from typing import Any

from engine.etl import quality_faults
from engine.etl.quality_rules import DTYPES, ColumnRule, Contract

TOTALS = {"weather": "wind_speed", "flights": "distance", "planes": "seats"}  # the control total that the source sends along
TRANSFORMS = {  # the code under test, and what it gives for three rows by hand
    "weather": (
        'batch.groupby("origin", as_index=False).agg(hours=("wind_speed", "size"), mean_wind=("wind_speed", "mean"))',
        '{"origin": ["EWR", "EWR", "JFK"], "wind_speed": [10.0, 20.0, 5.0]}',
        '{"origin": ["EWR", "JFK"], "hours": [2, 1], "mean_wind": [15.0, 5.0]}',
    ),
    "flights": (
        'batch.groupby("carrier", as_index=False).agg(flights=("dep_delay", "size"), mean_delay=("dep_delay", "mean"))',
        '{"carrier": ["UA", "UA", "B6"], "dep_delay": [10, None, 5]}',
        '{"carrier": ["B6", "UA"], "flights": [1, 2], "mean_delay": [5.0, 10.0]}',
    ),
    "planes": (
        'batch.groupby("manufacturer", as_index=False).agg(planes=("seats", "size"), seats=("seats", "sum"))',
        '{"manufacturer": ["BOEING", "BOEING", "AIRBUS"], "seats": [100, 200, 150]}',
        '{"manufacturer": ["AIRBUS", "BOEING"], "planes": [1, 2], "seats": [150, 300]}',
    ),
}


def _column(rule: ColumnRule) -> str:
    checks = []
    if rule.min is not None:
        checks.append(f'pa.Check.in_range({rule.min:g}, {rule.max:g}, error="{rule.range_text}")')
    if rule.one_of:
        checks.append(f'pa.Check.isin({list(rule.one_of)!r}, error="{rule.name} must be one of {", ".join(rule.one_of)}")')
    if rule.references:
        checks.append(
            f'pa.Check(lambda values: values.isin(KNOWN["{rule.name}"]), error="{rule.name} must be in {rule.references}")'
        )
    kind = "str" if rule.type == "text" else f'"{DTYPES[rule.type]}"'
    options = (", nullable=True" if rule.nullable else "") + (", coerce=True" if rule.type in ("int", "float") else "")
    if not checks:
        return f'        "{rule.name}": pa.Column({kind}{options}),'
    lines = "".join(f"\n                {check}," for check in checks)
    return f'        "{rule.name}": pa.Column(\n            {kind},\n            [{lines}\n            ]{options},\n        ),'


def schema_source(contract: Contract) -> str:
    """Return the source of a pandera schema with the row rules of a contract."""
    known = []
    for rule in contract.columns:
        if rule.references:
            table, _, column = rule.references.partition(".")
            extra = " | {" + ", ".join(f'"{value}"' for value in rule.exceptions) + "}" if rule.exceptions else ""
            known.append(f'    "{rule.name}": set(pd.read_parquet("datasets/{table}.parquet")["{column}"]){extra},')
    head = "KNOWN = {  # what foreign keys may point to\n" + "\n".join(known) + "\n}\n" if known else ""
    columns = "\n".join(_column(rule) for rule in contract.columns)
    unique = f"    unique={list(contract.unique)!r},\n" if contract.unique else ""
    return (
        f'{head}schema = pa.DataFrameSchema(\n    {{\n{columns}\n    }},\n{unique}    report_duplicates="exclude_first",\n)\n'
    )


BROKEN = '''

def broken(schema, frame):
    """Return the rows that break each rule; rows of a wrong type go first, for the other rules need numbers."""
    rules = {}
    for _ in range(2):
        try:
            schema.validate(frame, lazy=True)
            break
        except pa.errors.SchemaErrors as errors:
            cases = errors.failure_cases
        mistyped = cases[cases["check"].astype(str).str.startswith("coerce_dtype")]
        for case in (mistyped if len(mistyped) else cases).to_dict("records"):
            rule = case["check"]
            if len(mistyped):
                rule = f"{case['column']} must be of type {TYPES[case['column']]}"
            elif rule == "not_nullable":
                rule = f"{case['column']} must not be null"
            elif rule == "multiple_fields_uniqueness":
                rule = f"{', '.join(schema.unique)} must be unique"
            rules.setdefault(rule, set()).add(case["index"])
        if not len(mistyped):
            break
        frame = frame.drop(index=mistyped["index"].unique())
    return rules
'''

SCRIPT = '''"""A batch with its faults, held to its contract by pandera; the rows that break each rule are counted."""
import json

import pandas as pd
import pandera.pandas as pa

from engine.etl import quality

PARAMS = @params
batch = quality.batch_of(PARAMS.table, PARAMS.fault, PARAMS.dose, PARAMS.first_day, PARAMS.n_days, PARAMS.seed)
@schemaTYPES = @types
WARN_ONLY = @warn
RULES = @rules
@broken

rules = broken(schema, batch.table.to_pandas())
quarantined = set().union(*[rows for rule, rows in rules.items() if rule not in WARN_ONLY])
numbers = {"n_rows": batch.table.num_rows, "n_quarantined": len(quarantined)}
print(json.dumps(numbers | {rule: len(rules.get(rule, ())) for rule in RULES}))
'''


def _types(contract: Contract) -> dict[str, str]:
    return {rule.name: rule.type for rule in contract.columns}


def script(params: Any) -> str:
    """Return the script: pandera alone, but for the batch and its injected faults."""
    from engine.etl import quality_rules

    contract = params.contract
    texts = quality_rules.texts(contract)
    warn = [text for text, (_, _, severity) in texts.items() if severity == "warn"]
    parts = {
        "@params": f"quality.{params!r}",
        "@schema": schema_source(contract),
        "@types": repr(_types(contract)),
        "@warn": repr(warn),
        "@rules": "[\n" + "".join(f"    {text!r},\n" for text in texts) + "]",
        "@broken": BROKEN.strip("\n") + "\n",
    }
    code = SCRIPT
    for mark, text in parts.items():
        code = code.replace(mark, text)
    return code


TESTS = '''"""Tests of the load of @table: unit, contract, data, idempotency, reconciliation.

Run from the repository root: BATCH=<a Parquet file> python -m pytest test_@table.py
"""
import os

import duckdb
import pandas as pd
import pandera.pandas as pa

BATCH = os.environ["BATCH"]
KEYS = @keys
TYPES = @types
WARN_ONLY = @warn
MANIFEST = @manifest  # what the source says that it sent

@schema@broken

def transform(batch):
    """The code under test: import it from your pipeline instead."""
    return @transform


def load(connection, batch):
    """The load under test: delete and insert by key, in one transaction."""
    connection.register("batch", batch)
    connection.execute("BEGIN")
    connection.execute(f"DELETE FROM target t USING batch b WHERE {' AND '.join(f't.{key} = b.{key}' for key in KEYS)}")
    connection.execute("INSERT INTO target SELECT * FROM batch")
    connection.execute("COMMIT")


def test_unit():
    """Three rows by hand give exactly this."""
    rows = pd.DataFrame(@given)
    pd.testing.assert_frame_equal(transform(rows), pd.DataFrame(@expected), check_dtype=False)


def test_contract():
    """The columns are there, with the types that were agreed."""
    batch = pd.read_parquet(BATCH)
    assert set(TYPES) <= set(batch.columns), f"missing: {set(TYPES) - set(batch.columns)}"
    is_type = {
        "int": pd.api.types.is_numeric_dtype,
        "float": pd.api.types.is_numeric_dtype,
        "text": lambda column: column.dropna().map(type).eq(str).all(),
        "time": pd.api.types.is_datetime64_any_dtype,
    }
    wrong = [f"{name} is {batch[name].dtype}" for name, kind in TYPES.items() if not is_type[kind](batch[name])]
    assert not wrong, wrong


def test_data():
    """Every row keeps every rule that quarantines."""
    rules = broken(schema, pd.read_parquet(BATCH))
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
            states.append(connection.execute("SELECT count(*), sum(hash(t)::HUGEINT) FROM target t").fetchall())
        n_keys = connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {', '.join(KEYS)} FROM target)").fetchall()
        assert states[0] == states[1]
        assert n_keys[0][0] == states[1][0][0], "a key is there more than once"


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


def tests(params: Any) -> str:
    """Return pytest code for the load of the table in view; the manifest is that of the real rows, as the source sent them."""
    from engine.etl import quality_rules

    contract = params.contract
    sent, total = quality_faults.real(params.table, params.first_day, params.n_days), TOTALS[params.table]
    transform, given, expected = TRANSFORMS[params.table]
    values = [value for value in sent[total].to_pylist() if value is not None]
    warn = [text for text, (_, _, severity) in quality_rules.texts(contract).items() if severity == "warn"]
    keys = list(contract.unique or quality_rules.parse(params.table).unique)
    parts = {
        "@table": params.table,
        "@keys": repr(keys),
        "@types": repr(_types(contract)),
        "@warn": repr(warn),
        "@manifest": repr({"rows": sent.num_rows, f"sum of {total}": round(sum(values), 2)}),
        "@schema": schema_source(contract),
        "@broken": BROKEN,
        "@transform": transform,
        "@given": given,
        "@expected": expected,
        "@total": total,
    }
    code = TESTS
    for mark, text in parts.items():
        code = code.replace(mark, text)
    return code
