"""Practice, as one visitor meets it in one session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.jobs import Jobs
from engine.practice import evidence, mock
from engine.practice.cards import answer_id, question_id
from engine.practice.content import question_of, questions
from engine.practice.plan import MOST_A_DAY
from pages.shell import lessons, practice_record
from pages.tabs.practice import look
from tests.pages.visit import open_page, problems, settle, texts

QUESTION = question_of("incremental")


@pytest.fixture(scope="module")
def app() -> AppTest:
    return open_page("practice")


@pytest.fixture(autouse=True)
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has finished no job, whatever other page tests have measured."""
    monkeypatch.setattr(evidence, "JOBS", Jobs())


def section(app: AppTest, name: str) -> Any:
    return app.session_state["learner"][name]["value"]


def tab(app: AppTest, name: str) -> AppTest:
    app.session_state["practice_tab"] = name
    return settle(app.run())


def test_think_then_an_answer_in_measured_numbers_signs_and_follow_ups(app: AppTest) -> None:
    assert problems(app) == []
    settle(app.segmented_control(key="practice_group").set_value("Pipeline design").run())
    settle(app.radio(key="practice_question").set_value(QUESTION.text).run())
    assert QUESTION.strong[0] not in texts(app), "nothing is given away before"
    key = f"practice_{QUESTION.id}"
    app.button(key=f"{key}_start").click().run()
    app.text_area(key=f"{key}_notes").set_value("compare with a full rebuild").run()
    settle(app.button(key=f"{key}_show").click().run())
    assert problems(app) == []
    read = texts(app)
    assert "the default run, computed here" in read  # Batch, incremental, CDC
    assert "not measured here yet" in read  # Crash lab takes a job
    assert app.button(key=f"{key}_run_crash").label == "Run Crash lab"
    assert section(app, "practice")["questions"][QUESTION.id]["notes"].startswith("compare")
    for number, follow in enumerate(QUESTION.followups):
        assert follow.text not in texts(app)
        app.button(key=f"{key}_next").click().run()
        assert follow.text in texts(app) and follow.answer not in texts(app)
        app.toggle(key=f"{key}_follow_{number}").set_value(True).run()
        assert follow.answer in texts(app)
    assert set(section(app, "practice")["kinds"]) == {f.kind for f in QUESTION.followups}
    for number in range(len(QUESTION.strong)):
        app.checkbox(key=f"{key}_strong_{number}").set_value(True)
    app.checkbox(key=f"{key}_weak_0").set_value(True)
    settle(app.button(key=f"{key}_keep").click().run())
    assert section(app, "practice")["questions"][QUESTION.id]["rating"] == 2
    assert question_id(QUESTION.id) in section(app, "cards")["cards"]


def test_the_notes_of_one_visitor_reach_no_other(app: AppTest) -> None:
    key, other = f"practice_{QUESTION.id}", open_page("practice")
    settle(other.segmented_control(key="practice_group").set_value("Pipeline design").run())
    settle(other.radio(key="practice_question").set_value(QUESTION.text).run())
    assert other.text_area(key=f"{key}_notes").value == ""
    settle(other.button(key=f"{key}_show").click().run())
    mine = section(app, "practice")["questions"][QUESTION.id]["notes"]
    assert mine.startswith("compare") and mine not in str(other.session_state["learner"])
    assert list(section(other, "practice")["questions"]) == [QUESTION.id]


def test_a_mock_interview_ends_with_a_summary(app: AppTest) -> None:
    tab(app, "Mock interview")
    asked = mock.draw(0)
    assert asked[0].text not in texts(app)
    settle(app.button(key="mock_start").click().run())
    assert problems(app) == [] and asked[0].text in texts(app)
    app.text_area(key=f"mock_{asked[0].id}_notes").set_value("my first point").run()
    settle(app.button(key="mock_next").click().run())
    assert asked[0].followups[0].text in texts(app)
    assert asked[0].followups[0].answer not in texts(app)
    app.segmented_control(key="mock_place").set_value(2).run()
    assert asked[1].text in texts(app)
    app.text_area(key=f"mock_{asked[1].id}_notes").set_value("second").run()
    app.segmented_control(key="mock_place").set_value(1).run()
    assert app.text_area(key=f"mock_{asked[0].id}_notes").value == "my first point"
    settle(app.button(key="mock_end").click().run())
    assert problems(app) == [] and asked[0].followups[0].answer in texts(app)
    assert {button.label for button in app.get("download_button")} >= {
        "Summary (Markdown)",
        "Summary (HTML)",
    }
    settle(app.button(key="mock_keep").click().run())
    for question in asked:
        assert section(app, "practice")["questions"][question.id]["rating"] == 1


def test_the_canvas_answers_with_consequences_and_asks_about_the_weakest(app: AppTest) -> None:
    tab(app, "Design")
    assert problems(app) == []
    read = app.table[0].value
    assert "wrong or expensive" in set(read.iloc[:, 1])
    assert "2.0× the rows: append is not idempotent" in read["what follows"][0]
    assert "cursor misses 100%" in " ".join(read["what follows"])
    assert "asks about your load" in texts(app)
    app.selectbox(key="design_load").set_value("upsert")
    settle(app.selectbox(key="design_source").set_value("change log (CDC)").run())
    assert "cursor misses" not in " ".join(app.table[0].value["what follows"])
    app.selectbox(key="design_format").set_value("Parquet zstd")
    app.selectbox(key="design_partitioning").set_value("by arrival day")
    settle(app.multiselect(key="design_checks").set_value(["value rules"]).run())
    assert "asks about your partitions" in texts(app)
    assert {"Run Race", "Run Spark or pandas"} <= {button.label for button in app.button}


