"""Schema evolution: nine changes × four formats, each cell a real write with one schema and a real
read with the next.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.formats import evolution
from engine.formats.evolution import (
    CHANGES,
    CSV_COLUMNS,
    DIRECTIONS,
    FORMATS,
    Cell,
    EvolutionParams,
)
from engine.formats.evolution import figure as figures
from engine.formats.evolution.code import snippet
from pages.shell import lab

D = EvolutionParams()
READER = {"backward": "new schema reads old file", "forward": "old schema reads new file"}
run = st.cache_resource(max_entries=64, show_spinner=False)(evolution.run)


def _cell_clicked() -> None:
    """Copy the clicked cell into the two selectboxes, which are the truth."""
    points = st.session_state["evolution_matrix"]["selection"]["points"]
    if points:
        clicked = points[0]["customdata"]
        change, format_ = clicked.values() if isinstance(clicked, dict) else clicked
        st.session_state["evolution_change"], st.session_state["evolution_format"] = change, format_


def _selected() -> dict[str, Any]:
    change = st.selectbox(
        "Look at change",
        CHANGES,
        CHANGES.index(D.change),
        key="evolution_change",
        bind="query-params",
        help="Or click a cell of the chart",
    )
    format_ = st.selectbox(
        "in format",
        FORMATS,
        FORMATS.index(D.format),
        key="evolution_format",
        bind="query-params",
        help="Or click a cell",
    )
    return {"change": change, "format": format_}


def _params() -> EvolutionParams:
    return EvolutionParams(
        direction=st.radio(
            "Who reads whom",
            DIRECTIONS,
            format_func=READER.get,
            key="evolution_direction",
            bind="query-params",
            help=(
                "Backward compatible: new code reads old data. Forward compatible: old code reads"
                " new data"
            ),
        ),
        csv_columns=st.segmented_control(
            "CSV columns are matched",
            CSV_COLUMNS,
            default=D.csv_columns,
            required=True,
            key="evolution_csv_columns",
            bind="query-params",
            help="By the names in the file's first line, or in the order of the reader's schema",
        ),
        aliases=st.toggle(
            "Avro schema names the old name",
            D.aliases,
            key="evolution_aliases",
            bind="query-params",
            help="An alias: a renamed field also answers to its former name",
        ),
        n_rows=st.slider(
            "Flights written",
            2,
            50,
            D.n_rows,
            key="evolution_n_rows",
            bind="query-params",
            help="Rows in each file",
        ),
        seed=st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="evolution_seed",
            bind="query-params",
            help="Of the flights drawn",
        ),
        **_selected(),
    )


def _show_cell(cell: Cell, params: EvolutionParams) -> None:
    """Draw what was written, what was due and what came back for one cell, and the code behind it."""
    st.markdown(f"**{cell.format} · {cell.change}** · {cell.outcome}: {cell.detail}")
    places = st.columns(3)
    tables = (
        ("written", cell.written),
        ("should be read as", cell.expected),
        ("was read as", cell.read),
    )
    for place, (title, table) in zip(places, tables, strict=True):
        with place:
            st.caption(title)
            if table is None:
                st.code(cell.error, language=None, wrap_lines=True)
            else:
                st.table(
                    table.slice(0, 5), hide_index=True, border="horizontal", alt=f"Rows as {title}"
                )
    with st.expander(
        "The code behind this cell", key="evolution_snippet", on_change="rerun"
    ) as panel:
        if panel.open:
            st.code(snippet(params), language="python")


@lab.experiment("evolution")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("formats", "evolution")
    with output:
        result = run(params)
        st.markdown(result.verdict)
        figure = figures.matrix(result, lab.pinned("evolution"))
        lab.chart(
            figure,
            "evolution_matrix",
            "Outcome of nine schema changes in four formats",
            on_select=_cell_clicked,
        )
        _show_cell(result.selected, params)
        lab.report("formats", "evolution", result, figure)
