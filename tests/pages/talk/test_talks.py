"""The page Talks: what is edited is what is saved, linked and presented."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from engine.errors import InputError
from pages.talk import link, presented
from pages.talk.draft import Draft
from pages.talk.talk import MOST_SCENES, Talk, TalkScene, shipped
from tests.pages.visit import open_page, problems, texts

ONE = TalkScene("leakage", "A leak reports 100% accuracy")
TWO = TalkScene("spark", "Each exchange ends a stage")


def test_a_draft_is_ordered_grows_and_shrinks() -> None:
    draft = Draft.of(Talk("x", (ONE, TWO)))
    first, second = draft.scenes
    draft.order([second, first])
    assert draft.talk().scenes == (TWO, ONE)
    for wrong in ([first], [first, first], [first, second, 7], ["a", "b"]):
        draft.order(wrong)
        assert draft.talk().scenes == (TWO, ONE)
    draft.select(second)
    draft.add(ONE)
    assert draft.talk().scenes == (TWO, ONE, ONE) and draft.selected not in (first, second)
    draft.set(first, minutes=2.5)
    with pytest.raises(InputError, match="minutes must be"):
        draft.set(first, minutes=61)
    assert draft.scenes[first].minutes == 2.5
    for number in [*draft.scenes]:
        draft.remove(number)
    assert len(draft.scenes) == 1, "the last one stays"
    full = Draft.of(Talk("x", (ONE,) * MOST_SCENES))
    with pytest.raises(InputError):
        full.add(TWO)


def test_what_is_edited_is_saved_linked_and_presented_after_a_press() -> None:
    app = open_page("talks")
    assert problems(app) == []
    draft: Draft = app.session_state["talk_draft"]
    number = draft.selected
    app.text_input(key="talk_title").set_value("My own").run()
    app.text_area(key=f"talk_note_{number}").set_value("Wait for the room.").run()
    app.number_input(key=f"talk_minutes_{number}").set_value(3.5).run()
    app.selectbox(key=f"talk_predict_{number}").set_value("Everything is read").run()
    app.selectbox(key="talk_add_lab").set_value("spark").run()
    app.selectbox(key="talk_add_scene_spark").set_value(TWO.scene).run()
    app.button(key="talk_add").click().run()
    talk = draft.talk()
    assert (talk.title, talk.scenes[0].note, talk.scenes[0].minutes) == (
        ("My own", "Wait for the room.", 3.5)
    )
    assert talk.scenes[0].predict == "Everything is read" and talk.scenes[1] == TWO
    (code,) = parse_qs(urlsplit(app.code[0].value).query)["talk"]
    assert link.decode(code) == talk

    before = len(presented._opened)
    brought = open_page("talks", talk=code)
    assert brought.session_state["talk_draft"].talk() == talk
    assert "came by a link" in texts(brought) and len(presented._opened) == before
    brought.button(key="talk_present").click().run()
    assert len(presented._opened) == before + 1 and problems(brought) == []
    assert next(reversed(presented._opened.values())).talk == talk
    brought.switch_page("talks.py").run()
    brought.button(key="talk_open_tour").click().run()
    assert brought.session_state["talk_draft"].talk() == shipped()["tour"]
    assert brought.text_input(key="talk_title").value == shipped()["tour"].title


def test_a_hostile_link_is_refused_by_a_sentence_and_the_page_stays() -> None:
    app = open_page("talks", talk="AAAA")
    assert problems(app) == ["A talk's link must be copied whole. Got a part of one."]
    assert app.session_state["talk_draft"].talk() == shipped()["tour"]
