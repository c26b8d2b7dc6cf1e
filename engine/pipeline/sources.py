"""The four sources, as the outside world has them: a paged HTTP API (airlines), a SQLite database
(planes), a CSV file a day (flights), a stream of JSON lines (weather).

Real: the interfaces and every row of 2013. Simplified: they run on this machine. A weather row
arrives ``ON_TIME_MINUTES`` after its hour; a share of them, drawn from the seed, up to
``LATEST_HOURS`` later. Where ``scale`` is above 1 a day's file holds further flights (``enlarge``).
"""

from __future__ import annotations

import json
import sqlite3
import urllib.parse
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from engine import data, local_http
from engine.etl import flight_days
from engine.pipeline.params import PipelineParams

PAGE_ROWS = 5
ON_TIME_MINUTES, LATEST_HOURS = 5, 12


def write_flight_files(folder: Path, params: PipelineParams, days: list[date]) -> None:
    """Write the file of each day into ``folder``; one that is there stays."""
    from engine.pipeline.enlarge import enlarge

    flights = data.load("flights")
    dates = flight_days.dates(flights)
    folder.mkdir(parents=True, exist_ok=True)
    starts = {day: number for number, day in enumerate(days)}
    for day, number in starts.items():
        path = folder / f"flights-{day}.csv"
        if path.exists():
            continue
        rows = flights.filter(pc.equal(dates, pa.scalar(day)))
        rows = enlarge(rows, params.scale, params.seed * 366 + number)
        partial = path.with_suffix(".part")
        csv.write_csv(rows, partial)
        partial.rename(path)


def write_planes(path: Path) -> None:
    """Write the planes database."""
    planes = data.load("planes")
    names = planes.column_names
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE planes ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        database.executemany(
            f"INSERT INTO planes VALUES ({marks})",
            (tuple(row.values()) for row in planes.to_pylist()),
        )


def weather_events(params: PipelineParams) -> Iterator[str]:
    """Yield the stream's lines in the order in which they arrive.

    Each is one hour of an airport, with ``time_hour`` (what it is about) and ``arrived_at``; both
    UTC.
    """
    weather = data.load("weather")
    first, last = (pa.scalar(day) for day in params.days)
    day = pc.cast(pc.strftime(weather["time_hour"], "%Y-%m-%d"), pa.date32())
    inside = pc.and_(
        pc.greater_equal(day, pc.subtract(first, pa.scalar(86_400, pa.duration("s")))),
        pc.less_equal(day, last),
    )
    rows = weather.filter(inside)
    rng = np.random.default_rng(params.seed)
    late = rng.random(len(rows)) < params.late_share
    minutes = ON_TIME_MINUTES + late * rng.integers(60, LATEST_HOURS * 60, len(rows))
    hours = rows["time_hour"].to_numpy().astype("datetime64[m]")
    arrived = hours + minutes.astype("timedelta64[m]")
    rows = rows.append_column("arrived_at", pa.array(arrived.astype("datetime64[us]")))
    for row in rows.take(pa.array(np.argsort(arrived, kind="stable"))).to_pylist():
        for name in ("time_hour", "arrived_at"):
            row[name] = row[name].strftime("%Y-%m-%dT%H:%M:%SZ")
        yield json.dumps(row)


class World(Protocol):
    """The outside world as ``ingest`` reads it. This module is one, the healthy one."""

    def write_flight_files(self, folder: Path, params: PipelineParams, days: list[date]) -> None:
        """Write the file of each day that has arrived."""

    def write_planes(self, path: Path) -> None:
        """Write the planes database."""

    def weather_events(self, params: PipelineParams) -> Iterator[str]:
        """Yield the stream's lines."""

    def airlines_api(self) -> AbstractContextManager[str]:
        """Serve the airlines and yield the address."""


class AirlinesApi(local_http.Handler):
    """``GET /airlines?page=1``: some rows, and the number of the next page or null."""

    def respond(self) -> None:
        """Answer one page."""
        asked = urllib.parse.urlsplit(self.path)
        page = urllib.parse.parse_qs(asked.query).get("page", ["1"])[0]
        rows = data.load("airlines").to_pylist()
        if asked.path != "/airlines" or not page.isdigit() or int(page) < 1:
            self.send_error(404)
            return
        start = (int(page) - 1) * PAGE_ROWS
        following = int(page) + 1 if start + PAGE_ROWS < len(rows) else None
        answer = {"rows": rows[start : start + PAGE_ROWS], "next": following, "total": len(rows)}
        self.answer(json.dumps(answer))


def airlines_api(handler: type[AirlinesApi] = AirlinesApi) -> AbstractContextManager[str]:
    """Serve the airlines on a free port of 127.0.0.1; the block gets the address."""
    return local_http.serve(handler)
