"""Several subjects in one tab, each an experiment of its own: which is shown, and the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from pages.shell import controls


@dataclass(frozen=True, slots=True)
class Subject:
    """The choice between the subjects of a tab, its own first."""

    key: str  # of the control
    options: tuple[str, ...]
    label: str = "Subject"
    prefixes: Mapping[str, str] = field(default_factory=dict)  # of its settings -> a subject that
    # a link with one of them shows

    def chosen(self) -> str:
        """Return the subject: as chosen, as the link says, or that of the link's settings."""
        links = st.query_params
        if self.key not in st.session_state and self.key not in links:
            for prefix, option in self.prefixes.items():
                if any(key.startswith(prefix) for key in links):
                    st.session_state[self.key] = option
        return str(st.session_state.get(self.key, links.get(self.key, self.options[0])))

    def choose(self, shown: str) -> None:
        """Draw the choice, first of the controls; where it is no longer ``shown``, draw the other
        subject.
        """
        if controls.view(self.key, self.options, self.label) != shown:
            st.rerun()
