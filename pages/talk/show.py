"""A talk on stage: one scene of any lab, full-bleed, drawn by the lab's own experiment."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shell import lab, quiz, stage, state, texts
from pages.shell.conditions import value_of
from pages.shell.lessons import Lesson, Prediction, Settings
from pages.talk import bar, presented, recorded
from pages.talk.presented import Presentation, View
from pages.talk.talk import LETTERS, TalkScene, shipped

STYLE = (Path(__file__).parent / "stage.css").read_text("utf-8")
MODULES = {"history": "monitoring"}  # tabs whose module has another name than the experiment
FOLLOW_SECONDS = 1.0


def draw() -> None:
    """Draw what is on in the presentation that the address names; that of a shipped talk is
    started.
    """
    shown = _arrive()
    st.html(f"<style>{lab.STYLE}</style>")
    if shown is None:
        st.info("The server has no such talk on stage any more. Present it again.")
        st.page_link("talks.py", label="Talks", icon=":material/slideshow:")
        return
    if st.session_state.pop("talk_left", False):
        st.switch_page(shown.back, query_params={})
    st.html(f"<style>{stage.STYLE}{STYLE}</style>")
    view = shown.place.view()
    scene = shown.talk.scenes[view.number]
    experiment, name = experiment_of(scene.lesson, scene.settings)
    st.session_state["stage_beside"] = partial(_beside, shown, scene)
    bar.draw(shown, view, bar.tweakable(scene, name))
    if shown.place.shared:
        _follow(shown, view)
    asked = scene.prediction
    if asked is not None:
        _question(asked, asking=view.asking)
    if view.asking:
        shown.place.asked(scene)
        return
    _set(shown, view, scene)
    recorded.draw(scene, experiment)


def _arrive() -> Presentation | None:
    """Return the presentation of the address, which then holds its code."""
    code, name = st.query_params.get("at", ""), st.query_params.get("talk", "")
    found = presented.find(code) if code else None
    if found is None and name in shipped():
        found = presented.start(shipped()[name], back="home.py")
        st.query_params["at"] = found.code
        del st.query_params["talk"]
    return found


def experiment_of(lesson: Lesson, settings: Settings) -> tuple[Any, str]:
    """Return the function that draws the tab which settings show, and the name of its
    experiment.
    """
    label = settings.get(lesson.tab_key, next(iter(lesson.tabs.values())))
    name = next(name for name, own in lesson.tabs.items() if own == label)
    module = import_module(f"pages.tabs.{lesson.topic}.{MODULES.get(name, name)}")
    return module.show, name


def _set(shown: Presentation, view: View, scene: TalkScene) -> None:
    """Set every control of the lab as the scene says, once for each step."""
    st.session_state["stage_chart"] = scene.shown_chart
    st.session_state["stage_size"] = scene.size
    mark = (shown.code, view.moves)
    if st.session_state.get("stage_applied") != mark:
        st.session_state["stage_applied"] = mark
        state.apply(scene.lesson, scene.settings)


def _question(asked: Prediction, asking: bool) -> None:
    """Draw the question, with what can be answered while it is asked."""
    with st.container(key="talk_question" if asking else "talk_asked", gap="small"):
        st.markdown(f"**{asked.question}**")
        if not asking:
            return
        if asked.range is None:
            lines = (f"{LETTERS[i]} · {one}" for i, one in enumerate(asked.choices))
            st.markdown("\n".join(f"- {line}" for line in lines))
        else:
            low, high = (quiz.format_value(end, asked.field) for end in asked.range)
            st.markdown(f"Your number, from {low} to {high}?")


def _beside(shown: Presentation, scene: TalkScene, lesson: Lesson, name: str, result: Any) -> None:
    """Draw the right answer where the scene has asked, once the run is there."""
    asked = scene.prediction
    with st.container(key="talk_answer" if asked else "panels", gap="small"):
        if asked is None or name != asked.experiment:
            return
        if lesson.settings_of(name, asked.params) != result.params:
            st.caption("This is another setting than the one asked for.")
        elif quiz.is_complete(result):
            actual = value_of(result, asked.field)
            texts.say(f"{recorded.answered(scene, actual)} {asked.because}")
            shown.place.answered(scene, actual)


@st.fragment(run_every=FOLLOW_SECONDS)
def _follow(shown: Presentation, view: View) -> None:
    """Draw the page again once somebody else has moved the talk."""
    now = shown.place.view()
    if (now.moves, now.blank) != (view.moves, view.blank):
        st.rerun()
