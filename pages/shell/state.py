"""Session facts that every piece of the shell needs: who is here, presenter mode, applying a setting to a whole lab."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from engine import workspace
from engine.jobs import JOBS
from engine.lessons import Lesson, Settings


@st.cache_resource(scope="session", on_release=JOBS.leave, show_spinner=False)
def _owner() -> str:
    return workspace.new_session_id()


def owner() -> str:
    """Return this session's name in the job queue, and tell the queue that its visitor is there."""
    name = _owner()
    JOBS.touch(name)
    return name


def session_id() -> str:
    """Return the id of this session's folder in the workspace; it outlives a lost connection."""
    return str(st.session_state.setdefault("session_id", workspace.new_session_id()))


def presenting() -> bool:
    """Whether presenter mode is on: from the toggle or, on a cold link, from the address."""
    return bool(st.session_state.get("present", st.query_params.get("present") == "true"))


def apply(lesson: Lesson, settings: Settings) -> None:
    """Set every widget of the lab: to ``settings`` where named, else to its default. For callbacks only."""
    for key, value in {**lesson.defaults(), **settings}.items():
        st.session_state[key] = list(value) if isinstance(value, tuple) and _is_choice(key) else value


def _is_choice(key: str) -> bool:
    """Whether the widget of ``key`` holds a list (a multiselect), not a pair (a range slider)."""
    return isinstance(st.session_state.get(key), list)


def apply_experiment(lesson: Lesson, experiment: str, settings: Settings) -> None:
    """Set every widget of one experiment, leaving the rest of the lab as it is. For callbacks only."""
    prefix = f"{experiment}_"
    defaults = {key: value for key, value in lesson.defaults().items() if key.startswith(prefix)}
    for key, value in {**defaults, **settings}.items():
        st.session_state[key] = list(value) if isinstance(value, tuple) and _is_choice(key) else value


def link(lesson: Lesson, settings: Settings) -> str:
    """Return the address of the lab with ``settings``; what equals its default stays out, as Streamlit does it."""
    defaults = lesson.defaults()
    pairs: list[tuple[str, Any]] = []
    for key, value in settings.items():
        if key not in defaults or value == defaults[key]:
            continue
        for item in value if isinstance(value, tuple | list) else (value,):
            pairs.append((key, str(item).lower() if isinstance(item, bool) else item))
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urlencode(pairs)}" if pairs else base
