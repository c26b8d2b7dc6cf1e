"""Ingest: every source is read over its own interface and kept as it came.

The flights of a day are one file, copied byte for byte; ``flights.parquet`` has each line's file
and number beside what was read of it, so that a row can be traced to its bytes.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from engine import data
from engine.errors import InputError, no_room, require
from engine.pipeline import sources, store
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.sources import World

API_SECONDS = 10.0


def read_airlines(address: str) -> tuple[list[dict[str, Any]], int]:
    """Return all rows of the API, page by page, and the number of pages.

    Raises
    ------
    InputError
        The API does not answer, or gives fewer rows than it says it has.
    """
    rows: list[dict[str, Any]] = []
    page: int | None = 1
    n_pages = total = 0
    while page is not None:
        try:
            with urllib.request.urlopen(
                f"{address}/airlines?page={page}", timeout=API_SECONDS
            ) as answer:
                given = json.load(answer)
        except (OSError, ValueError) as error:
            raise InputError(
                f"The airlines API must answer page {page} within {API_SECONDS:.0f} s. Got:"
                f" {error}. Resume the run once it does."
            ) from error
        rows, page, total = [*rows, *given["rows"]], given["next"], given["total"]
        n_pages += 1
    require(len(rows) == total, "The airlines API must give {} rows. Got {}.", total, len(rows))
    return rows, n_pages


def read_planes(path: Path) -> pa.Table:
    """Return the planes of the database."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM planes")]
    return pa.Table.from_pylist(rows, schema=data.load("planes").schema)


def read_flight_file(path: Path) -> pa.Table:
    """Return the rows of a day's file, each with its file and line.

    Raises
    ------
    InputError
        There is no such file, or it is damaged: which one and why.
    """
    types = {field.name: field.type for field in data.load("flights").schema}
    try:
        rows = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types))
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).replace(str(path), "the file").partition("\n")[0]
        raise InputError(
            f"{path.name} must be a CSV file of flights. Got: {reason}. Put the right file in its"
            " place and resume the run."
        ) from error
    missing = [name for name in types if name not in rows.column_names]
    other = [name for name in rows.column_names if name not in types]
    require(
        rows.column_names == list(types),
        "{} must have the columns of a flight file. Missing: {}. Not known: {}.",
        path.name,
        ", ".join(missing) or "none",
        ", ".join(other) or "none",
    )
    rows = rows.append_column("file", pa.array([path.name] * len(rows)))
    return rows.append_column("line", pa.array(range(2, len(rows) + 2), pa.int32()))


def fetch_flight_file(source: Path, target: Path) -> pa.Table:
    """Copy a day's file byte for byte and return its rows.

    Raises
    ------
    InputError
        The source has no such file, or it is damaged.
    """
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        if no_room(error):
            raise
        raise InputError(
            f"{source.name} must be at the source. Got: {error.strerror}. Resume the run once it is"
            " there, or choose other days."
        ) from error
    return read_flight_file(target)


def described(
    folder: Path, n_flights: int, n_events: int, n_planes: int, n_airlines: int
) -> dict[str, dict[str, Any]]:
    """Return for each source how it was read, its rows and the hash of its content."""
    return {
        name: {"interface": interface, "rows": n, "content": store.digest(folder / path)}
        for name, interface, n, path in (
            ("flights", "a CSV file a day", n_flights, "raw/flights"),
            ("weather", "a stream of JSON lines", n_events, "raw/weather.jsonl"),
            ("planes", "a SQLite database", n_planes, "planes.parquet"),
            ("airlines", "a paged HTTP API", n_airlines, "airlines.parquet"),
        )
    }


def work(task: Task, outside: World = sources) -> Count:
    """Read the four sources of the world ``outside``."""
    raw, world = task.folder / "raw", task.folder / "_world"
    (raw / "flights").mkdir(parents=True, exist_ok=True)
    outside.write_flight_files(world / "flights", task.params, task.params.dates)
    outside.write_planes(world / "planes.sqlite")
    with outside.airlines_api() as address:
        airlines, n_pages = read_airlines(address)
    pq.write_table(pa.Table.from_pylist(airlines), task.folder / "airlines.parquet")
    planes = read_planes(world / "planes.sqlite")
    pq.write_table(planes, task.folder / "planes.parquet")
    n_late, n_events = 0, 0
    with (raw / "weather.jsonl").open("w", encoding="utf-8") as stream:
        newest = ""
        for line in outside.weather_events(task.params):
            hour = json.loads(line)["time_hour"]
            n_late += hour < newest
            newest = max(newest, hour)
            n_events += 1
            stream.write(f"{line}\n")
    n_flights = 0
    schema = None
    for number, day in enumerate(task.params.dates):
        name = f"flights-{day}.csv"
        rows = fetch_flight_file(world / "flights" / name, raw / "flights" / name)
        schema = schema or rows.schema
        pq.write_table(rows, task.folder / f"flights-{day}.parquet")
        n_flights += len(rows)
        task.report((number + 1) / task.params.n_days)
    require(n_flights > 0, "days must have flights. Got none in {} files.", task.params.n_days)
    shutil.rmtree(world)
    return Count(
        n_flights,
        n_flights,
        details={
            "flights": n_flights,
            "weather": n_events,
            "weather_out_of_order": n_late,
            "planes": len(planes),
            "airlines": len(airlines),
            "api_pages": n_pages,
            "sources": described(task.folder, n_flights, n_events, len(planes), len(airlines)),
        },
    )


STAGE = Stage("ingest", "Ingest", (), ("days", "late_share", "scale", "seed"), work)
