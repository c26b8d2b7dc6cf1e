"""Architecture, inside the tab *Registry*: step through Feast's calls and watch the components
light up.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.feature_store.calls import CallsParams, CallsResult, expected, steps
from engine.feature_store.calls import figure as figures
from engine.feature_store.calls.result import code_of
from pages.shell import controls, lab, texts, work
from pages.tabs.feature_store.subjects import CALLS, REGISTRY

D = CallsParams()
VIEWS = ("Freshness", "Every call", "Evidence")


def _params() -> CallsParams:
    REGISTRY.choose(CALLS)
    return CallsParams(
        call=controls.slider(
            D, "call", "Call", help="In order of time; the arrow keys step through them"
        ),
        batch_hours=controls.slider(
            D, "batch_hours", "Last batch, h ago",
            help="Until then rows are in the offline store; materialize copies no later ones",
        ),
        push=controls.segmented(
            D, "push", "Push to", help="Feast's own default is the online store alone"
        ),
    )  # fmt: skip


def _output(params: CallsParams) -> None:
    def show(made: CallsResult) -> None:
        """Draw the components of the call that is looked at, then the chosen view of all."""
        result = replace(made, params=params)
        with lab.screen("feature_store", "calls", result) as screen:
            screen.answer(
                figures.architecture(result),
                "calls_architecture",
                "Feast's components; those that the call passes are lit",
            )
            if not result.complete:
                return
            texts.note("In each box: how often the call entered it, and how long it was there.")
            st.code(code_of(params, result.plane), language="python")
            _closer(result, controls.view("calls_view", VIEWS))

    work.run("calls", params.job, steps, show, first=lambda: expected(params))


def _closer(result: CallsResult, view: str) -> None:
    if view == "Every call":
        texts.table(result.rows(), "Times entered and time in each component, call by call")
    elif view == "Evidence":
        st.caption(
            "Functions of Feast by which the call entered a component, and the SQL that SQLite got."
        )
        st.dataframe(
            result.evidence(), hide_index=True, height=300, key="calls_evidence",
            alt="Functions and SQL statements of this call",
        )  # fmt: skip
    else:
        lab.chart(
            figures.freshness(result),
            "calls_freshness",
            "Age of the served value after apply, materialize and push",
        )


show = lab.tab("feature_store", "calls", _params, _output)
