"""Partition count: the U-shaped curve of one job over its shuffle partitions, AQE's choice, and a
look at each point.
"""

from __future__ import annotations

import streamlit as st

from engine.spark import session, tuner
from engine.spark.tuner import TunerParams, TunerResult
from engine.spark.tuner import figure as figures
from engine.spark.tuner.jobs import CODE
from pages.shell import controls, lab, work

D = TunerParams()
VIEWS = ("Overhead", "Tasks on their cores")


def _params() -> TunerParams:
    job = controls.segmented(D, "workload", "Job", help="Each shuffles the flights once")
    most = controls.slider(
        D,
        "max_partitions",
        "Partitions, up to",
        help="spark.sql.shuffle.partitions; Spark's own default is 200",
    )
    fine = controls.toggle(
        D, "fine", "More numbers between", help="A finer curve takes twice as long"
    )
    copies = controls.slider(
        D,
        "copies",
        "Times the flights",
        help="× 336,776 rows; all but the group-by shuffle them all",
    )
    target = controls.slider(
        D,
        "target_kb",
        "AQE target, KiB",
        help=(
            "advisoryPartitionSizeInBytes: AQE joins partitions until each holds about so much."
            " Spark's default is 64 MiB, more than these tables shuffle in all"
        ),
    )
    repeats = controls.slider(D, "repeats", "Rounds", help="Each measures every number once")
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
        view = controls.view("tuner_view", VIEWS)
    if result.point_at(at):
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


def _output(params: TunerParams) -> None:
    work.run("tuner", params, tuner.steps, _show, TunerResult(params))


show = lab.tab("spark", "tuner", _params, _output)
