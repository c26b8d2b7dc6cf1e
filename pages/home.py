"""Home: the map of the labs, each card with its lesson, question and a chart of its default run."""

from __future__ import annotations

from importlib import import_module

import plotly.graph_objects as go
import streamlit as st

from pages.shell import lab, lessons, state

PREVIEW_HEIGHT = 300


def preview(topic: str) -> go.Figure:
    """Return the chart of a lab that its lesson names for Home: its default run."""
    figure: go.Figure = import_module(f"pages.tabs.{topic}.{lessons.load(topic).preview}").preview()
    return figure


@st.fragment
def card(topic: str) -> None:
    """Draw one lab's card: its lesson, its question, its chart, the way in."""
    lesson = lessons.load(topic)
    with st.container(border=True, gap="xsmall"):
        st.subheader(f"Lesson {lesson.number} · {lesson.title}", anchor=False)
        st.markdown(lesson.question)
        with st.skeleton(height=PREVIEW_HEIGHT):
            figure = preview(topic)
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
    if not state.WARM.is_set():
        st.caption("The server has just started: the first charts are being computed.")
    with st.grid(2, min_column_width=420):
        for topic in lessons.topics():
            card(topic)


if __name__ == "__main__":
    draw()
