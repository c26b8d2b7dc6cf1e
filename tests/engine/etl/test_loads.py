"""Load strategies against a dictionary by key that is told what each file says; the script against
plain DuckDB.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import scripts
from engine.etl import flight_days, ledger, loads, warehouse
from engine.etl.flight_days import KEYS, SCHEMA
from engine.etl.loads import DELETES, STRATEGIES, LoadsParams, deliveries
from engine.etl.loads import figure as figures
from engine.etl.loads.deliveries import DELIVERIES
from tests.engine.printed import run_script

Row = tuple[Any, ...]
COLUMNS = [*SCHEMA.names, "deleted"]


def by_hand(files: list[list[Row]], strategy: str, keep_newer: bool, kept: bool) -> list[Row]:
    """What each strategy means, file by file, as a list of rows."""
    held: list[Row] = []
    for rows in files:
        new = [row for row in rows if kept or not row[-1]]
        keys = {row[:4] for row in rows}
        if strategy == "append":
            held = held + new
        elif strategy == "overwrite":
            held = new
        elif strategy == "overwrite partition":
            held = [row for row in held if row[0] not in {row[0] for row in rows}] + new
        elif strategy == "delete-insert":
            held = [row for row in held if row[:4] not in keys] + new
        else:
            there = {row[:4]: row for row in held}
            for row in rows:
                old = there.get(row[:4])
                if old is not None and keep_newer and row[11] < old[11]:
                    continue
                if row[-1] and not kept:
                    there.pop(row[:4], None)
                elif old is not None or kept or not row[-1]:
                    there[row[:4]] = row
            held = list(there.values())
    return [row[:-1] for row in held if not row[-1]]


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_every_strategy_against_its_meaning_and_the_script(delivery: Any) -> None:
    settings_: list[tuple[Any, bool]] = [("not named", False), ("tombstones kept", True)]
    if delivery == "out of order":
        settings_ += [("tombstones", True), ("tombstones kept", False)]
    for deletes, keep_newer in settings_:
        params = LoadsParams(
            delivery=delivery, deletes=deletes, keep_newer=keep_newer, n_days=1, seed=1
        )
        result = loads.run(params)
        files = [
            [tuple(row[name] for name in COLUMNS) for row in batch.rows.to_pylist()]
            for batch in params.batches()
        ]
        for lane in result.lanes:
            for runs, found in zip((1, 2), lane.ledgers, strict=True):
                expected = by_hand(
                    files * runs, lane.strategy, keep_newer, deletes == "tombstones kept"
                )
                rows = [
                    tuple(row[name] for name in SCHEMA.names) for row in found.target.to_pylist()
                ]
                assert sorted(map(str, rows)) == sorted(map(str, expected)), (lane.strategy, runs)
            twice = [
                by_hand(files * n, lane.strategy, keep_newer, deletes == "tombstones kept")
                for n in (1, 2)
            ]
            assert lane.idempotent == (sorted(map(str, twice[0])) == sorted(map(str, twice[1])))
        assert run_script(scripts.render(params)) == result.headline()


def test_the_first_screen_by_the_source_s_own_numbers() -> None:
    result = loads.run(LoadsParams())
    assert result.complete and result.exact_twice == () and result.n_idempotent == 4
    first, last = flight_days.midnight(174), flight_days.midnight(178)
    gone = flight_days.gone_between(first, last, 174, 3).num_rows
    in_time = sum(
        flight_days.gone_between(first, flight_days.midnight(d + 1), d).num_rows
        for d in (174, 175, 176)
    )
    assert result.count("upsert", "not deleted") == gone - in_time == 40, (
        "cancelled after the midnight of their day"
    )
    late = sum(
        flight_days.rows_at(last, d, changed_since=flight_days.midnight(d + 1)).num_rows
        for d in (174, 175, 176)
    )
    assert result.count("append", "duplicated") == late == 363
    assert result.count("overwrite partition", "lost") == result.n_source - late, (
        "a few late rows took the place of their day"
    )
    assert result.verdict.startswith("**No strategy** matches the source")
    assert loads.run(LoadsParams(delivery="once")).verdict.startswith("**3 of 5** strategies match")
    assert len(result.why) == 5 and "363 duplicated" in result.why[0]
    assert result.table().num_rows == 5 * 4 * 2


def test_what_is_expected_is_what_is_measured() -> None:
    for params in (
        LoadsParams(n_days=1),
        LoadsParams(n_days=2, delivery="out of order", deletes="tombstones kept", keep_newer=True),
    ):
        expected, measured = loads.expected(params), loads.run(params)
        assert not expected.complete and measured.complete
        assert [lane.hashes for lane in expected.lanes] == [lane.hashes for lane in measured.lanes]
        assert expected.headline() == measured.headline()


def test_partial_results_show_every_strategy_from_the_start() -> None:
    seen: list[Any] = [progress.partial for progress in loads.steps(LoadsParams(n_days=1))]
    assert all(len(lane.ledgers) == 2 for result in seen for lane in result.lanes)
    n_measured = [sum(bool(lane.steps) for lane in result.lanes) for result in seen]
    assert n_measured[0] == 0 and n_measured == sorted(n_measured) and n_measured[-1] == 4
    assert seen[0].verdict.startswith("Not measured yet.")


def batches() -> Any:
    flight = st.tuples(st.integers(0, 1), st.integers(0, 3))
    row = st.tuples(flight, st.integers(0, 9), st.integers(0, 5))
    return st.lists(
        st.lists(row, min_size=1, max_size=4, unique_by=lambda one: one[0]), min_size=1, max_size=4
    )


def staged(rows: list[tuple[Any, int, int]]) -> pa.Table:
    """Made-up flights: (day, number), delay, updated at."""
    columns: dict[str, Any] = dict.fromkeys(SCHEMA.names, [None] * len(rows))
    columns |= {"flight_date": [flight_days.date_of(day) for (day, _), _, _ in rows]}
    columns |= {
        "carrier": ["AA"] * len(rows),
        "flight": [n for (_, n), _, _ in rows],
        "origin": ["JFK"] * len(rows),
    }
    columns |= {
        "arr_delay": [delay for _, delay, _ in rows],
        "updated_at": [at for _, _, at in rows],
    }
    return pa.table(columns, schema=SCHEMA).append_column("deleted", pa.repeat(False, len(rows)))


@settings(max_examples=20, deadline=None)
@given(files=batches())
def test_an_upsert_that_keeps_the_newer_row_does_not_care_about_order_or_repeats(
    files: Any,
) -> None:
    newest: dict[Any, Any] = {}
    for row in sorted({row for rows in files for row in rows}, key=lambda row: (row[2], row[1])):
        newest[row[0]] = row
    unique = [
        [row for row in rows if newest[row[0]][2] != row[2] or newest[row[0]] == row]
        for rows in files
    ]  # no ties
    with duckdb.connect() as connection:
        warehouse.create(connection)
        for rows in [*unique, *unique[::-1], *unique]:
            if rows:
                connection.register("stage", staged(rows))
                warehouse.load(connection, warehouse.statements("upsert", keep_newer=True))
        found = ledger.reconcile(
            staged(list(newest.values())).drop_columns("deleted"), warehouse.rows(connection), KEYS
        )
    assert found.exact, found.verdict


def test_a_load_that_fails_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    with warehouse.connect(tmp_path / "w.duckdb") as connection:
        warehouse.create(connection)
        connection.register("stage", staged([((0, 1), 5, 1)]))
        assert warehouse.load(connection, warehouse.statements("append")) == 1
        before = ledger.state_hash(warehouse.rows(connection))
        with pytest.raises(duckdb.CatalogException):
            warehouse.load(connection, ("DELETE FROM flights", "INSERT INTO flights FROM nowhere"))
        assert ledger.state_hash(warehouse.rows(connection)) == before


def test_out_of_order_is_never_the_order_in_which_files_were_cut() -> None:
    for seed in range(12):
        cuts = [batch.cut_at for batch in deliveries.make("out of order", 174, 1, seed=seed)]
        assert len(cuts) == 2 and cuts != sorted(cuts)


def test_figures_show_the_ledgers_numbers() -> None:
    result = loads.run(LoadsParams())
    figure = figures.lanes(result, loads.run(LoadsParams(delivery="once")))
    bars = {
        bar.name: dict(zip(bar.y, bar.x, strict=True)) for bar in figure.data if bar.type == "bar"
    }
    for lane in result.lanes:
        for number, found in enumerate(lane.ledgers):
            name = f"{lane.strategy}, run {number + 1}"
            assert {kind: bars[kind][name] for kind in bars} == found.counts()
    assert figure.layout.shapes[0].x0 == result.n_source and len(figure.to_json()) < 60_000
    assert [note.text for note in figure.layout.annotations[1:]] == ["≠ run 1", *["= run 1"] * 4]
    steps = figures.files(result, result.lane("overwrite partition"))
    assert steps.data[2].name == "lost" and sum(steps.data[2].y) == sum(
        step.counts["lost"] for step in result.lane("overwrite partition").steps
    )
    assert set(DELETES) == {"not named", "tombstones", "tombstones kept"} and len(STRATEGIES) == 5
