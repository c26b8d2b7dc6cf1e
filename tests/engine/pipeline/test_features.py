"""What the training set holds, against the definition: each feature of a flight computed by a loop
over the raw rows that were known at its moment.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from engine import data
from engine.etl.flight_days import TAXI_MINUTES
from engine.pipeline import store
from engine.pipeline.records import Run
from engine.pipeline.stages.features import N_LANDINGS, RECENT_HOURS, WEATHER
from engine.pipeline.stages.training_set import VIEWS
from tests.engine.pipeline.conftest import PARAMS


def output(run: Run, stage: str, name: str) -> pd.DataFrame:
    record = run.stage(stage)
    assert record is not None
    return pq.read_table(store.place(stage, record.key) / name).to_pandas()


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    """The bundled flights of the range with their moments, by pandas alone."""
    frame = data.load("flights").to_pandas()
    day = pd.to_datetime(frame[["year", "month", "day"]]).dt.date
    frame = frame[(day >= PARAMS.days[0]) & (day <= PARAMS.days[1])]
    leaves = frame["time_hour"] + pd.to_timedelta(frame["minute"], unit="min")
    departed = leaves + pd.to_timedelta(frame["dep_delay"], unit="min")
    landed = departed + pd.to_timedelta(frame["air_time"] + TAXI_MINUTES, unit="min")
    return frame.assign(departed=departed, landed=landed)


@pytest.fixture(scope="module")
def sample(run: Run) -> list[dict[str, Any]]:
    rows = output(run, "training_set", "rows.parquet")
    return rows.sample(120, random_state=3).to_dict("records")


def same(got: float, expected: float) -> bool:
    if math.isnan(got) or math.isnan(expected):
        return math.isnan(got) and math.isnan(expected)
    return math.isclose(got, expected, rel_tol=0, abs_tol=1e-9)


def test_the_airport_of_a_flight_is_as_of_the_last_full_hour(
    sample: list[dict[str, Any]], flights: pd.DataFrame
) -> None:
    for row in sample:
        hour = row["event_timestamp"].floor("h")
        left = flights[(flights["origin"] == row["origin"]) & flights["departed"].notna()]
        recent = left[
            (left["departed"] <= hour) & (left["departed"] >= hour - timedelta(hours=RECENT_HOURS))
        ]
        if hour < left["departed"].min().ceil("h") or hour > left["departed"].max().ceil("h"):
            continue  # before the first departure of the range, or after the last
        assert row["recent_departures"] == len(recent)
        assert same(row["recent_delay"], recent["dep_delay"].mean())


def test_the_plane_of_a_flight_is_as_of_its_last_landing(
    sample: list[dict[str, Any]], flights: pd.DataFrame
) -> None:
    n_known = 0
    for row in sample:
        moment, ttl = row["event_timestamp"], VIEWS["planes"][2]
        own = flights[(flights["tailnum"] == row["tailnum"]) & flights["arr_delay"].notna()]
        before = own[own["landed"] <= moment].sort_values("landed")
        if not len(before) or before["landed"].iloc[-1] < moment - ttl:
            assert math.isnan(row["last_delay"]) and math.isnan(row["landings"])
            continue
        n_known += 1
        last = before["arr_delay"].tail(N_LANDINGS)
        assert same(row["last_delay"], last.iloc[-1]) and same(row["mean_delay"], last.mean())
        assert row["landings"] == len(last)
    assert n_known > 60


def test_the_weather_of_a_flight_had_arrived_by_its_moment(
    run: Run, sample: list[dict[str, Any]]
) -> None:
    weather = output(run, "validate", "weather.parquet")
    late = 0
    for row in sample:
        moment = row["event_timestamp"]
        known = weather[
            (weather["origin"] == row["origin"])
            & (weather["arrived_at"] <= moment)
            & (weather["time_hour"] >= moment - VIEWS["weather"][2])
        ].sort_values("time_hour")
        late += len(known) > 0 and known["time_hour"].iloc[-1] < moment.floor("h")
        for name in WEATHER:
            assert same(row[name], known[name].iloc[-1] if len(known) else math.nan)
    assert late  # some row was still on its way


def test_the_moment_and_the_answer_are_the_definition(sample: list[dict[str, Any]]) -> None:
    for row in sample:
        assert row["sched_dep"] - row["event_timestamp"] == timedelta(minutes=PARAMS.lead_minutes)
        delay = row["arr_delay"]
        assert row["late"] == (None if math.isnan(delay) else delay > 15)
        assert isinstance(row["sched_dep"], datetime)


def test_what_is_served_is_what_the_store_had_at_the_full_hour(run: Run) -> None:
    made = output(run, "serve", "predictions.parquet")
    rows = output(run, "training_set", "rows.parquet")
    rows = rows[rows["flight_date"] == PARAMS.days[1]].reset_index(drop=True)
    assert made["p_late"].between(0, 1).all() and len(made) == len(rows)
    hourly = ["recent_departures", "recent_delay"]  # change at full hours only: never older
    known = made["served_recent_departures"].notna() & rows["recent_departures"].notna()
    assert known.mean() > 0.8
    for name in hourly:
        assert np.allclose(made.loc[known, f"served_{name}"], rows.loc[known, name], equal_nan=True)
    planes, weather = (
        output(run, "features", "planes.parquet"),
        output(run, "features", "weather.parquet"),
    )
    for number in range(0, len(made), 41):
        row, hour = made.iloc[number], made["event_timestamp"].iloc[number].floor("h")
        own = planes[(planes["tailnum"] == row["tailnum"]) & (planes["event_timestamp"] <= hour)]
        moment = row["event_timestamp"]
        own = own[own["event_timestamp"] >= moment - VIEWS["planes"][2]]
        own = own.sort_values("event_timestamp")
        expected = own["last_delay"].iloc[-1] if len(own) else math.nan
        assert same(row["served_last_delay"], expected)
        hours = weather[(weather["origin"] == row["origin"]) & (weather["created"] <= hour)]
        hours = hours[hours["event_timestamp"] >= moment - VIEWS["weather"][2]]
        if len(hours):
            newest = hours.sort_values("event_timestamp").iloc[-1]
            assert same(row["served_temp"], newest["temp"])
