"""The stream inside the tab Late data, as a visitor meets it."""

from __future__ import annotations

import pytest

from engine.etl.streaming import source
from engine.etl.streaming.source import Rows
from tests.pages.visit import charts, open_page, settle, texts


def test_a_visitor_steps_through_files_and_has_spark_run_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = source._flights(100, "EWR")
    early = whole.hour < 7
    few = Rows(whole.flight[early], whole.event[early], whole.arrival[early], whole.hour[early])
    monkeypatch.setattr(source, "_flights", lambda day, origin: few)
    place = {"etl_tab": "Late data", "streaming_day": "10 Apr 2013", "streaming_origin": "EWR"}
    app = open_page("etl", streaming_view="Batches", **place)
    assert not app.exception and not app.error
    assert app.session_state["late_subject"] == "Stream", "a link to its settings opens it"
    n_files = len(set(few.hour.tolist()))
    settle(app.button(key="streaming_next").click().run())
    first = app.session_state["streaming_clock"]
    settle(app.button(key="streaming_next").click().run())
    assert app.session_state["streaming_clock"] > first
    assert all(size == "" for size in app.table[0].value["state memory"]), "Spark was not asked"
    settle(app.button(key="streaming_run").click().run())
    assert not app.exception and not app.error
    assert f"{n_files} files in" in texts(app) and "each as expected" in texts(app)
    assert all(size.endswith("B") for size in app.table[0].value["state memory"])
    assert charts(app)[0]["key"] == "streaming_arrivals" and charts(app)[0]["first"]
