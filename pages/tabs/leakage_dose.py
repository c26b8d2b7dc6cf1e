"""Dose and response: how far the reported score runs ahead of production as a leak is dosed."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from pages.shell import lab


def preview() -> go.Figure:
    """Return the chart of the default run, for Home."""
    return figures.new("")


@lab.experiment("dose")
def show() -> None:
    lab.chart(preview(), "dose_curve", "Reported and production score over the dose")
