"""Figure of the false alarms."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.pipeline.weeks.alarms import AlarmRates


def false_alarms(rates: AlarmRates, distance: str, title: str) -> go.Figure:
    """Draw each feature's share of false alarms by rows and by days. To see first: nothing by rows,
    long bars by days.
    """
    shares = rates.of(distance)
    names = sorted(shares, key=lambda name: shares[name][1])
    traces: list[figures.Trace] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": names,
            "x": [shares[name][part] for name in names],
            "name": label,
            "marker": {"color": color},
            "hovertemplate": "%{y}: %{x:.0%} of batches<extra></extra>",
        }
        for part, label, color in (
            (0, "rows drawn", figures.KNOWN),
            (1, "whole days", figures.SYNTHETIC),
        )
    ]
    return figures.drawn(
        f"{title}: false alarms of each feature without drift",
        traces,
        height=400,
        x="share of batches beyond the limit",
        barmode="group",
        xaxis={"range": [0, 1.02], **figures.SHARE_TICKS},
    )
