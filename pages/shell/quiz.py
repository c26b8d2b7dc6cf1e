"""Predictions and challenges of a lesson on the page: asked, answered by the run, noted."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.units import format_share
from pages.shell import state, texts
from pages.shell.conditions import value_of
from pages.shell.lessons import Challenge, Lesson, Prediction

MANY = 5.0  # a range as wide as this is guessed in whole numbers


def _reveal(lesson: Lesson, number: int, prediction: Prediction) -> None:
    st.session_state.setdefault("predictions", {})[f"{lesson.topic}/{number}"] = st.session_state[
        _guess_key(lesson, number)
    ]
    state.apply_experiment(
        lesson,
        prediction.experiment,
        {**prediction.params, f"{prediction.experiment}_panel": "Predict"},
    )


def _guess_key(lesson: Lesson, number: int) -> str:
    return f"{lesson.topic}_guess_{number}"


def predict(lesson: Lesson, number: int, prediction: Prediction, result: Any) -> None:
    """Ask about a setting that is not on screen; once revealed, show the guess beside what
    happened.
    """
    guess = st.session_state.get("predictions", {}).get(f"{lesson.topic}/{number}")
    key = _guess_key(lesson, number)
    with st.container(border=True):
        st.markdown(f"**{prediction.question}**")
        if prediction.range is not None:
            low, high = prediction.range
            whole = high - low >= MANY
            step, look = (
                (1.0, "%.0f")
                if whole
                else (0.01, "percent" if prediction.field.endswith("_share") else None)
            )
            middle = round((low + high) / 2, 0 if whole else 2)
            st.slider(
                "Your guess", low, high, middle, step, format=look, key=key, persist_state="session"
            )
        else:
            st.radio(
                "Your guess", prediction.choices, key=key, horizontal=True, persist_state="session"
            )
        st.button(
            "Reveal",
            key=f"{key}_reveal",
            type="primary",
            on_click=_reveal,
            args=(lesson, number, prediction),
        )
        if guess is None:
            return
        said = format_value(guess, prediction.field)
        if lesson.settings_of(prediction.experiment, prediction.params) != result.params:
            st.caption(f"You said {said}. Reveal brings the setting back.")
            return
        if not is_complete(result):
            st.caption(f"You said {said}. The run is still under way.")
            return
        actual = value_of(result, prediction.field)
        if prediction.range is not None:
            near = abs(actual - guess) <= 0.1 * (prediction.range[1] - prediction.range[0])
        else:
            near = str(actual) == guess
        verdict = "You had it" if near else "Not so"
        texts.say(
            f"{verdict}: you said **{said}**, it is **{format_value(actual, prediction.field)}**."
            f" {prediction.because}"
        )


def format_value(value: Any, field: str = "") -> str:
    """Return a value as people read it; a field called ``…_share`` as a percentage."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return (
            f"{format_share(value)}"
            if field.endswith("_share")
            else f"{value:,.{'0f' if abs(value) >= 1_000 else '3g'}}"
        )
    return f"{value:,}" if isinstance(value, int) else str(value)


def is_complete(result: Any) -> bool:
    """Whether a run is over; the Results of jobs say so themselves."""
    return bool(getattr(result, "complete", True))


def note_challenges(lesson: Lesson, name: str, result: Any) -> None:
    solved = st.session_state.setdefault("challenges", set())
    if not is_complete(result):
        return
    for number, challenge in enumerate(lesson.challenges):
        mark = f"{lesson.topic}/{number}"
        if challenge.experiment == name and mark not in solved and challenge.met_by(result):
            solved.add(mark)
            if result.params != type(result.params)() and not state.presenting():
                st.toast(f"Challenge met: {challenge.goal}", icon=":material/check_circle:")


def challenge(lesson: Lesson, number: int, challenge: Challenge, result: Any) -> None:
    if not is_complete(result):
        st.markdown(
            f":material/hourglass_empty: **{challenge.goal}**  \nThe run is still under way."
        )
        return
    met = challenge.met_by(result)
    state_text = "met by this run" if met else "not met by this run"
    before = (
        " · met before"
        if not met and f"{lesson.topic}/{number}" in st.session_state["challenges"]
        else ""
    )
    icon = ":material/check_circle:" if met else ":material/radio_button_unchecked:"
    here = ", ".join(
        format_value(value_of(result, condition.field), condition.field)
        for condition in challenge.conditions
    )
    texts.say(f"{icon} **{challenge.goal}**  \nHere: {here}, {state_text}{before}.")
