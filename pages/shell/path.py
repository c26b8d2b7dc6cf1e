"""Learn mode: the path of a lab, one screen a step. The page asks before it shows.

``draw`` draws the step in place of the tabs; an experiment's own tab function draws its run, and
``beside`` what the step says next to it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine import answers_figure
from pages.shell import path_record, path_steps, quiz, state
from pages.shell.conditions import value_of
from pages.shell.content import Challenge, Prediction, Scene
from pages.shell.lessons import Lesson, Settings, Step

STYLE = (Path(__file__).parent / "path.css").read_text("utf-8")
CONTINUE = "Ctrl+Enter"  # commits an answer and goes on
NAMES = {
    "predict": "Predict",
    "see": "See",
    "explain": "Explain",
    "do": "Do",
    "recall": "Recall",
}
# A new step takes the focus to what is to be answered, so that the keyboard alone suffices.
_FOCUS = """
const PLACE = '.st-key-path_ask :is(input, textarea)';
export default function ({ data }) {
  if (window.playgroundStep === data.step) return;
  let left = 20;
  const timer = setInterval(() => {
    const first = document.querySelector(PLACE);
    first?.focus({ preventScroll: true });
    left -= 1;
    if (!first && left) return;
    window.playgroundStep = data.step;
    clearInterval(timer);
  }, 100);
  return () => clearInterval(timer);
}
"""
_focus = st.components.v2.component("path_focus", js=_FOCUS, isolate_styles=False)


def current(lesson: Lesson) -> Step | None:
    """Return the step that is on screen; ``None`` after the last."""
    number = path_record.place(lesson)
    return lesson.steps[number] if number < len(lesson.steps) else None


def draw(lesson: Lesson, experiments: dict[str, Callable[[], None]]) -> None:
    """Draw the step: what it asks, or its run in the experiment's own tab."""
    if not lesson.steps:
        st.info("This lab has no path of steps. Choose Explore.")
        return
    st.html(f"<style>{STYLE}</style>")
    step = current(lesson)
    _bar(lesson, step)
    if step is None:
        path_steps.end(lesson)
    elif step.kind == "predict":
        path_steps.predict(lesson, step, CONTINUE)
    elif step.kind == "recall":
        path_steps.recall(lesson, step, CONTINUE)
    else:
        if step.kind != "do":
            st.html("<style>[data-testid='stColumn']:has(.st-key-controls){display:none}</style>")
            if chart := chart_of(lesson, step):
                within = f".st-key-answer > :is(.st-key-{chart}, :has(.st-key-{chart}))"
                st.html(f"<style>{within}{{order:-3}}</style>")
        experiments[_apply(lesson, step)]()
    _focus(data={"step": step.key if step else ""}, key="path_focus")


def chart_of(lesson: Lesson, step: Step) -> str:
    """Return the key of the chart that a step is about, which is drawn above the others; ``""`` of
    the first one.
    """
    named = lesson.named(str(step.of))
    if isinstance(named, Prediction):
        return named.drawn.chart if named.drawn else ""
    return named.chart if isinstance(named, Scene) else ""


def leave() -> None:
    """Forget which step's settings are on screen: whoever comes back gets them again."""
    st.session_state.pop("path_applied", None)


def _apply(lesson: Lesson, step: Step) -> str:
    """Set every control as the step asks, once; return the experiment whose tab shows it."""
    settings = settings_of(lesson, lesson.named(str(step.of)))
    mark = f"{lesson.topic} {step.key}"
    if st.session_state.get("path_applied") != mark:
        st.session_state["path_applied"] = mark
        state.apply(lesson, settings)
    label = settings.get(lesson.tab_key, next(iter(lesson.tabs.values())))
    return next(name for name, own in lesson.tabs.items() if own == label)


def settings_of(lesson: Lesson, named: Scene | Prediction | Challenge) -> Settings:
    """Return what an entry of the lesson sets: its tab, and every control that is no default."""
    if isinstance(named, Scene):
        return named.params
    place = lesson.place_of(named.experiment)
    return place if isinstance(named, Challenge) else {**place, **named.params}


def _go(lesson: Lesson, number: int) -> None:
    path_record.go(lesson, number)
    leave()


def _next(lesson: Lesson, step: Step) -> None:
    if step.kind == "see":
        path_record.note(lesson, step, chosen="seen")
    _go(lesson, path_record.place(lesson) + 1)


