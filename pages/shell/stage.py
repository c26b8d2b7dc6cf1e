"""Presenter mode: the chart and its verdict alone, and a bar that comes with pointer or key."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.shell import state
from pages.shell.lessons import Lesson

STYLE = (Path(__file__).parent / "stage.css").read_text("utf-8")
# The bar comes when the pointer moves or a key is pressed, and goes after a while without either.
_WAKE = """
const SECONDS = 2.5;
export default function () {
  let timer;
  const wake = () => {
    document.body.classList.add('stage-awake');
    clearTimeout(timer);
    timer = setTimeout(() => document.body.classList.remove('stage-awake'), SECONDS * 1000);
  };
  const events = ['pointermove', 'pointerdown', 'keydown'];
  events.forEach((event) => addEventListener(event, wake));
  return () => {
    clearTimeout(timer);
    document.body.classList.remove('stage-awake');
    events.forEach((event) => removeEventListener(event, wake));
  };
}
"""
_wake = st.components.v2.component("stage_wake", js=_WAKE, isolate_styles=False)


def mode() -> None:
    """Draw the choice of the mode; presenter mode leaves by its own bar."""
    st.segmented_control(
        "Mode",
        state.MODES,
        default=state.EXPLORE,
        required=True,
        key="mode",
        bind="query-params",
        label_visibility="collapsed",
        help=(
            "Learn: a path of steps, each asks before it shows. Present: the chart alone; PageDown"
            " and PageUp step through the scenes, Esc leaves"
        ),
    )


def scene_index(lesson: Lesson) -> int | None:
    """Return the number of the scene that was chosen in this session, from 0, or ``None``."""
    index: int | None = st.session_state.get(f"{lesson.topic}_scene")
    return index


def show_scene(lesson: Lesson, number: int) -> None:
    """Set every control of the lab as the scene says. For callbacks only."""
    st.session_state[f"{lesson.topic}_scene"] = number
    state.apply(lesson, lesson.scenes[number].params)


def _step(lesson: Lesson, by: int) -> None:
    index = scene_index(lesson)
    number = (0 if by > 0 else len(lesson.scenes) - 1) if index is None else index + by
    show_scene(lesson, max(0, min(len(lesson.scenes) - 1, number)))


def _leave() -> None:
    st.session_state["mode"] = state.EXPLORE


def bar(lesson: Lesson) -> None:
    """Draw the line with the scene's number and title, and the bar of the speaker over it."""
    st.html(f"<style>{STYLE}</style>")
    index = scene_index(lesson)
    with st.container(key="stage_line"):
        if index is None:
            st.caption(f"PageDown starts the {len(lesson.scenes)} scenes.")
        else:
            scene = lesson.scenes[index]
            st.caption(f"{index + 1} of {len(lesson.scenes)} · {scene.title}")
    with st.container(key="stage_bar", horizontal=True, vertical_alignment="center"):
        mode()
        st.button(
            "Back",
            key="presenter_back",
            shortcut="PageUp",
            on_click=state.once(_step),
            args=(lesson, -1),
        )
        st.button(
            "Next",
            key="presenter_next",
            shortcut="PageDown",
            type="primary",
            on_click=state.once(_step),
            args=(lesson, 1),
        )
        st.button("Leave", key="presenter_leave", shortcut="Esc", on_click=_leave)
        st.toggle("Speaker note", key="presenter_note", persist_state="session")
    if st.session_state.get("presenter_note") and index is not None:
        with st.container(key="stage_note"):
            st.info(f"{lesson.scenes[index].look_at}  \n{lesson.scenes[index].note}")
    _wake(key="stage_wake")
