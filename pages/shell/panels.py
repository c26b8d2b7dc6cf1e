"""Beside an experiment's chart, one panel at a time: why, predict, do, A/B, code, guide."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st

from engine import scripts
from engine.texts import inert
from pages.shell import glossary, quiz, texts
from pages.shell.lessons import Lesson
from pages.shell.quiz import format_value, is_complete

PANELS = ("Why", "Predict", "Do", "A/B", "Code", "Guide")
WIDE = ("A/B", "Code", "Guide")  # those that need room: the chart gives way
MOVED = {"Challenge": "Do", "A / B": "A/B", "Export": "Why"}  # as older links name them


def _opened() -> dict[str, str]:
    """Return the panel that is open for each experiment; it outlives a job that has no result."""
    opened: dict[str, str] = st.session_state.setdefault("opened_panels", {})
    return opened


def is_wide(name: str) -> bool:
    """Whether the panel that is open for an experiment needs room."""
    key = f"{name}_panel"
    panel = st.session_state.get(key, st.query_params.get(key, _opened().get(name)))
    return MOVED.get(panel, panel) in WIDE


def say_reasons(result: Any, topic: str = "") -> None:
    """Draw the reasons of a result that has ``why``, one below the other, terms with their
    definitions.
    """
    reasons = inert("\n".join(f"- {reason}" for reason in result.why))
    st.markdown(glossary.marked(reasons, topic))


def draw(lesson: Lesson, name: str, result: Any) -> None:
    """Draw the panel row and the one panel that is open; note the challenges that this run
    meets.
    """
    quiz.note_challenges(lesson, name, result)
    key, opened = f"{name}_panel", _opened()
    if st.query_params.get(key) in MOVED:
        st.query_params[key] = st.session_state[key] = MOVED[st.query_params[key]]
    if key not in st.session_state and key not in st.query_params and name in opened:
        st.session_state[key] = opened[name]
    with st.container(key="panels", gap="small"):
        panel = st.segmented_control(
            "More about this run",
            PANELS,
            default="Why",
            required=True,
            key=key,
            bind="query-params",
            label_visibility="collapsed",
        )
        opened[name] = panel or "Why"
        if panel == "Why":
            say_reasons(result, lesson.topic)
        elif panel == "Predict":
            for number, prediction in enumerate(lesson.predictions):
                if prediction.experiment == name:
                    quiz.predict(lesson, number, prediction, result)
        elif panel == "Do":
            for number, challenge in enumerate(lesson.challenges):
                if challenge.experiment == name:
                    quiz.challenge(lesson, number, challenge, result)
        elif panel == "A/B":
            _compare(name, result)
        elif panel == "Code":
            _code(result)
        else:
            guide = lesson.guide[lesson.experiments[name]]
            st.markdown(glossary.marked(guide, lesson.topic))
            st.markdown(f"**An answer to the question.** {lesson.answer}")


def _code(result: Any) -> None:
    """Draw the few lines that the experiment is about, then the script of this run."""
    st.caption("**The idea**, with public libraries alone.")
    st.code(scripts.example(result.params), language="python")
    st.caption("**This run**: prints its main numbers as JSON, from the repository root.")
    st.code(scripts.render(result.params), language="python")
    st.json(result.headline(), expanded=False)


def _pin(name: str, result: Any) -> None:
    st.session_state[f"{name}_pinned"] = result


def _change(before: float, after: float) -> str:
    """Return B − A with its sign, in the digits of the numbers themselves."""
    return ("+" if after >= before else "−") + format_value(abs(after - before))


def _compare(name: str, result: Any) -> None:
    """Pin this run as A; against a pinned run, the headline numbers side by side."""
    pinned = st.session_state.get(f"{name}_pinned")
    with st.container(horizontal=True):
        st.button("Pin this run as A", key=f"{name}_pin", on_click=_pin, args=(name, result))
        if pinned is not None:
            st.button("Unpin A", key=f"{name}_unpin", on_click=_pin, args=(name, None))
    if pinned is None:
        st.caption(
            "Pin this run, then change a control: the chart shows A and B together, and this"
            " table the differences."
        )
        return
    if not is_complete(result):
        st.caption("The run has not ended: B is not complete yet.")
    a, b = pinned.headline(), result.headline()
    rows = []
    for key in list(dict.fromkeys([*a, *b])):
        left, right = a.get(key), b.get(key)
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        change = _change(left, right) if numbers else ("same" if left == right else "differs")
        rows.append(
            {
                "number": key,
                "A": format_value(left),
                "B (now)": format_value(right),
                "B − A": change,
            }
        )
    changed = {
        key: (value, asdict(result.params)[key])
        for key, value in asdict(pinned.params).items()
        if value != asdict(result.params)[key]
    }
    texts.note(
        "Changed since A: "
        + (", ".join(f"{k}: {x} → {y}" for k, (x, y) in changed.items()) or "nothing yet")
        + "."
    )
    texts.table(rows, "Run A against this run")