def test_what_was_weak_is_planned_back_from_the_interview(app: AppTest) -> None:
    tab(app, "Come back")
    assert problems(app) == []
    today = practice_record.today()
    settle(app.date_input(key="today_interview").set_value(today + timedelta(days=4)).run())
    assert section(app, "plan") == {"interview": (today + timedelta(days=4)).isoformat()}
    days = app.table[0].value
    assert len(days) == 4 and days["items"].astype(int).max() <= MOST_A_DAY
    before = len(section(app, "cards")["cards"])
    app.button(key="today_show").click().run()
    settle(app.button(key="today_rate_3").click().run())
    assert len(section(app, "cards")["cards"]) == before + 1
    assert problems(app) == []


def test_a_wrong_prediction_comes_back_the_next_day(app: AppTest) -> None:
    lesson = lessons.load("spark")
    prediction = lesson.predictions[0]
    title = prediction.title or prediction.question
    yesterday = practice_record.today() - timedelta(days=1)
    entry = {"lab": "spark", "title": title, "kind": "predict", "choice": "x", "right": False}
    entry |= {"confidence": None, "date": yesterday.isoformat()}
    app.session_state["learner"]["answers"] = {"at": "2026", "value": {"entries": [entry]}}
    app.session_state["learner"]["cards"]["value"] = {}
    app.session_state["learner"]["plan"]["value"] = {}
    tab(app, "Come back")
    seen = set()
    while prediction.question not in texts(app):
        asked = app.subheader[0].value
        assert asked not in seen and len(seen) < MOST_A_DAY
        seen.add(asked)
        app.button(key="today_show").click().run()
        settle(app.button(key="today_rate_3").click().run())
    app.button(key="today_show").click().run()
    assert prediction.because in texts(app) and problems(app) == []
    settle(app.button(key="today_rate_1").click().run())
    card = section(app, "cards")["cards"][answer_id("spark", title)]
    assert card["n_missed"] == 2
    assert card["due"] == (practice_record.today() + timedelta(days=1)).isoformat()


def test_the_checklist_says_why(app: AppTest) -> None:
    tab(app, "Checklist")
    assert problems(app) == []
    rated = section(app, "practice")["questions"].values()
    n = sum(entry["rating"] is not None for entry in rated)
    assert f"{n} of {len(questions())} questions answered and rated" in texts(app)
    practice = {**section(app, "practice"), "proofs": {"spark": {"why": "1.2 GB.", "at": "today"}}}
    app.session_state["learner"]["practice"]["value"] = practice
    settle(app.run())
    assert "1.2 GB. today." in texts(app)


def test_a_scene_opens_in_its_lab_and_its_run_is_the_learner_s_own(app: AppTest) -> None:
    tab(app, "Questions")
    key = f"practice_{QUESTION.id}"
    settle(app.segmented_control(key="practice_group").set_value("Pipeline design").run())
    settle(app.radio(key="practice_question").set_value(QUESTION.text).run())
    if f"{key}_scene_0" not in {button.key for button in app.button}:
        settle(app.button(key=f"{key}_show").click().run())
    settle(app.button(key=f"{key}_scene_0").click().run())
    assert problems(app) == []
    assert app.session_state["etl_tab"] == "Batch, incremental, CDC"
    assert QUESTION.scenes[0][1] in texts(app)
    own = app.session_state["latest_runs"]["change_capture"]
    app.switch_page("practice.py")
    settle(app.run())
    settle(app.segmented_control(key="practice_group").set_value("Pipeline design").run())
    settle(app.radio(key="practice_question").set_value(QUESTION.text).run())
    assert "your run of this session" in texts(app) and own.verdict in texts(app)


def test_a_broken_record_gets_a_sentence() -> None:
    for name, value in (
        ("cards", {"cards": {"a": {"due": "soon"}}}),
        ("plan", {"interview": "soon"}),
    ):
        app = AppTest.from_file("../../../pages/router.py", default_timeout=60)
        app.session_state["learner"] = {name: {"at": "2026", "value": value}}
        app.query_params["practice_tab"] = "Come back"
        app.switch_page("practice.py")
        app.run()
        assert not app.exception
        assert len(app.error) == 1 and "must" in app.error[0].value


def test_the_question_of_1_tb_opens_the_canvas(app: AppTest) -> None:
    (one,) = [question for question in questions() if question.id == look.ON_CANVAS]
    key = f"practice_{one.id}"
    tab(app, "Questions")
    settle(app.segmented_control(key="practice_group").set_value("Pipeline design").run())
    settle(app.radio(key="practice_question").set_value(one.text).run())
    if f"{key}_canvas" not in {button.key for button in app.button}:
        settle(app.button(key=f"{key}_show").click().run())
    settle(app.button(key=f"{key}_canvas").click().run())
    assert problems(app) == [] and app.session_state["practice_tab"] == "Design"
    assert "**Design a pipeline for 1 TB daily.**" in texts(app)
