"""Spark or pandas: the same work at growing sizes in four engines, where the lines cross, and what
would move that point.
"""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from engine.spark import crossover, session
from engine.spark.contest import curves, expected
from engine.spark.contest.curves import Cluster
from engine.spark.contest.data import BYTES_A_ROW, N_ROWS
from engine.spark.contest.engines import SAYS
from engine.spark.crossover import CrossoverParams, CrossoverResult
from engine.spark.crossover import figure as figures
from engine.spark.crossover.ml import MlParams
from engine.spark.crossover.text import describe_model, describe_runs
from engine.units import format_bytes, format_seconds
from pages.shell import controls, lab, texts, work
from pages.tabs.spark import ml

D = CrossoverParams()
ITEM = "more than 1 GB processed with Spark"
C = Cluster()
View = Literal["Seconds", "Peak memory", "On a cluster", "ML"]
VIEWS: tuple[View, ...] = ("Seconds", "Peak memory", "On a cluster", "ML")
MODEL = {
    "cores": "crossover_cores",
    "memory_gb": "crossover_memory",
    "network_gb": "crossover_network",
}


def _size(n_rows: int) -> str:
    return f"{n_rows:,} · {format_bytes(n_rows * BYTES_A_ROW)}"


def _params() -> CrossoverParams | MlParams:
    if "crossover_view" not in {*st.session_state, *st.query_params} and any(
        key in st.query_params for key in MODEL.values()
    ):
        st.session_state["crossover_view"] = VIEWS[2]  # a link from before it was a view
    view = controls.view("crossover_view", VIEWS, "Shown")
    if view == VIEWS[3]:
        return ml.params()
    return CrossoverParams(
        work=controls.segmented(
            D, "work", "Workload", help="; ".join(f"{name}: {says}" for name, says in SAYS.items())
        ),
        n_rows=controls.slider(
            D, "n_rows", "Largest size: rows · CSV",
            help="Every size up to it is measured. The last is more than 1 GB on disk, made once"
            " in the workspace: running it completes the course's checklist item. It takes minutes;"
            " smaller sizes come first, and Cancel keeps what has been measured",
            format_func=_size,
        ),
        contestants=controls.multiselect(
            D, "contestants", "Engines", help="pandas and Spark always take part"
        ),
        **_more(view),
    )  # fmt: skip


def _more(view: View) -> dict[str, Any]:
    if view == VIEWS[2]:
        _cluster()
    with st.expander("Memory limit, repeats"):
        return {
            "memory_gb": controls.slider(
                D, "memory_gb", "Memory per engine, GB",
                help="What pandas, Polars and DuckDB may each hold, or most of what is free if that"
                " is less. A run that cannot fit is refused before it starts; one that holds more"
                " is stopped",
            ),
            "repeats": controls.slider(
                D, "repeats", "Repeats", help="Runs of each size; the median counts"
            ),
        }  # fmt: skip


def _cluster() -> None:
    """Draw the sliders of the model."""
    controls.slider(C, "cores", "Cores of the cluster", help="c in the formula; model")
    controls.slider(
        C, "memory_gb", "pandas' memory, GB", help="Of one machine; model", key=MODEL["memory_gb"]
    )
    controls.slider(
        C, "network_gb", "Network, GB/s", help="w, between machines; model",
        key=MODEL["network_gb"],
    )  # fmt: skip


def _model_of() -> Cluster:
    """Return the cluster that the sliders say; the defaults where they are not drawn."""
    values = {field: st.session_state.get(key) for field, key in MODEL.items()}
    return Cluster(**{field: value for field, value in values.items() if value is not None})


def _numbers(result: CrossoverResult) -> None:
    """What the chart is made of, each engine in numbers, and the answer."""
    for cell in result.refused:
        st.warning(cell.refused, icon=":material/memory:")
    if result.rows():
        texts.table(result.rows(), "Each engine at the largest size, fastest first")
    if result.answer:
        st.markdown(f"**The answer, from these numbers.** {result.answer}")
    st.caption(
        "Full markers: single runs of this visit; hollow: measured earlier on this machine; lines:"
        f" a start plus a cost per row. {_expectation(result)}pandas, DuckDB and Polars run in a"
        " process"
        f" each; Spark in a running session with a heap of {session.DRIVER_MEMORY[:-1]} GiB. Tables"
        f" derived from TPC-H. {describe_runs(result)}"
    )


def _expectation(result: CrossoverResult) -> str:
    """Return where the expected lines come from; empty where every engine is measured."""
    if all(result.points(name) for name in result.params.asked):
        return ""
    sizes = " and ".join(f"{n:,}" for n in expected.SIZES)
    return f"Expected: {expected.WORK} at {sizes} rows, {expected.WHERE}, not here. "


def _checklist(result: CrossoverResult) -> None:
    """Name the item of the course's checklist that the largest size completes, met or not."""
    big = result.over_gigabyte
    if big is not None:
        took = f"{format_bytes(big.size_bytes)} of CSV in {format_seconds(big.median_seconds)}"
        st.markdown(f":material/check_circle: **Checklist: {ITEM}.** {took}.")
        return
    last = format_bytes(N_ROWS[-1] * BYTES_A_ROW)
    st.markdown(
        f":material/radio_button_unchecked: **Checklist: {ITEM}.** Set “Largest size” to its last"
        f" stop, {last}."
    )


def _formula(result: CrossoverResult) -> None:
    """The model's formula with its measured numbers."""
    spark, points = result.curve("Spark"), result.points("Spark")
    if spark is None:
        return
    st.caption(
        f"A model on the measured points: Spark's seconds = {curves.FORMULA}, with a ="
        f" {spark.start:.2f} s and b = {spark.each * 1e6:.2f} µs per row measured on c₀ ="
        f" {crossover.own_cores()} cores, c the cluster's cores on m = ⌈c ÷ c₀⌉ machines like this"
        f" one, s = {points[-1].shuffle_bytes / points[-1].n_rows:.1f} bytes shuffled per row,"
        " w the network. At c = c₀ it is the measured curve. pandas runs on one core until its"
        " memory is full. Left out: remote storage, stragglers, the price."
    )


def _show(result: CrossoverResult) -> None:
    result = crossover.refresh(result)
    view: View = st.session_state["crossover_view"]
    cluster = _model_of()
    model = figures.model(result, cluster) if view == VIEWS[2] else None
    verdict = describe_model(result, cluster) if view == VIEWS[2] else ""
    with lab.screen("spark", "crossover", result, verdict) as screen:
        if model is not None:
            alt = (
                "Seconds against rows: pandas and Spark measured, and Spark on a cluster, modelled"
            )
            screen.answer(model, "crossover_model", alt)
            _formula(result)
        else:
            measured = bool(result.largest)
            quantity: figures.Quantity = (
                "Peak memory" if view == VIEWS[1] and measured else "Seconds"
            )
            key = "crossover_model" if view == VIEWS[2] else "crossover_chart"
            screen.answer(
                figures.chart(result, quantity, lab.pinned("crossover")),
                key,
                f"{quantity} of each engine against rows, both logarithmic",
            )
        _checklist(result)
        _numbers(result)
        st.caption(session.ENGINE.status)  # here, for it changes while a run goes on


def _output(params: CrossoverParams | MlParams) -> None:
    if isinstance(params, MlParams):
        ml.output(params)
        return
    first = crossover.remembered(params) or CrossoverResult(params, (), ())
    work.run("crossover", params, crossover.steps, _show, first)


show = lab.tab("spark", "crossover", _params, _output)
