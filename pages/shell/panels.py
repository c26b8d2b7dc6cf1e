"""Below an experiment's charts, one panel at a time: why, predict, challenge, A/B, code, export,
guide.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine import scripts
from pages.shell import export, quiz, texts
from pages.shell.lessons import Lesson
from pages.shell.quiz import format_value, is_complete

PANELS = ("Why", "Predict", "Challenge", "A / B", "Code", "Export", "Guide")


def draw(lesson: Lesson, name: str, result: Any, figure: go.Figure) -> None:
    """Draw the panel row and the one panel that is open; note the challenges that this run
    meets.
    """
    quiz.note_challenges(lesson, name, result)
    key = f"{name}_panel"
    opened: dict[str, str] = st.session_state.setdefault("opened_panels", {})
    if key not in st.session_state and key not in st.query_params and name in opened:
        st.session_state[key] = opened[name]  # it was off the page while a job had no result yet
    with st.container(key="panels"):
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
            texts.say("\n".join(f"- {reason}" for reason in result.why))
        elif panel == "Predict":
            for number, prediction in enumerate(lesson.predictions):
                if prediction.experiment == name:
                    quiz.predict(lesson, number, prediction, result)
        elif panel == "Challenge":
            for number, challenge in enumerate(lesson.challenges):
                if challenge.experiment == name:
                    quiz.challenge(lesson, number, challenge, result)
        elif panel == "A / B":
            _compare(name, result)
        elif panel == "Code":
            st.caption(
                "Reproduces the headline numbers of this run; run it from the repository root."
            )
            st.code(scripts.render(result.params), language="python")
            st.json(result.headline(), expanded=False)
        elif panel == "Export":
            export.draw(lesson, name, result, figure)
        else:
            st.markdown(lesson.guide[lesson.tabs[name]])
            st.markdown(f"**An answer to the question.** {lesson.answer}")


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
            "Pin this run, then change anything: the chart shows A and B together, and the"
            " differences stand here."
        )
        return
    if not is_complete(result):
        st.caption("The run is still under way: B is not all there yet.")
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
