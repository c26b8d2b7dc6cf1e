"""Break it: a fault is executed on the daily run; which gate catches it."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from engine.pipeline import faults
from engine.pipeline.faults import FaultsParams, FaultsResult, title_of
from engine.pipeline.faults import figure as figures
from pages.shell import controls, lab, texts, work
from pages.tabs.pipeline import detectors

D = FaultsParams()
VIEWS = ("All faults", "Stages", "Alert rules", "Score", detectors.ALARMS, detectors.ONLINE)


def preview() -> go.Figure:
    """Return the chart of what is executed so far."""
    return figures.gates(faults.expected(D))


def _params() -> FaultsParams:
    return FaultsParams(
        fault=controls.selectbox(
            D,
            "fault",
            "Fault",
            help="It is executed on the daily run of 21 February, with the model of the first run",
            format_func=title_of,
        ),
        every=controls.toggle(
            D, "every", "Execute all", help="Every fault, one after another: about three minutes"
        ),
    )


def _closer(result: FaultsResult) -> None:
    view = controls.view("faults_view", VIEWS)
    if view == "Stages":
        texts.table(result.hops() or [{"stage": "not executed yet"}], "Each stage of the run")
    elif view == "Alert rules":
        st.dataframe(
            result.alerts() or [{"gate": "not executed yet"}],
            hide_index=True,
            height=390,
            alt="Alert rules with the runs that fired them",
        )
    elif view == "Score":
        lab.chart(figures.metric(result), "faults_metric", "Change of the AUC under each fault")
    elif view in (detectors.ALARMS, detectors.ONLINE):
        detectors.draw(view)
    else:
        texts.table(result.rows(), "Each fault with the gate that caught it")


def _show(result: FaultsResult) -> None:
    result = faults.updated(result)
    with lab.screen("pipeline", "faults", result) as screen:
        screen.answer(
            figures.gates(result),
            "faults_gates",
            "For each fault the stage that it hits and the stage whose gate catches it",
        )
        _closer(result)


def _output(params: FaultsParams) -> None:
    work.run("faults", params, faults.steps, _show, first=lambda: faults.expected(params))


show = lab.tab("pipeline", "faults", _params, _output)
