"""Read the same table from five sources, and count what came back.

Real: calls over HTTP, a SQLite file, a CSV and a Parquet file, each written and read. A source is
read as a first program would do it: values are taken as they come, nothing is parsed or cast, rows
are kept by their id.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pyarrow as pa
import pyarrow.parquet as pq

from engine.formats.sources import day
from engine.formats.sources.day import TYPES, Row
from engine.formats.sources.server import to_json

SCHEMA = pa.schema(
    {
        name: {str: pa.string(), int: pa.int32(), datetime: pa.timestamp("us")}[kind]
        for name, kind in TYPES.items()
    }
)


@dataclass(slots=True)
class Reading:
    """What one source gave."""

    source: str
    rows: dict[str, Row]  # the last one for each id
    ids: list[str]  # of every row or change, in the order in which they came
    n_calls: int
    size_bytes: int  # of the answers, or of the file that is read
    n_messages: int  # rows or changes that came, repeats included
    first_call: int  # of them with the first call
    positions: list[int] = field(default_factory=list)  # in the log, of each change that came
    ops: dict[int, str] = field(default_factory=dict)  # of each position that came
    sample: str = ""  # what came for one flight, as it came


def api(address: str, minute: float, limit: int, gap_minutes: float, sample: str) -> Reading:
    """Read every page of the API from ``minute`` on, one call each ``gap_minutes``."""
    rows: list[Row] = []
    size, n_calls, first, line = 0, 0, 0, ""
    while True:
        at = minute + n_calls * gap_minutes
        url = f"{address}/flights?minute={at}&offset={n_calls * limit}&limit={limit}"
        with urlopen(url, timeout=10) as answer:
            body = answer.read()
        page = json.loads(body)
        n_calls, size = n_calls + 1, size + len(body)
        first = first or len(page)
        rows += page
        line = next((to_json(row) for row in page if row["id"] == sample), line)
        if len(page) < limit:
            return _of_rows("API, pages", rows, n_calls, size, first, line)


def database(folder: Path, minute: float, sample: str) -> Reading:
    """Apply every change to a SQLite table, then read it with one query."""
    kinds = {str: "TEXT", int: "INTEGER", datetime: "TIMESTAMP"}
    columns = ", ".join(f"{name} {kinds[kind]}" for name, kind in TYPES.items())
    path = folder / "flights.sqlite"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(f"CREATE TABLE flights ({columns}, PRIMARY KEY (id))")
        marks = ", ".join("?" * len(TYPES))
        kept = ", ".join(f"{name} = excluded.{name}" for name in TYPES)
        conflict = f"ON CONFLICT (id) DO UPDATE SET {kept}"  # a row keeps its place
        for change in day.until(minute):
            if change.op == "delete":
                base.execute("DELETE FROM flights WHERE id = ?", [change.row["id"]])
            else:
                values = [v.isoformat(" ") if isinstance(v, datetime) else v for v in
                          change.row.values()]  # fmt: skip
                base.execute(f"INSERT INTO flights VALUES ({marks}) {conflict}", values)
    with closing(sqlite3.connect(path)) as base:
        found = base.execute(f"SELECT {', '.join(TYPES)} FROM flights").fetchall()
    rows = [dict(zip(TYPES, values, strict=True)) for values in found]
    line = next((str(tuple(row.values())) for row in rows if row["id"] == sample), "")
    return _of_rows("Database, rows", rows, 1, path.stat().st_size, len(rows), line)


def stream(address: str, minute: float, n_repeats: int, sample: str) -> Reading:
    """Read the change stream from its beginning; the last ``n_repeats`` changes come again, as
    after a restart of the reader.
    """
    with urlopen(f"{address}/changes?minute={minute}", timeout=10) as answer:
        body = answer.read()
    lines = body.decode().splitlines()
    lines += lines[len(lines) - n_repeats :] if n_repeats else []
    rows: dict[str, Row] = {}
    ids, positions, ops = [], [], {}
    for line in lines:
        change = json.loads(line)
        position, op = change.pop("position"), change.pop("op")
        change.pop("minute")
        ops[position] = op
        positions.append(position)
        ids.append(change["id"])
        if op == "delete":
            rows.pop(change["id"], None)
        else:
            rows[change["id"]] = change
    own = "\n".join(line for line in lines if json.loads(line)["id"] == sample)
    size = sum(len(line) + 1 for line in lines)
    n = len(lines)
    return Reading("Stream, events", rows, ids, 1, size, n, n, positions, ops, own)


def csv_file(folder: Path, minute: float, sample: str) -> Reading:
    """Export the table of ``minute`` as CSV, then read it; an empty field is None, as pandas has
    it.
    """
    path = folder / "flights.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, TYPES)
        writer.writeheader()
        writer.writerows(day.state(day.until(minute)).values())
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]
    text = path.read_text(encoding="utf-8").splitlines()
    line = next((line for line in text if line.startswith(f"{sample},")), "")
    size = path.stat().st_size
    return _of_rows("File, CSV", rows, 1, size, len(rows), f"{text[0]}\n{line}" if line else "")


def parquet_file(folder: Path, minute: float, sample: str) -> Reading:
    """Export the table of ``minute`` as Parquet, then read it."""
    path = folder / "flights.parquet"
    table = pa.Table.from_pylist(list(day.state(day.until(minute)).values()), SCHEMA)
    pq.write_table(table, path)
    found = pq.read_table(path)
    rows = found.to_pylist()
    line = next((str(row) for row in rows if row["id"] == sample), "")
    size = path.stat().st_size
    if line:
        kinds = ", ".join(f"{one.name}: {one.type}" for one in found.schema)
        line = f"{kinds}\n{line}"
    return _of_rows("File, Parquet", rows, 1, size, len(rows), line)


def _of_rows(
    source: str, rows: list[Row], n_calls: int, size: int, first: int, sample: str
) -> Reading:
    ids = [row["id"] for row in rows]
    by_id = {row["id"]: row for row in rows}
    return Reading(source, by_id, ids, n_calls, size, len(rows), first, sample=sample)


def same(row: Row, truth: Row) -> bool:
    """Whether a row as it came says what the table says, whatever type the values came as."""
    return all(_cast(name, row[name]) == value for name, value in truth.items())


def _cast(name: str, value: Any) -> Any:
    """Return a value as its column's type."""
    kind = TYPES[name]
    if value is None or isinstance(value, kind):
        return value
    return datetime.fromisoformat(value) if kind is datetime else kind(value)


def typed(rows: Iterable[Row]) -> int:
    """Return how many columns have nothing but values of their type, None aside."""
    rows = list(rows)
    return sum(
        all(isinstance(row[name], kind) for row in rows if row[name] is not None)
        for name, kind in TYPES.items()
    )
