"""Predictions and challenges of a lesson on the page: asked, answered by the run, noted."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.units import format_share
from pages.shell import answers, state, texts
from pages.shell.conditions import value_of
from pages.shell.lessons import Challenge, Lesson, Prediction

MANY = 5.0  # a range as wide as this is guessed in whole numbers


def _reveal(lesson: Lesson, number: int, prediction: Prediction) -> None:
    mark = f"{lesson.topic}/{number}"
    guess = st.session_state[_guess_key(lesson, number)]
    st.session_state.setdefault("predictions", {})[mark] = guess
    st.session_state["prediction_to_note"] = mark
    _bring_back(lesson, prediction)


def _bring_back(lesson: Lesson, prediction: Prediction) -> None:
    """Set the tab as the prediction asks; its panel stays open. For callbacks only."""
    show(lesson, prediction.experiment, prediction.params)


def show(lesson: Lesson, experiment: str, settings: dict[str, Any], belief: str = "") -> None:
    """Set the tab of an experiment, with the panel of its predictions open; ``belief`` is what the
    setting disproves. For callbacks only.
    """
    st.session_state["disproved"] = belief
    panel = {f"{experiment}_panel": "Predict"}
    # a press, for the lesson's own settings: what waits for one (``work.approved``) may run them
    state.approve(experiment, lesson.settings_of(experiment, settings))
    state.apply_experiment(lesson, experiment, {**settings, **panel})


def _guess_key(lesson: Lesson, number: int) -> str:
    return f"{lesson.topic}_guess_{number}"


def ask(prediction: Prediction, key: str, index: int | None = 0) -> Any:
    """Draw the question and what can be answered; return the guess that is set: a number, one of
    the choices, or ``None`` where no choice (``index``) is set before.
    """
    st.markdown(f"**{prediction.question}**")
    if prediction.range is None:
        return st.radio(
            "Your guess",
            prediction.choices,
            index,
            key=key,
            horizontal=True,
            persist_state="session",
        )
    low, high = prediction.range
    whole = high - low >= MANY
    share = "percent" if prediction.field.endswith("_share") else None
    step, look = (1.0, "%.0f") if whole else (0.01, share)
    middle = round((low + high) / 2, 0 if whole else 2)
    return st.slider(
        "Your guess", low, high, middle, step, format=look, key=key, persist_state="session"
    )


def predict(lesson: Lesson, number: int, prediction: Prediction, result: Any) -> None:
    """Ask about a setting that is not on screen; once revealed, show the guess beside what
    happened.
    """
    mark = f"{lesson.topic}/{number}"
    guess = st.session_state.get("predictions", {}).get(mark)
    key = _guess_key(lesson, number)
    with st.container(border=True):
        ask(prediction, key)
        st.button(
            "Reveal",
            key=f"{key}_reveal",
            type="primary",
            on_click=_reveal,
            args=(lesson, number, prediction),
        )
        if guess is None:
            return
        actual = outcome(lesson, prediction, guess, result, key)
        if actual is not None and st.session_state.get("prediction_to_note") == mark:
            del st.session_state["prediction_to_note"]
            note(lesson, prediction, "predict", guess, actual)


def outcome(lesson: Lesson, prediction: Prediction, guess: Any, result: Any, key: str) -> Any:
    """Draw the guess beside what happened; return the value of the run, or ``None`` while it is not
    there: another setting is on screen, or the run is under way.
    """
    said = format_value(guess, prediction.field)
    if lesson.settings_of(prediction.experiment, prediction.params) != result.params:
        st.caption(f"You said {said}. This is another setting than the one asked for.")
        if st.session_state.get("disproved"):
            texts.say(f":material/psychology_alt: {st.session_state['disproved']}")
        st.button(
            "Back to the setting",
            key=f"{key}_back",
            on_click=_bring_back,
            args=(lesson, prediction),
        )
        return None
    if not is_complete(result):
        st.caption(f"You said {said}. The run is still under way.")
        return None
    actual = value_of(result, prediction.field)
    compare(lesson, prediction, guess, actual, key)
    return actual.item() if hasattr(actual, "item") else actual  # NumPy's as Python's


def note(
    lesson: Lesson,
    prediction: Prediction,
    kind: str,
    guess: Any,
    actual: Any,
    confidence: str | None = None,
) -> None:
    """Note an answer to a prediction in the learner's record."""
    answers.note(
        lesson.topic,
        prediction.title or prediction.question,
        kind,
        format_value(guess, prediction.field),
        prediction.is_right(guess, actual),
        confidence,
    )


def compare(
    lesson: Lesson, prediction: Prediction, guess: Any, actual: Any, key: str, link: bool = True
) -> None:
    """Draw guess and outcome, the reason, and for a wrong guess its misconception; with ``link``
    the button that shows a setting against it.
    """
    right = prediction.is_right(guess, actual)
    said, is_now = (format_value(value, prediction.field) for value in (guess, actual))
    texts.say(
        f"{'You had it' if right else 'Not so'}: you said **{said}**, it is **{is_now}**."
        f" {prediction.because}"
    )
    if prediction.trap:
        st.caption("Interviewers like to ask this.")
    wrong = prediction.misconception(guess, actual)
    if wrong is None:
        return
    texts.say(f":material/psychology_alt: {wrong.belief}")
    here = lesson.settings_of(prediction.experiment, prediction.params)
    other = lesson.settings_of(prediction.experiment, wrong.params)
    if link and (other != here or set(wrong.params) & set(lesson.views)):
        st.button(
            "See why not",
            key=f"{key}_against",
            icon=":material/visibility:",
            help="Sets this tab to a run that shows it",
            on_click=show,
            args=(lesson, prediction.experiment, wrong.params, wrong.belief),
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
    """Note the challenges that a run meets, in the session and in the learner's record."""
    solved = st.session_state.setdefault("challenges", set())
    if not is_complete(result):
        return
    for number, challenge in enumerate(lesson.challenges):
        mark = f"{lesson.topic}/{number}"
        if challenge.experiment == name and mark not in solved and challenge.met_by(result):
            solved.add(mark)
            if result.params != type(result.params)() and not state.presenting():
                answers.note(lesson.topic, challenge.goal, "challenge", "met", True)
                st.toast(f"Challenge met: {challenge.goal}", icon=":material/check_circle:")


def challenge(lesson: Lesson, number: int, challenge: Challenge, result: Any) -> None:
    """Draw a challenge: whether this run meets it, and its numbers here."""
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
