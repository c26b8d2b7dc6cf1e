"""The run monitor's page: a predicted run becomes real at a press of Run; runs are listed, picked,
cancelled, run again.
"""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from engine.orchestration import launch, monitor, predict, records
from engine.orchestration.flows import RunParams
from engine.orchestration.launch import LAUNCHER
from engine.orchestration.server import SERVER
from tests.pages.visit import charts, open_page, texts

LINK = {
    "monitor_flow": "daily ETL",
    "monitor_tasks": "4",
    "monitor_width": "2",
    "monitor_seed": "7",
}
SHOWN = RunParams(flow="daily ETL", tasks=4, width=2, seed=7)


def until(app: AppTest, said: str, seconds: float = 90.0) -> AppTest:
    deadline = time.monotonic() + seconds
    while said not in texts(app):
        assert time.monotonic() < deadline, texts(app)
        time.sleep(0.3)
        app.run()
        assert not app.exception and not app.error
    return app


def test_a_first_visit_is_predicted_and_a_press_of_run_makes_it_real() -> None:
    SERVER.ready()
    app = open_page("orchestration", **LINK)
    assert "Not run yet. Predicted" in texts(app) and len(charts(app)) == 2
    assert app.button(key="monitor_start").label == "Run"
    assert "Prefect's own pages" in texts(app)
    app.button(key="monitor_start").click().run()
    assert "Predicted" not in texts(app) and app.button(key="monitor_end").label == "Cancel run"
    until(app, "The run **completed**")
    run = launch.wait(monitor.latest(SHOWN).id)
    assert run.id == records.runs()[0].id
    app.run()
    assert monitor.result_of(run).outcomes() == monitor.result_of(predict.run(SHOWN)).outcomes()
    assert app.button(key="monitor_start").label == "Run again"
    assert "every attempt ended as predicted" in texts(app)
    app.segmented_control(key="monitor_view").set_value("Task").run()
    app.selectbox(key="monitor_task").set_value("load 2").run()
    assert "Inputs: extract 2" in [caption.value for caption in app.caption]
    assert "attempt 1" in app.code[0].value


def test_a_run_picked_from_the_list_brings_its_settings_back() -> None:
    quick = RunParams(
        flow="fan-out", tasks=2, width=1, duration_seconds=0.0, failure_probability=0.0, seed=9
    )
    run = launch.wait(launch.submit(quick), 120)
    app = open_page("orchestration")
    app.selectbox(key="monitor_shown").set_value(run.id).run()
    assert (
        app.selectbox(key="monitor_flow").value == "fan-out"
        and app.slider(key="monitor_seed").value == 9
    )
    assert app.selectbox(key="monitor_shown").value == run.id and "The run **completed**" in texts(
        app
    )
    app.slider(key="monitor_seed").set_value(90).run()
    assert app.selectbox(
        key="monitor_shown"
    ).value == "latest of these settings" and "Predicted" in texts(app)


def test_runs_that_wait_are_listed_and_can_be_ended() -> None:
    slow = {
        "monitor_flow": "fan-out",
        "monitor_duration_seconds": "5.0",
        "monitor_seed": "60",
        "monitor_copies": "3",
    }
    app = open_page("orchestration", monitor_view="Queue", **slow)
    app.button(key="monitor_start").click().run()
    rows = app.table[0].value
    assert len(rows) == 3 and set(rows["flow"]) == {"fan-out"}
    for run_id in reversed(LAUNCHER.active()):
        launch.LAUNCHER.cancel(run_id)
    app.run()
    assert "The run was **cancelled**" in texts(app)


def test_an_unreachable_server_is_said_and_the_page_stays_usable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.orchestration import server as module
    from pages.tabs.orchestration import monitor as orchestration_monitor
    from pages.tabs.orchestration import run as orchestration_run

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    away = module.Server()
    away.start()
    with pytest.raises(ValueError, match="can be reached"):
        away.ready(10)
    for place in (orchestration_monitor, orchestration_run):
        monkeypatch.setattr(place, "SERVER", away)
    app = open_page("orchestration", monitor_seed="77")
    assert "PREFECT_API_URL must name a Prefect server that can be reached" in app.warning[0].value
    assert not app.exception and len(charts(app)) == 2 and app.button(key="monitor_start").disabled
    away.stop()
