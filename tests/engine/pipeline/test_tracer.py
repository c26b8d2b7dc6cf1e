"""The row tracer against what Feast served and joined, and against the raw files."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from engine.errors import InputError
from engine.etl.flight_days import TAXI_MINUTES
from engine.feature_store.feast_repo import CREATED, EVENT
from engine.pipeline import tracer
from engine.pipeline.records import Run
from engine.pipeline.stages import STAGES
from engine.pipeline.stages.training_set import NAMES, VIEWS
from engine.pipeline.tracer import TracerParams, figure
from engine.pipeline.tracer.result import DUMP_BYTES, same

FLIGHTS = (1, 9, 50, 300, 918)


@pytest.fixture(scope="module")
def training(run: Run) -> pd.DataFrame:
    path = tracer.made(run, "training_set") / "rows.parquet"
    return pq.read_table(path).to_pandas().set_index(["file", "line"])


def test_the_rows_that_win_hold_what_feast_joined_and_served_for_every_flight(
    run: Run, training: pd.DataFrame
) -> None:
    flights = tracer.served(run)
    assert len(flights) == 918
    checked = 0
    for place in range(0, len(flights), 24):
        flight = flights.iloc[place]
        joined = training.loc[(flight["file"], flight["line"])]
        for view, (_, names, _) in VIEWS.items():
            rows = tracer.rows_of(run, view, flight)
            offline = tracer.as_of(rows, view, flight[EVENT])
            online = tracer.in_store(
                rows, view, tracer.fills_before(flights, flight[EVENT]), flight[EVENT]
            )
            for name in names:
                assert same(offline.value(name), float(joined[name])), (place, name)
                assert same(online.value(name), float(flight[f"served_{name}"])), (place, name)
                checked += 1
    assert checked == 10 * math.ceil(918 / 24)


@pytest.mark.parametrize("place", FLIGHTS)
def test_the_line_has_the_bytes_of_the_file_and_the_flight(run: Run, place: int) -> None:
    found = tracer.run(TracerParams(run=run.id, flight=place))
    raw = (tracer.made(run, "ingest") / "raw" / "flights" / found.raw.file).read_bytes()
    end = found.raw.offset + len(found.raw.content)
    assert raw[found.raw.offset : end] == found.raw.content
    assert raw[found.raw.offset - 1 : found.raw.offset] == b"\n" and raw[end - 1 : end] == b"\n"
    cells = [cell.strip('"') for cell in found.raw.text.split(",")]
    assert cells[9:14] == [
        found.flight["carrier"],
        str(found.flight["flight"]),
        found.flight["tailnum"],
        found.flight["origin"],
        found.flight["dest"],
    ]
    assert same(float(cells[8] or "nan"), found.flight["arr_delay"])
    rows = [line[10 : 10 + 3 * DUMP_BYTES] for line in found.raw.dump.splitlines()]
    assert bytes.fromhex("".join(rows)) == found.raw.content


def raw_flights(run: Run) -> pd.DataFrame:
    """Every line of the raw files with its moments, by hand."""
    files = str(tracer.made(run, "ingest") / "raw" / "flights" / "*.csv")
    rows = duckdb.sql(
        "SELECT origin, tailnum, time_hour, minute, dep_delay, arr_delay, air_time"
        f" FROM read_csv('{files}', nullstr = ['', 'NA'],"
        " timestampformat = '%Y-%m-%d %H:%M:%S.%fZ',"
        " types = {'time_hour': 'TIMESTAMP', 'dep_delay': 'DOUBLE', 'arr_delay': 'DOUBLE',"
        " 'air_time': 'DOUBLE'})"
    ).df()
    minutes = rows["minute"] + rows["dep_delay"]
    rows["departed"] = rows["time_hour"] + pd.to_timedelta(minutes, unit="min")
    flown = rows["air_time"] + TAXI_MINUTES
    rows["landed"] = rows["departed"] + pd.to_timedelta(flown, unit="min")
    return rows


@pytest.mark.parametrize("place", FLIGHTS)
def test_the_features_are_those_of_a_brute_force_over_the_raw_files(run: Run, place: int) -> None:
    found, raw = tracer.run(TracerParams(run=run.id, flight=place)), raw_flights(run)
    moment = found.moment.tz_localize(None)
    hour = moment.floor("1h")
    here = raw[raw["origin"] == found.flight["origin"]]
    left = here[(here["departed"] <= hour) & (here["departed"] >= hour - timedelta(hours=3))]
    assert found.training["recent_departures"] == len(left)
    assert same(found.training["recent_delay"], left["dep_delay"].mean())
    plane = raw[(raw["tailnum"] == found.flight["tailnum"]) & raw["arr_delay"].notna()]
    landed = plane[plane["landed"] <= moment].sort_values("landed").tail(5)
    if len(landed) and landed["landed"].iloc[-1] > moment - timedelta(days=7):
        assert found.training["last_delay"] == landed["arr_delay"].iloc[-1]
        assert found.training["mean_delay"] == pytest.approx(landed["arr_delay"].mean())
    else:
        assert math.isnan(found.training["last_delay"])
    lines = (tracer.made(run, "ingest") / "raw" / "weather.jsonl").read_text("utf-8").splitlines()
    known = [
        row
        for row in map(json.loads, lines)
        if row["origin"] == found.flight["origin"]
        and datetime.fromisoformat(row["arrived_at"]).replace(tzinfo=None) <= moment
    ]
    newest = max(known, key=lambda row: (row["time_hour"], row["arrived_at"]))
    assert found.training["temp"] == pytest.approx(newest["temp"])


def rows(*pairs: tuple[str, str]) -> pd.DataFrame:
    times = [[pd.Timestamp(f"2013-01-05 {at}", tz="UTC") for at in pair] for pair in pairs]
    frame = pd.DataFrame(times, columns=[EVENT, CREATED])
    return frame.assign(temp=np.arange(len(frame), dtype=float))


@pytest.mark.parametrize(
    ("pairs", "won", "unknown"),
    [
        ([("10:00", "10:05"), ("11:00", "11:05")], 1, None),
        ([("10:00", "10:05"), ("11:00", "13:00"), ("13:00", "13:05")], 0, 1),
        ([("10:00", "10:05"), ("13:00", "13:05"), ("14:00", "14:05")], 0, 1),
        ([("10:00", "10:05"), ("10:00", "11:00")], 1, None),  # a second version
        ([("05:00", "05:05")], None, None),  # older than the six hours of the weather
        ([("09:00", "13:00"), ("10:00", "10:05")], 1, None),  # late, but older than the winner
    ],
)
def test_which_row_wins_by_hand(
    pairs: list[tuple[str, str]], won: int | None, unknown: int | None
) -> None:
    found = tracer.as_of(rows(*pairs), "weather", pd.Timestamp("2013-01-05 12:00", tz="UTC"))
    assert [row and row["temp"] for row in (found.won, found.unknown)] == [won, unknown]


def test_the_store_keeps_what_no_newer_row_replaces_and_withholds_what_is_too_old() -> None:
    old = rows(("05:00", "05:05"))
    early, noon, late = (pd.Timestamp(f"2013-01-05 {at}:00", tz="UTC") for at in ("10", "11", "12"))
    assert tracer.in_store(old, "weather", [early], noon).value("temp") == 0
    withheld = tracer.in_store(old, "weather", [early, late], late)
    assert withheld.won is None and withheld.expired is not None
    assert withheld.expired["temp"] == 0  # more than the six hours of the weather
    assert tracer.in_store(old, "weather", [late], late) == tracer.as_of(old, "weather", late)
    newer = rows(("05:00", "05:05"), ("11:00", "11:05"))
    assert tracer.in_store(newer, "weather", [early, late], late).value("temp") == 1


class Sum:
    """A model whose probability is the sum of two numbers."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return (frame["a"] + 2 * frame["b"]).to_numpy()


