"""What a stage shows while a job runs: a scene may name a chart that is not measured yet."""

from __future__ import annotations

from typing import Any

import streamlit as st


def first_key(result: Any, key: str, measured: str) -> str:
    """Return the key of the first chart: ``key``, or ``measured`` if the scene on stage names that
    chart and the result is not complete. The expected tables are then shown in its place.
    """
    named = st.session_state.get("stage_chart", "")
    return measured if not result.complete and named == measured else key
