"""Session facts that every piece of the shell needs: who is here, presenter mode, one answer to a
press, applying a setting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from engine import workspace
from engine.jobs import JOBS
from pages.shell import streamlit_internals
from pages.shell.lesson_entries import to_field
from pages.shell.lessons import Lesson, Settings


@st.cache_resource(scope="session", on_release=JOBS.leave, show_spinner=False)
def _owner() -> str:
    return workspace.new_session_id()


EXPLORE, LEARN, PRESENT = MODES = ("Explore", "Learn", "Present")
VISITED = threading.Event()  # set once a page was drawn
WARM = threading.Event()  # set once Home's charts are computed and every slow import is done


def owner() -> str:
    """Return this session's name in the job queue, and tell the queue that its visitor is there."""
    name = _owner()
    JOBS.touch(name)
    return name


def session_id() -> str:
    """Return the id of this session's folder in the workspace; it outlives a lost connection."""
    return str(st.session_state.setdefault("session_id", workspace.new_session_id()))


def on_stage() -> bool:
    """Whether a scene of a talk is on screen: then what it draws beside the run is set."""
    return "stage_beside" in st.session_state


def presenting() -> bool:
    """Whether a talk or presenter mode is on: from the control or, on a cold link, from the
    address.
    """
    if on_stage():
        return True
    if st.query_params.get("present") == "true":  # links of before there were modes
        del st.query_params["present"]
        st.session_state["mode"] = PRESENT
    return bool(st.session_state.get("mode", st.query_params.get("mode")) == PRESENT)


def learning() -> bool:
    """Whether the path of a lab is on screen instead of its tabs."""
    return not on_stage() and bool(
        st.session_state.get("mode", st.query_params.get("mode")) == LEARN
    )


def follow_moved(lesson: Lesson) -> None:
    """Put what replaced it in place of each former value in the address (``[moved]``)."""
    stale = False
    for key, former in lesson.moved.items():
        if (value := st.query_params.get(key)) in former:
            del st.query_params[key]
            for name, now in former[value].items():
                # Streamlit has read the address by now: the session is what a widget starts from,
                # unless the address had another value for it
                stale |= st.query_params.get(name, now) != now
                st.query_params[name] = st.session_state[name] = now
    if stale:
        st.rerun()


def once(answer: Callable[..., None]) -> Callable[..., None]:
    """Make a button's callback answer each press once, although a fragment polls on the same page.

    The browser sends a press a turn later; a poll that is due in between sends it too (seen on a
    busy machine: one key, two scenes). The press itself runs the part of the page that the button
    stands in, its echo only what polls: so the button must not stand in what polls.
    """

    @wraps(answer)
    def pressed(*arguments: Any) -> None:
        if streamlit_internals.runs_for_this_fragment():
            answer(*arguments)

    return pressed


def base_path() -> str:
    """Return the path that the whole server is below, ``""`` for none."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def approve(name: str, params: Hashable) -> None:
    """Note that a press allowed exactly these params to run (``work.approved``)."""
    st.session_state[f"{name}_approved"] = params


def is_approved(name: str, params: Hashable) -> bool:
    """Whether the last press that allowed a run of ``name`` was for exactly these params."""
    key = f"{name}_approved"
    return key in st.session_state and bool(st.session_state[key] == params)


def apply(lesson: Lesson, settings: Settings) -> None:
    """Set every widget of the lab: to ``settings`` where named, else to its default. For callbacks
    only.
    """
    _set({**lesson.defaults(), **settings})
    st.session_state["settings_applied"] = True


def _set(settings: Settings) -> None:
    """Set widgets; one that holds a list (a multiselect, not a range slider) gets a list."""
    for key, value in settings.items():
        is_choice = isinstance(st.session_state.get(key), list)
        st.session_state[key] = list(value) if isinstance(value, tuple) and is_choice else value


def shows(settings: Settings) -> bool:
    """Whether every widget that there is has the value of ``settings``."""
    return all(
        to_field(st.session_state.get(key, value)) == to_field(value)
        for key, value in settings.items()
    )


def apply_experiment(lesson: Lesson, experiment: str, settings: Settings) -> None:
    """Set every widget of one experiment, leaving the rest of the lab as it is. For callbacks
    only.
    """
    stay = {**lesson.defaults(), **lesson.place_of(experiment)}  # its view in a shared tab stays
    own = {key: value for key, value in stay.items() if key.startswith(f"{experiment}_")}
    _set({**own, **settings})


def link(lesson: Lesson, settings: Settings) -> str:
    """Return the address of the lab with ``settings``; what equals its default stays out, as
    Streamlit does it.
    """
    defaults = lesson.defaults()
    pairs: list[tuple[str, str]] = []
    for key, value in settings.items():
        if key in defaults and to_field(value) != defaults[key]:
            pairs += [(key, text) for text in streamlit_internals.texts_in_address(key, value)]
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urlencode(pairs)}" if pairs else base
