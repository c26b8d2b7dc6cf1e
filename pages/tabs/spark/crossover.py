"""Spark or pandas: the same work at growing sizes in four engines, where the lines cross, and what
would move the crossing.
"""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from engine.spark import crossover, session
from engine.spark.contest import curves
from engine.spark.contest.curves import Cluster
from engine.spark.contest.data import BYTES_A_ROW
from engine.spark.contest.engines import SAYS
from engine.spark.crossover import (
    CONTESTANTS,
    MEMORY_GB,
    N_ROWS,
    WORKS,
    CrossoverParams,
    CrossoverResult,
)
from engine.spark.crossover import figure as figures
from engine.units import human_bytes
from pages.shell import lab, work

D = CrossoverParams()
C = Cluster()
BOUND: dict[str, Any] = {"bind": "query-params"}


def _size(n_rows: int) -> str:
    return f"{n_rows:,} · {human_bytes(n_rows * BYTES_A_ROW)}"


def _params() -> CrossoverParams:
    chosen = st.segmented_control(
        "Work",
        WORKS,
        default=D.work,
        required=True,
        key="crossover_work",
        help="; ".join(f"{name}: {says}" for name, says in SAYS.items()),
        **BOUND,
    )
    n_rows = st.select_slider(
        "Largest size: rows · CSV",
        N_ROWS,
        D.n_rows,
        format_func=_size,
        key="crossover_n_rows",
        help=(
            "Every size up to it is measured. The last one is more than 1 GB on disk: it is made"
            " once, in the workspace, and takes minutes; smaller sizes arrive first, and Cancel"
            " keeps what has been measured"
        ),
        **BOUND,
    )
    contestants = st.multiselect(
        "Engines",
        CONTESTANTS,
        default=list(D.contestants),
        key="crossover_contestants",
        help="pandas and Spark always take part",
        **BOUND,
    )
    memory = st.select_slider(
        "Memory for one engine, GB",
        MEMORY_GB,
        D.memory_gb,
        format_func="{:g}".format,
        key="crossover_memory_gb",
        help=(
            "What pandas, Polars and DuckDB may each hold, or most of what is free if that is less."
            " A run that cannot fit is refused before it starts; one that holds more is stopped"
        ),
        **BOUND,
    )
    repeats = st.slider(
        "Repeats",
        1,
        9,
        D.repeats,
        key="crossover_repeats",
        help="Runs of each cell; the median counts",
        **BOUND,
    )
    return CrossoverParams(
        work=chosen,
        n_rows=n_rows,
        contestants=tuple(contestants),
        memory_gb=memory,
        repeats=repeats,
    )


def _cluster() -> Cluster:
    """The sliders of the model."""
    left, middle, right = st.columns(3)
    cores = left.slider(
        "Cores of the cluster",
        1,
        128,
        C.cores,
        key="crossover_cores",
        help="c in the formula; model",
        **BOUND,
    )
    memory = middle.slider(
        "Memory that pandas has, GB",
        1,
        256,
        int(C.memory_gb),
        key="crossover_memory",
        help="Of one machine; model",
        **BOUND,
    )
    network = right.slider(
        "Network, GB/s",
        0.1,
        12.5,
        C.network_gb,
        0.1,
        key="crossover_network",
        help="w, between machines; model",
        **BOUND,
    )
    return Cluster(cores=cores, memory_gb=float(memory), network_gb=network)


def _numbers(result: CrossoverResult) -> None:
    """What the chart is made of, each engine in numbers, and the answer."""
    st.caption(
        "Full markers: every single run of this visit; hollow: last measured on this machine;"
        " lines: a start plus so much a row. pandas, DuckDB and Polars each run in a process of"
        " their own; Spark in the session that is warm already, with a heap of"
        f" {session.DRIVER_MEMORY[:-1]} GB: its start-up is told in the table, not counted. Tables"
        " derived from TPC-H."
    )
    for cell in result.refused:
        st.warning(cell.refused, icon=":material/memory:")
    if result.rows():
        st.table(
            result.rows(),
            hide_index=True,
            border="horizontal",
            alt="Each engine at the largest size, quickest first",
        )
    if result.answer:
        st.markdown(f"**The answer, from these numbers.** {result.answer}")


def _formula(result: CrossoverResult) -> None:
    """The model's formula with its measured numbers."""
    spark, points = result.curve("Spark"), result.points("Spark")
    if spark is None:
        return
    st.caption(
        f"A model, anchored in the measured points: Spark's seconds = {curves.FORMULA}, with a ="
        f" {spark.start:.2f} s and b = {spark.each * 1e6:.2f} µs a row measured on c₀ ="
        f" {crossover.own_cores()} cores, c the cluster's cores on m = ⌈c ÷ c₀⌉ machines like this"
        f" one, s = {points[-1].shuffle_bytes / points[-1].n_rows:.1f} bytes shuffled a row, w the"
        " network. At c = c₀ it is the measured curve. pandas stays on one core, until its memory"
        " ends. Left out: remote storage, stragglers, the price."
    )


def _show(result: CrossoverResult) -> None:
    st.caption(session.ENGINE.status)  # here, for it changes while a run goes on
    result = crossover.refresh(result)
    st.markdown(result.verdict)
    (above, measured), (between, modelled) = lab.places(2)
    view = above.segmented_control(
        "Shown",
        get_args(figures.Quantity),
        default="Seconds",
        required=True,
        key="crossover_view",
        label_visibility="collapsed",
        **BOUND,
    )
    figure = figures.chart(result, view or "Seconds", lab.pinned("crossover"))
    with measured:
        lab.chart(
            figure, "crossover_chart", f"{view} of each engine against rows, both logarithmic"
        )
    with between:
        _numbers(result)
        st.subheader("What would move the crossing", anchor=False)
        model = figures.model(result, _cluster())
    with modelled:
        if model is None and st.session_state.get("stage_chart") == "crossover_model":
            lab.chart(
                figure,
                "crossover_model",
                "Seconds of each engine against rows, until there is a model",
            )
        elif model is None:
            st.caption("Two measured sizes make a curve: pandas and Spark do not have both yet.")
        else:
            alt = (
                "Seconds against rows: pandas and Spark as measured, and Spark on a cluster,"
                " modelled"
            )
            lab.chart(model, "crossover_model", alt)
    _formula(result)
    lab.report("spark", "crossover", result, figure)


@lab.experiment("crossover")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("spark", "crossover")
    with output:
        first = crossover.remembered(params) or CrossoverResult(params, (), ())
        work.run("crossover", params, crossover.steps, _show, first)
