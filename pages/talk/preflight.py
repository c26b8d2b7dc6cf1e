"""The check before a talk: each scene is drawn once as on stage, through the same queue of jobs and
their kept results, so that the talk then opens at once; and what is not ready, with what to do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from engine.errors import explain
from engine.units import format_seconds
from pages.shell import lab, quiz, stage, state, texts
from pages.shell.conditions import value_of
from pages.shell.lessons import Lesson
from pages.talk import handout, recorded, show
from pages.talk.recorded import Recorded
from pages.talk.talk import Talk, TalkScene

STYLE = """.st-key-preflight_line { position: fixed; left: 1.2rem; bottom: 0.3rem; z-index: 30;
  background: var(--st-background-color, Canvas) }
[data-testid="stColumn"]:has(.st-key-answer) ~ [data-testid="stColumn"] { display: none }"""
# Asks for the next draw once this one is on screen: a run that asks for another is not shown whole.
_PACE = """
const MOST_MS = 10000;
export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.step = data.step;
  const began = performance.now();
  const shown = () => document.querySelector('[data-test-script-state=notRunning]')
    && document.querySelector('.chart.stage[data-drawn]');
  const look = () => {
    if (parentElement.step !== data.step) return;
    if (shown() || performance.now() - began > MOST_MS) setTriggerValue('seen', data.step);
    else setTimeout(look, 100);
  };
  look();
  return () => { parentElement.step = undefined; };
}
"""
_pace = st.components.v2.component("preflight_pace", js=_PACE, isolate_styles=False)
AGAIN = "Check again; if it comes back, leave the scene out or take another one."


@dataclass(frozen=True, slots=True)
class Found:
    """What the check found of a scene: why it is not ready, or the seconds that the server took to
    draw it from kept results.
    """

    problem: str
    seconds: float


@dataclass(slots=True)
class _Check:
    """A check that is under way: ``drawn`` counts the draws of scene ``number``."""

    talk: Talk
    found: list[Found]
    drawn: int = 0
    cancelled: bool = False

    @property
    def number(self) -> int:
        return len(self.found)


def _begin(talk: Talk) -> None:
    st.session_state["preflight"] = _Check(talk, [])


def _end() -> None:
    st.session_state.pop("preflight", None)


def under_way() -> bool:
    """Whether this session checks a talk now: then ``run`` draws the page."""
    return "preflight" in st.session_state


def run() -> None:
    """Draw the scene that is being checked, as on stage; go on with the next one once it is whole,
    or cannot be.
    """
    check: _Check = st.session_state["preflight"]
    scene, n_scenes = check.talk.scenes[check.number], len(check.talk.scenes)
    st.html(f"<style>{lab.STYLE}{stage.STYLE}{show.STYLE}{STYLE}</style>")
    with st.container(key="preflight_line", horizontal=True, vertical_alignment="center"):
        st.progress(
            check.number / n_scenes,
            f"Checking {check.number + 1} of {n_scenes} · {scene.shown_title}",
            width=520,
        )
        st.button("Stop", key="preflight_stop", on_click=_end)
    if check.drawn == 0:
        state.apply(scene.lesson, scene.settings)
        st.session_state.pop("stage_applied", None)  # a talk that is on stage sets its own again
    start, problem = time.perf_counter(), ""
    st.session_state["stage_beside"] = partial(_answer, scene)
    st.session_state["stage_chart"] = scene.shown_chart
    try:
        experiment, _ = show.experiment_of(scene.lesson, scene.settings)
        recorded.draw(scene, experiment)
    except Exception as error:  # the check goes on with the next scene
        problem = explain(error)
    seconds = time.perf_counter() - start
    check.drawn += 1
    if not problem and recorded.jobs_active():
        return  # its own part of the page looks again until they end
    _judge(check, scene, problem, seconds)
    if check.number == n_scenes:
        st.session_state["preflight_found"] = (check.talk, tuple(check.found))
        st.session_state["preflight_popover"] = True
        _end()
        st.rerun()
    step = 10 * check.number + check.drawn
    _pace(data={"step": step}, key="preflight_pace", on_seen_change=lambda: None)


def _answer(scene: TalkScene, _: Lesson, name: str, result: Any) -> None:
    """Take down the answer to the scene's question; nothing is drawn beside the run."""
    asked = scene.prediction
    if asked is not None and name == asked.experiment and quiz.is_complete(result):
        recorded.answered(scene, value_of(result, asked.field))


def _judge(check: _Check, scene: TalkScene, problem: str, seconds: float) -> None:
    """Take down what there is to say of a scene that was just drawn, unless it is drawn again: a
    first time to compute, a second one to see what that takes from kept results.
    """
    if check.drawn == 1:
        recorded.forget_failed()
        return
    problem = problem or recorded.missing(scene)
    if problem:
        problem = f"{problem} {AGAIN}"
    check.found.append(Found(problem, 0.0 if problem else seconds))
    check.drawn = 0


def popover(talk: Talk) -> None:
    """Draw the popover with which scenes are ready, the button of the check, and the hand-out's;
    what it shows is made when it is opened.
    """
    box = st.popover(
        "Check",
        icon=":material/fact_check:",
        key="preflight_popover",
        on_change="rerun",
        width="content",
        help="Which scenes are ready; and the hand-out",
    )
    if box.open:
        with box:
            _view(talk)


def _view(talk: Talk) -> None:
    of, found = st.session_state.get("preflight_found", (None, ()))
    records = [recorded.load(scene) for scene in talk.scenes]
    rows = [
        _row(number, scene, record, found[number - 1] if of == talk else None)
        for number, (scene, record) in enumerate(zip(talk.scenes, records, strict=True), 1)
    ]
    n_ready = sum(row["State"].startswith("ready") for row in rows)
    texts.say(f"**{n_ready} of {len(rows)} scenes are ready.**")
    with st.container(horizontal=True):
        st.button(
            "Check all scenes",
            key="preflight_check",
            type="primary",
            icon=":material/fact_check:",
            help="Draws every scene once in this window, as on stage, and keeps its result",
            on_click=_begin,
            args=(talk,),
        )
        st.download_button(
            "Hand-out (HTML)",
            lambda: handout.render(talk),
            "handout.html",
            "text/html",
            key="handout_html",
            on_click="ignore",
            icon=":material/download:",
            disabled=None in records,
            help="Every scene with its chart and finding, without notes. The browser's print makes"
            " a PDF of it, one scene per page. The check must have drawn every scene once",
        )
    texts.table(rows, "Scenes of the talk and whether they are ready")


def _row(
    number: int, scene: TalkScene, record: Recorded | None, found: Found | None
) -> dict[str, str]:
    if found is not None and found.problem:
        said = f"not ready. {found.problem}"
        if record is not None:
            said += f" On stage its result of {record.when} is shown."
    elif record is None:
        said = "not checked yet. Press Check all scenes."
    elif not record.current:
        said = f"recorded {record.when} by earlier code. Press Check all scenes."
    else:
        said = f"ready, measured {record.when}"
    drawn = format_seconds(found.seconds) if found is not None and not found.problem else ""
    return {"#": str(number), "Scene": scene.shown_title, "State": said, "Drawn in": drawn}
