"""The parts of the pipeline one by one, each against its definition."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import roc_auc_score

from engine import data
from engine.errors import InputError
from engine.etl import flight_days
from engine.pipeline import faithful, sources, store
from engine.pipeline.enlarge import JITTER_MINUTES, enlarge
from engine.pipeline.params import PipelineParams
from engine.pipeline.stages import ingest, monitor, register, serve, train, training_set, validate
from engine.pipeline.stages.serve import arrived, differs
from tests.engine.pipeline.conftest import PARAMS


def test_the_api_gives_every_airline_page_by_page() -> None:
    with sources.airlines_api() as address:
        rows, n_pages = ingest.read_airlines(address)
        assert rows == data.load("airlines").to_pylist() and n_pages == 4
        for path in ("/airlines?page=0", "/airlines?page=x", "/../etc/passwd"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(address + path)
    with pytest.raises(InputError, match="airlines API must answer page 1"):
        ingest.read_airlines(address)


def test_the_planes_come_back_from_the_database_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "planes.sqlite"
    sources.write_planes(path)
    assert ingest.read_planes(path).equals(data.load("planes"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM planes WHERE engines > 2")
    expected = data.load("planes").filter(pc.less_equal(data.load("planes")["engines"], 2))
    assert ingest.read_planes(path).equals(expected)


def test_the_stream_brings_every_hour_in_order_of_arrival() -> None:
    events = [json.loads(line) for line in sources.weather_events(PARAMS)]
    arrivals = [event["arrived_at"] for event in events]
    assert arrivals == sorted(arrivals)
    first, last = (day.isoformat() for day in PARAMS.days)
    weather = data.load("weather").to_pandas()
    day = weather["time_hour"].dt.strftime("%Y-%m-%d")
    before = (PARAMS.days[0] - timedelta(1)).isoformat()
    inside = weather[(day >= before) & (day <= last)]
    keys = {(event["origin"], event["time_hour"]) for event in events}
    assert len(events) == len(inside) == len(keys) and first <= last
    moments = [
        [datetime.fromisoformat(event[name]) for name in ("time_hour", "arrived_at")]
        for event in events
    ]
    waits = np.array([(to - of).total_seconds() / 60 for of, to in moments])
    assert waits.min() == sources.ON_TIME_MINUTES
    assert waits.max() < sources.LATEST_HOURS * 60 + sources.ON_TIME_MINUTES
    share = (waits > sources.ON_TIME_MINUTES).mean()
    assert abs(share - PARAMS.late_share) < 4 * np.sqrt(0.05 * 0.95 / len(waits))


@pytest.mark.parametrize("scale", [1, 2, 60])
def test_a_larger_day_keeps_what_the_day_was(scale: int) -> None:
    day = pc.equal(flight_days.dates(data.load("flights")), pa.scalar(date(2013, 1, 9)))
    rows = data.load("flights").filter(day)
    large = enlarge(rows, scale, 3)
    assert len(large) == scale * len(rows)
    assert large.slice(0, len(rows)).equals(rows.combine_chunks())
    assert large.schema == rows.schema
    frame, small = large.to_pandas(), rows.to_pandas()
    assert not frame[["carrier", "flight", "time_hour"]].duplicated().any()
    assert frame["flight"].between(1, 9_999).all()
    for name in ("carrier", "origin", "dest"):
        shares = [part[name].value_counts(normalize=True) for part in (frame, small)]
        assert shares[0].sub(shares[1], fill_value=0).abs().max() < 0.05
    assert abs(frame["dep_delay"].mean() - small["dep_delay"].mean()) < 3
    assert (frame["dep_delay"].isna() == frame["dep_time"].isna()).all()
    clock = frame[["sched_dep_time", "dep_time", "arr_time", "sched_arr_time"]].stack()
    assert clock.between(0, 2400).all() and (clock % 100 < 60).all()
    assert (frame["sched_dep_time"] % 100 == frame["minute"]).all()
    both = frame[["dep_delay", "arr_delay"]].dropna()
    assert abs(both.corr().iloc[0, 1] - small[["dep_delay", "arr_delay"]].corr().iloc[0, 1]) < 0.05
    assert JITTER_MINUTES < 15


def test_an_enlarged_year_is_faithful_and_another_one_is_noticed() -> None:
    days = [date(2013, month, 9) for month in range(1, 13)]
    real, added = faithful.frames(days, 5, seed=3)
    assert len(added) == 4 * len(real)
    for row in faithful.marginals(real, added):
        spread = row["real_sd"]
        assert abs(row["added_mean"] - row["real_mean"]) < 0.05 * spread
        assert abs(row["added_sd"] - spread) < 0.05 * spread
        assert row["ks"] < (0.05 if row["measure"].endswith("delay") else 0.02)
        assert abs(row["real_missing"] - row["added_missing"]) < 0.005
        for one, two in zip(row["real_quantiles"], row["added_quantiles"], strict=True):
            assert abs(one - two) < 0.1 * spread
    for row in faithful.correlations(real, added):
        assert abs(row["real"] - row["added"]) < 0.03
    values = [np.sort(frame["arr_delay"].dropna()) for frame in (real, added)]
    places = np.unique(np.concatenate(values))
    shares = [np.searchsorted(one, places, side="right") / len(one) for one in values]
    table = {row["measure"]: row for row in faithful.marginals(real, added)}
    assert table["arr_delay"]["ks"] == pytest.approx(np.abs(shares[0] - shares[1]).max())
    table = {
        row["measure"]: row
        for row in faithful.marginals(real, added.assign(air_time=1.3 * added["air_time"]))
    }
    assert table["air_time"]["ks"] > 0.1 > table["distance"]["ks"]
    assert "air_time" in faithful.as_text(list(table.values()), faithful.correlations(real, added))


def test_of_too_many_rows_every_kth_is_read(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    rows = pa.table({"n": range(1_000), "even": [n % 2 == 0 for n in range(1_000)]})
    pq.write_table(rows, path, row_group_size=90)
    even = pc.field("even")
    assert training_set.count(path) == 1_000 and training_set.count(path, even) == 500
    for most, step in ((10_000, 1), (1_000, 1), (999, 2), (400, 3), (7, 143)):
        found = training_set.rows_of(path, ["n"], None, most)
        assert found["n"].to_pylist() == list(range(0, 1_000, step))
    found = training_set.rows_of(path, ["n"], even, 100)
    assert found["n"].to_pylist() == list(range(0, 1_000, 10))


def test_a_value_that_is_too_old_at_the_moment_of_a_flight_is_not_served() -> None:
    moment = datetime.fromisoformat("2013-01-05T12:34:00+00:00")
    ages = {"airports": timedelta(hours=1), "planes": timedelta(days=7, minutes=1)}
    got: dict[str, list[Any]] = {}
    for view, (_, names, _) in training_set.VIEWS.items():
        for name in names:
            known = view in ages
            got[name] = [1.0 if known else None]
            got[f"{name}__ts"] = [int((moment - ages[view]).timestamp()) if known else 0]
    answer = SimpleNamespace(to_dict=lambda include_event_timestamps: got)
    feast = SimpleNamespace(get_online_features=lambda features, entity_rows: answer)
    asked = pd.DataFrame({"origin": ["JFK"], "tailnum": ["N1"], "event_timestamp": [moment]})
    frame, expired = serve.online(feast, asked)
    assert expired == {"airports": 0, "planes": 1, "weather": 0}
    assert frame["recent_delay"].tolist() == [1.0] and frame["last_delay"].isna().all()
    ages["planes"] = timedelta(days=7)
    for name in training_set.VIEWS["planes"][1]:
        got[f"{name}__ts"] = [int((moment - ages["planes"]).timestamp())]
    assert serve.online(feast, asked)[1]["planes"] == 0  # just old enough, as in the training set


def test_a_model_that_is_the_champion_already_stays_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "folder", lambda: tmp_path)
    for name, content in (("one", b"model"), ("two", b"model"), ("three", b"another")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.joblib").write_bytes(content)
    old = {"learned_until": "2013-01-01", "model": "one/model.joblib"}
    for name, same in (("one", True), ("two", True), ("three", False)):
        task: Any = SimpleNamespace(read=lambda _, file, name=name: tmp_path / name / file)
        assert register.is_champion(task, old) is same
        assert register.is_champion(task, None) is False


def test_a_strict_gate_holds_back_what_a_lenient_one_counts() -> None:
    rows = data.load("weather").slice(0, 400).to_pandas()
    rows.loc[5, "wind_speed"] = 1_048.0
    rows.loc[7, "origin"] = None
    for lenient, held in ((False, {5, 7}), (True, {7})):
        reasons, counted = validate.broken_rules("weather", rows, {}, lenient)
        assert set(reasons) == held
        assert counted.get("wind_speed must be 0–120", 0) == int(lenient)


def test_the_days_are_dealt_in_order_each_once() -> None:
    for n in range(28, 366, 13):
        params = replace(PARAMS, days=(date(2013, 1, 1), date(2013, 1, 1) + timedelta(n - 1)))
        days = train.deal(params.dates)
        assert [*days.learn, *days.calibrate, *days.compare, days.serve] == params.dates
        assert min(len(days.learn), len(days.calibrate), len(days.compare)) >= 5


def test_the_interval_of_a_gain_is_of_whole_days_and_holds_the_truth() -> None:
    rng = np.random.default_rng(0)
    days = np.repeat(np.arange(40), 50)
    answers = rng.random(2_000) < 0.3
    good = answers + rng.normal(0, 1, 2_000)
    draws = train.bootstrap({"good": good, "same": good}, answers, days, seed=1)
    assert np.array_equal(draws["good"], draws["same"])
    low, high = train.interval(draws["good"])
    truth = 0.7602  # of two normal distributions one deviation apart: Φ(1/√2)
    assert low < truth < high and high - low < 0.08
    weights = np.bincount(np.random.default_rng(1).integers(0, 40, 40), minlength=40)[days]
    assert draws["good"][0] == roc_auc_score(answers, good, sample_weight=weights)


def test_a_small_batch_alarms_falsely_and_a_large_one_does_not() -> None:
    rng = np.random.default_rng(5)
    reference = rng.normal(0, 1, 5_000)
    small, large = (monitor.false_alarms(reference, n, rng) for n in (30, 3_000))
    assert small["psi"] > 0.5 and set(large.values()) == {0.0}


def test_the_promised_score_is_the_true_one_where_probabilities_are_calibrated() -> None:
    rng = np.random.default_rng(2)
    p = rng.beta(1, 3, 200_000)
    answers = rng.random(len(p)) < p
    assert monitor.promised_auc(p) == pytest.approx(roc_auc_score(answers, p), abs=0.004)
    blind = rng.permutation(p)  # as sure as before, and wrong: a promise cannot see it
    assert monitor.promised_auc(blind) == pytest.approx(monitor.promised_auc(p))


def test_what_had_not_arrived_or_is_too_old_is_not_served() -> None:
    now = datetime.fromisoformat("2013-01-05T12:00:00+00:00")
    rows = pa.table(
        {
            "event_timestamp": [now - timedelta(hours=h) for h in (0, 1, 3, 9, -1)],
            "created": [now + timedelta(hours=h) for h in (0, 2, -3, -9, 1)],
            "value": [0, 1, 2, 3, 4],
        }
    )
    assert arrived(rows, now, timedelta(hours=6))["value"].to_pylist() == [0, 2]
    assert differs(
        np.array([1.0, np.nan, 1.0, np.nan]), np.array([1.0, np.nan, 2.0, 1.0])
    ).tolist() == [
        False,
        False,
        True,
        True,
    ]


def scores(low: float, first: str = "2013-02-01", last: str = "2013-01-31") -> dict[str, Any]:
    return {
        "gain": 0.1,
        "gain_interval": [low, 0.2],
        "compare": {"first": first},
        "calibrate": {"last": last},
    }


def test_a_model_is_registered_only_if_it_is_better_than_what_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task: Any = None
    assert register.decide(task, scores(0.01), None)["registered"]
    assert not register.decide(task, scores(-0.01), None)["registered"]
    old = {"learned_until": "2013-01-20", "model": "x"}
    for low, better in ((0.01, True), (-0.01, False)):
        monkeypatch.setattr(register, "gain_over", lambda *_, low=low: (0.02, (low, 0.05)))
        decision = register.decide(task, scores(0.05), old)
        assert (decision["registered"], decision["rival"]) == (better, "champion")
    knows_the_days = {"learned_until": "2013-02-10", "model": "x"}
    assert not register.decide(task, scores(0.05), knows_the_days)["registered"]
    assert register.decide(task, scores(0.05, last="2013-02-20"), knows_the_days)["registered"]


def test_a_source_at_fault_stops_the_run_instead_of_filling_the_quarantine() -> None:
    rows = data.load("flights").slice(0, 500)
    wrong = rows.set_column(
        rows.column_names.index("origin"), "origin", pa.array(["XXX"] * 250 + ["JFK"] * 250)
    )
    task: Any = type("T", (), {"params": PARAMS})
    with pytest.raises(InputError, match="At most 20% of the rows of flights"):
        validate.split(task, "flights", wrong, {})
    good, bad, first, _ = validate.split(task, "flights", rows, {})
    assert len(good) + len(bad) == 500 and sum(first.values()) == len(bad)


def test_a_line_of_the_stream_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weather.jsonl"
    path.write_text('{"time_hour": "2013-01-01T00:00:00Z"}\n{oops\n', encoding="utf-8")
    with pytest.raises(InputError, match="Line 2 of the weather stream must be JSON"):
        validate.read_weather(path)


def test_the_digest_is_of_the_rows_not_of_how_they_are_stored(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    rows = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    found = set()
    for number, (table, codec) in enumerate(
        [(rows, "zstd"), (rows, "none"), (rows.replace_schema_metadata({"k": "v"}), "zstd")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        pq.write_table(table, folder / "t.parquet", compression=codec)
        (folder / "_left_out").write_text(str(number), encoding="utf-8")
        found.add(store.digest(folder))
    assert len(found) == 1
    pq.write_table(rows.slice(1), tmp_path / "0" / "t.parquet")
    assert store.digest(tmp_path / "0") not in found


def test_every_setting_is_part_of_the_params_and_of_a_stage() -> None:
    from dataclasses import fields

    from engine.pipeline.stages import STAGES

    used = {name for stage in STAGES for name in stage.settings}
    assert used == {field.name for field in fields(PipelineParams)}
    assert pd.Timestamp(PARAMS.days[0]).year == 2013
