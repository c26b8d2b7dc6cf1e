"""The two parts of the tab *Monitoring*, runs and alerts: which one is shown, and what both say."""

from __future__ import annotations

import streamlit as st

from engine.orchestration.history import ENOUGH, Source
from pages.shell import controls

PARTS = ("Runs", "Alerts")
KEY = "alerts_part"
SOURCE_HELP = f"auto: recorded by Prefect, or simulated while fewer than {ENOUGH} are recorded"


def chosen() -> str:
    """Return the part to show: from the control or, on a cold link, from the address."""
    return str(st.session_state.get(KEY, st.query_params.get(KEY, PARTS[0])))


def choose(shown: str) -> None:
    """Draw the choice of the part; draw the page again if it is not ``shown``."""
    if controls.view(KEY, PARTS, "Part") != shown:
        st.rerun()


def note(simulated: bool, source: Source) -> None:
    """Say so if simulated runs are shown in place of recorded ones."""
    if simulated and source != "simulated":
        needed = ENOUGH if source == "auto" else 1
        st.caption(f"Simulated runs: fewer than {needed} are recorded. *Run monitor* records them.")
