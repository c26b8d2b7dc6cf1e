"""Below an experiment's charts, one panel at a time: why, predict, challenge, A/B, code, export,
guide.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import plotly.graph_objects as go
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import streamlit as st

from engine import figures
from pages.shell import state, texts
from pages.shell.lessons import Challenge, Lesson, Prediction, script_of, value_of

MANY = 5.0  # a range as wide as this is guessed in whole numbers
PANELS = ("Why", "Predict", "Challenge", "A / B", "Code", "Export", "Guide")
PACKAGES = ("streamlit", "plotly", "numpy", "pandas", "pyarrow", "polars", "fastavro", "duckdb") + (
    *("scikit-learn", "imbalanced-learn", "pyspark", "feast", "prefect"),
)


def draw(lesson: Lesson, name: str, result: Any, figure: go.Figure) -> None:
    """Draw the panel row and the one panel that is open; note the challenges that this run meets."""
    _note_challenges(lesson, name, result)
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
                    _predict(lesson, number, prediction, result)
        elif panel == "Challenge":
            for number, challenge in enumerate(lesson.challenges):
                if challenge.experiment == name:
                    _challenge(lesson, number, challenge, result)
        elif panel == "A / B":
            _compare(name, result)
        elif panel == "Code":
            st.caption(
                "Reproduces the headline numbers of this run; run it from the repository root."
            )
            st.code(script_of(lesson.topic, name, result.params), language="python")
            st.json(result.headline(), expanded=False)
        elif panel == "Export":
            _export(lesson, name, result, figure)
        else:
            st.markdown(lesson.guide[lesson.tabs[name]])
            st.markdown(f"**An answer to the question.** {lesson.answer}")


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


def _predict(lesson: Lesson, number: int, prediction: Prediction, result: Any) -> None:
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
        said = _written(guess, prediction.field)
        if lesson.settings_of(prediction.experiment, prediction.params) != result.params:
            st.caption(f"You said {said}. Reveal brings the setting back.")
            return
        if not complete(result):
            st.caption(f"You said {said}. The run is still under way.")
            return
        actual = value_of(result, prediction.field)
        if prediction.range is not None:
            near = abs(actual - guess) <= 0.1 * (prediction.range[1] - prediction.range[0])
        else:
            near = str(actual) == guess
        verdict = "You had it" if near else "Not so"
        texts.say(
            f"{verdict}: you said **{said}**, it is **{_written(actual, prediction.field)}**."
            f" {prediction.because}"
        )


def _written(value: Any, field: str = "") -> str:
    """Return a value as people read it; a field called ``…_share`` as a percentage."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return (
            f"{value:.1%}"
            if field.endswith("_share")
            else f"{value:,.{'0f' if abs(value) >= 1_000 else '3g'}}"
        )
    return f"{value:,}" if isinstance(value, int) else str(value)


def complete(result: Any) -> bool:
    """Whether a run is over; the Results of jobs say so themselves."""
    return bool(getattr(result, "complete", True))


def _note_challenges(lesson: Lesson, name: str, result: Any) -> None:
    solved = st.session_state.setdefault("challenges", set())
    if not complete(result):
        return
    for number, challenge in enumerate(lesson.challenges):
        mark = f"{lesson.topic}/{number}"
        if challenge.experiment == name and mark not in solved and challenge.met_by(result):
            solved.add(mark)
            if result.params != type(result.params)() and not state.presenting():
                st.toast(f"Challenge met: {challenge.goal}", icon=":material/check_circle:")


def _challenge(lesson: Lesson, number: int, challenge: Challenge, result: Any) -> None:
    if not complete(result):
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
        _written(value_of(result, condition.field), condition.field)
        for condition in challenge.conditions
    )
    texts.say(f"{icon} **{challenge.goal}**  \nHere: {here}, {state_text}{before}.")


def _pin(name: str, result: Any) -> None:
    st.session_state[f"{name}_pinned"] = result


def _change(before: float, after: float) -> str:
    """Return B − A with its sign, in the digits of the numbers themselves."""
    return ("+" if after >= before else "−") + _written(abs(after - before))


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
    if not complete(result):
        st.caption("The run is still under way: B is not all there yet.")
    a, b = pinned.headline(), result.headline()
    rows = []
    for key in list(dict.fromkeys([*a, *b])):
        left, right = a.get(key), b.get(key)
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        change = _change(left, right) if numbers else ("same" if left == right else "differs")
        rows.append(
            {"number": key, "A": _written(left), "B (now)": _written(right), "B − A": change}
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


def _csv(table: pa.Table) -> bytes:
    """Return the table as CSV; a text that a spreadsheet would run as a formula gets an apostrophe
    before it.

    Numbers stay numbers, also as text ("-0.3"). The JSON of the run holds every text as it is.
    """
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table[field.name]
            formula = pc.and_not(
                pc.match_substring_regex(column, r"^[=+\-@\t\r]"),
                pc.match_substring_regex(column, r"^[+-][\d.,]+ ?%?$"),
            )
            safe = pc.if_else(
                pc.fill_null(formula, False), pc.binary_join_element_wise("'", column, ""), column
            )
            table = table.set_column(place, field.name, safe)
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()


def _run_json(result: Any) -> str:
    run = {
        "settings": asdict(result.params),
        "results": result.headline(),
        "rows": result.table().to_pylist(),
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": (
            {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
        ),
        "machine": {
            "system": platform.system(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        }
        | {"memory_bytes": psutil.virtual_memory().total},
    }
    return json.dumps(run, indent=1, default=str)


def _export(lesson: Lesson, name: str, result: Any, figure: go.Figure) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Chart data (CSV)",
            lambda: _csv(result.table()),
            f"{name}.csv",
            "text/csv",
            key=f"{name}_csv",
            on_click="ignore",
        )
        st.download_button(
            "Figure (HTML)",
            lambda: figures.to_html(figure),
            f"{name}.html",
            "text/html",
            key=f"{name}_html",
            on_click="ignore",
        )
        st.download_button(
            "Run (JSON)",
            lambda: _run_json(result),
            f"{name}.json",
            "application/json",
            key=f"{name}_json",
            on_click="ignore",
        )
    st.caption(
        "The camera in the chart's own bar saves it as SVG, the one in the HTML file as PNG. Link"
        " to this very setting:"
    )
    settings = {f"{name}_{key}": value for key, value in asdict(result.params).items()}
    views = {
        key: st.session_state.get(key, default)
        for key, default in lesson.views.items()
        if key.startswith(f"{name}_")
    }
    st.code(
        state.link(lesson, {lesson.tab_key: lesson.tabs[name], **settings, **views}), language=None
    )
