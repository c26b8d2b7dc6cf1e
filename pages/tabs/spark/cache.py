"""Cache and memory: tables that push each other out, and the unified memory of an executor as a
model beside the live one.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.spark import cache, session
from engine.spark.cache import LEVELS, N_ROWS, CacheParams, CacheResult
from engine.spark.cache import figure as figures
from engine.spark.cache.model import regions
from pages.shell import lab, work

D = CacheParams()
BOUND: dict[str, Any] = {"bind": "query-params"}


def _params() -> CacheParams:
    level = st.selectbox(
        "Storage level",
        LEVELS,
        LEVELS.index(D.level),
        key="cache_level",
        help=(
            "Where partitions are kept. Memory only: what does not fit is computed again; with disk"
            " it is written there"
        ),
        **BOUND,
    )
    n_tables = st.slider(
        "Tables", 1, 6, D.n_tables, key="cache_n_tables", help="Cached one after the other", **BOUND
    )
    n_rows = st.select_slider(
        "Rows of each",
        N_ROWS,
        D.n_rows,
        format_func="{:,}".format,
        key="cache_n_rows",
        help="64 bytes a row",
        **BOUND,
    )
    seed = st.slider("Seed", 0, 99, D.seed, key="cache_seed", help="Of the random numbers", **BOUND)
    return CacheParams(level=level, n_tables=n_tables, n_rows=n_rows, seed=seed)


def _memory(result: CacheResult) -> None:
    """The memory model: sliders of its own, beside what the live executor says."""
    left, middle, right = st.columns(3)
    heap = left.slider(
        "Heap, GB",
        1.0,
        32.0,
        4.0,
        0.5,
        key="cache_heap_gb",
        help="spark.executor.memory; model",
        **BOUND,
    )
    fraction = middle.slider(
        "spark.memory.fraction",
        0.1,
        0.9,
        0.6,
        0.05,
        key="cache_fraction",
        help="Share for execution and storage; model",
        **BOUND,
    )
    protected = right.slider(
        "storageFraction",
        0.0,
        1.0,
        0.5,
        0.05,
        key="cache_storage_fraction",
        help="Share that execution cannot evict; model",
        **BOUND,
    )
    model = regions(int(heap * 1024**3), fraction, protected)
    figure = figures.memory(
        model, regions(result.heap_bytes, session.MEMORY_FRACTION), result.executor_limit_bytes
    )
    lab.chart(figure, "cache_memory", "Regions of an executor's heap: model and live")


def _show(result: CacheResult) -> None:
    st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
    st.markdown(result.verdict)
    figure = figures.storage(result, lab.pinned("cache"))
    lab.chart(figure, "cache_storage", "Bytes that Storage holds of each table after each step")
    if result.moments:
        alt = "Seconds of the first and second action, and what is held"
        st.table(result.rows(), hide_index=True, border="horizontal", alt=alt)
    st.subheader("The memory of an executor", anchor=False)
    _memory(result)
    if result.moments:
        lab.report("spark", "cache", result, figure)


@lab.experiment("cache")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("spark", "cache")
    with output:
        work.run("cache", params, cache.steps, _show, cache.preview(params))
