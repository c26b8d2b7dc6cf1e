"""What only the tabs Retry lab and Backpressure do: a press of a button has Prefect run it, and the
answer is drawn over it.
"""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from engine.orchestration import backpressure
from engine.orchestration.retry import RetryParams, real
from engine.orchestration.server import SERVER
from tests.pages.visit import charts, open_page, settle, texts


def until(app: AppTest, said: str, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while said not in texts(app):
        assert time.monotonic() < deadline, texts(app)
        time.sleep(0.5)
        app.run()
        assert not app.exception and not app.error


def test_real_task_runs_fall_onto_the_simulated_ones() -> None:
    SERVER.ready()
    link = {
        "retry_failure_probability": "0.5",
        "retry_retries": "1",
        "retry_delay_seconds": "0.5",
        "retry_duration_seconds": "0.2",
    }
    app = open_page("orchestration", orchestration_tab="Retry lab", retry_view="Waits", **link)
    params = RetryParams(
        failure_probability=0.5, retries=1, delay_seconds=0.5, duration_seconds=0.2
    )
    assert "24 real task runs" not in texts(app)
    app.button(key="retry_run").click().run()
    assert app.button(key="retry_run").disabled and len(real.under_way(params)) == 2
    until(app, "24 of 24 took as many attempts as predicted")
    while real.under_way(params):  # its last task is over, the flow around it not yet
        time.sleep(0.2)
    assert not app.run().button(key="retry_run").disabled
    assert "real task runs: 24" in {trace.get("name") for trace in charts(app)[0]["data"]}


def test_what_would_take_too_long_is_not_run_for_real() -> None:
    app = open_page(
        "orchestration",
        orchestration_tab="Retry lab",
        retry_retries="10",
        retry_view="Thundering herd",
    )
    assert app.button(key="retry_run").disabled and "Delays of up to 1,023 s" in texts(app)
    app = open_page(
        "orchestration", orchestration_tab="Backpressure", backpressure_arrival_rate="6.0"
    )
    assert app.button(key="backpressure_run").disabled and "too many for a real run" in texts(app)


def test_the_real_queue_is_drawn_over_the_simulated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    SERVER.ready()
    monkeypatch.setattr(backpressure, "REAL_SECONDS", 4.0)
    app = open_page("orchestration", orchestration_tab="Backpressure", backpressure_view="Load")
    assert "On Prefect" not in texts(app) and "counted by Prefect" not in str(charts(app)[0])
    settle(app.button(key="backpressure_run").click().run())
    assert "On Prefect, 4 s" in texts(app) and not app.error
    assert "counted by Prefect" in str(charts(app)[0])
    app.slider(key="backpressure_workers").set_value(3).run()
    assert "On Prefect" not in texts(app) and "the queue is stable" in texts(
        app
    )  # other settings, nothing measured
