"""What only the ETL lab does, as a visitor meets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.etl import loads
from engine.etl.quality import QualityParams, load_tests
from engine.jobs import JOBS
from pages.shell import lessons
from tests.pages.visit import charts, open_page, settle, texts


def verdict(app: Any) -> str:
    """The title of the first chart."""
    return next(str(chart["title"]) for chart in charts(app) if chart["first"])


def test_a_row_by_row_diff_names_the_lost_rows_of_the_strategy_chosen() -> None:
    app = open_page("etl", loads_view="Row by row", loads_strategy="overwrite partition")
    assert not app.exception and not app.error
    found = loads.run(loads.LoadsParams()).lane("overwrite partition").ledgers[0]
    listed = app.dataframe[0].value
    assert len(listed) == 200 and set(listed["what"]) == {"lost"}
    assert f"{found.n_lost:,} lost" in texts(app)


def test_bad_input_is_shown_with_the_warehouse_before_and_after() -> None:
    app = open_page("etl", etl_tab="Crash lab", crash_view="Bad input")
    assert not app.exception and not app.error
    table = app.table[0].value
    assert (
        list(table["warehouse"]) == ["unchanged"] * 4
        and (table["state before"] == table["state after"]).all()
    )
    assert "arrival_delay instead" in table["error message"][0]


def test_a_flaky_source_fills_the_dead_letter_table() -> None:
    app = open_page(
        "etl",
        etl_tab="Crash lab",
        crash_view="Flaky source",
        crash_clients="2",
        crash_poisoned="true",
    )
    assert not app.exception and not app.error
    dead = app.dataframe[0].value
    assert len(dead) >= 8, "the poisoned page of both days under each of the four policies"
    assert {"page 2"} <= set(dead["what"]) and dead["reason"].str.startswith("gave up after").all()


def test_a_dry_run_writes_nothing_and_says_so() -> None:
    app = open_page("etl", etl_tab="Backfill", backfill_dry_run="true")
    assert not app.exception and verdict(app).startswith("Dry run:")
    settle(app.toggle(key="backfill_dry_run").set_value(False).run())
    assert not app.exception and verdict(app).startswith("Wrong rows:")


def test_a_bad_rule_is_a_sentence_and_rules_of_ones_own_decide() -> None:
    app = open_page("etl", etl_tab="Quality gate", quality_rules="[columns]\nspeed = 1")
    assert not app.exception and "a batch of weather has no column 'speed'" in app.error[0].value
    rules = '[columns]\nwind_speed = { type = "float", nullable = true, min = 0, max = 45 }'
    app.text_area(key="quality_rules").set_value(rules).run()
    assert not app.error and "catch **82%** of 50 injected" in verdict(app)


def test_quarantined_rows_have_their_reasons() -> None:
    app = open_page("etl", etl_tab="Quality gate", quality_view="Quarantine", quality_fault="none")
    (row,) = app.dataframe[0].value.to_dict("records")
    assert (
        row["reason"] == "wind_speed must be 0–120"
        and round(row["wind_speed"]) == 1048
        and not row["injected"]
    )


def test_the_generated_tests_run_on_the_page_once_they_are_asked_for() -> None:
    app = open_page(
        "etl",
        etl_tab="Quality gate",
        quality_view="Tests",
        quality_table="planes",
        quality_fault="unique",
    )
    assert not app.exception and not app.error and not app.table
    assert any("def test_reconciliation" in code.value for code in app.code)
    settle(app.button(key="quality_tests_approve").click().run())
    outcomes = dict(zip(app.table[0].value["test"], app.table[0].value["outcome"], strict=True))
    assert outcomes["test_unit"] == "passed" and outcomes["test_idempotency"] == "failed"
    assert any("def test_reconciliation" in code.value for code in app.code)


def test_a_link_runs_nothing_and_a_press_approves_only_what_is_on_screen(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    attack = f'"}} | {{str(__import__("pathlib").Path("{canary}").touch())}} | {{"x'
    rules = (
        f"[columns]\ndest = {{ type = 'text', references = 'airports.faa', except = ['{attack}'] }}"
    )
    link = {
        "quality_view": "Tests",
        "quality_table": "flights",
        "quality_fault": "none",
        "quality_n_days": "1",
    }
    params = QualityParams(table="flights", fault="none", n_days=1, rules=rules)
    app = open_page("etl", etl_tab="Quality gate", quality_rules=rules, **link)
    assert not app.exception and not app.error and app.text_area(key="quality_rules").value == rules
    assert JOBS.find((load_tests.steps, params)) is None and not canary.exists()
    settle(app.button(key="quality_tests_approve").click().run())
    job = JOBS.find((load_tests.steps, params))
    assert job is not None and job.state == "done" and not canary.exists()
    assert not app.exception and len(app.table[0].value) == 5
    assert "quality_tests_approve" not in [button.key for button in app.button]
    app.slider(key="quality_n_days").set_value(2).run()
    assert not app.table and app.button(key="quality_tests_approve").label == "Run these tests"
    assert JOBS.find((load_tests.steps, replace(params, n_days=2))) is None
    app.slider(key="quality_n_days").set_value(1).run()
    assert len(app.table[0].value) == 5


def test_a_schema_change_shows_what_ran_and_what_it_did() -> None:
    app = open_page("etl", etl_tab="Quality gate", quality_view="Schema changes")
    app.selectbox(key="quality_change").set_value("retyped").run()
    app.selectbox(key="quality_policy").set_value("evolve").run()
    assert not app.exception and "the query downstream fails" in texts(app)
    shown = "\n".join(code.value for code in app.code)
    assert "ALTER COLUMN dep_delay TYPE VARCHAR" in shown and "avg(VARCHAR)" in shown


def test_dragging_the_lookback_counts_again() -> None:
    app = open_page("etl", etl_tab="Late data")
    assert "**78 of 12,222 rows (0.64%)" in verdict(app)
    app.slider(key="late_lookback_days").set_value(11).run()
    assert not app.exception and verdict(app).startswith("**All 12,222 rows**")


def test_any_flight_of_the_day_shows_its_history() -> None:
    app = open_page(
        "etl", etl_tab="Batch, incremental, CDC", change_capture_view="One flight's history"
    )
    assert not app.exception
    app.number_input(key="change_capture_look").set_value(1000).run()
    assert not app.exception and not app.error and len(charts(app)) == 2


def test_the_race_of_etl_and_elt_is_measured_on_the_page() -> None:
    app = open_page("etl", etl_tab="ETL or ELT", elt_view="Time and bytes", elt_n_days="7")
    assert not app.exception and not app.error and len(charts(app)) == 2
    assert list(app.table[0].value["way"]) == ["ETL, summary", "ETL, cleaned rows", "ELT, raw rows"]


def test_links_with_the_number_of_a_day_still_open_that_day() -> None:
    app = open_page("etl", etl_tab="Late data", late_first_day="60")
    assert not app.exception and app.select_slider(key="late_first_day").value == 60


def test_every_tab_draws_its_first_chart_with_the_verdict_as_title() -> None:
    lesson = lessons.load("etl")
    assert next(iter(lesson.tabs)) == lesson.preview and set(lesson.try_lines) == set(
        lesson.experiments
    )
    for label in lesson.tabs.values():
        app = open_page("etl", etl_tab=label)
        assert not app.exception and 0 < len(verdict(app)) <= 190, label