def _bar(lesson: Lesson, step: Step | None) -> None:
    """Draw how far the path has come, and the ways back, to any step, and on."""
    number, total = path_record.place(lesson), len(lesson.steps)
    with st.container(key="path_bar", horizontal=True, vertical_alignment="center", gap="small"):
        here = f"Step {number + 1} of {total} · {NAMES[step.kind]}" if step else "The path ends"
        st.progress(number / total if total else 1.0, f"**{here}** · {length(lesson)}")
        if number:
            st.button("Back", key="path_back", on_click=state.once(_go), args=(lesson, number - 1))
        with st.popover("Steps", help="Every step of the path; a tick marks what is done"):
            for i, one in enumerate(lesson.steps):
                done = path_record.entry(lesson, one.key)
                st.button(
                    f"{i + 1} · {NAMES[one.kind]} · {path_steps.title(lesson, one)}",
                    key=f"path_step_{i}",
                    icon=":material/check:" if done else ":material/radio_button_unchecked:",
                    on_click=state.once(_go),
                    args=(lesson, i),
                    width="stretch",
                )
        if step is None or (step.kind in ("predict", "recall") and not _done(lesson, step)):
            return
        st.button(
            "Next",
            key="path_next",
            type="primary",
            shortcut=CONTINUE if _answered(lesson, step) else None,
            on_click=state.once(_next),
            args=(lesson, step),
        )


def length(lesson: Lesson) -> str:
    """Return how long the path takes, as a lesson says it."""
    return f"about {lesson.minutes} minutes in all"


def _done(lesson: Lesson, step: Step) -> bool:
    """Whether a step is answered; a challenge only once it is met."""
    found = path_record.entry(lesson, step.key)
    return found.get("right") is True if step.kind == "do" else bool(found)


def _answered(lesson: Lesson, step: Step) -> bool:
    """Whether the key that goes on does so: a prediction's outcome is to be seen first."""
    if step.kind != "see":
        return _done(lesson, step)
    asked = path_record.entry(lesson, f"predict: {step.of}")
    return not asked or asked["right"] is not None


def beside(lesson: Lesson, name: str, result: Any) -> None:
    """Draw what the step says beside its run, and note what the run answers."""
    step = current(lesson)
    if step is None:
        return
    answered = _answered(lesson, step)
    with st.container(key="panels", gap="small"), st.container(key=f"path_{step.kind}_side"):
        path_steps.SIDES[step.kind](lesson, step, name, result)
    if _answered(lesson, step) != answered:
        st.rerun()  # the bar offers the way on


def marked(figure: go.Figure, key: str) -> go.Figure:
    """Return a chart of a see step with the learner's prediction beside what happened, where the
    lesson says that this chart shows it. ``key`` is the chart's, ``""`` of the first.
    """
    lesson, name, result = st.session_state.get("path_shown", (None, "", None))
    step = current(lesson) if lesson else None
    if step is None or step.kind != "see":
        return figure
    named = lesson.named(str(step.of))
    asked = isinstance(named, Prediction) and name == named.experiment and named.drawn
    found = path_record.entry(lesson, f"predict: {step.of}")
    if not asked or not found or asked.chart != key or not quiz.is_complete(result):
        return figure
    if lesson.settings_of(name, named.params) != result.params:
        return figure
    return drawn_in(figure, named, found["chosen"], result)


def drawn_in(figure: go.Figure, prediction: Prediction, guess: Any, result: Any) -> go.Figure:
    """Return a chart with a guess and the value of the run, as the prediction says."""
    drawn = prediction.drawn
    if drawn is None:
        return figure
    answers = [
        (f"{said}: {quiz.format_value(one, prediction.field)}", on_axis(prediction, one, result))
        for said, one in (("you", guess), ("it is", value_of(result, prediction.field)))
    ]
    return answers_figure.with_answers(figure, answers, drawn.axis, drawn.at)


def on_axis(prediction: Prediction, value: Any, result: Any) -> Any:
    """Return where a value is on the axis on which its prediction is drawn."""
    drawn = prediction.drawn
    if drawn is None or isinstance(value, str):
        return value
    times, plus = (
        value_of(result, one) if isinstance(one, str) else one for one in (drawn.times, drawn.plus)
    )
    return plus + times * value
