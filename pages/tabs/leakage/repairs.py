"""Wrong → right: both pipelines side by side, run and scored; and a pytest file for one's own
columns.
"""

from __future__ import annotations

import streamlit as st

from engine.leakage import repairs
from engine.leakage.repairs import RepairsParams, RepairsResult, leak_tests
from engine.leakage.repairs import figure as figures
from engine.leakage.repairs.cases import HERE, MENDED, codes
from engine.leakage.repairs.leak_tests import Columns
from pages.shell import controls, lab, work

D = RepairsParams()
OWN = {
    "path": ("File", "Beside the test file: .parquet or .csv"),
    "target": ("Target", "What is predicted"),
    "split": ("Split column", "Says on which side a row stands"),
    "test_value": ("Its value for test rows", "All other rows train"),
    "group": ("Group column", "Customer, patient, machine; empty for none"),
    "time": ("Time column", "The row's moment of prediction; empty for none"),
    "ids": ("Columns that name rows", "By commas: no features"),
    "known_at": (
        "When is a column known?",
        "By commas, column: hours after prediction, or column: timestamp column",
    ),
    "left_out": ("Columns that are no features", "By commas"),
}


def _params() -> RepairsParams:
    mechanism = controls.selectbox(D, "mechanism", "Leak", help="Each with the line that mends it")
    repeats = controls.slider(D, "repeats", "Seeds", help="Each draws its own table")
    seed = controls.slider(D, "seed", "First seed", help="Of the table and of production")
    return RepairsParams(mechanism=mechanism, repeats=repeats, seed=seed)


def _own_tests() -> None:
    """Draw the form for one's own columns and the test file that it makes."""
    with st.expander("Leakage tests for your own columns, as a pytest file"):
        st.caption(
            "They ask: no row and no group on both sides, training before test, fitting that never"
            " looks at test rows, features known in time. Put your pipeline into `fit`, lay the"
            " file beside your data, run `pytest test_leakage.py`."
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


def _show(result: RepairsResult) -> None:
    st.markdown(result.verdict)
    figure = figures.gaps(result, lab.pinned("repairs"))
    lab.chart(
        figure, "repairs_gaps", "Reported and production score, the wrong way and the right way"
    )
    sides = ((":red[**Wrong**]", HERE), (":green[**Right**]", MENDED))
    for column, (title, mark), code in zip(
        st.columns(2), sides, codes(result.params.mechanism), strict=True
    ):
        with column:
            line = next(text for text in code.split("\n") if text.endswith(mark))
            st.markdown(f"{title} · `{line.removesuffix(mark).strip()}`")
            st.code(code, language="python", wrap_lines=True)
    if result.complete:
        lab.report("leakage", "repairs", result, figure)


def _output(params: RepairsParams) -> None:
    work.run("repairs", params, repairs.steps, _show)
    _own_tests()


show = lab.tab("leakage", "repairs", _params, _output)
