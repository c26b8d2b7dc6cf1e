"""Bytes read: which bytes of CSV, Avro and Parquet a real reader touches, traced at the file
handle.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.formats import bytes_read
from engine.formats.bytes_read import ORDERS, ROWS_PER_GROUP, BytesReadParams, BytesReadResult
from engine.formats.bytes_read import figure as figures
from pages.shell import lab, texts
from pages.tabs.formats import table as formats_table

D = BytesReadParams()
run = st.cache_resource(max_entries=64, show_spinner=False)(bytes_read.run)


def preview() -> go.Figure:
    """Return the chart of the default run, for Home."""
    return figures.strip(run(D))


def _params() -> BytesReadParams:
    table, path = formats_table.choose("bytes_read", D.table)
    columns, predicate = bytes_read.defaults(table, path)
    names, rangeable = (
        bytes_read.column_names(table, path),
        bytes_read.predicate_columns(table, path),
    )
    return BytesReadParams(
        table=table,
        upload=path,
        columns=tuple(
            st.multiselect(
                "Columns wanted",
                names,
                default=list(columns),
                key="bytes_read_columns",
                bind="query-params",
                help="The SELECT list: what the question needs of each row",
            )
        ),
        predicate_column=st.selectbox(
            "Filter on",
            rangeable,
            index=rangeable.index(predicate),
            key="bytes_read_predicate_column",
            bind="query-params",
            help=(
                "The WHERE column: Parquet keeps its smallest and largest value for each row group"
            ),
        ),
        window=st.slider(
            "Range kept",
            0.0,
            1.0,
            D.window,
            0.01,
            format="percent",
            key="bytes_read_window",
            bind="query-params",
            help=(
                "From which to which share of that column's sorted values: 40–45 % keeps about one"
                " row in twenty"
            ),
        ),
        **_layout(),
        **_more(),
    )


def _layout() -> dict[str, Any]:
    order = st.segmented_control(
        "Rows lie",
        ORDERS,
        default=D.order,
        required=True,
        key="bytes_read_order",
        bind="query-params",
        help="As they came, sorted by the filter column, or in random order",
    )
    rows_per_group = st.select_slider(
        "Rows per row group",
        ROWS_PER_GROUP,
        D.rows_per_group,
        format_func="{:,}".format,
        key="bytes_read_rows_per_group",
        bind="query-params",
        help="A row group is the unit that Parquet can skip",
    )
    return {"order": order, "rows_per_group": rows_per_group}


def _more() -> dict[str, int]:
    with st.expander("Rows and seed"):
        n_rows = st.slider(
            "Rows",
            10_000,
            200_000,
            D.n_rows,
            10_000,
            key="bytes_read_n_rows",
            bind="query-params",
            help="Evenly spaced rows",
        )
        seed = st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="bytes_read_seed",
            bind="query-params",
            help="Of the shuffle and of the synthetic table",
        )
    return {"n_rows": n_rows, "seed": seed}


@lab.experiment("bytes_read")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("formats", "bytes_read")
    with output:
        result: BytesReadResult = run(params)
        pinned = lab.pinned("bytes_read")
        texts.say(result.verdict)
        figure = figures.strip(result, pinned)
        lab.chart(
            figure,
            "bytes_read_strip",
            "Three files as strips of bytes; what each reader touched is blue",
        )
        texts.note(f"{result.note} Traced at the file handle, in memory, in this run.".strip())
        view = st.segmented_control(
            "Look closer",
            ("Row groups", "Row-major and column-major"),
            default="Row groups",
            required=True,
            key="bytes_read_view",
            bind="query-params",
            label_visibility="collapsed",
        )
        if view == "Row groups":
            lab.chart(
                figures.statistics(result, pinned),
                "bytes_read_statistics",
                "The smallest and largest value of each row group against the range asked for",
            )
        else:
            lab.chart(
                figures.layout(result, pinned),
                "bytes_read_layout",
                "The first bytes of CSV and of Parquet, coloured by column",
            )
        lab.report("formats", "bytes_read", result, figure)
