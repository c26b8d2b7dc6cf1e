"""Cache and memory: tables that push each other out, and the unified memory of an executor as a
model beside the live one.
"""

from __future__ import annotations

import streamlit as st

from engine.spark import cache, session
from engine.spark.cache import CacheParams, CacheResult
from engine.spark.cache import figure as figures
from engine.spark.cache.model import regions
from pages.shell import controls, lab, work

D = CacheParams()


def _params() -> CacheParams:
    level = controls.selectbox(
        D,
        "level",
        "Storage level",
        help=(
            "Where partitions are kept. Memory only: what does not fit is computed again; with disk"
            " it is written there"
        ),
    )
    n_tables = controls.slider(D, "n_tables", "Tables", help="Cached one after the other")
    n_rows = controls.slider(D, "n_rows", "Rows of each", help="64 bytes a row")
    seed = controls.slider(D, "seed", "Seed", help="Of the random numbers")
    return CacheParams(level=level, n_tables=n_tables, n_rows=n_rows, seed=seed)


def _memory(result: CacheResult) -> None:
    """The memory model: sliders of its own, beside what the live executor says."""
    left, middle, right = st.columns(3)
    heap = left.slider(
        "Heap, GiB",
        1.0,
        32.0,
        4.0,
        0.5,
        key="cache_heap_gb",
        help="spark.executor.memory; model",
        **controls.BOUND,
    )
    fraction = middle.slider(
        "spark.memory.fraction",
        0.1,
        0.9,
        0.6,
        0.05,
        key="cache_fraction",
        help="Share for execution and storage; model",
        **controls.BOUND,
    )
    protected = right.slider(
        "storageFraction",
        0.0,
        1.0,
        0.5,
        0.05,
        key="cache_storage_fraction",
        help="Share that execution cannot evict; model",
        **controls.BOUND,
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


def _output(params: CacheParams) -> None:
    work.run("cache", params, cache.steps, _show, cache.preview(params))


show = lab.tab("spark", "cache", _params, _output)
