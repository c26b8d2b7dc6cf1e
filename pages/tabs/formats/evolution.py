"""Schema evolution: nine changes × four formats, each cell a real write with one schema and a real
read with the next.
"""

from __future__ import annotations

import pyarrow as pa
import streamlit as st

from engine.formats import evolution
from engine.formats.evolution import Cell, EvolutionParams
from engine.formats.evolution import figure as figures
from engine.formats.evolution.cell_code import snippet
from pages.shell import controls, lab, texts

D = EvolutionParams()
N_SHOWN = 5  # rows of the selected cell
READER = {"backward": "new schema reads old file", "forward": "old schema reads new file"}
run = st.cache_resource(max_entries=64, show_spinner=False)(evolution.run)


def _cell_clicked() -> None:
    """Copy the clicked cell into the two selectboxes, which are the truth."""
    points = lab.clicked("evolution_matrix")
    if points:
        clicked = points[0]["customdata"]
        change, format_ = clicked.values() if isinstance(clicked, dict) else clicked
        st.session_state["evolution_change"], st.session_state["evolution_format"] = change, format_


def _params() -> EvolutionParams:
    return EvolutionParams(
        direction=st.radio(
            "Direction", list(READER), format_func=READER.get,
            key=controls.key_of(D, "direction"),
            help="Backward compatible: new code reads old data. Forward compatible: old code reads"
            " new data",
            **controls.BOUND,
        ),
        csv_columns=controls.segmented(
            D, "csv_columns", "Match CSV columns",
            help="By the names in the first line, or in the order of the reader's schema",
        ),
        aliases=controls.toggle(
            D, "aliases", "Avro alias",
            help="The new schema lists the old name of the renamed field",
        ),
        n_rows=controls.slider(D, "n_rows", "Rows", help="Flights in each file"),
        seed=controls.slider(D, "seed", "Seed", help="For the choice of flights"),
        change=controls.selectbox(
            D, "change", "Change", help="Or click a cell of the chart"
        ),
        format=controls.selectbox(D, "format", "Format", help="Or click a cell"),
    )  # fmt: skip


def _row(table: pa.Table, place: int) -> str:
    """Return the values of a row by column name, in one text that wraps."""
    values = table.slice(place, 1).to_pylist()[0]
    return ", ".join(
        f"{name} {'null' if value is None else value}" for name, value in values.items()
    )


def _show_cell(cell: Cell, params: EvolutionParams) -> None:
    """Draw what was written, expected and read for one cell, and its code."""
    st.markdown(f"**{cell.format} · {cell.change}** · {cell.outcome}: {cell.detail}")
    sides = {"written": cell.written, "expected": cell.expected}
    if cell.read is not None:
        sides["read"] = cell.read
    rows = [
        {"row": str(place + 1), **{name: _row(table, place) for name, table in sides.items()}}
        for place in range(min(N_SHOWN, *(len(table) for table in sides.values())))
    ]
    texts.table(rows, "Rows as written, as expected and as read")
    if cell.error:
        st.code(cell.error, language=None, wrap_lines=True)
    with st.expander("Code of this cell", key="evolution_snippet", on_change="rerun") as panel:
        if panel.open:
            st.code(snippet(params), language="python")


def _show(params: EvolutionParams) -> None:
    result = run(params)
    with lab.screen("formats", "evolution", result) as screen:
        screen.answer(
            figures.matrix(result, lab.pinned("evolution")),
            "evolution_matrix",
            "Outcome of nine schema changes in four formats",
            on_click=_cell_clicked,
        )
        _show_cell(result.selected, params)


show = lab.tab("formats", "evolution", _params, _show)
