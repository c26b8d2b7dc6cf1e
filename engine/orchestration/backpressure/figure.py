"""Figures of *Backpressure*: the queue over time, the wait of each item, and the load curve.

Grey waits, pink is dropped, orange-red is high priority, orange is a pinned run A; blue dots are
Prefect's own counts.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.backpressure import POLICIES, BackpressureResult, Policy, Stream, model
from engine.orchestration.backpressure.real import Measured
from engine.texts import strip_marks

MAX_STEPS = 1_500
MAX_MARKS = 3_000
LINES: dict[Policy, tuple[str, str]] = {
    "let it grow": (figures.WAITING, "solid"),
    "drop what is new": (figures.FAILED, "dash"),
    "block the source": (figures.HELD_OUT, "dot"),
}
LOADS = np.arange(0.05, 0.98, 0.01)


def _line(stream: Stream) -> tuple[np.ndarray, np.ndarray]:
    """Return the queue over time, thinned to ``MAX_STEPS`` even moments when it changes more
    often.
    """
    at, depth = stream.steps()
    if len(at) > MAX_STEPS:
        at = np.linspace(0, stream.seconds, MAX_STEPS)
        depth = stream.depth_at(at)
    return np.append(at, stream.seconds).round(3), np.append(depth, depth[-1])


def _measured_depth(measured: Measured) -> Trace:
    """Draw the runs that Prefect's server counts as Scheduled."""
    line = {"color": "white", "width": 1}
    return {
        "type": "scatter",
        "x": measured.at_seconds.round(2),
        "y": measured.depth,
        "mode": "markers",
        "marker": {"color": figures.KNOWN, "size": 10, "line": line},
        "name": "counted by Prefect",
        "hovertemplate": "Prefect: %{y} queued at %{x:.1f} s<extra></extra>",
    }


def depth(result: BackpressureResult, pinned: BackpressureResult | None = None) -> go.Figure:
    """Draw the queue over time, the chosen policy bold. To see first: whether the line ever stops
    rising.
    """
    p = result.params
    traces: list[Trace] = []
    for policy in sorted(POLICIES, key=lambda policy: policy == p.policy):
        color, dash = LINES[policy]
        chosen = policy == p.policy
        x, y = _line(result.streams[policy])
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "mode": "lines",
                "line": {
                    "color": color,
                    "width": 3.5 if chosen else 2.5,
                    "shape": "hv",
                    "dash": "solid" if chosen else dash,
                },
                "opacity": 1.0 if chosen else 0.9,
                "fillcolor": figures.faint(figures.WAITING, 0.18),
                "fill": "tozeroy" if chosen else None,
                "name": policy,
                "hovertemplate": f"{policy}: %{{y}} queued at %{{x:.1f}} s<extra></extra>",
            }
        )
    if result.measured is not None and len(result.measured.depth):
        traces.append(_measured_depth(result.measured))
    if pinned is not None:
        x, y = _line(pinned.stream)
        line = {"color": figures.SYNTHETIC, "width": 2.5, "dash": "dash", "shape": "hv"}
        look = {
            "mode": "lines",
            "line": line,
            "name": "A",
            "hovertemplate": "A: %{y} queued<extra></extra>",
        }
        traces.append({"type": "scatter", "x": x, "y": y, **look})
    return drawn(
        strip_marks(result.verdict),
        traces,
        height=470,
        x="seconds (simulated)",
        y="items queued",
        yaxis={"rangemode": "tozero", "showgrid": True},
        xaxis={"range": [0, p.seconds]},
    )


def waits(result: BackpressureResult) -> go.Figure:
    """Draw the wait of each item by its arrival. To see first: whether the points rise."""
    p, s = result.params, result.stream
    groups = [
        ("normal priority", figures.WAITING, "circle", s.started & ~s.urgent, s.start - s.arrival),
        ("high priority", figures.LEAKED, "diamond", s.started & s.urgent, s.start - s.arrival),
        (
            "still queued",
            figures.EXTRA,
            "triangle-up",
            ~s.started & ~s.dropped,
            p.seconds - s.arrival,
        ),
        ("dropped", figures.FAILED, "x", s.dropped, np.zeros(len(s.arrival))),
    ]
    traces: list[Trace] = []
    for name, color, symbol, chosen, values in groups:
        places = np.flatnonzero(chosen)
        if not len(places):
            continue
        shown = places[:: -(-len(places) // (MAX_MARKS // 4))]
        traces.append(
            {
                "type": "scatter",
                "x": s.arrival[shown].round(2),
                "y": values[shown].round(2),
                "mode": "markers",
                "marker": {"color": color, "size": 7, "symbol": symbol},
                "name": f"{name}: {len(places):,}",
                "hovertemplate": f"{name}: arrived at %{{x}} s, waited %{{y}} s<extra></extra>",
            }
        )
    return drawn(
        "Wait of each item by its arrival",
        traces,
        height=430,
        x="arrival, s",
        y="wait, s",
        yaxis={"rangemode": "tozero", "showgrid": True},
        xaxis={"range": [0, p.seconds]},
    )


def knee(result: BackpressureResult, pinned: BackpressureResult | None = None) -> go.Figure:
    """Draw the mean wait by load, in the long run (Erlang C). To see first: the steep part, well
    before 100%.
    """
    p = result.params
    able = p.workers / p.service_seconds
    wait = [model.erlang_wait(load * able, p.service_seconds, p.workers) for load in LOADS]
    workers = f"{p.workers} {'worker' if p.workers == 1 else 'workers'}"
    traces: list[Trace] = [
        {
            "type": "scatter",
            "x": (100 * LOADS).round(1),
            "y": np.round(wait, 4),
            "mode": "lines",
            "line": {"color": figures.KNOWN, "width": 3},
            "name": f"Erlang C, {workers}",
            "hovertemplate": "%{x:.0f}% load: %{y:.2f} s<extra></extra>",
        }
    ]
    marks = [(result, figures.LEAKED, "this run")] + (
        [(pinned, figures.SYNTHETIC, "A")] if pinned is not None else []
    )
    for of, color, name in marks:
        mean = float(of.stream.wait.mean()) if len(of.stream.wait) else 0.0
        traces.append(
            {
                "type": "scatter",
                "x": [100 * of.params.overload],
                "y": [mean],
                "mode": "markers",
                "marker": {"color": color, "size": 15, "symbol": "star"},
                "name": f"{name}: {mean:.2f} s",
                "hovertemplate": f"{name}: %{{y:.2f}} s<extra></extra>",
            }
        )
    full = {"type": "line", "x0": 100, "x1": 100, "y0": 0, "y1": 1, "yref": "paper"}
    return drawn(
        "Mean wait by load",
        traces,
        height=430,
        x="load (arrival rate / capacity), %",
        y="mean wait, s",
        shapes=[{**full, "line": {"color": figures.FAILED, "dash": "dot"}}],
        yaxis={"rangemode": "tozero", "showgrid": True},
        xaxis={"rangemode": "tozero", "showgrid": True},
    )
