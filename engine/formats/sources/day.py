"""Fifty flights of one day as a table that changes: announced, departed, landed, or cancelled.

Real: the flights, their schedule and delays, and which were cancelled. Simplified, as the data does
not say it: all are announced at midnight, a flight lands its air time and ``TAXI_MINUTES`` after it
left, a cancelled one leaves the table ``CANCELLED_MINUTES`` after its schedule. Minutes count from
New York midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np

from engine import data

MONTH, DAY = 6, 24  # thunderstorms: one flight in eight was cancelled
MIDNIGHT: Final = datetime(2013, MONTH, DAY)
N_FLIGHTS: Final = 50
TAXI_MINUTES: Final = 25
CANCELLED_MINUTES: Final = 120
TYPES: Final[dict[str, type]] = {
    "id": str,
    "scheduled": datetime,
    "dest": str,
    "tailnum": str,
    "distance": int,
    "dep_delay": int,  # minutes, None until it has left
    "arr_delay": int,  # minutes, None until it has landed
}
Op = Literal["insert", "update", "delete"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the table: ``row`` is what the flight is from ``minute`` on."""

    position: int  # in the log, from 0
    minute: float
    op: Op
    row: Row


@lru_cache(maxsize=1)
def changes() -> tuple[Change, ...]:
    """Return every change of the day, in order of time."""
    flights = data.load("flights").to_pandas()
    flights = flights[(flights["month"] == MONTH) & (flights["day"] == DAY)]
    scheduled = flights["hour"] * 60 + flights["minute"]
    flights = flights.assign(scheduled=scheduled).sort_values("scheduled", kind="stable")
    places = np.unique(np.linspace(0, len(flights) - 1, N_FLIGHTS).astype(int))
    found: list[tuple[float, Op, Row]] = []
    for flight in flights.iloc[places].to_dict("records"):
        found += _life(flight)
    found.sort(key=lambda change: change[0])
    return tuple(Change(position, *change) for position, change in enumerate(found))


def _life(flight: dict[str, Any]) -> list[tuple[float, Op, Row]]:
    """Return the changes of one flight."""
    scheduled = float(flight["scheduled"])
    row: Row = {
        "id": f"{flight['carrier']} {flight['flight']} {flight['origin']}",
        "scheduled": MIDNIGHT + timedelta(minutes=scheduled),
        "dest": flight["dest"],
        "tailnum": flight["tailnum"],
        "distance": int(flight["distance"]),
        "dep_delay": None,
        "arr_delay": None,
    }
    life: list[tuple[float, Op, Row]] = [(0.0, "insert", row)]
    if np.isnan(flight["dep_delay"]):
        return [*life, (scheduled + CANCELLED_MINUTES, "delete", row)]
    left = scheduled + flight["dep_delay"]
    row = {**row, "dep_delay": int(flight["dep_delay"])}
    life.append((left, "update", row))
    if not np.isnan(flight["arr_delay"]):  # else it was diverted
        landed = {**row, "arr_delay": int(flight["arr_delay"])}
        life.append((left + flight["air_time"] + TAXI_MINUTES, "update", landed))
    return life


def until(minute: float) -> tuple[Change, ...]:
    """Return the changes up to a moment, it included."""
    return tuple(change for change in changes() if change.minute <= minute)


def state(seen: tuple[Change, ...]) -> dict[str, Row]:
    """Return the table after some changes: rows by id, in order of id."""
    rows: dict[str, Row] = {}
    for change in seen:
        if change.op == "delete":
            rows.pop(change.row["id"], None)
        else:
            rows[change.row["id"]] = change.row
    return dict(sorted(rows.items()))
