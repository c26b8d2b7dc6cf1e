"""Codecs: what each compression codec and level of Parquet saves, and what it costs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.formats import codecs, tables
from engine.formats.codecs import (
    LEVEL_CHOICES,
    LEVELS,
    N_ROWS,
    ORDERS,
    TABLES,
    WHOLE,
    CodecsParams,
    CodecsResult,
)
from engine.formats.codecs import figure as figures
from engine.units import human_bytes
from pages.shell import lab, work

D = CodecsParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Sorting", "Columns")
AGAINST: dict[str, Any] = {"write speed": "write", "read speed": "read"}


def _table_changed() -> None:
    """A column belongs to a table: a new table starts with all of them."""
    st.session_state["codecs_column"] = WHOLE


def _params() -> CodecsParams:
    table = st.segmented_control(
        "Table",
        TABLES,
        default=D.table,
        required=True,
        key="codecs_table",
        on_change=_table_changed,
        help="Real flights or weather of 2013, or a table drawn from a seed",
        **BOUND,
    )
    n_rows = st.select_slider(
        "Rows",
        N_ROWS,
        D.n_rows,
        format_func="{:,}".format,
        key="codecs_n_rows",
        help="Evenly spaced rows of the table",
        **BOUND,
    )
    column = st.selectbox(
        "Pack",
        (WHOLE, *tables.column_names(table)),
        key="codecs_column",
        help="The whole table, or one column by itself",
        **BOUND,
    )
    order = st.segmented_control(
        "Rows lie",
        ORDERS,
        default=D.order,
        required=True,
        key="codecs_order",
        help="As they came, sorted (flights: by carrier, flight and time), or in random order",
        **BOUND,
    )
    chosen = st.multiselect(
        "Codecs",
        list(LEVELS),
        default=list(D.codecs),
        key="codecs_codecs",
        help="Parquet's compression codecs",
        **BOUND,
    )
    return CodecsParams(
        table=table, n_rows=n_rows, column=column, order=order, codecs=tuple(chosen), **_more()
    )


def _more() -> dict[str, Any]:
    levels = st.segmented_control(
        "Levels",
        LEVEL_CHOICES,
        default=D.levels,
        required=True,
        key="codecs_levels",
        help="How hard gzip, zstd and brotli try: their default level, or low to high",
        **BOUND,
    )
    with st.expander("Dictionary, rounds, seed"):
        dictionary = st.toggle(
            "Dictionary encoding first",
            D.dictionary,
            key="codecs_dictionary",
            help="Distinct values once, then small numbers",
            **BOUND,
        )
        repeats = st.slider(
            "Rounds",
            1,
            9,
            D.repeats,
            key="codecs_repeats",
            help="Runs of each call; medians are shown",
            **BOUND,
        )
        seed = st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="codecs_seed",
            help="Of the shuffle, the turns' order, the synthetic table",
            **BOUND,
        )
    return {"levels": levels, "dictionary": dictionary, "repeats": repeats, "seed": seed}


def _show(result: CodecsResult) -> None:
    pinned = lab.pinned("codecs")
    st.markdown(result.verdict)
    against = st.segmented_control(
        "Against",
        list(AGAINST),
        default="write speed",
        required=True,
        key="codecs_against",
        label_visibility="collapsed",
        **BOUND,
    )
    figure = figures.tradeoff(result, AGAINST[against or "write speed"], pinned)
    lab.chart(
        figure,
        "codecs_tradeoff",
        "Compression ratio against speed of each codec and level, with the Pareto front",
    )
    st.caption(
        f"{result.n_rows:,} rows, {human_bytes(result.table_bytes)} as Arrow in memory: what ratio"
        " and MB/s count. Files in memory, one thread; "
        + (
            "marks are medians, whiskers run from the slowest to the fastest of"
            f" {result.params.repeats} runs."
            if result.params.repeats > 1
            else "marks are single runs."
        )
    )
    view = st.segmented_control(
        "Look closer",
        VIEWS,
        default="Sorting",
        required=True,
        key="codecs_view",
        label_visibility="collapsed",
        **BOUND,
    )
    if view == "Sorting":
        lab.chart(
            figures.sorting(result, pinned),
            "codecs_sorting",
            "File size of each codec with rows sorted, as is, shuffled",
        )
    else:
        lab.chart(
            figures.columns(result, pinned),
            "codecs_columns",
            "Packed bytes of each column, as asked and sorted",
        )
    lab.report("formats", "codecs", result, figure)


@lab.experiment("codecs")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("formats", "codecs")
    with output:
        work.run("codecs", params, codecs.steps, _show)