def test_a_reason_is_the_difference_that_one_usual_value_makes() -> None:
    row = pd.DataFrame({"a": [0.3], "b": [0.1]})
    first, second = tracer.reasons(Sum(), row, {"a": 0.2, "b": 0.4})
    assert (first.name, second.name) == ("b", "a")
    assert first.effect == pytest.approx(-0.6) and second.effect == pytest.approx(0.1)


def test_the_trace_is_whole_and_drawn(run: Run) -> None:
    found = tracer.run(TracerParams(flight=50))
    assert [row["hop"] for row in found.hops()] == [
        *(stage.title for stage in STAGES[:-1]),
        "Predict",
        "Outcome",
    ]
    assert [row["feature"] for row in found.features()] == NAMES
    assert [row["feature"] for row in found.features() if row["same"] == "differs"] == found.skewed
    chart = figure.timeline(found)
    assert {trace.name for trace in chart.data} >= {"row that won (training)"}
    bars = figure.effects(found).data[0].x
    assert bars[0] == pytest.approx(100 * found.reasons[0].effect)
    assert found.table().num_rows == len(NAMES)


def test_a_flight_that_was_not_served_gets_a_sentence(run: Run) -> None:
    with pytest.raises(InputError, match="flight must be 1–918"):
        tracer.run(TracerParams(run=run.id, flight=919))
    with pytest.raises(InputError, match="run must be"):
        tracer.run(TracerParams(run="20130101-000000-abcdef"))
