"""Home: the map of the labs, each card with its lesson, question and a chart of its default run."""

from __future__ import annotations

from collections import defaultdict
from importlib import import_module
from threading import Lock
from types import ModuleType

import plotly.graph_objects as go
import streamlit as st

from engine import kept
from engine.jobs import timed
from pages.shell import lab, lessons, search, state

PREVIEW_HEIGHT = 300
_early: dict[str, go.Figure] = {}
_computing: defaultdict[str, Lock] = defaultdict(Lock)


def preview(topic: str) -> go.Figure:
    """Return the chart of a lab that its lesson names for Home: its default run."""
    figure: go.Figure = _module(topic).preview()
    return figure


def _module(topic: str) -> ModuleType:
    return import_module(f"pages.tabs.{topic}.{lessons.load(topic).preview}")


def early_preview(topic: str) -> go.Figure:
    """Return the chart as an earlier server kept it, else compute it once for all who ask and keep
    it: for a server that is not warm yet.
    """
    with _computing[topic]:
        if topic not in _early:
            key = (_module(topic).preview, None)
            found = kept.load(key)
            if found is None:
                seconds, figure = timed(lambda: preview(topic))
                kept.save(key, figure, seconds)
            _early[topic] = figure if found is None else found.result
        return _early[topic]


@st.fragment
def card(topic: str) -> None:
    """Draw one lab's card: its lesson, its question, its chart, the way in."""
    lesson = lessons.load(topic)
    with st.container(border=True, gap="xsmall"):
        st.subheader(f"Lesson {lesson.number} · {lesson.title}", anchor=False)
        st.markdown(lesson.question)
        with st.skeleton(height=PREVIEW_HEIGHT):
            figure = preview(topic) if state.WARM.is_set() else early_preview(topic)
        figure.frames = ()  # a preview does not play
        figure.layout.updatemenus = figure.layout.sliders = None
        figure.update_layout(height=PREVIEW_HEIGHT)
        lab.chart(figure, f"home_{topic}", f"The default run of {lesson.title}")
        st.page_link(f"{topic}.py", label=f"Open {lesson.title}", icon=":material/arrow_forward:")


def draw() -> None:
    """Draw the page."""
    st.html(f"<style>{lab.STYLE}</style>")
    st.header("Data Pipeline Playground", anchor=False)
    st.markdown(
        "Drag a control and the real engines answer: pyarrow, fastavro, DuckDB, imbalanced-learn,"
        " Spark, Feast and Prefect, on every flight out of New York in 2013. Each chart comes with"
        " the reason, the code and a prediction to test yourself. New here? Start with lesson 1."
    )
    search.draw()
    if not state.WARM.is_set():
        st.caption("The server has just started: default runs are being measured.")
    with st.grid(2, min_column_width=420):
        for topic in lessons.topics():
            card(topic)


if __name__ == "__main__":
    draw()
