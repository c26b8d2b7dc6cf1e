"""Codecs: what each compression codec and level of Parquet saves, and what it costs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.formats import codecs, tables
from engine.formats.codecs import CodecsParams, CodecsResult
from engine.formats.codecs import figure as figures
from engine.formats.codecs.params import WHOLE
from engine.units import format_bytes
from pages.shell import controls, lab, work

D = CodecsParams()
VIEWS = ("Sorting", "Columns")
AGAINST: dict[str, Any] = {"write speed": "write", "read speed": "read"}


def _table_changed() -> None:
    """A column belongs to a table: a new table starts with all of them."""
    st.session_state["codecs_column"] = WHOLE


def _params() -> CodecsParams:
    table = controls.segmented(
        D, "table", "Table",
        help="Real flights or weather of 2013, or a table drawn from a seed",
        on_change=_table_changed,
    )  # fmt: skip
    return CodecsParams(
        table=table,
        n_rows=controls.slider(D, "n_rows", "Rows", help="Evenly spaced rows of the table"),
        column=controls.selectbox(
            D, "column", "Columns to compress", options=(WHOLE, *tables.column_names(table)),
            help="The whole table, or one column by itself",
        ),
        order=controls.segmented(
            D, "order", "Row order",
            help="Original order, sorted (flights: by carrier, flight and time), or random",
        ),
        codecs=controls.multiselect(D, "codecs", "Codecs", help="Parquet's compression codecs"),
        levels=controls.segmented(
            D, "levels", "Levels",
            help="Levels of gzip, zstd and brotli: the default, or low to high",
        ),
        **_more(),
    )  # fmt: skip


def _more() -> dict[str, Any]:
    with st.expander("Dictionary, repeats, seed"):
        return {
            "dictionary": controls.toggle(
                D, "dictionary", "Dictionary encoding",
                help="Before the codec: each distinct value once, then small numbers",
            ),
            "repeats": controls.slider(
                D, "repeats", "Repeats", help="Runs of each call; medians are shown"
            ),
            "seed": controls.slider(
                D, "seed", "Seed", help="For shuffle, order of the runs, synthetic table"
            ),
        }  # fmt: skip


def _show(result: CodecsResult) -> None:
    if not result.ready:
        result = codecs.preview(result.params)
    pinned = lab.pinned("codecs")
    with lab.screen("formats", "codecs", result) as screen:
        place = st.container()
        against = controls.view("codecs_against", list(AGAINST), "Against")
        with place:
            screen.answer(
                figures.tradeoff(result, AGAINST[against], pinned),
                "codecs_tradeoff",
                "Compression ratio against speed of each codec and level, with the Pareto front",
            )
        st.caption(
            f"{result.n_rows:,} rows, {format_bytes(result.table_bytes)} as Arrow in memory (the"
            " base of ratio and MB/s). Files in memory, one thread. "
            + (
                f"Marks: medians. Whiskers: slowest to fastest of {result.params.repeats} runs."
                if result.params.repeats > 1 and not result.preview
                else "Marks: single runs."
            )
        )
        if controls.view("codecs_view", VIEWS) == "Sorting":
            lab.chart(
                figures.sorting(result, pinned),
                "codecs_sorting",
                "File size of each codec with rows sorted, as is and shuffled",
            )
        else:
            lab.chart(
                figures.columns(result, pinned),
                "codecs_columns",
                "Compressed bytes of each column, in the chosen order and sorted",
            )


def _output(params: CodecsParams) -> None:
    work.run("codecs", params, codecs.steps, _show, first=lambda: codecs.preview(params))


show = lab.tab("formats", "codecs", _params, _output)
