"""Validate: pandera holds each day against the contract; rows that break a rule are quarantined
with the reason.

A lenient gate lets pass what breaks a range or points nowhere, and only counts it.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import InputError, require
from engine.etl import rules
from engine.etl.contracts import TableName
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.units import format_share

MOST_QUARANTINED = 0.2  # of the rows of a table: beyond it the source is at fault, not its rows


def broken_rules(
    table: TableName, frame: pd.DataFrame, known: dict[str, set[Any]], lenient: bool
) -> tuple[dict[int, list[str]], Counter[str]]:
    """Return the rules that each row breaks and that quarantine it, and what only counts."""
    from engine.etl import gate  # pandera loads every engine that it knows

    contract = rules.parse(table)
    kinds = rules.texts(contract)
    known = rules.known(contract) | known
    reasons: dict[int, list[str]] = {}
    counted: Counter[str] = Counter()
    unique, nulls = list(contract.unique), contract.unique_nulls
    for rule, rows in gate.broken(contract.rules, unique, nulls, known, frame).items():
        kind, _, severity = kinds[rule]
        if severity != "quarantine" or (lenient and kind in ("range", "foreign key")):
            counted[rule] += len(rows)
            continue
        for row in rows:
            reasons.setdefault(int(row), []).append(rule)
    return reasons, counted


def split(
    task: Task, table: TableName, rows: pa.Table, known: dict[str, set[Any]]
) -> tuple[pa.Table, pa.Table, Counter[str], Counter[str]]:
    """Return the rows that pass, the others with their reasons, and counts by first reason."""
    names = rules.parse(table).names
    lenient = task.params.gate == "lenient"
    reasons, counted = broken_rules(table, rows.select(names).to_pandas(), known, lenient)
    passes = pa.array([row not in reasons for row in range(len(rows))], pa.bool_())
    bad = rows.take(pa.array(sorted(reasons), pa.int64()))
    bad = bad.append_column(
        "reasons", pa.array([reasons[row] for row in sorted(reasons)], pa.list_(pa.string()))
    )
    first = Counter(found[0] for found in reasons.values())
    require(
        len(bad) <= MOST_QUARANTINED * max(1, len(rows)),
        "At most {} of the rows of {} may be quarantined. Got {:,} of {:,}: {}. The source is"
        " at fault: nothing was loaded.",
        format_share(MOST_QUARANTINED),
        table,
        len(bad),
        len(rows),
        ", ".join(f"{rule} ({n:,})" for rule, n in first.most_common(2)),
    )
    return rows.filter(passes), bad, first, counted


def read_weather(path: Any) -> pa.Table:
    """Return the stream's rows as they arrived.

    Raises
    ------
    InputError
        A line is no JSON object.
    """
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise InputError(
                f"Line {number} of the weather stream must be JSON. Got: {error}. Correct it and"
                " resume the run."
            ) from error
    table = pa.Table.from_pylist(rows)
    for name in ("time_hour", "arrived_at"):
        column = pd.to_datetime(table[name].to_pandas(), format="ISO8601", utc=True)
        table = table.set_column(
            table.column_names.index(name), name, pa.array(column).cast(pa.timestamp("us", "UTC"))
        )
    return table


def work(task: Task) -> Count:
    """Check flights day by day, weather and planes as a whole."""
    planes = pq.read_table(task.read("ingest", "planes.parquet"))
    airlines = pq.read_table(task.read("ingest", "airlines.parquet"))
    known = {
        "planes.tailnum": set(planes["tailnum"].to_pylist()),
        "airlines.carrier": set(airlines["carrier"].to_pylist()),
    }
    dropped: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    n_in = n_out = 0
    for number, day in enumerate(task.params.dates):
        rows = pq.read_table(task.read("ingest", f"flights-{day}.parquet"))
        good, bad, first, only = split(task, "flights", rows, known)
        pq.write_table(good, task.folder / f"flights-{day}.parquet")
        pq.write_table(bad, task.folder / f"quarantine-{day}.parquet")
        dropped, counted = dropped + first, counted + only
        n_in, n_out = n_in + len(rows), n_out + len(good)
        task.report((number + 1) / (task.params.n_days + 1))
    weather = read_weather(task.read("ingest", "raw") / "weather.jsonl")
    good, bad, first, only = split(task, "weather", weather, {})
    pq.write_table(good, task.folder / "weather.parquet")
    pq.write_table(bad, task.folder / "quarantine-weather.parquet")
    pq.write_table(planes, task.folder / "planes.parquet")
    pq.write_table(airlines, task.folder / "airlines.parquet")
    details = {
        "counted": dict(counted),
        "weather": len(good),
        "weather_quarantined": dict(first),
        "weather_counted": dict(only),
    }
    return Count(n_in, n_out, dict(dropped), details)


STAGE = Stage("validate", "Validate", ("ingest",), ("days", "gate"), work)
