"""The Pipeline page: its tabs on one run."""

from __future__ import annotations

import pytest

from engine.pipeline import choice, tracer, weeks
from engine.pipeline.stages import STAGES
from engine.pipeline.weeks import WeeksParams
from tests.pages.visit import charts, open_page, problems, settle, texts


def test_the_run_is_made_and_its_graph_has_every_stage() -> None:
    app = open_page("pipeline")
    assert problems(app) == []
    (graph,) = [chart for chart in charts(app) if chart["key"] == "flow_graph"]
    assert graph["layout"]["yaxis"]["ticktext"] == [stage.title for stage in STAGES]
    run = choice.latest()
    assert run is not None and f"{run.stages[0].n_in:,} flights in" in texts(app)
    notes = [note["text"] for note in graph["layout"]["annotations"]]
    assert [run.stages[i].digest[:8] in notes[i] for i in range(len(STAGES))] == [True] * 10
    settle(app.segmented_control(key="flow_view").set_value("Compare runs").run())
    assert problems(app) == []


def test_a_flight_is_traced_and_the_raw_line_is_shown() -> None:
    app = open_page("pipeline", pipeline_tab="Row tracer", tracer_flight="50")
    assert problems(app) == []
    found = tracer.run(tracer.TracerParams(flight=50))
    assert found.raw.text in [code.value for code in app.code]
    assert found.name in texts(app)
    for view, key in (("Reasons", "tracer_effects"), ("Features", "tracer_timeline")):
        settle(app.segmented_control(key="tracer_view").set_value(view).run())
        assert problems(app) == [] and key in [chart["key"] for chart in charts(app)]


@pytest.mark.parametrize("view", ["Drift, last week", "Drift by week", "Alerts"])
def test_the_monitor_shows_a_run_that_a_link_names(view: str) -> None:
    run = choice.latest()
    named = {"weeks_distance": "KS", "weeks_view": view}
    app = open_page("pipeline", pipeline_tab="Monitor", **named)
    assert problems(app) == []
    assert run is None or app.session_state["weeks_run"] == ""
    assert f"{weeks.run(WeeksParams(distance='ks')).n_drifted} of 10 features" in texts(app)


def test_a_run_that_is_gone_falls_back() -> None:
    app = open_page("pipeline", pipeline_tab="Row tracer", tracer_run="20130101-000000-abcdef")
    assert problems(app) == [] and len(charts(app)) >= 1
