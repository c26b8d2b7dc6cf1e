"""The two subjects of the tab *Partition explorer*: where rows go, and how many partitions are
fastest. Each is an experiment of its own.
"""

from __future__ import annotations

import streamlit as st

from pages.shell import controls

KEY = "partitioning_subject"
EXPLORER, TUNER = SUBJECTS = ("Where rows go", "How many")


def chosen() -> str:
    """Return the subject: as chosen, as the link says, or that of the link's other settings."""
    links = st.query_params
    if KEY not in st.session_state:
        other = TUNER if any(key.startswith("tuner_") for key in links) else EXPLORER
        if links.get(KEY, other) == TUNER:
            st.session_state[KEY] = TUNER
    return str(st.session_state.get(KEY, EXPLORER))


def choose(shown: str) -> None:
    """Draw the choice, first of the controls; where it is no longer ``shown``, draw the other
    subject.
    """
    if controls.view(KEY, SUBJECTS, "Subject") != shown:
        st.rerun()
