"""The chart of a page: a Plotly figure with its mode bar, sized for a room in presenter mode."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from engine import figures
from pages.shell import state

PRESENTER_TEXT_SIZE = 21
PRESENTER_HEIGHT = 1.15
PRESENTER_MOST = 560  # pixels that a laptop's screen has below the question and the verdict


def chart(
    figure: go.Figure, key: str, alt: str, on_select: Callable[[], None] | None = None
) -> None:
    """Draw a figure, saved as SVG from its own mode bar; on stage sized for a room, or left out for
    the chart of the scene.
    """
    if state.presenting():
        if st.session_state.get("stage_chart", "") not in ("", key):
            return
        own = figure.layout.height or 420
        height = max(own, min(round(own * PRESENTER_HEIGHT), PRESENTER_MOST))
        figure.update_layout(
            font_size=PRESENTER_TEXT_SIZE,
            title_font_size=PRESENTER_TEXT_SIZE + 4,
            legend_font_size=PRESENTER_TEXT_SIZE,
            height=height,
        )
        for update in (figure.update_xaxes, figure.update_yaxes):
            update(tickfont_size=PRESENTER_TEXT_SIZE - 2, title_font_size=PRESENTER_TEXT_SIZE)
    config = {
        **figures.CONFIG,
        "toImageButtonOptions": {"format": "svg", "filename": key},
        # Few buttons: on a touch screen the bar is always there and would cover the title.
        "modeBarButtonsToRemove": [
            "lasso2d",
            "select2d",
            "autoScale2d",
            "pan2d",
            "zoomIn2d",
            "zoomOut2d",
        ],
    }
    if on_select is None:
        st.plotly_chart(figure, key=key, config=config, alt=alt)
    else:
        st.plotly_chart(
            figure, key=key, config=config, alt=alt, on_select=on_select, selection_mode="points"
        )
