"""The two parts of the tab *Schedules*: dates, and the architecture that a scheduled run passes."""

from __future__ import annotations

import streamlit as st

from pages.shell import controls

KEY = "schedule_part"
DATES, ARCHITECTURE = PARTS = ("Dates", "Architecture")


def chosen() -> str:
    """Return the part to show: from the control or, on a cold link, from the address."""
    return str(st.session_state.get(KEY, st.query_params.get(KEY, DATES)))


def choose(shown: str) -> None:
    """Draw the choice, first of the controls; draw the page again if it is not ``shown``."""
    if controls.view(KEY, PARTS, "Part") != shown:
        st.rerun()
