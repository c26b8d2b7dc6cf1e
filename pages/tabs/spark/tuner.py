"""Partition count: the U-shaped curve of one job over its shuffle partitions, AQE's choice, and a
look at each point.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.spark import session, tuner
from engine.spark.tuner import COPIES, LIMITS, TunerParams, TunerResult
from engine.spark.tuner import figure as figures
from engine.spark.tuner.jobs import CODE, JOBS
from pages.shell import lab, work

D = TunerParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Overhead", "Tasks on their cores")


def _params() -> TunerParams:
    job = st.segmented_control(
        "Job",
        JOBS,
        default=D.workload,
        required=True,
        key="tuner_workload",
        help="Each shuffles the flights once",
        **BOUND,
    )
    most = st.select_slider(
        "Partitions, up to", LIMITS, D.max_partitions, key="tuner_max_partitions",
        help="spark.sql.shuffle.partitions; Spark's own default is 200", **BOUND
    )  # fmt: skip
    fine = st.toggle(
        "More numbers between",
        D.fine,
        key="tuner_fine",
        help="A finer curve takes twice as long",
        **BOUND,
    )
    copies = st.select_slider(
        "Times the flights",
        COPIES,
        D.copies,
        key="tuner_copies",
        help="× 336,776 rows; all but the group-by shuffle them all",
        **BOUND,
    )
    target = st.slider(
        "AQE target, kB", 16, 8_192, D.target_kb, 16, key="tuner_target_kb",
        help="advisoryPartitionSizeInBytes: AQE joins partitions until each holds about so much. Spark's default is 64 MB, "
        "more than these tables shuffle in all", **BOUND
    )  # fmt: skip
    repeats = st.slider(
        "Rounds",
        1,
        9,
        D.repeats,
        key="tuner_repeats",
        help="Each measures every number once",
        **BOUND,
    )
    return TunerParams(
        workload=job,
        copies=copies,
        max_partitions=most,
        fine=fine,
        target_kb=target,
        repeats=repeats,
    )


def _show(result: TunerResult) -> None:
    st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
    st.markdown(result.verdict)
    st.caption(f"`{CODE[result.params.workload]}` over {336_776 * result.params.copies:,} flights")
    numbers = list(result.params.numbers)
    if st.session_state.get("tuner_at") not in numbers:
        st.session_state["tuner_at"] = numbers[-1]  # another setting has other numbers
    at = st.session_state["tuner_at"]
    figure = figures.curve(result, at, lab.pinned("tuner"))
    lab.chart(
        figure, "tuner_curve", "Seconds over the number of shuffle partitions, with AQE's choice"
    )
    if not result.points:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = st.select_slider(
            "Look at one number", numbers, key="tuner_at", width=320, help="Nothing runs again"
        )
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="tuner_view",
            label_visibility="collapsed",
            **BOUND,
        )
    if result.at(at):
        st.table(
            result.rows(at),
            hide_index=True,
            border="horizontal",
            alt="One number of partitions beside the quickest",
        )
    if view == VIEWS[1]:
        lab.chart(
            figures.gantt(result, at),
            "tuner_gantt",
            "Every task of one number of partitions by core over time",
        )
    else:
        lab.chart(
            figures.overhead(result),
            "tuner_overhead",
            "Work and overhead of all tasks by number of partitions",
        )
    lab.report("spark", "tuner", result, figure)


@lab.experiment("tuner")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("spark", "tuner")
    with output:
        work.run("tuner", params, tuner.steps, _show, TunerResult(params))
