"""The stream of *streaming*: one row per flight that left an airport on a day, in files by the hour
in which it left.

Real: both times. The event time is the scheduled departure, and a row arrives when its plane has
left: a delayed flight is a late row. Cancelled flights never arrive. Times are minutes from the
midnight before, New York time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.etl.streaming.params import StreamingParams
from engine.units import day_of_2013

FIRST_HOUR, LAST_HOUR = 4, 29  # of the files; what leaves later is in the last, at 5:00 next day


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Flights in the order in which they arrive, (n,) each."""

    flight: np.ndarray  # "B6 41 to MCO"
    event: np.ndarray  # scheduled departure, minutes
    arrival: np.ndarray  # departure, minutes
    hour: np.ndarray  # of the file: FIRST_HOUR … LAST_HOUR


@lru_cache(maxsize=32)
def _flights(day: int, origin: str) -> Rows:
    flights, date = data.load("flights"), day_of_2013(day)
    wanted = {"month": date.month, "day": date.day, "origin": origin}
    mask = pc.is_valid(flights["dep_delay"])
    for name, value in wanted.items():
        mask = pc.and_(mask, pc.equal(flights[name], pa.scalar(value, flights[name].type)))
    found = flights.filter(mask).to_pydict()
    event = np.array(found["hour"], np.int64) * 60 + np.array(found["minute"], np.int64)
    arrival = event + np.array(found["dep_delay"], np.int64)
    order = np.lexsort((event, arrival))
    names = zip(found["carrier"], found["flight"], found["dest"], strict=True)
    flight = np.array([f"{carrier} {number} to {dest}" for carrier, number, dest in names], object)
    hour = np.clip(arrival // 60, FIRST_HOUR, LAST_HOUR)
    return Rows(flight[order], event[order], arrival[order], hour[order])


def rows_of(params: StreamingParams) -> Rows:
    """Return the rows that arrive."""
    return _flights(params.day, params.origin)
