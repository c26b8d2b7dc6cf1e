"""The truth ledger against a brute force over dictionaries; the flights as a source against their
own change stream.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data
from engine.errors import InputError
from engine.etl import figures, flight_days, ledger
from engine.etl.ledger import KINDS, reconcile, state_hash

SCHEMA = pa.schema({"k": pa.int64(), "name": pa.string(), "v": pa.int64(), "w": pa.float64()})
KEY = st.tuples(st.one_of(st.none(), st.integers(0, 4)), st.sampled_from(["a", "b", None]))
VALUES = st.tuples(
    st.one_of(st.none(), st.integers(0, 1)), st.sampled_from([None, 0.5, float("nan")])
)
Row = tuple[Any, ...]


def table(rows: list[Row]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA,
    )


def same(a: Row, b: Row) -> bool:
    return all(
        x == y or (x is not None and y is not None and x != x and y != y)
        for x, y in zip(a, b, strict=True)
    )


def brute_force(source: list[Row], target: list[Row]) -> dict[str, int]:
    counts = dict.fromkeys(KINDS, 0)
    copies: dict[Row, list[Row]] = {}
    for row in target:
        copies.setdefault(row[:2], []).append(row)
    for row in source:
        own = copies.pop(row[:2], [])
        counts[
            "lost" if not own else "correct" if any(same(row, copy) for copy in own) else "stale"
        ] += 1
        counts["duplicated"] += max(0, len(own) - 1)
    counts["not deleted"] = sum(len(rows) for rows in copies.values())
    return counts


@settings(max_examples=60, deadline=None)
@given(
    source=st.dictionaries(KEY, VALUES, max_size=8),
    target=st.lists(st.tuples(KEY, VALUES), max_size=12),
)
def test_the_ledger_by_brute_force(source: dict[Row, Row], target: list[tuple[Row, Row]]) -> None:
    left, right = (
        [key + values for key, values in source.items()],
        [key + values for key, values in target],
    )
    found = reconcile(table(left), table(right), ("k", "name"))
    assert found.counts() == brute_force(left, right)
    assert found.n_source == found.n_correct + found.n_stale + found.n_lost
    assert (
        found.n_target == found.n_correct + found.n_stale + found.n_duplicated + found.n_undeleted
    )
    assert found.exact == (found.n_target == found.n_source == found.n_correct)
    what = Counter(found.diff()["what"].to_pylist())
    assert (what["lost"], what["not deleted"]) == (found.n_lost, found.n_undeleted)
    named = {
        tuple(row[name] for name in ("k", "name"))
        for row in found.diff().to_pylist()
        if row["what"] == "stale"
    }
    assert len(named) == found.n_stale
    assert found.diff(3).num_rows == min(3, found.diff().num_rows)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(KEY, VALUES).map(lambda pair: pair[0] + pair[1]), max_size=8),
    seed=st.integers(0, 99),
)
def test_the_state_hash_forgets_the_order_and_nothing_else(rows: list[Row], seed: int) -> None:
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    assert state_hash(table(rows)) == state_hash(table(shuffled))
    if rows:
        assert state_hash(table(rows)) != state_hash(table(rows + rows)), (
            "a copy does not cancel out"
        )
        assert state_hash(table(rows)) != state_hash(table(rows[1:]))


def test_a_ledger_by_hand() -> None:
    source = table([(1, "a", 1, 0.5), (2, "a", 1, None), (3, "a", 0, 0.5)])
    target = table(
        [(1, "a", 1, 0.5), (1, "a", 0, 0.5), (2, "a", 0, float("nan")), (9, "b", 1, 0.5)]
    )
    found = reconcile(source, target, ["k", "name"])
    assert found.counts() == {
        "correct": 1,
        "stale": 1,
        "lost": 1,
        "duplicated": 1,
        "not deleted": 1,
    }
    assert (
        found.verdict
        == "1 of 3 rows correct, **1 stale**, **1 lost**, **1 duplicated**, **1 not deleted**"
    )
    rows = [
        (row["k"], row["what"], row["column"], row["in source"], row["in target"])
        for row in found.diff().to_pylist()
    ]
    assert rows == [
        (2, "stale", "v", "1", "0"),
        (2, "stale", "w", None, "nan"),
        (3, "lost", "row", "is there", "missing"),
        (1, "duplicated", "row", "1 row", "2 copies"),
        (9, "not deleted", "row", "missing", "is there"),
    ]
    assert reconcile(source, source, ["k", "name"]).verdict == "all **3** rows correct, none extra"


def test_columns_of_the_target_s_own_and_wider_types_are_no_fault() -> None:
    source = table([(1, "a", 1, 0.5)])
    wider = source.append_column("loaded_at", pa.array(["now"])).set_column(
        0, "k", pa.array([1], pa.int32())
    )
    assert reconcile(source, wider, ["k"]).exact


@pytest.mark.parametrize(
    ("source", "target", "keys", "message"),
    [
        (table([]), table([]), (), "keys must name at least one column. Got none."),
        (table([]), table([]), ("id",), "keys must be columns of the source. Got id."),
        (
            table([]),
            table([]).drop_columns("v"),
            ("k",),
            "target must have every column of the source. It lacks v.",
        ),
        (
            table([(1, "a", 1, 0.5), (1, "b", 1, 0.5)]),
            table([]),
            ("k",),
            "source must hold each key once. 2 rows have 1 keys.",
        ),
        (
            table([(1, "a", 1, 0.5)]),
            table([(1, "a", 1, 0.5)]).set_column(2, "v", pa.array(["x"])),
            ("k",),
            "target must hold values of the source's types",
        ),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    source: pa.Table, target: pa.Table, keys: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        reconcile(source, target, keys)
    assert str(caught.value).startswith(message)


def test_the_whole_year_against_the_places_that_were_changed() -> None:
    flights = data.load("flights")
    keys = ("year", "month", "day", "carrier", "flight", "origin")
    rng = np.random.default_rng(0)
    place = rng.permutation(flights.num_rows)
    lost, stale, copied = place[:1_000], place[1_000:4_000], place[4_000:9_000]
    distance = flights["distance"].to_numpy().copy()
    distance[stale] += 1
    changed = flights.set_column(
        flights.column_names.index("distance"), "distance", pa.array(distance)
    )
    kept = np.setdiff1d(np.arange(flights.num_rows), lost)
    target = pa.concat_tables([changed.take(pa.array(kept)), flights.take(pa.array(copied))])
    found = reconcile(flights, target, keys)
    assert found.lost.tolist() == sorted(lost.tolist()) and found.stale[:, 0].tolist() == sorted(
        stale.tolist()
    )
    assert found.duplicated[:, 0].tolist() == sorted(copied.tolist()) and found.n_undeleted == 0
    assert found.diff().num_rows == 9_000


# ---- the source


def test_days_are_the_flights_of_new_york_s_calendar() -> None:
    flights = data.load("flights").select(["month", "day", "dep_time"]).to_pandas()
    for day in (0, 66, 174, 364):
        when = flight_days.date_of(day)
        own = flights[(flights["month"] == when.month) & (flights["day"] == when.day)]
        assert flight_days.truth(day).num_rows == own["dep_time"].notna().sum(), (
            "cancelled flights are gone in the end"
        )
        assert flight_days.rows_at(flight_days.midnight(day), day).num_rows == len(own), (
            "all are announced at midnight"
        )
    assert flight_days.midnight(flight_days.day_of(date(2013, 7, 1))) == np.datetime64(
        "2013-07-01T04:00:00"
    ), "daylight saving"
    assert flight_days.midnight(0) == np.datetime64("2013-01-01T05:00:00")


@pytest.mark.parametrize("hours", [0, 9, 18, 24, 30, 60])
def test_replaying_the_change_stream_gives_the_source_at_any_moment(hours: int) -> None:
    day = 174
    moment = flight_days.midnight(day) + np.timedelta64(hours, "h")
    held: dict[Row, Row] = {}
    stream = flight_days.changes(day).to_pylist()
    assert [change["lsn"] for change in stream] == list(range(1, len(stream) + 1))
    assert [change["at"] for change in stream] == sorted(change["at"] for change in stream)
    for change in stream:
        if np.datetime64(change["at"]) > moment:
            break
        key = tuple(change[name] for name in flight_days.KEYS)
        if change["op"] == "delete":
            del held[key]
        else:
            assert (change["op"] == "insert") == (key not in held)
            held[key] = tuple(change[name] for name in flight_days.SCHEMA.names)
    rows = flight_days.rows_at(moment, day)
    assert sorted(map(str, held.values())) == sorted(
        str(tuple(row.values())) for row in rows.to_pylist()
    )


def test_an_extract_by_cursor_sees_changed_rows_and_no_deleted_ones() -> None:
    day, since = 174, flight_days.midnight(175)
    until = since + np.timedelta64(24, "h")
    changed = flight_days.rows_at(until, day, changed_since=since)
    before, after = flight_days.rows_at(since, day), flight_days.rows_at(until, day)
    found = reconcile(after, before, flight_days.KEYS)
    assert changed.num_rows == found.n_stale == 127
    assert flight_days.gone_between(since, until, day).num_rows == found.n_undeleted == 25


@pytest.mark.parametrize(
    ("first", "n", "message"),
    [(-1, 1, "first_day must be 0–364"), (360, 6, "n_days must be 1–5")],
)
def test_days_outside_the_year_are_a_sentence(first: int, n: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        flight_days.truth(first, n)


def test_every_kind_has_its_colour() -> None:
    assert set(figures.COLORS) == set(KINDS) and len(set(figures.COLORS.values())) == len(KINDS)
    assert ledger.FAULTS == ("stale", "lost", "duplicated", "not deleted")
