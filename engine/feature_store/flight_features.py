"""The lab's data as a feature store sees it: flights to be predicted, hourly weather by airport,
rolling delay by plane.

Real: every flight and every weather hour of 2013. Simplified: a plane counts as landed at its
departure plus its air time (when it reached its gate is known only in local time), and its history
holds flights out of New York alone. Feeds that arrive late and rows that are corrected are made up,
from a seed: the source says nothing of either.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import pyarrow as pa

from engine import data
from engine.errors import require_choice
from engine.feature_store.feast_repo import CREATED, EVENT

if TYPE_CHECKING:
    import polars as pl

Source = Literal["weather", "planes"]
SOURCES: tuple[Source, ...] = get_args(Source)
KEYS: dict[Source, str] = {"weather": "origin", "planes": "tailnum"}
FEATURES: dict[Source, tuple[str, ...]] = {
    "weather": ("temp", "wind_speed", "precip", "visib"),
    "planes": ("mean_delay",),  # of the plane's last five landings
}
UNITS = {"temp": "°F", "wind_speed": "mph", "precip": "in", "visib": "miles", "mean_delay": "min"}
N_ROLLING = 5
CORRECTED_ONE_IN = 6  # of the rows that a late correction hits


def _frame(name: str) -> pl.DataFrame:
    import polars as pl

    frame: pl.DataFrame = cast(Any, pl.from_arrow(data.load(name)))
    return frame


def _departures() -> pl.DataFrame:
    """Return every flight with its scheduled departure in UTC; ``match_time`` is its hour, as the
    weather table has it.
    """
    import polars as pl

    minute = pl.duration(minutes=pl.col("minute"))
    return _frame("flights").with_columns(
        match_time=pl.col("time_hour"), departure=pl.col("time_hour") + minute
    )


@lru_cache(maxsize=len(SOURCES))
def feature_rows(source: Source) -> pa.Table:
    """Return all feature rows of a source in order of key and event time.

    Columns: the key, ``event_timestamp`` (when it became true), ``match_time`` (the hour that an
    equi-join matches on: for weather the observed hour, for planes the scheduled hour of the very
    flight that ends in this row), and FEATURES.
    """
    import polars as pl

    require_choice("source", source, SOURCES)
    key = KEYS[source]
    if source == "weather":
        frame = _frame("weather").with_columns(
            match_time=pl.col("time_hour"), **{EVENT: pl.col("time_hour")}
        )
        frame = frame.sort(key, EVENT)
    else:
        landed = pl.col("departure") + pl.duration(minutes=pl.col("dep_delay") + pl.col("air_time"))
        frame = _departures().filter(
            pl.col("tailnum").is_not_null() & pl.col("arr_delay").is_not_null()
        )
        frame = frame.with_columns(**{EVENT: landed}).sort(key, EVENT)
        mean = pl.col("arr_delay").cast(pl.Float64).rolling_mean(N_ROLLING, min_samples=1).over(key)
        frame = frame.with_columns(mean_delay=mean)
    return frame.select(key, EVENT, "match_time", *FEATURES[source]).to_arrow().combine_chunks()


@lru_cache(maxsize=len(SOURCES))
def label_rows(source: Source) -> pa.Table:
    """Return every flight with a key, in order of departure: key, ``departure`` (UTC),
    ``match_time``, name, ``arr_delay``.
    """
    import polars as pl

    require_choice("source", source, SOURCES)
    key = KEYS[source]
    name = pl.concat_str(pl.col("carrier"), pl.col("flight").cast(pl.String), separator=" ").alias(
        "flight_name"
    )
    frame = _departures().filter(pl.col(key).is_not_null()).sort("departure", maintain_order=True)
    return (
        frame.select(key, "departure", "match_time", name, "arr_delay").to_arrow().combine_chunks()
    )


def arriving(
    rows: pa.Table, feature: str, *, delay_minutes: int, correct: bool, seed: int
) -> pa.Table:
    """Return ``rows`` as a feed brings them: with ``created``, ``delay_minutes`` after the event,
    and a ``version``.

    With ``correct`` one row in CORRECTED_ONE_IN (drawn from the seed, made up) comes again as
    version 1, three to twelve hours after the first, with the same event time and another value of
    ``feature``.
    """
    import numpy as np
    import polars as pl

    delay = pl.duration(minutes=delay_minutes)
    frame: Any = pl.from_arrow(rows)
    frame = frame.with_columns(version=pl.lit(0), **{CREATED: pl.col(EVENT) + delay})
    if correct and len(frame):
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.choice(len(frame), -(-len(frame) // CORRECTED_ONE_IN), replace=False))
        hours = pl.Series("hours", rng.integers(3, 13, len(chosen)))
        change = pl.Series("change", rng.choice([-8.0, -6.0, 6.0, 8.0], len(chosen)))
        again = (
            frame[chosen]
            .with_columns(hours, change, version=1)
            .with_columns(
                (pl.col(feature) + pl.col("change")).alias(feature),
                (pl.col(CREATED) + pl.duration(hours="hours")).alias(CREATED),
            )
        )
        frame = pl.concat([frame, again.drop("hours", "change")])
    return frame.to_arrow().combine_chunks()
