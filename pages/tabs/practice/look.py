"""What the tabs of Practice share: links into the labs, measured sentences, a countdown."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import streamlit as st

from engine.practice import evidence
from engine.practice.content import Question, source_in
from engine.units import format_day
from pages.shell import latest, lessons, stage, state, texts
from pages.shell.lessons import Lesson, Settings

STYLE = (Path(__file__).parent / "practice.css").read_text("utf-8")
_clock = st.components.v2.component(
    "practice_clock", js=(Path(__file__).parent / "clock.js").read_text("utf-8")
)
ON_CANVAS = "design_1tb"  # the question that the tab Design asks
_GO = "practice_go"  # the page that a button asks for


def follow() -> None:
    """Open the lab that a button of this page has asked for."""
    page = st.session_state.pop(_GO, "")
    if page:
        st.switch_page(f"{page}.py", query_params={})  # else refused: this page binds some


def _open_scene(topic: str, number: int) -> None:
    st.session_state["mode"] = state.EXPLORE
    stage.show_scene(lessons.load(topic), number)
    st.session_state[_GO] = topic


def _open_experiment(topic: str, experiment: str) -> None:
    lesson = lessons.load(topic)
    st.session_state["mode"] = state.EXPLORE
    state.apply_experiment(lesson, experiment, lesson.place_of(experiment))
    st.session_state[_GO] = topic


def _open_canvas() -> None:
    st.session_state["practice_tab"] = "Design"


def scenes(question: Question, key: str) -> None:
    """Draw a button for each scene that shows a point of the answer."""
    st.markdown("**See it**")
    for number, (topic, title) in enumerate(question.scenes):
        lesson = lessons.load(topic)
        place = next(i for i, scene in enumerate(lesson.scenes) if scene.title == title)
        st.button(
            f"{lesson.short}: {title}",
            key=f"{key}_scene_{number}",
            help=lesson.scenes[place].look_at,
            icon=":material/movie:",
            on_click=_open_scene,
            args=(topic, place),
            width="stretch",
        )

    if question.id == ON_CANVAS:
        st.button(
            "Practice: the design canvas",
            key=f"{key}_canvas",
            help="Choose each part; the page answers with bytes, hours and cost per day.",
            icon=":material/dashboard_customize:",
            on_click=_open_canvas,
            width="stretch",
        )


def run_button(source: str, key: str) -> None:
    """Draw the button that opens an experiment, which then runs."""
    topic, experiment = evidence.experiment_of(source)
    lesson = lessons.load(topic)
    st.button(
        f"Run {lesson.experiments[experiment]}",
        key=f"{key}_run_{experiment}",
        icon=":material/play_arrow:",
        help=f"Opens {lesson.short}, where it runs. Then come back.",
        on_click=_open_experiment,
        args=(topic, experiment),
    )


def _open_setting(lesson: Lesson, experiment: str, settings: Settings) -> None:
    st.session_state["mode"] = state.EXPLORE
    state.apply_experiment(lesson, experiment, {**lesson.place_of(experiment), **settings})
    st.session_state[_GO] = lesson.topic


def setting_button(lesson: Lesson, experiment: str, settings: Settings, key: str) -> None:
    """Draw the button that shows the run of a setting in its lab."""
    st.button(
        "See the run",
        key=key,
        icon=":material/visibility:",
        on_click=_open_setting,
        args=(lesson, experiment, settings),
    )


def name_of(source: str) -> str:
    """Return the name of a source's experiment."""
    topic, experiment = evidence.experiment_of(source)
    return lessons.load(topic).experiments[experiment]


def answer(question: Question, key: str) -> None:
    """Draw the model answer; its numbers are the learner's latest runs, else the server's."""
    own = latest.runs()
    for paragraph in question.paragraphs:
        source = source_in(paragraph)
        if not source:
            st.markdown(paragraph)
            continue
        found = evidence.find(source, own)
        with st.container(key=f"measured_{key}_{source.replace('.', '_')}", gap="xsmall"):
            if found is None:
                texts.say(f"**{name_of(source)}**: not measured here yet.")
                run_button(source, key)
            else:
                texts.say(f"**{name_of(source)}**: {found.text}")
                texts.note(f"From {found.mark}.")


def signs(question: Question, key: str, kept: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Draw the signs of a strong and of a weak answer; return the places of those ticked."""
    st.markdown("**How was yours?** Tick what it had.")
    strong = [
        i
        for i, sign in enumerate(question.strong)
        if st.checkbox(sign, i in kept.get("strong", []), key=f"{key}_strong_{i}")
    ]
    st.markdown("Signs of a weak answer")
    weak = [
        i
        for i, sign in enumerate(question.weak)
        if st.checkbox(sign, i in kept.get("weak", []), key=f"{key}_weak_{i}")
    ]
    return strong, weak


def clock(started: float, seconds: float, key: str) -> None:
    """Draw the time left, counted in the browser, of what began at ``started`` (seconds since
    1970).
    """
    _clock(data={"until": (started + seconds) * 1_000}, key=key)


def day(when: date) -> str:
    """Return a day with its weekday: ``Mon 30 Nov 2026``."""
    return f"{when:%a} {format_day(when)}"
