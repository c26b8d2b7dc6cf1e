"""Lazy ledger: a chain of transformations, the jobs that each line ran (none), and what the action
runs.
"""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from engine.spark import lazy, session
from engine.spark.lazy import LazyParams, LazyResult, Predicted
from engine.spark.lazy import figure as figures
from engine.spark.lazy.chain import OPERATIONS
from pages.shell import controls, lab, texts, work

D = LazyParams()
PLAN, JOBS, CORES, AQE = VIEWS = ("Plan", "Jobs", "Cores", "AQE: before and after")


def _params() -> LazyParams:
    return LazyParams(
        chain=controls.multiselect(
            D, "chain", "Chain, in order", options=OPERATIONS, help="Each adds a step to the plan"
        ),
        action=controls.segmented(D, "action", "Action", help="Only the action makes Spark work"),
        n_partitions=controls.slider(
            D, "n_partitions", "Shuffle partitions", help="Asked for after each exchange"
        ),
        adaptive=controls.toggle(
            D, "adaptive", "Adaptive (AQE)", help="Whether Spark may change the plan as it runs"
        ),
        broadcast=controls.toggle(
            D, "broadcast", "Broadcast small tables", help="Tables of up to 10 MiB"
        ),
    )  # fmt: skip


def _chart(result: LazyResult | Predicted, view: str) -> tuple[go.Figure, str, str]:
    """Return the chart of a view, its key and its description."""
    if isinstance(result, Predicted):
        return figures.predicted(result), "lazy_plan", "The chain as written: which steps move rows"
    if view == JOBS:
        return figures.jobs(result), "lazy_jobs", "Jobs that Spark had run after each line"
    if view == CORES:
        figure = figures.cores(result, lab.pinned("lazy"))
        return figure, "lazy_cores", "Every task of the action by core over time"
    return figures.plan(result), "lazy_plan", "The executed plan from scan to answer"


def _show(result: LazyResult | Predicted) -> None:
    with lab.screen("spark", "lazy", result) as screen:
        place = st.container()
        view = controls.view("lazy_view", VIEWS)
        with place:
            screen.answer(*_chart(result, view))
        if view == AQE and isinstance(result, LazyResult):
            left, right = st.columns(2)
            left.caption("Before the action: the plan of the optimizer")
            left.code(result.initial_plan, language=None, wrap_lines=True)
            right.caption("After it: the plan that AQE made, once sizes were known")
            right.code(result.final_plan, language=None, wrap_lines=True)
        texts.table(result.rows(), "Every line with the jobs that Spark had run after it")
        st.caption(session.ENGINE.status)  # here, for it changes while Spark starts


def _output(params: LazyParams) -> None:
    work.run("lazy", params, lazy.steps, _show, Predicted(params))


show = lab.tab("spark", "lazy", _params, _output)
