"""Four sources in four forms, each written and read back: flights as CSV text, airlines as JSON,
planes as a SQLite table, weather as Parquet.

Real: the rows and the files. Simulated from the seed: text faults in the flights' file, as people
and spreadsheets make them (``FAULTS``). What a cell was before is kept, so that cleaning can be
checked.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import lru_cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd

from engine import data, workspace

TIME: Final = "%Y-%m-%d %H:%M"
DAY_FIRST: Final = "%d/%m/%Y %H:%M"
COLUMNS: Final = ("carrier", "origin", "tailnum", "departs", "distance", "dep_delay")
FAULTS: Final[dict[str, Callable[[str], str]]] = {
    "carrier": lambda text: f" {text.lower()}",
    "origin": lambda text: f"{text} ",
    "tailnum": lambda text: text.lower(),
    "departs": lambda text: f"{text[8:10]}/{text[5:7]}/{text[:4]}{text[10:]}",  # DAY_FIRST
    "distance": lambda text: f"{text} mi",
    "dep_delay": lambda text: f"{text} min",
}


@lru_cache(maxsize=1)
def _year() -> tuple[pd.DataFrame, pd.Series]:
    """Return every flight and its date."""
    table = data.load("flights").to_pandas()
    return table, pd.to_datetime(table[["year", "month", "day"]])


@lru_cache(maxsize=16)
def flights(first_day: int, n_days: int) -> pd.DataFrame:
    """Return the flights of some days as text, ``COLUMNS``; a missing value is ``""``. Departures
    are New York time.
    """
    table, dates = _year()
    start = pd.Timestamp(2013, 1, 1) + pd.Timedelta(days=first_day - 1)
    rows = table[(dates >= start) & (dates < start + pd.Timedelta(days=n_days))]
    at = dates[rows.index] + pd.to_timedelta(rows["hour"] * 60 + rows["minute"], unit="min")
    text = pd.DataFrame(
        {
            "carrier": rows["carrier"],
            "origin": rows["origin"],
            "tailnum": rows["tailnum"].fillna(""),
            "departs": at.dt.strftime(TIME),
            "distance": rows["distance"].astype(str),
            "dep_delay": rows["dep_delay"].map(lambda d: "" if pd.isna(d) else str(int(d))),
        }
    )
    return text.reset_index(drop=True)


def with_faults(rows: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows with a share of the cells of each column written wrong, and which cells those
    are. Empty cells stay empty.
    """
    rng = np.random.default_rng(seed)
    faulty = pd.DataFrame(
        {name: (rng.random(len(rows)) < share) & (rows[name] != "") for name in COLUMNS}
    )
    wrong = {
        name: rows[name].where(~faulty[name], rows[name].where(faulty[name], "").map(
            lambda text, make=make: make(text) if text else ""
        ))
        for name, make in FAULTS.items()
    }  # fmt: skip
    return pd.DataFrame(wrong), faulty


def through_a_file(rows: pd.DataFrame) -> pd.DataFrame:
    """Write the rows as CSV and read them back as text, as a partner's file arrives."""
    text = StringIO(rows.to_csv(index=False), newline="")
    return pd.read_csv(text, dtype=str, keep_default_na=False)


@lru_cache(maxsize=1)
def others() -> dict[str, pd.DataFrame]:
    """Return airlines from JSON, planes from SQLite and weather from Parquet, each read back from
    what was written.
    """
    with TemporaryDirectory(dir=workspace.temporary()) as name:
        folder = Path(name)
        airlines = data.load("airlines").to_pylist()
        (folder / "airlines.json").write_text(json.dumps(airlines), encoding="utf-8")
        planes = data.load("planes").select(["tailnum", "year", "seats"]).to_pylist()
        weather = data.load("weather").select(["origin", "time_hour", "temp", "wind_speed"])
        weather.to_pandas().to_parquet(folder / "weather.parquet")
        found: dict[str, Any] = {
            "airlines": pd.DataFrame(json.loads((folder / "airlines.json").read_text("utf-8"))),
            "weather": pd.read_parquet(folder / "weather.parquet"),
        }
        with closing(sqlite3.connect(folder / "planes.sqlite")) as base, base:
            # not by pandas, which changes how this whole process writes times to SQLite (Feast's)
            base.execute("CREATE TABLE planes (tailnum TEXT, year INTEGER, seats INTEGER)")
            base.executemany("INSERT INTO planes VALUES (:tailnum, :year, :seats)", planes)
            found["planes"] = pd.read_sql("SELECT tailnum, year, seats FROM planes", base)
    return found
