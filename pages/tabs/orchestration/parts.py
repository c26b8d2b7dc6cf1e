"""The tabs of the Orchestration lab that have two parts; what both parts of *Monitoring* say."""

from __future__ import annotations

import streamlit as st

from engine.orchestration.history import ENOUGH, Source
from pages.tabs.subject import Subject

RUNS, ALERTS = "Runs", "Alerts"
MONITORING = Subject("alerts_part", (RUNS, ALERTS), "Part")
DATES, ARCHITECTURE = "Dates", "Architecture"
SCHEDULES = Subject("schedule_part", (DATES, ARCHITECTURE), "Part")
SOURCE_HELP = f"auto: recorded by Prefect, or simulated while fewer than {ENOUGH} are recorded"


def note(simulated: bool, source: Source) -> None:
    """Say so if simulated runs are shown in place of recorded ones."""
    if simulated and source != "simulated":
        needed = ENOUGH if source == "auto" else 1
        st.caption(f"Simulated runs: fewer than {needed} are recorded. *Run monitor* records them.")
