"""Sources: the table against a replay of the flights' own data, pages against slices of it, what
each source hides by hand.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, scripts
from engine.formats import sources
from engine.formats.sources import SourcesParams, SourcesResult, day, figure, read
from engine.formats.sources.server import serve
from tests.engine.printed import run_script


@pytest.fixture(scope="module")
def result() -> SourcesResult:
    return sources.run(SourcesParams())


@pytest.fixture(scope="module")
def flights() -> list[dict[str, Any]]:
    """The flights of the day, from the flights table alone."""
    table = data.load("flights")
    of_day = pc.and_(pc.equal(table["month"], day.MONTH), pc.equal(table["day"], day.DAY))
    return list(table.filter(of_day).to_pylist())


def expected(
    flights: list[dict[str, Any]], minute: float
) -> dict[str, tuple[int | None, int | None]]:
    """Return the delays of each of the 50 flights at a moment."""
    chosen = {change.row["id"] for change in day.changes()}
    rows = {}
    for flight in flights:
        id_ = f"{flight['carrier']} {flight['flight']} {flight['origin']}"
        if id_ not in chosen:
            continue
        planned = flight["hour"] * 60 + flight["minute"]
        if flight["dep_delay"] is None:
            if minute < planned + 120:
                rows[id_] = (None, None)
            continue
        left = planned + flight["dep_delay"]
        landed = flight["arr_delay"] is not None and minute >= left + flight["air_time"] + 25
        rows[id_] = (
            flight["dep_delay"] if minute >= left else None,
            flight["arr_delay"] if landed else None,
        )
    return rows


@pytest.mark.parametrize("minute", [0.0, 700.0, 1_320.0, 2_400.0])
def test_the_table_is_what_the_flights_say(flights: list[dict[str, Any]], minute: float) -> None:
    rows = day.state(day.until(minute))
    found = {id_: (row["dep_delay"], row["arr_delay"]) for id_, row in rows.items()}
    assert found == expected(flights, minute) and list(rows) == sorted(rows)


def test_changes_are_in_order_and_each_flight_has_one_life() -> None:
    changes = day.changes()
    assert [change.position for change in changes] == list(range(len(changes)))
    assert all(a.minute <= b.minute for a, b in itertools.pairwise(changes))
    inserts = [change.row["id"] for change in changes if change.op == "insert"]
    assert len(inserts) == len(set(inserts)) == day.N_FLIGHTS
    assert 3 < sum(change.op == "delete" for change in changes) < 12


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 24), st.sampled_from([5, 10, 20, 50]), st.integers(0, 12))
def test_pages_are_slices_of_the_table_of_their_minute(hour: int, limit: int, gap: int) -> None:
    with serve() as address:
        found = read.api(address, 60.0 * hour, limit, 5.0 * gap, "")
    wanted: list[str] = []
    for number in range(found.n_calls):
        table = list(day.state(day.until(60.0 * hour + 5.0 * gap * number)))
        wanted += table[number * limit : (number + 1) * limit]
    assert found.ids == wanted and found.n_calls >= len(wanted) // limit


def test_an_offset_loses_the_row_that_a_delete_moves_up() -> None:
    """By hand: rows a, b, c, d; pages of two; b is deleted between them: c is on neither page."""
    lost = sources.run(SourcesParams(at_hour=18, page_rows=10, gap_minutes=15))
    assert lost.api_missing == 1
    still = sources.run(SourcesParams(at_hour=18, page_rows=10, gap_minutes=0))
    assert still.api_missing == 0 and still.n_right(still.reading("API")) == len(still.truth)


def test_only_the_stream_has_deletes_and_every_change(result: SourcesResult) -> None:
    assert result.n_deletes > 0
    for one in result.readings:
        claims, is_stream = result.claims(one), one.source.startswith("Stream")
        assert claims["deletes reported"].n == (result.n_deletes if is_stream else 0)
        assert (claims["changes reported"].n == len(result.seen)) == is_stream
    stream, base = result.reading("Stream"), result.reading("Database")
    assert stream.n_messages == len(result.seen) + result.params.n_repeats
    assert stream.rows.keys() == base.rows.keys() == result.truth.keys()
    assert result.n_right(stream) == result.n_right(base) == len(result.truth)


def test_files_are_as_old_as_they_are(result: SourcesResult) -> None:
    exported = day.state(day.until(result.exported))
    assert result.exported == result.minute - 6 * 60
    for name in ("File, CSV", "File, Parquet"):
        file = result.reading(name)
        right = sum(exported.get(id_) == row for id_, row in result.truth.items())
        assert result.n_right(file) == right and len(file.rows) == len(exported)
        assert result.n_gone(file) == len(exported.keys() - result.truth.keys())
    fresh = sources.run(SourcesParams(age_hours=0))
    assert fresh.stale_rows == 0 < result.stale_rows


def test_types_are_those_that_came(result: SourcesResult) -> None:
    kinds = {
        one.source: {
            name: {type(row[name]) for row in one.rows.values()} - {type(None)}
            for name in day.TYPES
        }
        for one in result.readings
    }
    assert kinds["File, Parquet"]["scheduled"] == {datetime}
    assert kinds["API, pages"]["scheduled"] == kinds["Database, rows"]["scheduled"] == {str}
    assert kinds["File, CSV"]["distance"] == {str} and kinds["API, pages"]["distance"] == {int}
    typed = [result.claims(one)["columns with types"].n for one in result.readings]
    assert typed == [6, 6, 6, 3, 7]


def test_a_row_is_the_same_whatever_type_it_came_as() -> None:
    row = dict.fromkeys(day.TYPES)
    moment = datetime(2013, 6, 24, 9, 5)
    truth = {**row, "id": "UA 1 EWR", "scheduled": moment, "distance": 200}
    came = {**row, "id": "UA 1 EWR", "scheduled": "2013-06-24T09:05:00", "distance": "200"}
    assert read.same(came, truth)
    assert not read.same({**came, "distance": "201"}, truth)
    assert not read.same({**came, "scheduled": str(moment + timedelta(minutes=1))}, truth)


def test_the_file_on_disk_is_a_csv_with_a_header(tmp_path: Path) -> None:
    found = read.csv_file(tmp_path, 900.0, "")
    lines = (tmp_path / "flights.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(day.TYPES) and len(lines) == len(found.rows) + 1


def test_the_script_prints_the_headline() -> None:
    params = SourcesParams(at_hour=18, page_rows=10, age_hours=9)
    assert run_script(scripts.render(params)) == sources.run(params).headline()


def test_the_figure_shows_the_claims(result: SourcesResult) -> None:
    (cells,) = figure.matrix(result).data
    assert list(cells.y) == [one.source for one in result.readings]
    assert cells.text[2][1] == f"{result.n_deletes}<br>of {result.n_deletes}"
    assert result.table().num_rows == 30 and result.rows()[0]["calls"] == "5"
    assert f"{result.n_right(result.reading('File'))} of {len(result.truth)}" in result.verdict
