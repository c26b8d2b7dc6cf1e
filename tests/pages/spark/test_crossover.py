"""Spark or pandas on its page: the model answers without a run; a refusal is a sentence."""

from __future__ import annotations

from engine.jobs import JOBS
from tests.pages.visit import charts, open_page, texts

TAB = "Spark or pandas"


def test_the_model_moves_without_a_run() -> None:
    app = open_page("spark", spark_tab=TAB, crossover_memory="8")
    assert app.session_state["crossover_view"] == "On a cluster", "a link of before it was a view"
    (before,) = charts(app)
    assert not app.exception and before["key"] == "crossover_model"
    job = JOBS.find(app.session_state["crossover_job"])
    app.slider(key="crossover_cores").set_value(100).run()
    assert JOBS.find(app.session_state["crossover_job"]) is job
    assert "100 cores" in str(charts(app)[0]) and charts(app)[0] != before
    assert "The answer, from these numbers." in texts(app) and "one machine" in texts(app).lower()


def test_a_refusal_is_a_sentence_and_the_page_goes_on() -> None:
    app = open_page(
        "spark", spark_tab=TAB, crossover_memory_gb="0.0625", crossover_contestants=["Polars"]
    )
    assert not app.exception and app.warning
    assert any(
        "pandas was stopped" in w.value or "Memory for pandas must be at least" in w.value
        for w in app.warning
    )
