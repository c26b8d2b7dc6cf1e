"""Sentences and tables that quote a person's own text, such as the columns of an upload: shown,
never followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from engine.texts import inert, inert_cells


def say(sentence: str) -> None:
    """Draw a sentence; what it quotes makes no link and no picture."""
    st.markdown(inert(sentence))


def note(sentence: str) -> None:
    """As ``say``, in small print."""
    st.caption(inert(sentence))


def table(rows: Iterable[Mapping[str, Any]], alt: str) -> None:
    """Draw rows as a table, whose cells are Markdown; what they quote makes no link and no
    picture.
    """
    st.table(inert_cells(rows), hide_index=True, border="horizontal", alt=alt)
