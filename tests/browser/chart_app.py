"""A page of charts for ``test_chart.py``: a bar chart that a slider changes, and one that plays."""

import sys
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine import figures  # noqa: E402
from pages.shell.chart import ROUTES, chart, clicked  # noqa: E402
from tests.browser.hostile import TEXTS  # noqa: E402

app = st.App(Path(__file__), routes=ROUTES)


@st.fragment
def show() -> None:
    n = st.slider("n", 0, 100, 5, key="n")
    figure = figures.new("Own title", height=1_000).add_traces(
        [{"type": "bar", "x": ["a", "b", "c"], "y": [n, 50, 10], "customdata": ["A", "B", "C"]}]
    )
    verdict = f"**{n} rows** of `table` are new. " + TEXTS[0]
    chart(figure, "bars", "Three bars", on_click=lambda: None, verdict=verdict)
    if marks := clicked("bars"):
        st.markdown(f"clicked {marks[0]['customdata']} at {marks[0]['y']}")


def play() -> None:
    figure = figures.new("Played").add_traces([{"type": "scatter", "x": [1], "y": [1]}])
    frames = [go.Frame(name=str(i), data=[{"y": [i]}]) for i in range(3)]
    figure.frames = frames
    figure.update_layout(
        updatemenus=[
            {
                "type": "buttons",
                "buttons": [{"label": "play", "method": "animate", "args": [["2"], {}]}],
            }
        ]
    )
    chart(figure, "played", "One point that moves")


def days() -> None:
    hours = ["2013-02-14 18:00", "2013-02-15 06:00"]
    figure = figures.new("Hours").add_traces([{"type": "scatter", "x": hours, "y": [1, 2]}])
    chart(figure, "hours", "Two hours of two days")


if __name__ != "tests.browser.chart_app" and st.runtime.exists():
    show()
    play()
    days()
