"""Fix it: the wrong and the right pipeline side by side, run and scored; and a pytest file for
one's own columns.
"""

from __future__ import annotations

import streamlit as st

from engine.leakage import repairs
from engine.leakage.repairs import RepairsParams, RepairsResult, leak_tests
from engine.leakage.repairs import figure as figures
from engine.leakage.repairs.cases import FIXED, HERE, codes
from engine.leakage.repairs.leak_tests import Columns
from pages.shell import controls, lab, work

D = RepairsParams()
OWN = {
    "path": ("File", "Beside the test file: .parquet or .csv"),
    "target": ("Target", "What is predicted"),
    "split": ("Split column", "Which side of the split a row is on"),
    "test_value": ("Its value for test rows", "All other rows are training rows"),
    "group": ("Group column", "Customer, patient, machine; empty for none"),
    "time": ("Time column", "The row's moment of prediction; empty for none"),
    "ids": ("Columns that name rows", "Separated by commas; not used as features"),
    "known_at": (
        "When is a column known?",
        "Separated by commas; column: hours after prediction, or column: timestamp column",
    ),
    "left_out": ("Columns that are no features", "Separated by commas"),
}


def _params() -> RepairsParams:
    mechanism = controls.selectbox(D, "mechanism", "Leak", help="Each with the line that fixes it")
    repeats = controls.slider(D, "repeats", "Repeats", help="Each draws its own table")
    seed = controls.slider(D, "seed", "First seed", help="For the table and for production")
    return RepairsParams(mechanism=mechanism, repeats=repeats, seed=seed)


def _own_tests() -> None:
    """Draw the form for one's own columns and the test file that it makes."""
    with st.expander("Leakage tests for your own columns, as a pytest file"):
        st.caption(
            "They check: no row and no group on both sides, training before test, fitting on"
            " training rows only, features known in time. Put your pipeline into `fit` and the"
            " file beside your data, then run `pytest test_leakage.py`."
        )
        defaults, values = Columns(), {}
        with st.grid(3, min_column_width=220):
            for name, (label, help) in OWN.items():
                values[name] = st.text_input(
                    label, getattr(defaults, name), key=f"repairs_own_{name}", help=help
                )
        with lab.errors_shown():
            text = leak_tests.generate(Columns(**values))
            st.download_button(
                "test_leakage.py",
                text,
                "test_leakage.py",
                "text/x-python",
                key="repairs_tests",
                on_click="ignore",
                icon=":material/download:",
            )
            st.code(text, language="python", height=320)


def _draw_codes(mechanism: str) -> None:
    """Draw both pipelines side by side, above each the line that differs."""
    sides = ((":red[**Wrong**]", HERE), (":green[**Right**]", FIXED))
    for column, (title, mark), code in zip(st.columns(2), sides, codes(mechanism), strict=True):
        with column:
            line = next(text for text in code.split("\n") if text.endswith(mark))
            st.markdown(f"{title} · `{line.removesuffix(mark).strip()}`")
            st.code(code, language="python", wrap_lines=True)


def _show(result: RepairsResult) -> None:
    if not result.scores:  # the first repeat takes about a second
        st.skeleton(height=270)
        _draw_codes(result.params.mechanism)
        return
    with lab.screen("leakage", "repairs", result) as screen:
        screen.answer(
            figures.gaps(result, lab.pinned("repairs")),
            "repairs_gaps",
            "Reported and production score of the wrong and the right pipeline",
        )
        _draw_codes(result.params.mechanism)


def _output(params: RepairsParams) -> None:
    work.run("repairs", params, repairs.steps, _show)
    _own_tests()


show = lab.tab("leakage", "repairs", _params, _output)
