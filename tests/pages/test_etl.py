"""What only the ETL lab does, as a visitor meets it."""

from __future__ import annotations

from engine.etl import loads
from tests.pages.visit import open_page, settle, texts


def test_a_row_by_row_diff_names_the_lost_rows_of_the_strategy_chosen() -> None:
    app = open_page("etl", loads_view="Row by row", loads_strategy="overwrite partition")
    assert not app.exception and not app.error
    found = loads.run(loads.LoadsParams()).lane("overwrite partition").ledgers[0]
    listed = app.dataframe[0].value
    assert len(listed) == 200 and set(listed["what"]) == {"lost"}
    assert f"{found.n_lost:,} lost" in "\n".join(caption.value for caption in app.caption)


def test_bad_input_is_shown_with_the_warehouse_before_and_after() -> None:
    app = open_page("etl", etl_tab="Crash lab", crash_view="Bad input")
    assert not app.exception and not app.error
    table = app.table[0].value
    assert list(table["warehouse"]) == ["whole"] * 4 and (table["state before"] == table["state after"]).all()
    assert "arrival_delay instead" in table["what a person reads"][0]


def test_a_flaky_source_fills_the_dead_letter_table() -> None:
    app = open_page("etl", etl_tab="Crash lab", crash_view="Flaky source", crash_clients="2", crash_poisoned="true")
    assert not app.exception and not app.error
    dead = app.dataframe[0].value
    assert len(dead) >= 8, "the poisoned page of both days under each of the four policies"
    assert {"page 2"} <= set(dead["what"]) and dead["reason"].str.startswith("gave up after").all()


def test_a_dry_run_writes_nothing_and_says_so() -> None:
    app = open_page("etl", etl_tab="Backfill", backfill_dry_run="true")
    assert not app.exception and "Nothing was written." in texts(app)
    settle(app.toggle(key="backfill_dry_run").set_value(False).run())
    assert not app.exception and "rows that are wrong fell from" in texts(app)
