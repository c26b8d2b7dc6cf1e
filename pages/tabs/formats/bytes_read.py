"""Bytes read: which bytes of CSV, Avro and Parquet a real reader touches, traced at the file
handle.
"""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from engine.formats import bytes_read
from engine.formats.bytes_read import BytesReadParams, BytesReadResult
from engine.formats.bytes_read import figure as figures
from engine.formats.bytes_read.layout import figure as layout_figures
from pages.shell import controls, lab, texts
from pages.tabs.formats import table as formats_table

D = BytesReadParams()
VIEWS = ("Row groups", "Row-major and column-major")
run = st.cache_resource(max_entries=64, show_spinner=False)(bytes_read.run)


def preview() -> go.Figure:
    """Return the chart of the default run, for Home."""
    return figures.strip(run(D))


def _params() -> BytesReadParams:
    start = formats_table.choose(D)
    names = bytes_read.column_names(start.table, start.upload)
    rangeable = bytes_read.predicate_columns(start.table, start.upload)
    return replace(
        start,
        columns=controls.multiselect(
            start, "columns", "Columns read", options=names,
            help="The SELECT list of the question",
        ),
        predicate_column=controls.selectbox(
            start, "predicate_column", "Filter column", options=rangeable,
            help="The WHERE column: Parquet stores its min and max for each row group",
        ),
        window=controls.slider(
            D, "window", "Filter range", format="percent",
            help="From which to which percentile of that column: 40–45% is about one row in twenty",
        ),
        order=controls.segmented(
            D, "order", "Row order",
            help="Original order, sorted by the filter column, or random",
        ),
        rows_per_group=controls.slider(
            D, "rows_per_group", "Rows per row group",
            help="The reader can skip whole row groups",
        ),
        **_more(),
    )  # fmt: skip


def _more() -> dict[str, int]:
    with st.expander("Rows and seed"):
        return {
            "n_rows": controls.slider(D, "n_rows", "Rows", help="Evenly spaced rows"),
            "seed": controls.slider(
                D, "seed", "Seed", help="For the shuffle and the synthetic table"
            ),
        }


def _show(params: BytesReadParams) -> None:
    result: BytesReadResult = run(params)
    pinned = lab.pinned("bytes_read")
    with lab.screen("formats", "bytes_read", result) as screen:
        screen.answer(
            figures.strip(result, pinned),
            "bytes_read_strip",
            "Three files as strips of bytes; the bytes that each reader read are blue",
        )
        texts.note(f"{result.note} Every read is recorded at the file handle.".strip())
        if controls.view("bytes_read_view", VIEWS) == "Row groups":
            lab.chart(
                figures.statistics(result, pinned),
                "bytes_read_statistics",
                "Min and max of each row group against the filter range",
            )
        else:
            lab.chart(
                layout_figures.layout(result, pinned),
                "bytes_read_layout",
                "The first bytes of CSV and of Parquet, colored by column",
            )


show = lab.tab("formats", "bytes_read", _params, _show)
