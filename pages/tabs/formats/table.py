"""Which table a Formats tab works on: bundled, drawn from a seed, or the visitor's own file."""

from __future__ import annotations

import streamlit as st

from engine.formats import bytes_read
from engine.formats.bytes_read import TABLES
from pages.shell import upload


def choose(name: str, default: str) -> tuple[str, str]:
    """Draw the control of an experiment; return the table and, of an upload, its path."""
    table = st.segmented_control(
        "Table",
        TABLES,
        default=default,
        required=True,
        key=f"{name}_table",
        bind="query-params",
        on_change=_changed,
        args=(name,),
        help="Real flights or weather of 2013, a table drawn from a seed, or your own file",
    )
    path = (
        upload.path(name, help="Read in a child process under a memory and a time limit")
        if table == "upload"
        else ""
    )
    return table, path


def _changed(name: str) -> None:
    """Columns belong to a table: a new table starts with its own."""
    table = st.session_state[f"{name}_table"]
    if table == "upload":
        st.session_state.pop(f"{name}_columns", None)
        st.session_state.pop(f"{name}_predicate_column", None)
        return
    columns, predicate = bytes_read.defaults(table)
    st.session_state[f"{name}_columns"] = list(columns)
    st.session_state[f"{name}_predicate_column"] = predicate
