"""The lab notebook: a run is kept, remarked, exported as HTML and as a Jupyter notebook that
reproduces its numbers, and brought back.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import plotly.graph_objects as go
import plotly.offline
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.errors import InputError
from pages.shell import answers, learner, lessons, notebook, notebook_files
from pages.shell.experiments import params_class
from tests.engine.printed import run_script
from tests.pages.test_exports import addresses
from tests.pages.visit import open_page, problems, settle, share, texts

HOSTILE = "<script>alert(1)</script> ![](http://evil.example/x) $x$"
RUNS = {  # experiment -> lab and settings
    "bytes_read": ("formats", {"bytes_read_order": "shuffled"}),
    "backfill": ("etl", {"backfill_dates": ["2013-06-10", "2013-06-20"]}),
    "survey": ("sampling", {"survey_seed": "3"}),
}


def entries(app: AppTest) -> list[notebook.Entry]:
    listed: list[notebook.Entry] = app.session_state["learner"]["notebook"]["value"]["entries"]
    return listed


@pytest.fixture(scope="module")
def visitor() -> AppTest:
    """One who has kept a run of each lab, and remarked on the last one."""
    app = open_page("glossary")  # the quickest to open
    for name, (topic, settings) in RUNS.items():
        app.switch_page(f"{topic}.py")
        for key, value in settings.items():
            app.query_params[key] = value
        app.query_params[lessons.load(topic).tab_key] = lessons.load(topic).tab_of(name)
        share(settle(app.run()))
        assert app.session_state["shown"][0] == name
        settle(app.button(key="keep_run").click().run())
        app.query_params.clear()
        app.session_state["share"] = False
    app.switch_page("notebook.py").run()
    last = entries(app)[-1]["id"]
    app.text_area(key=f"remark_{last}").set_value(HOSTILE).run()
    assert problems(app) == []
    return app


def test_a_kept_run_has_its_settings_numbers_and_remark(visitor: AppTest) -> None:
    held = entries(visitor)
    assert [one["experiment"] for one in held] == list(RUNS)
    assert [one["remark"] for one in held] == ["", "", HOSTILE]
    for one in held:
        params = notebook.params_of(one)
        assert params is not None and params != type(params)()
        assert one["verdict"] in texts(visitor) and notebook.changed(one) in texts(visitor)


def test_the_jupyter_notebook_runs_again_to_the_same_numbers(visitor: AppTest) -> None:
    content = json.loads(notebook_files.to_jupyter(entries(visitor)))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    cells = content["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells) and all(
        len(cell["id"]) <= 64 for cell in cells
    )
    scripts = [cell for cell in cells if cell["id"].endswith("-script")]
    for cell, one in zip(scripts, entries(visitor), strict=True):
        printed = run_script(cell["source"])
        assert printed == one["headline"] == json.loads(cell["outputs"][0]["text"])
    said = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    assert "<script" not in said and "](" not in said and addresses(said) == []


def test_the_html_has_every_figure_one_plotly_and_no_tag_of_a_visitor(visitor: AppTest) -> None:
    figures = visitor.session_state["notebook_figures"]
    held = [(one, figures[one["id"]]) for one in entries(visitor)]
    page = notebook_files.html_of([*held, (held[0][0], None)])
    assert page.count(plotly.offline.get_plotlyjs()) == 1
    assert page.count('class="plotly-graph-div"') == len(RUNS)
    assert page.count(notebook_files.NO_FIGURE) == 1
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    assert all(one["verdict"].split()[0] in page for one, _ in held)
    drawn = page.replace("http://evil.example/x", "")  # as text, in the remark
    assert addresses(drawn) == []


def test_a_kept_run_opens_again_and_can_be_removed(visitor: AppTest) -> None:
    one = entries(visitor)[0]
    visitor.switch_page("formats.py")
    visitor.query_params["kept"] = one["id"]
    settle(visitor.run())
    assert problems(visitor) == [] and visitor.session_state["formats_tab"] == "Bytes read"
    assert visitor.session_state["bytes_read_order"] == "shuffled"
    visitor.switch_page("notebook.py").run()
    visitor.button(key=f"remove_{one['id']}").click().run()
    assert [left["experiment"] for left in entries(visitor)] == list(RUNS)[1:]
    assert problems(visitor) == []


def made(params: Any, **other: Any) -> notebook.Entry:
    settings = {key: notebook._plain(value) for key, value in asdict(params).items()}
    texts = dict.fromkeys(("id", "at", "verdict", "predicted", "remark"), "x")
    lab = {"lab": "formats", "experiment": "race"}
    return {**texts, **lab, "settings": json.loads(json.dumps(settings)), "headline": {}, **other}


def test_settings_of_every_experiment_come_back_from_the_record() -> None:
    for topic in lessons.topics():
        for name in lessons.load(topic).experiments:
            params = params_class(topic, name)()
            one = made(params, lab=topic, experiment=name)
            assert notebook.params_of(one) == params
            assert notebook.changed(one) == "the defaults"


def test_a_run_of_an_earlier_version_is_listed_without_its_code() -> None:
    one = made(params_class("formats", "race")())
    one["settings"]["repeats"] = -1
    assert notebook.params_of(one) is None
    cells = json.loads(notebook_files.to_jupyter([one]))["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "markdown"]
    assert "earlier version" in notebook_files.html_of([(one, go.Figure())])


def test_the_prediction_of_this_very_setting_is_kept_with_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(st, "session_state", {})
    lesson = lessons.load("formats")
    asked = lesson.predictions[0]
    answers.note("formats", asked.title or asked.question, "predict", "7", False)
    params = lesson.settings_of(asked.experiment, asked.params)
    said = notebook._predicted(lesson, asked.experiment, params)
    assert said == f"{asked.question} 7"
    assert notebook._predicted(lesson, asked.experiment, type(params)()) == ""


@pytest.mark.parametrize(
    "broken",
    [
        {"entries": 3},
        {"entries": [3]},
        {"entries": [{"id": "x"}]},
        {"entries": [], "more": 1},
        {"entries": [made(params_class("formats", "race")(), lab="cooking")]},
        {"entries": [made(params_class("formats", "race")(), verdict="x" * 2_000)]},
        {"entries": [made(params_class("formats", "race")())] * (notebook.MOST + 1)},
    ],
)
def test_a_foreign_notebook_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="notebook"):
        learner._check("notebook", broken)
