"""Partition count, inside the tab *Partition explorer*: the measured curve of one workload over its
shuffle partitions, AQE's choice, and a look at each point.
"""

from __future__ import annotations

import streamlit as st

from engine.spark import session, tuner
from engine.spark.tuner import TunerParams, TunerResult
from engine.spark.tuner import figure as figures
from engine.spark.tuner.jobs import CODE
from pages.shell import controls, lab, texts, work
from pages.tabs.spark.subjects import PARTITIONS, TUNER

D = TunerParams()
VIEWS = ("Overhead", "Tasks on their cores")
N_FLIGHTS = 336_776


def _params() -> TunerParams:
    PARTITIONS.choose(TUNER)
    return TunerParams(
        workload=controls.segmented(
            D, "workload", "Workload", help="Each shuffles the flights once"
        ),
        max_partitions=controls.slider(
            D, "max_partitions", "Partitions, up to",
            help="`spark.sql.shuffle.partitions`; Spark's own default is 200",
        ),
        fine=controls.toggle(D, "fine", "More points", help="A finer curve; takes twice as long"),
        copies=controls.slider(
            D, "copies", "Data size, × flights",
            help=f"× {N_FLIGHTS:,} rows; all but the group-by shuffle them all",
        ),
        target_kb=controls.slider(
            D, "target_kb", "AQE target, KiB",
            help="`advisoryPartitionSizeInBytes`: AQE merges (coalesces) partitions up to this"
            " size. Spark's default is 64 MiB, more than these tables shuffle",
        ),
        repeats=controls.slider(
            D, "repeats", "Repeats", help="Each measures every number once; the median counts"
        ),
    )  # fmt: skip


def _show(result: TunerResult) -> None:
    numbers = list(result.params.numbers)
    if st.session_state.get("tuner_at") not in numbers:
        st.session_state["tuner_at"] = numbers[-1]  # another setting has other numbers
    with lab.screen("spark", "tuner", result) as screen:
        place = st.container()
        if result.points:
            _closer(result, numbers)
        with place:
            screen.answer(
                figures.curve(result, st.session_state["tuner_at"], lab.pinned("tuner")),
                "tuner_curve",
                "Seconds over the number of shuffle partitions, with AQE's choice",
            )
        rows = f"{N_FLIGHTS * result.params.copies:,} flights"
        st.caption(f"`{CODE[result.params.workload]}` over {rows}. {session.ENGINE.status}")


def _closer(result: TunerResult, numbers: list[int]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = st.select_slider(
            "Select a number", numbers, key="tuner_at", width=320, help="Nothing runs again"
        )
        view = controls.view("tuner_view", VIEWS)
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
    if result.point_at(at):
        texts.table(result.rows(at), "One number of partitions beside the fastest")


def _output(params: TunerParams) -> None:
    work.run("tuner", params, tuner.steps, _show, TunerResult(params))


show = lab.tab("spark", "tuner", _params, _output)
