"""Enrich: joins against loops over dictionaries, cleaned cells against what they were before, files
against what was written.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, scripts
from engine.etl import enrich
from engine.etl.enrich import EnrichParams, EnrichResult, figure, sources
from engine.etl.enrich.params import Clock
from tests.engine.printed import run_script


@pytest.fixture(scope="module")
def result() -> EnrichResult:
    return enrich.run(EnrichParams())


def by_loop(rows: list[dict[str, str]], clock: Clock) -> dict[str, Counter[str]]:
    """Count partners of clean text rows with dictionaries alone."""
    airlines = {row["carrier"] for row in data.load("airlines").to_pylist()}
    planes = {row["tailnum"] for row in data.load("planes").to_pylist()}
    weather = {(row["origin"], row["time_hour"]) for row in data.load("weather").to_pylist()}
    found: dict[str, Counter[str]] = {name: Counter() for name in ("airlines", "planes", "weather")}
    for row in rows:
        found["airlines"]["matched" if row["carrier"] in airlines else "no partner"] += 1
        plane = row["tailnum"]
        kind = "null" if not plane else "matched" if plane in planes else "no partner"
        found["planes"][kind] += 1
        local = datetime.strptime(row["departs"], sources.TIME).replace(minute=0)
        right = local.replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
        hour = right if clock == "New York time" else local.replace(tzinfo=UTC)
        matched = (row["origin"], hour) in weather
        found["weather"]["matched" if matched else "no partner"] += 1
        found["weather"]["wrong"] += matched and hour != right
    return found


@pytest.mark.parametrize("clock", ["New York time", "UTC"])
def test_joins_are_those_of_a_loop(clock: Clock) -> None:
    params = EnrichParams(clock=clock, first_day=60, n_days=2)
    result = enrich.run(params)
    wanted = by_loop(sources.flights(60, 2).to_dict("records"), clock)
    for name, counts in wanted.items():
        one = result.join_of(name)
        assert (one.n_matched, one.n_null, one.n_unmatched, one.n_wrong, one.n_extra) == (
            counts["matched"],
            counts["null"],
            counts["no partner"],
            counts["wrong"],
            0,
        ), name
    assert (result.join_of("weather").n_wrong > 0) == (clock == "UTC")


def test_cleaning_gives_back_every_cell_and_counts_the_faults(result: EnrichResult) -> None:
    params = result.params
    asked = sources.flights(params.first_day, params.n_days)
    raw, faulty = sources.with_faults(asked, params.fault_share, params.seed)
    for one in result.cleaned:
        n_faulty = int(faulty[one.column].sum())
        assert (one.n_right, one.n_fixed, one.n_wrong) == (len(asked) - n_faulty, n_faulty, 0)
        assert 0.15 < n_faulty / len(asked) < 0.25
        assert ((raw[one.column] != asked[one.column]) == faulty[one.column]).all()
    assert result.n_fixed == faulty.to_numpy().sum()


@settings(max_examples=30)
@given(st.text(alphabet="aZ9 ", max_size=4), st.integers(-60, 900))
def test_a_faulty_cell_is_cleaned_to_what_it_was(key: str, delay: int) -> None:
    key = key.strip().upper()
    row = {
        "carrier": key, "origin": "EWR", "tailnum": key, "departs": "2013-03-04 05:06",
        "distance": "1400", "dep_delay": str(delay),
    }  # fmt: skip
    wrong = {name: make(row[name]) if row[name] else "" for name, make in sources.FAULTS.items()}
    (found,) = enrich.clean(pd.DataFrame([wrong])).to_dict("records")
    assert found["carrier"] == found["tailnum"] == (key or None) and found["origin"] == "EWR"
    assert found["departs"] == pd.Timestamp(2013, 3, 4, 5, 6)
    assert (found["distance"], found["dep_delay"]) == (1_400, delay)


def test_dirty_keys_find_fewer_partners_and_a_null_never_finds_one(result: EnrichResult) -> None:
    dirty = result.join_of("airlines", cleaned=False)
    assert dirty.n_unmatched == result.cleaned[0].n_fixed and result.n_saved > 0
    assert result.join_of("airlines").n_unmatched == 0
    no_plane = data.load("flights").to_pandas().query("month == 6 and 24 <= day <= 26")
    assert result.join_of("planes").n_null == no_plane["tailnum"].isna().sum() > 0


def test_an_inner_join_drops_what_has_no_partner(result: EnrichResult) -> None:
    inner = enrich.run(EnrichParams(join="inner"))
    planes = result.join_of("planes")
    assert result.n_out_after == result.n_rows and result.n_dropped == 0
    assert inner.n_dropped == planes.n_null + planes.n_unmatched
    assert inner.table().num_rows == inner.n_out_after
    assert inner.table()["seats"].null_count == 0


def test_a_key_that_is_there_twice_adds_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = {**sources.others()}
    twice["airlines"] = pd.concat([twice["airlines"]] * 2)
    monkeypatch.setattr(sources, "others", lambda: twice)
    found = enrich.run(EnrichParams(n_days=1))
    assert found.join_of("airlines").n_extra == found.n_rows
    assert found.n_out_after == 2 * found.n_rows


def test_what_is_read_is_what_was_written() -> None:
    others = sources.others()
    for name, columns in {"airlines": None, "planes": ["tailnum", "seats"]}.items():
        wanted: Any = data.load(name).to_pandas()
        wanted = wanted if columns is None else wanted[columns]
        assert others[name][list(wanted)].to_dict() == wanted.to_dict()
    assert len(others["weather"]) == data.load("weather").num_rows
    rows = sources.flights(39, 1)
    assert sources.through_a_file(rows).equals(rows)


@pytest.mark.parametrize("settings", [{}, {"join": "inner", "clock": "UTC"}])
def test_the_script_prints_the_headline(settings: dict[str, Any]) -> None:
    params = EnrichParams(**settings)
    assert run_script(scripts.render(params)) == enrich.run(params).headline()


def test_figures_show_the_results_numbers(result: EnrichResult) -> None:
    bars = {trace.name: trace for trace in figure.joins(result).data}
    assert bars["no partner"].x[3] == result.join_of("planes").n_unmatched
    totals = [sum(trace.x[lane] for trace in bars.values()) for lane in range(6)]
    assert totals == [result.n_rows] * 6
    assert list(figure.cleaning(result).data[1].x) == [one.n_fixed for one in result.cleaned]
    assert len(result.cleaning_rows()) == 6 and len(result.join_rows()) == 6


def test_how_this_process_writes_times_to_sqlite_stays_as_it_was() -> None:
    sources.others.cache_clear()
    before = dict(sqlite3.adapters)
    sources.others()
    assert sqlite3.adapters == before
