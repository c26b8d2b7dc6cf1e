"""Spark or pandas: the same work at growing sizes in four engines, where the lines cross, and what
would move the crossing.
"""

from __future__ import annotations

from typing import get_args

import streamlit as st

from engine.spark import crossover, session
from engine.spark.contest import curves
from engine.spark.contest.curves import Cluster
from engine.spark.contest.data import BYTES_A_ROW
from engine.spark.contest.engines import SAYS
from engine.spark.crossover import CrossoverParams, CrossoverResult
from engine.spark.crossover import figure as figures
from engine.units import format_bytes
from pages.shell import controls, lab, work

D = CrossoverParams()
C = Cluster()


def _size(n_rows: int) -> str:
    return f"{n_rows:,} · {format_bytes(n_rows * BYTES_A_ROW)}"


def _params() -> CrossoverParams:
    chosen = controls.segmented(
        D, "work", "Work", help="; ".join(f"{name}: {says}" for name, says in SAYS.items())
    )
    n_rows = controls.slider(
        D,
        "n_rows",
        "Largest size: rows · CSV",
        help=(
            "Every size up to it is measured. The last one is more than 1 GB on disk: it is made"
            " once, in the workspace, and takes minutes; smaller sizes arrive first, and Cancel"
            " keeps what has been measured"
        ),
        format_func=_size,
    )
    contestants = controls.multiselect(
        D, "contestants", "Engines", help="pandas and Spark always take part"
    )
    memory = controls.slider(
        D,
        "memory_gb",
        "Memory for one engine, GB",
        help=(
            "What pandas, Polars and DuckDB may each hold, or most of what is free if that is less."
            " A run that cannot fit is refused before it starts; one that holds more is stopped"
        ),
    )
    repeats = controls.slider(D, "repeats", "Repeats", help="Runs of each cell; the median counts")
    return CrossoverParams(
        work=chosen,
        n_rows=n_rows,
        contestants=contestants,
        memory_gb=memory,
        repeats=repeats,
    )


def _cluster() -> Cluster:
    """The sliders of the model."""
    left, middle, right = st.columns(3)
    with left:
        cores = controls.slider(C, "cores", "Cores of the cluster", help="c in the formula; model")
    with middle:
        memory = controls.slider(
            C,
            "memory_gb",
            "Memory that pandas has, GB",
            help="Of one machine; model",
            key="crossover_memory",
        )
    with right:
        network = controls.slider(
            C,
            "network_gb",
            "Network, GB/s",
            help="w, between machines; model",
            key="crossover_network",
        )
    return Cluster(cores=cores, memory_gb=memory, network_gb=network)


def _numbers(result: CrossoverResult) -> None:
    """What the chart is made of, each engine in numbers, and the answer."""
    st.caption(
        "Full markers: every single run of this visit; hollow: last measured on this machine;"
        " lines: a start plus so much a row. pandas, DuckDB and Polars each run in a process of"
        " their own; Spark in the session that is warm already, with a heap of"
        f" {session.DRIVER_MEMORY[:-1]} GiB: its start-up is told in the table, not counted. Tables"
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
    with above:
        view = controls.view("crossover_view", get_args(figures.Quantity), "Shown")
    figure = figures.chart(result, view, lab.pinned("crossover"))
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


def _output(params: CrossoverParams) -> None:
    first = crossover.remembered(params) or CrossoverResult(params, (), ())
    work.run("crossover", params, crossover.steps, _show, first)


show = lab.tab("spark", "crossover", _params, _output)
