"""The rules of a contract, held against a batch by pandera. What follows the imports is also part
of the generated tests.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pandera.pandas as pa

from engine.units import format_range

Rules = dict[str, dict[str, Any]]  # column -> what it may hold, as in the contract's TOML


def texts(name: str, rule: dict[str, Any]) -> dict[str, str]:
    """Return each rule on one column as people read it, by its kind."""
    found = {}
    if "min" in rule:
        found["range"] = f"{name} must be {format_range(rule['min'], rule['max'], '{:,g}'.format)}"
    if rule.get("in"):
        found["value"] = f"{name} must be one of {', '.join(rule['in'])}"
    if rule.get("references"):
        found["foreign key"] = f"{name} must be in {rule['references']}"
    if not rule.get("nullable"):
        found["null"] = f"{name} must not be null"
    if rule["type"] in ("int", "float"):
        found["type"] = f"{name} must be of type {rule['type']}"
    return found


def unique_text(rules: Rules, unique: list[str], nulls: str) -> str:
    """Return the rule that ``unique`` columns together name a row once, as people read it; how it
    takes nulls where one of them may hold any.
    """
    nullable = any(rules[name].get("nullable") for name in unique)
    return f"{', '.join(unique)} must be unique" + f" (nulls {nulls})" * nullable


def are_unique(frame: pd.DataFrame, unique: list[str], nulls: str) -> pd.Series:
    """Return which rows have a key that no row above has. ``nulls`` "equal": a null is a value like
    any other, as in pandera and GROUP BY; "distinct": a key with a null is never a duplicate, as in
    SQL's UNIQUE and dbt's unique.
    """
    repeated = frame.duplicated(unique)
    if nulls == "distinct":
        repeated &= frame[unique].notna().all(axis=1)
    return ~repeated


def are_numbers(values: pd.Series, type_: str) -> pd.Series:
    """Return which values are numbers of the type, or texts of such; an int has no fraction."""
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.notna() & (numbers % 1 == 0) if type_ == "int" else numbers.notna()


def type_schema(rules: Rules) -> pa.DataFrameSchema:
    """Return the schema that finds values of a wrong type."""
    columns = {}
    for name, rule in rules.items():
        if "type" in texts(name, rule):
            check = pa.Check(are_numbers, type_=rule["type"], error=texts(name, rule)["type"])
            columns[name] = pa.Column(checks=check, nullable=True)
    return pa.DataFrameSchema(columns)


def schema(
    rules: Rules, unique: list[str], nulls: str, known: dict[str, set[Any]]
) -> pa.DataFrameSchema:
    """Return the schema of all other rules; ``known`` holds the values that each foreign key may
    point to. A null keeps them all but "must not be null", as SQL's CHECK and FOREIGN KEY have it.
    """
    columns = {}
    for name, rule in rules.items():
        text, checks = texts(name, rule), []
        if "range" in text:
            checks.append(pa.Check.in_range(rule["min"], rule["max"], error=text["range"]))
        if "value" in text:
            checks.append(pa.Check.isin(rule["in"], error=text["value"]))
        if "foreign key" in text:
            allowed = known[rule["references"]] | set(rule.get("except", ()))
            checks.append(pa.Check.isin(allowed, error=text["foreign key"]))
        columns[name] = pa.Column(checks=checks, nullable=rule.get("nullable", False))
    if not unique:
        return pa.DataFrameSchema(columns)
    # pandera's own `unique` takes nulls as equal, but reports no row whose key is null throughout
    error = unique_text(rules, unique, nulls)
    once = pa.Check(are_unique, unique=unique, nulls=nulls, error=error, ignore_na=False)
    return pa.DataFrameSchema(columns, checks=once)


def failures(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> dict[str, set[Any]]:
    """Return the rows that break each rule of a schema."""
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return {}
    found: dict[str, set[Any]] = {}
    for case in cases.to_dict("records"):
        rule = case["check"]
        if rule == "not_nullable":
            rule = f"{case['column']} must not be null"
        found.setdefault(rule, set()).add(case["index"])
    return found


def broken(
    rules: Rules, unique: list[str], nulls: str, known: dict[str, set[Any]], frame: pd.DataFrame
) -> dict[str, set[Any]]:
    """Return the rows that break each rule; rows of a wrong type go first, for the other rules need
    numbers.
    """
    found = failures(type_schema(rules), frame)
    frame = frame.drop(index=list(set().union(*found.values())))
    numbers = {
        name: pd.to_numeric(frame[name])
        for name, rule in rules.items()
        if rule["type"] in ("int", "float")
    }
    return found | failures(schema(rules, unique, nulls, known), frame.assign(**numbers))
