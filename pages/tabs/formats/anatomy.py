"""Anatomy: a Parquet file down to its pages, and the dictionary fallback."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from engine.formats import anatomy
from engine.formats.anatomy import WRITTEN, AnatomyParams, AnatomyResult
from engine.formats.anatomy import figure as figures
from engine.units import format_bytes
from pages.shell import controls, lab, texts, upload

D = AnatomyParams()
MAX_PAGES_SHOWN = 30
MAP = "The file as nested blocks: row groups, columns, pages"
run = st.cache_resource(max_entries=64, show_spinner=False)(anatomy.run)


def _block_clicked() -> None:
    """Copy the clicked chunk or page into the controls, which are the truth."""
    points = lab.clicked("anatomy_map")
    parts = str(points[0].get("id", "")).split("/") if points else []
    if len(parts) >= 2:
        st.session_state["anatomy_row_group"] = int(parts[0].removeprefix("group "))
        st.session_state["anatomy_column"] = parts[1]


def _params() -> AnatomyParams:
    source = controls.selectbox(
        D, "source", "File",
        help="Written here with the settings below, one of the bundled files of datasets/, or your"
        " own",
    )  # fmt: skip
    if source == "upload":
        path = upload.path(
            "anatomy",
            help="A Parquet file, read in a child process under a memory and a time limit",
        )
        return AnatomyParams(source=source, upload=path)
    return AnatomyParams(source=source, **(_written() if source == WRITTEN else {}))


def _written() -> dict[str, Any]:
    values = {
        "cardinality": controls.slider(
            D, "cardinality", "Distinct values", help="Of the text column, in 100,000 rows"
        ),
        "dictionary_limit": controls.slider(
            D, "dictionary_limit", "Dictionary limit",
            format_func=lambda size: f"{size // 1024:,} KiB",
            help="Above it pyarrow writes plain values; its default is 1,024 KiB",
        ),
        "rows_per_group": controls.slider(
            D, "rows_per_group", "Rows per row group",
            help="Each row group has its own dictionary",
        ),
    }  # fmt: skip
    with st.expander("Codec and seed"):
        return values | {
            "codec": controls.segmented(
                D, "codec", "Codec", help="Compresses each page after its encoding"
            ),
            "seed": controls.slider(D, "seed", "Seed", help="For the values"),
        }


def _looked_at(result: AnatomyResult) -> AnatomyResult:
    """Draw the two controls that choose a column chunk, and return the result that looks at it."""
    left, right = st.columns(2)
    names = list(result.columns)
    if st.session_state.get("anatomy_column") not in names:
        st.session_state["anatomy_column"] = result.default_column
    with left:
        column = controls.selectbox(
            D, "column", "Column", options=names, help="Or click it in the map"
        )
    if column == result.default_column:
        column = anatomy.DEFAULT  # as a prediction and a link say it
    last = result.n_row_groups - 1
    if last <= 0:
        right.caption(f"The file has {'one' if last == 0 else 'no'} row group.")
        return replace(result, params=replace(result.params, column=column))
    if not 0 <= int(st.session_state.get("anatomy_row_group") or 0) <= last:
        st.session_state["anatomy_row_group"] = 0
    group = right.slider(
        "Row group",
        0,
        last,
        key="anatomy_row_group",
        help="Or click it in the map",
        **controls.BOUND,
    )
    return replace(result, params=replace(result.params, column=column, row_group=group))


def _pages(result: AnatomyResult) -> list[dict[str, str]]:
    return [
        {
            "part": f"{piece.kind} {piece.page}" if piece.page >= 0 else piece.kind,
            "at byte": f"{piece.offset:,}",
            "size": format_bytes(piece.size_bytes),
            "uncompressed": format_bytes(piece.uncompressed_bytes) if piece.page >= 0 else "",
            "encoding": piece.encoding,
            "values": f"{piece.n_values:,}" if piece.page >= 0 else "",
            "nulls": (
                f"{piece.n_nulls:,}"
                if piece.n_nulls >= 0
                else "not noted"
                if piece.kind == "data page"
                else ""
            ),
            "min": piece.minimum,
            "max": piece.maximum,
        }
        for piece in result.chunk[:MAX_PAGES_SHOWN]
    ]


def _show(params: AnatomyParams) -> None:
    result = run(params)
    pinned = lab.pinned("anatomy")
    with lab.screen("formats", "anatomy", result) as screen:
        blocks = figures.byte_map(result, pinned)
        if result.curve:
            screen.answer(
                figures.fallback(result, pinned),
                "anatomy_fallback",
                "Size of the text column by its number of distinct values",
            )
            lab.chart(blocks, "anatomy_map", MAP, on_click=_block_clicked)
        else:
            screen.answer(blocks, "anatomy_map", MAP, on_click=_block_clicked)
        result = _looked_at(result)
        texts.table(_pages(result), "Pages of the selected column chunk")
        if len(result.chunk) > MAX_PAGES_SHOWN:
            st.caption(
                f"The first {MAX_PAGES_SHOWN} of {len(result.chunk)} parts; the export has all."
            )


show = lab.tab("formats", "anatomy", _params, _show)
