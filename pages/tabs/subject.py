"""Two subjects in one tab, each an experiment of its own: which one is shown, and the choice."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.shell import controls


@dataclass(frozen=True, slots=True)
class Subject:
    """The choice between the tab's own subject and another one."""

    key: str
    own: str
    other: str
    prefix: str  # of the other's settings: a link that has one shows it

    def chosen(self) -> str:
        """Return the subject: as chosen, as the link says, or that of the link's other settings."""
        links = st.query_params
        if self.key not in st.session_state:
            named = any(key.startswith(self.prefix) and key != self.key for key in links)
            if links.get(self.key, self.other if named else self.own) == self.other:
                st.session_state[self.key] = self.other
        return str(st.session_state.get(self.key, self.own))

    def choose(self, shown: str) -> None:
        """Draw the choice, first of the controls; where it is no longer ``shown``, draw the other
        subject.
        """
        if controls.view(self.key, (self.own, self.other), "Subject") != shown:
            st.rerun()
