"""Which table a Formats tab works on: bundled, drawn from a seed, or the visitor's own file."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import streamlit as st

from engine.formats import bytes_read
from engine.formats.bytes_read import BytesReadParams
from engine.formats.race import RaceParams
from pages.shell import controls, upload

P = TypeVar("P", BytesReadParams, RaceParams)


def choose(params: P) -> P:
    """Draw the control of an experiment and return its default Params for the table chosen."""
    name = controls.experiment_of(params)
    table = controls.segmented(
        params, "table", "Table",
        help="Real flights or weather of 2013, a table drawn from a seed, or your own file",
        on_change=_changed,
        args=(name,),
    )  # fmt: skip
    path = ""
    if table == "upload":
        path = upload.path(name, help="Read in a child process under a memory and a time limit")
    columns, predicate = bytes_read.defaults(table, path)
    return replace(params, table=table, upload=path, columns=columns, predicate_column=predicate)


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
