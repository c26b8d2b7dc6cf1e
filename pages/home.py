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
from pages.shell import lab, learner, lessons, path_record, search, state

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
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                f"{topic}.py", label=f"Open {lesson.title}", icon=":material/arrow_forward:"
            )
            if lesson.steps:
                _learn_link(lesson)


def _learn_link(lesson: lessons.Lesson, going_on: str = "") -> None:
    """Draw the way into the path of a lab, and how far it has come."""
    number, total = path_record.place(lesson), len(lesson.steps)
    if going_on:
        label = going_on.format(lesson.number, number + 1)
    elif number == total:
        label = f"{path_record.n_done(lesson)} of {total} steps done"
    elif path_record.is_begun(lesson):
        label = f"Continue at step {number + 1} of {total}"
    else:
        label = f"Learn: {total} steps, about {lesson.minutes} minutes"
    st.page_link(
        f"{lesson.topic}.py",
        label=label,
        icon=":material/school:",
        query_params={"mode": state.LEARN},
    )


def _record() -> None:
    """Draw the popover in which a learner's record is saved, loaded and deleted."""
    with st.popover("My progress", icon=":material/save:", help="Kept in this browser alone"):
        st.caption(
            "Steps, answers and notes are kept in this browser. Save them to a file to go on"
            " elsewhere."
        )
        st.download_button(
            "Save to a file",
            learner.export(),
            "learner-record.json",
            "application/json",
            key="record_save",
            on_click="ignore",
        )
        brought = st.file_uploader("Load from a file", type="json", key="record_file")
        with lab.errors_shown():
            if brought is not None and st.button("Load this file", key="record_load"):
                learner.load(brought.getvalue())
                st.rerun()
        st.button("Delete my progress", key="record_clear", on_click=learner.clear)


def draw() -> None:
    """Draw the page."""
    st.html(f"<style>{lab.STYLE}</style>")
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.header("Data Pipeline Playground", anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.page_link(
                "stage.py",
                label="New here? A tour in five minutes",
                icon=":material/tour:",
                query_params={"talk": "tour"},
            )
            if topic := path_record.latest():
                _learn_link(lessons.load(topic), "Go on with lesson {} at step {}")
            _record()
    st.markdown(
        "Drag a control and the real engines answer: pyarrow, fastavro, DuckDB, imbalanced-learn,"
        " Spark, Feast and Prefect, on every flight out of New York in 2013. Each chart comes with"
        " the reason, the code and a prediction to test yourself."
    )
    search.draw()
    if not state.WARM.is_set():
        st.caption("The server has just started: default runs are being measured.")
    with st.grid(2, min_column_width=420):
        for topic in lessons.topics():
            card(topic)


if __name__ == "__main__":
    draw()
