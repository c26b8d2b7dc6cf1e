"""Streamlit's private parts are where the one module that uses them expects them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from pages.shell.streamlit_internals import share_locks, signed_in

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = ("streamlit.runtime", "streamlit.proto", "streamlit.elements")


def app() -> None:
    import streamlit as st

    from pages.shell.streamlit_internals import runs_for_this_fragment, texts_in_address

    st.slider("A", 0, 9, 3, key="a", bind="query-params")
    st.selectbox("B", (1, 2), key="b", format_func="{} h".format, bind="query-params")
    st.multiselect("C", ("x", "y", "z"), key="c", bind="query-params")
    st.text_input("D", key="unbound")

    @st.fragment
    def part() -> None:
        st.button("Press", key="press")
        st.text(f"part {runs_for_this_fragment()}")

    part()
    st.json(
        [
            texts_in_address(key, value)
            for key, value in (("a", 7), ("b", 2), ("c", ["z", "x"]), ("unbound", "t"))
        ]
    )


@pytest.fixture(scope="module")
def page() -> AppTest:
    return AppTest.from_function(app).run()


def test_the_address_writes_numbers_labels_and_items(page: AppTest) -> None:
    assert not page.exception
    assert page.json[0].value == '[["7"], ["2 h"], ["z", "x"], []]'


def test_a_run_of_the_whole_page_is_for_every_fragment(page: AppTest) -> None:
    assert page.text[0].value == "part True"


def test_who_signed_in_is_read_from_a_cookie_of_this_server_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = "streamlit.web.server.starlette.starlette_websocket.get_cookie_secret"
    monkeypatch.setattr(place, lambda: "own")
    name, claims = "_streamlit_user", json.dumps({"sub": "ada"})
    made = {who: create_signed_value(who, name, claims).decode() for who in ("own", "other")}
    assert signed_in({name: made["own"]}) == {"sub": "ada"}
    for cookies in ({name: made["other"]}, {name: "x"}, {name: ""}, {}):
        assert signed_in(cookies) == {}


class State:
    """What Streamlit's wrapper asks a session's state to do at a begin and an end."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.done: list[str] = []

    def on_script_will_rerun(self, *_: Any, **__: Any) -> None:
        self.begun.set()
        self.go_on.wait(10)
        self.done.append("begin")

    def on_script_finished(self, *_: Any, **__: Any) -> None:
        self.done.append("end")


def test_a_run_ends_before_or_after_the_next_one_begins_and_not_within(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SafeSessionState, "__init__", SafeSessionState.__init__)  # undone after it
    share_locks()
    share_locks()
    state = State()
    old, new = (SafeSessionState(state, lambda: None) for _ in range(2))  # type: ignore[arg-type]
    begin = threading.Thread(target=new.on_script_will_rerun, args=(None,))
    begin.start()
    assert state.begun.wait(10)
    end = threading.Thread(target=old.on_script_finished, args=(frozenset(),))
    end.start()
    end.join(0.2)
    assert end.is_alive() and state.done == []
    state.go_on.set()
    for thread in (begin, end):
        thread.join(10)
    assert state.done == ["begin", "end"]


def test_nobody_else_reaches_into_streamlit() -> None:
    found: list[Any] = [
        (path.relative_to(ROOT).as_posix(), line.strip())
        for path in (ROOT / "pages").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(
            tuple(f"{verb} {name}" for verb in ("from", "import") for name in PRIVATE)
        )
    ]
    assert {path for path, _ in found} == {"pages/shell/streamlit_internals.py"}, found
