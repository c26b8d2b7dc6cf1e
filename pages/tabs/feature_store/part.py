"""The three parts of the tab *Registry*: lineage, architecture, define a view. Each is an
experiment of its own.
"""

from __future__ import annotations

import streamlit as st

from pages.shell import controls

KEY = "registry_part"
LINEAGE, CALLS, DEFINE = PARTS = ("Lineage", "Architecture", "Define")


def chosen() -> str:
    """Return the part to show: from the control or, on a cold link, from the address."""
    return str(st.session_state.get(KEY, st.query_params.get(KEY, LINEAGE)))


def choose(shown: str) -> None:
    """Draw the choice, first of the controls; draw the page again if it is not ``shown``."""
    if controls.view(KEY, PARTS, "Part") != shown:
        st.rerun()
