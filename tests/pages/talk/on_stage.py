"""How a test checks a talk and opens its scenes on stage."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from pages.talk import preflight, presented
from pages.talk.draft import Draft
from pages.talk.preflight import Found
from pages.talk.talk import Talk
from tests.pages.visit import charts, open_page, problems, settle, texts


def check(talk: Talk) -> tuple[Found, ...]:
    """Run the check of a talk to its end and return what it found of each scene."""
    app = open_page("talks")
    app.session_state["talk_draft"] = Draft.of(talk)
    app.session_state["preflight"] = preflight._Check(talk, [])
    while "preflight" in app.session_state:  # the browser asks for the next draw
        settle(app.run())
        assert not app.exception
    of, found = app.session_state["preflight_found"]
    assert of == talk
    n_ready = sum(not one.problem for one in found)
    assert f"**{n_ready} of {len(found)} scenes are ready.**" in texts(app)
    return tuple(found)


def shown(talk: Talk, number: int) -> dict[str, Any]:
    """Return the only chart that the audience sees of a scene, its question asked, as soon as it is
    on stage: nothing is waited for.
    """
    one = presented.start(talk)
    one.place.go(number, one.place.view().phases[number][1] - 1)
    app: AppTest = open_stage(one.code)
    assert problems(app) == []
    (chart,) = charts(app)
    return chart


def open_stage(code: str) -> AppTest:
    """Open a presentation by its code."""
    return open_page("stage", at=code)
