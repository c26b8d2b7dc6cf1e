"""A talk on stage: the scenes of several labs by their own experiments, questions first, and no
speaker's note in what the window gets.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shell import lessons
from pages.talk import bar, presented
from pages.talk.presented import Presentation
from pages.talk.show import MODULES, experiment_of
from pages.talk.talk import Talk, TalkScene, shipped
from tests.pages.visit import charts, open_page, problems, settle, texts

PAGES = Path(__file__).resolve().parents[3] / "pages"
SECRET = "Say this aloud, show it to nobody"
TALK = Talk(
    "Two labs",
    (
        TalkScene("formats", "Two columns, one week", "Own title", SECRET, 2, size=1.4),
        TalkScene(
            "leakage", "A leak reports 100% accuracy", note=SECRET, predict="The mean of all rows"
        ),
        TalkScene("leakage", "Scaling on all rows: no effect", note=SECRET),
    ),
)


def sent(app: AppTest) -> Iterator[bytes]:
    """Everything that the page sends to the browser."""

    def nodes(node: Any) -> Iterator[Any]:
        yield node
        for child in getattr(node, "children", {}).values():
            yield from nodes(child)

    for node in nodes(app._tree):
        proto = getattr(node, "proto", None)
        if proto is not None:
            yield proto.SerializeToString()


def components(app: AppTest, name: str) -> list[dict[str, Any]]:
    return [
        json.loads(one.proto.json)
        for one in app.get("bidi_component")
        if one.proto.component_name == name
    ]


def line(app: AppTest) -> dict[str, Any]:
    """What the stage's line and keys get."""
    return components(app, bar.KEY)[0]


def go(app: AppTest, shown: Presentation, number: int, phase: int | None = None) -> AppTest:
    shown.place.go(number, phase)
    return settle(app.run())


def test_a_talk_crosses_labs_asks_first_and_sends_no_note() -> None:
    shown = presented.start(TALK)
    app = open_page("stage", at=shown.code)
    every = [*sent(app)]
    (first,) = charts(app)
    assert first["key"] == "bytes_read_strip" and line(app)["number"] == 0
    assert [one["size"] for one in components(app, "chart")] == [1.4]
    assert line(app)["titles"] == ["Own title", *(one.scene for one in TALK.scenes[1:])]
    assert line(app)["planned"] == 60 * TALK.minutes

    every += sent(go(app, shown, 1))
    asked = lessons.load("leakage").predictions[1]
    assert asked.question in texts(app) and charts(app) == []
    assert asked.because not in texts(app)

    every += sent(go(app, shown, 1, 1))
    assert [chart["key"] for chart in charts(app)] == ["dose_curve"]
    assert asked.because in texts(app) and "It is **" in texts(app)
    assert app.session_state["dose_focus"] == "Imputation on all rows"
    assert app.session_state["dose_measure"] == "accuracy"

    every += sent(go(app, shown, 2))
    assert app.session_state["dose_focus"] == "Scaling on all rows"
    assert app.session_state["dose_measure"] == "AUC"
    app.slider(key="dose_seed").set_value(3).run()
    assert app.session_state["dose_seed"] == 3 and problems(app) == []
    every += sent(go(app, shown, 2))
    assert app.session_state["dose_seed"] == 0

    notes = {SECRET, *(one.of_lab.note for one in TALK.scenes)}
    assert len(every) > 50 and b"Own title" in b"".join(every)
    assert [note for note in notes if any(note.encode() in part for part in every)] == []


def test_after_the_stage_a_lab_is_as_always() -> None:
    app = open_page("stage", at=presented.start(TALK).code)
    settle(app.switch_page("leakage.py").run())
    assert app.header[0].value == f"4 · {lessons.load('leakage').question}"
    assert app.segmented_control(key="dose_panel").value == "Why" and problems(app) == []


def test_a_press_counts_once_and_the_server_knows_the_place() -> None:
    shown = presented.start(TALK)
    app = open_page("stage", at=shown.code)
    press = {"does": "go", "number": 2, "phase": None, "id": 5}
    session: dict[Any, Any] = {}
    bar.obey(shown, press, session)
    shown.place.go(0)
    bar.obey(shown, press, session)  # a poll sends it again
    assert shown.place.view().number == 0
    bar.obey(shown, {"does": "blank", "blank": True, "id": 6}, session)
    assert shown.place.view().blank
    bar.obey(shown, {"does": "go", "number": 99, "phase": None, "id": 7}, session)
    assert (shown.place.view().number, shown.place.view().blank) == (2, False)
    again = open_page("stage", at=shown.code)  # a reload
    assert line(again)["number"] == 2 and problems(app) == []


def test_a_shipped_talk_is_started_by_its_name_and_no_other() -> None:
    app = open_page("stage", talk="tour")
    code = app.query_params["at"]
    found = presented.find(code)
    assert found is not None and found.talk == shipped()["tour"] and found.back == "home.py"
    for query in ({"talk": "../tour"}, {"at": "guessed"}, {}):
        app = open_page("stage", **query)
        assert not app.get("bidi_component") or not charts(app)
        assert "no such talk" in texts(app)


def test_presentations_that_are_too_many_make_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presented, "_opened", type(presented._opened)())
    codes = [presented.start(TALK).code for _ in range(presented.MOST + 1)]
    assert presented.find(codes[0]) is None
    assert all(presented.find(code) for code in codes[1:])


def test_every_experiment_of_a_lab_is_drawn_by_the_function_that_its_page_has() -> None:
    wrong = []
    for topic in lessons.topics():
        lesson = lessons.load(topic)
        tree = ast.parse((PAGES / f"{topic}.py").read_text(encoding="utf-8"))
        call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
        drawn = {one.arg: ast.unparse(one.value) for one in call.keywords}
        assert {*drawn} == {*lesson.tabs}
        for name, code in drawn.items():
            if code != f"{MODULES.get(name, name)}.show":
                wrong.append((topic, name, code))
            settings = {lesson.tab_key: lesson.tabs[name]}
            if topic in ("formats", "leakage"):
                assert experiment_of(lesson, settings)[1] == name
    assert wrong == []
