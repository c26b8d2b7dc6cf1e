"""Home: the map of the labs, each card with its question and a live chart of its default run."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from engine import lessons
from pages import startup
from pages.shell import lab
from pages.tabs import (
    etl_loads,
    feature_store_point_in_time,
    formats_bytes_read,
    leakage_dose,
    orchestration_monitor,
    sampling_lineage,
    spark_partitioning,
)

PREVIEWS: dict[str, Callable[[], go.Figure]] = {  # topic -> chart of its default run
    "formats": formats_bytes_read.preview,
    "etl": etl_loads.preview,
    "sampling": sampling_lineage.preview,
    "leakage": leakage_dose.preview,
    "feature_store": feature_store_point_in_time.preview,
    "spark": spark_partitioning.preview,
    "orchestration": orchestration_monitor.preview,
}
PREVIEW_HEIGHT = 360


@st.fragment
def card(topic: str) -> None:
    """Draw one lab's card: its question, its chart, the way in."""
    lesson = lessons.load(topic)
    with st.container(border=True):
        st.subheader(lesson.title, anchor=False)
        st.markdown(f"“{lesson.question}”")
        with st.skeleton(height=PREVIEW_HEIGHT):
            figure = PREVIEWS[topic]()
        figure.frames = ()  # a preview stands still
        figure.layout.updatemenus = figure.layout.sliders = None
        figure.update_layout(height=PREVIEW_HEIGHT)
        lab.chart(figure, f"home_{topic}", f"The default run of {lesson.title}")
        st.page_link(f"{topic}.py", label=f"Open {lesson.title}", icon=":material/arrow_forward:")


def draw() -> None:
    """Draw the page."""
    st.header("Data engineering, seen", anchor=False)
    st.markdown(
        "Drag a control and the real engines answer: pyarrow, fastavro, DuckDB and the rest, on every flight out of New "
        "York in 2013. Each chart comes with its reason, its code and a prediction to be wrong about."
    )
    if not startup.WARM.is_set():
        st.caption("The server has just started: the first charts are being computed.")
    with st.grid(2, min_column_width=420):
        for topic in PREVIEWS:
            card(topic)


if __name__ == "__main__":
    draw()
