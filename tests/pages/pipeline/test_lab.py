"""The Pipeline page: its tabs on one run."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import pytest

from engine.jobs import JOBS
from engine.pipeline import choice, compare, flow, tracer, weeks
from engine.pipeline.flow import FlowParams
from engine.pipeline.stages import STAGES
from engine.pipeline.weeks import WeeksParams
from pages.shell import lessons
from pages.tabs.pipeline import labs, runs
from tests.pages.visit import charts, open_page, problems, settle, texts


def test_the_run_is_made_and_its_graph_has_every_stage() -> None:
    app = open_page("pipeline")
    assert problems(app) == []
    (graph,) = [chart for chart in charts(app) if chart["key"] == "flow_graph"]
    assert graph["layout"]["yaxis"]["ticktext"] == [stage.title for stage in STAGES]
    run = choice.latest()
    assert run is not None and f"{run.stages[0].n_in:,} flights in" in texts(app)
    notes = [note["text"] for note in graph["layout"]["annotations"]]
    assert [run.stages[i].digest[:6] in notes[i] for i in range(len(STAGES))] == [True] * 10
    for view in ("All stages", "Compare runs", "Time against size"):
        settle(app.segmented_control(key="flow_view").set_value(view).run())
        assert problems(app) == []


def test_another_model_changes_the_stages_that_read_it_or_follow() -> None:
    for model in ("boosting", "logistic"):
        app = open_page("pipeline", flow_model=model)
        assert problems(app) == []
    runs_made = [flow.expected(FlowParams(model=model)) for model in ("boosting", "logistic")]
    first, second = (one.run for one in runs_made)
    assert first is not None and second is not None
    changed = compare.stages_that_differ(first, second)
    assert changed == ["train", "register", "serve", "monitor"]
    assert [one.n_affected for one in runs_made] == [0, len(changed)]


def test_a_run_whose_files_are_gone_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    open_page("pipeline")
    key = (flow.steps, FlowParams())
    runs.forget_gone(FlowParams())
    assert (job := JOBS.find(key)) is not None and job.state == "done"
    monkeypatch.setattr(choice, "is_whole", lambda run: False)
    runs.forget_gone(FlowParams())
    assert JOBS.find(key) is None
    monkeypatch.undo()
    open_page("pipeline")  # what the stages made is there: nothing is made again
    assert (job := JOBS.find(key)) is not None
    assert {record.state for record in job.result.run.stages} == {"kept"}


def test_every_stage_has_a_lab_that_takes_its_settings() -> None:
    open_page("pipeline")
    run = choice.find("")
    assert list(labs.WAYS) == [stage.name for stage in STAGES]
    for way in labs.WAYS.values():
        lesson, given = lessons.load(way.topic), labs.settings(way, run)
        assert set(given) <= set(lesson.defaults())
        if way.file is not None:
            continue  # opened below
        params = lesson.settings_of(way.experiment, given)
        for key, value in way.settings(run).items():
            field = key.removeprefix(f"{way.experiment}_")
            assert lessons.to_field(getattr(params, field)) == lessons.to_field(value)


@pytest.mark.parametrize("stage", ["load", "features", "audit", "validate"])
def test_a_stage_opens_its_lab_on_the_data_of_the_run(stage: str) -> None:
    title = next(one.title for one in STAGES if one.name == stage)
    app = open_page("pipeline", flow_stage=title)
    (link,) = [one.proto for one in app.get("page_link")]
    for key in list(app.query_params):
        del app.query_params[key]
    for key, values in parse_qs(link.query_string).items():
        app.query_params[key] = values
    settle(app.switch_page(f"{link.page}.py").run())
    assert problems(app) == []
    run, way = choice.find(""), labs.WAYS[stage]
    name, result, *_ = app.session_state["shown"]
    assert name == way.experiment and link.page == way.topic
    if way.file is not None:
        assert Path(result.params.upload).read_bytes() == way.file(run)[1]
    else:
        assert result.params.first_day == FlowParams().first_day
        assert result.params.n_days == FlowParams().n_days


def test_a_flight_is_traced_and_the_raw_line_is_shown() -> None:
    app = open_page("pipeline", pipeline_tab="Row tracer", tracer_flight="50")
    assert problems(app) == []
    found = tracer.run(tracer.TracerParams(flight=50))
    assert {found.raw.text, found.raw.dump} <= {code.value for code in app.code}
    assert found.name in texts(app)
    for view, key in (("Reasons", "tracer_effects"), ("Features", "tracer_timeline")):
        settle(app.segmented_control(key="tracer_view").set_value(view).run())
        assert problems(app) == [] and key in [chart["key"] for chart in charts(app)]


def test_the_monitor_shows_each_of_its_views() -> None:
    app = open_page("pipeline", pipeline_tab="Monitor", weeks_distance="KS")
    assert f"{weeks.run(WeeksParams(distance='ks')).n_drifted} of 10 features" in texts(app)
    drawn = {"weeks_scores"}
    for view in ("By week", "Predictions", "Skew", "Freshness", "Alerts", "Drift"):
        settle(app.segmented_control(key="weeks_view").set_value(view).run())
        assert problems(app) == []
        drawn |= {chart["key"] for chart in charts(app)}
    assert {"weeks_drift", "weeks_feature_chart", "weeks_predictions", "weeks_skew"} <= drawn


def test_a_run_that_is_gone_falls_back() -> None:
    app = open_page("pipeline", pipeline_tab="Row tracer", tracer_run="20130101-000000-abcdef")
    assert problems(app) == [] and len(charts(app)) >= 1
