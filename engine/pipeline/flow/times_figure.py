"""The figure of seconds against flights."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.pipeline.flow.times import ENGINES, SHORTEST, points
from engine.pipeline.records import Run
from engine.pipeline.stages import STAGES


def times(runs: list[Run]) -> go.Figure:
    """Draw seconds against flights, both on logarithmic axes. To see first: which line is on top,
    and which one rises faster than the flights.
    """
    titles = {stage.name: stage.title for stage in STAGES}
    traces: list[figures.Trace] = []
    for name, made in points(runs).items():
        traces.append(
            {
                "type": "scatter",
                "x": [one.n_in for one in made],
                "y": [max(one.seconds, SHORTEST) for one in made],
                "mode": "lines+markers",
                "name": f"{titles[name]} · {ENGINES[name]}",
                "hovertemplate": titles[name] + ": %{x:,} flights in %{y:.3~g} s<extra></extra>",
            }
        )
    return figures.drawn(
        "Seconds of each stage against the flights that went in",
        traces,
        height=400,
        x="flights in",
        y="seconds",
        xaxis={"type": "log"},
        yaxis={"type": "log"},
    )
