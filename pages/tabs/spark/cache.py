"""Cache and memory: tables that evict each other, and the unified memory of an executor as a model
beside the live one.
"""

from __future__ import annotations

import streamlit as st

from engine.spark import cache, session
from engine.spark.cache import CacheParams, CacheResult
from engine.spark.cache import figure as figures
from engine.spark.cache.model import regions
from pages.shell import controls, lab, texts, work

D = CacheParams()


def _params() -> CacheParams:
    return CacheParams(
        level=controls.selectbox(
            D, "level", "Storage level",
            help="Where partitions are kept. Memory only: what does not fit is computed again; with"
            " disk it is written there",
        ),
        n_tables=controls.slider(D, "n_tables", "Tables", help="Cached one after the other"),
        n_rows=controls.slider(D, "n_rows", "Rows per table", help="64 bytes per row"),
        seed=controls.slider(D, "seed", "Seed", help="Of the random numbers"),
    )  # fmt: skip


def _memory(result: CacheResult) -> None:
    """The memory model: sliders of its own, beside what the live executor says."""
    left, middle, right = st.columns(3)
    heap = left.slider(
        "Model: heap, GiB", 1.0, 32.0, 4.0, 0.5,
        key="cache_heap_gb", help="`spark.executor.memory`", **controls.BOUND,
    )  # fmt: skip
    fraction = middle.slider(
        "Model: memory fraction", 0.1, 0.9, 0.6, 0.05,
        key="cache_fraction",
        help="`spark.memory.fraction`: share for execution and storage",
        format="percent",
        **controls.BOUND,
    )  # fmt: skip
    protected = right.slider(
        "Model: storage fraction", 0.0, 1.0, 0.5, 0.05,
        key="cache_storage_fraction",
        help="`spark.memory.storageFraction`: share of it that execution cannot evict",
        format="percent",
        **controls.BOUND,
    )  # fmt: skip
    model = regions(int(heap * 1024**3), fraction, protected)
    live = regions(result.heap_bytes, session.MEMORY_FRACTION)
    lab.chart(
        figures.memory(model, live, result.executor_limit_bytes),
        "cache_memory",
        "Regions of an executor's heap: model and live",
    )


def _show(result: CacheResult) -> None:
    with lab.screen("spark", "cache", result) as screen:
        screen.answer(
            figures.storage(result, lab.pinned("cache")),
            "cache_storage",
            "Bytes of each table in Storage after each step",
        )
        st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
        _memory(result)
        if result.moments:
            texts.table(result.rows(), "Seconds of the first and second action, and what is cached")


def _output(params: CacheParams) -> None:
    work.run("cache", params, cache.steps, _show, cache.preview(params))


show = lab.tab("spark", "cache", _params, _output)
