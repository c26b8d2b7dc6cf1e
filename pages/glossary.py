"""The Glossary: every term of the labs, by lab, each with the scene that shows it."""

from __future__ import annotations

import streamlit as st

from pages.shell import lab, lessons, search


def draw() -> None:
    """Draw the page."""
    st.html(f"<style>{lab.STYLE}</style>")
    st.header("Glossary", anchor=False)
    search.draw()
    known = [topic for topic in lessons.topics() if _of(topic)]
    labels = [lessons.load(topic).short for topic in known]
    for topic, tab in zip(
        known, st.tabs(labels, key="glossary_lab", on_change="rerun"), strict=True
    ):
        if tab.open:
            with tab, st.grid(2, min_column_width=420):
                for one in _of(topic):
                    with st.container(gap=None):
                        search.link(one, named=False)


def _of(topic: str) -> list[search.Entry]:
    """Return the terms of a lab, from A to Z."""
    found = [one for one in search.entries() if one.kind == "Term" and one.topic == topic]
    return sorted(found, key=lambda one: one.title.casefold())


if __name__ == "__main__":
    draw()
