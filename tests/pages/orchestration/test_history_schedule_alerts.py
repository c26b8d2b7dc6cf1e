"""What only *Schedules* and *Monitoring* do, as a visitor meets them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.orchestration import history
from engine.orchestration.schedule.deployment import BOARD
from engine.orchestration.server import SERVER
from pages.shell import lessons
from tests.engine.orchestration.test_history import made
from tests.pages.visit import charts, open_page, settle, texts


def test_bad_rules_and_zones_are_sentences_and_the_page_stays_usable() -> None:
    app = open_page("orchestration", orchestration_tab="Schedules", schedule_zone="Mars/Olympus")
    assert (
        not app.exception
        and "zone must be an IANA time zone. Got 'Mars/Olympus'" in app.error[0].value
    )
    app.text_input(key="schedule_zone").set_value("Europe/Berlin").run()
    assert not app.error and "in Europe/Berlin" in texts(app)
    app.text_input(key="schedule_cron").set_value("61 * * * *").run()
    assert "Invalid cron string" in app.error[0].value and "five fields" in app.error[0].value
    app.button(key="schedule_reset").click().run()
    assert not app.error and "**1 moved** of" in texts(app)


def test_rules_that_people_bring_are_answered_on_the_page() -> None:
    app = open_page(
        "orchestration",
        orchestration_tab="Schedules",
        schedule_kind="rrule",
        schedule_rrule="FREQ=MINUTELY;INTERVAL=5",
        schedule_zone="GMT",
    )
    assert not app.exception and not app.error and "in GMT" in texts(app)
    app.text_area(key="schedule_rrule").set_value("RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY;BYDAY=MO")
    app.run()
    assert not app.exception and not app.error and len(charts(app)) >= 1
    app = open_page("orchestration", orchestration_tab="Schedules", schedule_cron="*/20 0 9 * * *")
    assert not app.exception and not app.error
    assert not [toggle for toggle in app.toggle if toggle.key == "schedule_day_or"]
    app.text_input(key="schedule_cron").set_value("0 0 13 * 5").run()
    app.toggle(key="schedule_day_or").set_value(False).run()
    assert not app.exception and not app.error and "in between" in texts(app)


def test_a_real_deployment_is_created_watched_and_deleted_from_the_page() -> None:
    SERVER.ready(120)
    app = open_page("orchestration", orchestration_tab="Schedules", schedule_view="Real deployment")
    assert not app.exception and any("serve(" in code.value for code in app.code)
    app.button(key="schedule_create").click().run(timeout=120)
    try:
        assert not app.exception and not app.error and "Deployment **every 5 s" in texts(app)
        app.button(key="schedule_pause").click().run(timeout=120)
        assert not app.exception and app.button(key="schedule_pause").label == "Resume"
        app.button(key="schedule_delete").click().run(timeout=120)
        assert not app.exception and "Deployment **" not in texts(app)
        assert "schedule_delete" not in {button.key for button in app.button}
    finally:
        for owner in list(BOARD.found):
            BOARD.delete(owner)


def test_recorded_runs_take_the_place_of_the_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    link = {"orchestration_tab": "Monitoring", "history_flow": "fan-out"}
    app = open_page("orchestration", **link)
    assert not app.exception and "24 simulated runs" in charts(app)[0]["title"]
    assert "Simulated runs: fewer than 10 are recorded" in texts(app)
    for run in made(4, 12):
        history.records.save(run)
    assert "24 simulated runs" in charts(app.run())[0]["title"]
    app.segmented_control(key="history_source").set_value("recorded").run()
    assert "4 recorded runs" in charts(app)[0]["title"] and "Simulated runs" not in texts(app)
    app.slider(key="history_run").set_value(3).run()
    app.segmented_control(key="history_view").set_value("Compare").run()
    shown = history.run(history.HistoryParams(source="recorded", flow="fan-out", run=3)).compared
    assert app.dataframe[0].value["task"].tolist() == [row["task"] for row in shown]
    app.segmented_control(key="history_view").set_value("Durations").run()
    assert len(app.dataframe[0].value) == 4, "the rows to choose from"


def test_a_task_that_another_run_does_not_have_falls_back() -> None:
    app = open_page(
        "orchestration",
        orchestration_tab="Monitoring",
        history_source="simulated",
        history_faster="train 2",
    )
    assert app.selectbox(key="history_faster").value == "train 2"
    app.selectbox(key="history_flow").set_value("fan-out").run()
    assert not app.exception and not app.error and app.selectbox(key="history_faster").value == ""


def test_a_webhook_must_be_an_address_and_its_failure_is_said() -> None:
    app = open_page("orchestration", orchestration_tab="Monitoring", alerts_part="Alerts")
    app.text_input(key="alerts_webhook").set_value("ftp://somewhere").run()
    assert not app.exception and "webhook must be an http or https address" in app.error[0].value
    app.text_input(key="alerts_webhook").set_value("http://127.0.0.1:9/").run()
    app.button(key="alerts_webhook_test").click().run()
    assert not app.exception and not app.error and "→ **ConnectError" in texts(app)
    assert "127.0.0.1" not in str(
        app.query_params.to_dict()
        if hasattr(app.query_params, "to_dict")
        else dict(app.query_params)
    )
    app.text_input(key="alerts_webhook").set_value("").run()
    assert not app.exception and "ConnectError" not in texts(app)


def test_links_from_before_the_merge_still_open_their_part() -> None:
    app = open_page("orchestration", orchestration_tab="History", history_source="foretold")
    assert not app.exception and charts(app)[0]["key"] == "history_grid"
    assert app.segmented_control(key="history_source").value == "simulated"
    app = open_page("orchestration", orchestration_tab="Watch and alert", alerts_source="foretold")
    assert not app.exception and charts(app)[0]["key"] == "alerts_scores"
    assert app.segmented_control(key="alerts_source").value == "simulated"


def test_the_two_parts_of_monitoring_change_places() -> None:
    app = open_page("orchestration", orchestration_tab="Monitoring")
    for part, key in (("Alerts", "alerts_scores"), ("Runs", "history_grid")):
        app.segmented_control(key="alerts_part").set_value(part).run()
        assert not app.exception and charts(app)[0]["key"] == key


def test_the_deployment_line_of_the_guide_deploys(tmp_path: Path) -> None:
    SERVER.ready(120)
    guide = lessons.load("orchestration").guide["Schedules"]
    (line,) = re.findall(r"`(daily\.from_source.*?\.deploy\(.*?\))`", guide)
    (tmp_path / "flows.py").write_text("from prefect import flow\n\n@flow\ndef daily(): ...\n")
    SERVER.call("work_pools/", {"name": "local", "type": "process"})
    try:
        command = [sys.executable, "-c", f"from flows import daily\n{line}"]
        environment = SERVER.environment()
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
        wanted = {"deployments": {"name": {"any_": ["daily"]}}}
        (made,) = SERVER.call("deployments/filter", wanted)
        assert made["work_pool_name"] == "local" and made["entrypoint"] == "flows.py:daily"
        SERVER.call(f"deployments/{made['id']}", method="DELETE")
    finally:
        SERVER.call("work_pools/local", method="DELETE")


def test_the_architecture_is_predicted_until_run_it_is_pressed() -> None:
    link = {"orchestration_tab": "Schedules", "schedule_part": "Architecture"}
    app = open_page("orchestration", **link)
    assert not app.exception and "Not run yet. Predicted" in texts(app) and len(charts(app)) == 1
    assert app.button(key="components_approve").label == "Run it"
    app.selectbox(key="components_fault").set_value("a task always fails").run()
    app.segmented_control(key="components_view").set_value("Airflow").run()
    assert "upstream_failed" in str(app.table[0].value.to_dict())
    app.segmented_control(key="schedule_part").set_value("Dates").run()
    assert not app.exception and settle(app).selectbox(key="schedule_around").value
