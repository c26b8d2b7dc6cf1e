"""The rows of *late data*: real flights with their event times, and when each row arrives,
simulated from a seed.

Most rows come within minutes, a share comes late with a log-normal tail, and La Guardia's link is
down for some hours and then delivers all that it held back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import pyarrow.compute as pc

from engine import data

USUAL_HOURS = 0.1  # mean delay of a row that is not late
SIGMA = 0.8  # of the logarithm of a late row's delay
OUTAGE_AIRPORT = "LGA"
CATCH_UP_HOURS = 0.5  # within which the outage's rows arrive once the link is back


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Flights of the days in view, in time order. Hours count from the first midnight."""

    event_hour: np.ndarray  # (n,) scheduled departure
    arrival_hour: np.ndarray  # (n,) when the row reaches us: simulated
    day: np.ndarray  # (n,) 0 … n_days − 1, of the event


@lru_cache(maxsize=32)
def flights_of(first_day: int, n_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return event hours (n,) from the first midnight and whether each flight leaves La Guardia
    (n,), in time order.
    """
    flights = data.load("flights").select(["month", "day", "hour", "minute", "origin"])
    month, day, hour, minute = (
        flights[name].to_numpy().astype(np.int64) for name in ("month", "day", "hour", "minute")
    )
    starts = np.array([date(2013, m, 1).timetuple().tm_yday for m in range(1, 13)])
    of_year = starts[month - 1] + day - 1
    places = np.flatnonzero((of_year >= first_day) & (of_year < first_day + n_days))
    hours = (of_year[places] - first_day) * 24.0 + hour[places] + minute[places] / 60
    order = np.argsort(hours, kind="stable")
    silent = pc.equal(flights["origin"], OUTAGE_AIRPORT).to_numpy()[places]
    return hours[order], silent[order]


@lru_cache(maxsize=32)
def arrivals(
    first_day: int, n_days: int, late_share: float, late_hours: int, outage_hours: int, seed: int
) -> Rows:
    """Return the flights with their arrival; the link is down from noon of the day after a third of
    the days.
    """
    event, of_airport = flights_of(first_day, n_days)
    rng = np.random.default_rng(seed)
    n = len(event)
    usual = rng.exponential(USUAL_HOURS, n)
    draw, tail, catch_up = rng.random(n), rng.lognormal(0, SIGMA, n), rng.random(n) * CATCH_UP_HOURS
    arrival = event + usual + np.where(draw < late_share, late_hours * tail, 0)
    start = (n_days // 3) * 24.0 + 12
    held = of_airport & (arrival >= start) & (arrival < start + outage_hours)
    arrival = np.where(held, start + outage_hours + catch_up, arrival)
    return Rows(event, arrival, (event // 24).astype(np.int64))
