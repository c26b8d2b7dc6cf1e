"""Raw values of flights for the skew injector: weather and plane history, joined as of a moment by
binary search.

Real: all flights and weather of 2013; a flight is asked for an hour before its scheduled departure,
training from January to June, serving in July. Simplified: as everywhere in this lab, a plane
counts as landed at its departure plus its air time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa

from engine import data
from engine.feature_store.feast_repo import CREATED, EVENT
from engine.feature_store.model_inputs import WEATHER

LATE_MINUTES = 15
ASKED_BEFORE_SECONDS = 3_600
N_TRAIN, N_SERVED = 20_000, 4_000
TRAIN_MONTHS, SERVED_MONTH = range(1, 7), 7
SPAN = 2**40  # more than any second: one sorted integer for key and time
MAX_WIND = 200.0  # mph; one reading of 2013 is 1,048


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Feature rows in order of key and second: ``key`` (n,) is a place in ``names``; ``columns``
    hold floats, nan for null.
    """

    names: tuple[str, ...]
    key: np.ndarray
    second: np.ndarray
    columns: dict[str, np.ndarray]

    def latest(self, key: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the place of each asked key's latest row at its second, -1 without one."""
        place = (
            np.searchsorted(self.key * SPAN + self.second, key * SPAN + second, side="right") - 1
        )
        found = (place >= 0) & (self.key[np.maximum(place, 0)] == key) & (key >= 0)
        return np.asarray(np.where(found, place, -1))

    def take(self, name: str, places: np.ndarray) -> np.ndarray:
        """Return a column at ``places``, nan where there is none."""
        return np.asarray(np.where(places >= 0, self.columns[name][np.maximum(places, 0)], np.nan))

    def table(self, key_name: str, columns: dict[str, np.ndarray], rows: np.ndarray) -> pa.Table:
        """Return some rows as Feast's source: the key, event and created time (the same),
        ``columns``.
        """
        moment = pa.array(self.second[rows] * 1_000_000).cast(pa.timestamp("us", "UTC"))
        names = pa.array(self.names).take(pa.array(self.key[rows]))
        values = {
            name: pa.array(column[rows], from_pandas=True) for name, column in columns.items()
        }
        return pa.table({key_name: names, EVENT: moment, CREATED: moment, **values})


@dataclass(frozen=True, slots=True, eq=False)
class Flights:
    """Flights asked for: keys into the feeds, second of the question, what the caller knows,
    whether they left late.

    Each is (n,); a key is a place in the names of its feed, -1 for one that the feed does not know.
    """

    origin: np.ndarray
    plane: np.ndarray
    asked: np.ndarray  # seconds since 1970, UTC
    scheduled: np.ndarray
    distance: np.ndarray
    late: np.ndarray

    def take(self, rows: np.ndarray) -> Flights:
        """Return some of the flights."""
        return Flights(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def _seconds(table: str) -> np.ndarray:
    return np.asarray(
        data.load(table)["time_hour"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy()
    )


@lru_cache(maxsize=1)
def weather_feed() -> Feed:
    """Return the hourly weather of the three airports."""
    frame = (
        data.load("weather")
        .select(["origin", *WEATHER])
        .to_pandas()
        .assign(second=_seconds("weather"))
    )
    frame = frame.drop_duplicates(["origin", "second"]).sort_values(["origin", "second"])
    frame["wind_speed"] = frame["wind_speed"].where(frame["wind_speed"] < MAX_WIND)
    names = pd.Categorical(frame["origin"])
    columns = {name: frame[name].to_numpy(float) for name in WEATHER}
    return Feed(
        tuple(names.categories), names.codes.astype(np.int64), frame["second"].to_numpy(), columns
    )


@lru_cache(maxsize=1)
def plane_feed() -> Feed:
    """Return each landing of each plane, with its arrival delay in minutes."""
    flights = (
        data.load("flights")
        .select(["tailnum", "minute", "dep_delay", "air_time", "arr_delay"])
        .to_pandas()
    )
    flights["second"] = _seconds("flights") + 60 * (
        flights["minute"] + flights["dep_delay"] + flights["air_time"]
    )
    known = flights.dropna(subset=["tailnum", "arr_delay"]).sort_values(
        ["tailnum", "second"], kind="stable"
    )
    names = pd.Categorical(known["tailnum"])
    columns = {"arr_delay": known["arr_delay"].to_numpy(float)}
    return Feed(
        tuple(names.categories),
        names.codes.astype(np.int64),
        known["second"].to_numpy(np.int64),
        columns,
    )


@lru_cache(maxsize=32)
def mean_delay(window: int) -> np.ndarray:
    """Return, for each landing, the mean arrival delay of the plane's last ``window`` landings."""
    feed = plane_feed()
    total = np.concatenate([[0.0], np.cumsum(feed.columns["arr_delay"])])
    row = np.arange(len(feed.key))
    first = np.maximum(np.searchsorted(feed.key, feed.key), row + 1 - window)
    return np.asarray((total[row + 1] - total[first]) / (row + 1 - first))


@lru_cache(maxsize=1)
def _all_flights() -> tuple[Flights, np.ndarray]:
    """Return every flight that left, with its month."""
    flights = (
        data.load("flights")
        .select(["tailnum", "origin", "month", "minute", "dep_delay", "distance"])
        .to_pandas()
    )
    flights["scheduled"] = _seconds("flights") + 60 * flights["minute"]
    left = flights.dropna(subset=["tailnum", "dep_delay"])
    places = [
        pd.Categorical(left[column], categories=list(feed.names)).codes.astype(np.int64)
        for column, feed in (("origin", weather_feed()), ("tailnum", plane_feed()))
    ]
    scheduled = left["scheduled"].to_numpy(np.int64)
    late = (left["dep_delay"] > LATE_MINUTES).to_numpy(int)
    distance = left["distance"].to_numpy(float)
    origin, plane = places
    return Flights(
        origin, plane, scheduled - ASKED_BEFORE_SECONDS, scheduled, distance, late
    ), left["month"].to_numpy()


@lru_cache(maxsize=8)
def split(seed: int) -> tuple[Flights, Flights]:
    """Return N_TRAIN flights of the training months and N_SERVED of the month that is served, drawn
    at random, in order.
    """
    flights, month = _all_flights()
    rng = np.random.default_rng(seed)
    train = rng.choice(np.flatnonzero(np.isin(month, TRAIN_MONTHS)), N_TRAIN, replace=False)
    served = rng.choice(
        np.flatnonzero((month == SERVED_MONTH) & (flights.plane >= 0)), N_SERVED, replace=False
    )
    first, second = (
        flights.take(rows[np.argsort(flights.asked[rows], kind="stable")])
        for rows in (train, served)
    )
    return first, second


def raw_values(flights: Flights, second: np.ndarray, window: int) -> pd.DataFrame:
    """Return what ``model_inputs`` takes for each flight, from the feature rows that are there at
    ``second``.
    """
    weather, planes = weather_feed(), plane_feed()
    seen = weather.latest(flights.origin, second)
    columns = {name: weather.take(name, seen) for name in WEATHER}
    landed = planes.latest(flights.plane, second)
    columns["mean_delay"] = np.where(landed >= 0, mean_delay(window)[np.maximum(landed, 0)], np.nan)
    columns |= {"scheduled_at": flights.scheduled, "distance": flights.distance}
    return pd.DataFrame(columns)
