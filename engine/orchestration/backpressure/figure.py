"""Figures of *Backpressure*: the queue over time, the wait of each item, and the knee of the load
curve.

Grey waits, red-purple is dropped, vermilion is urgent, orange is a pinned run A; blue dots are
Prefect's own counts.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.backpressure import POLICIES, BackpressureResult, Policy, Stream, model
from engine.orchestration.backpressure.real import Measured
from engine.units import format_share

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


def _depth_title(result: BackpressureResult) -> str:
    p, s = result.params, result.stream
    if p.policy == "drop what is new" and s.dropped.any():
        return (
            f"At most {p.buffer} wait,<br>and {format_share(s.dropped_share)} of the items are"
            " dropped"
        )
    if p.policy == "block the source" and s.held_back_share > 0.005:
        return (
            f"At most {p.buffer} wait, none is dropped,<br>and the source makes"
            f" {format_share(s.held_back_share)} less"
        )
    if p.overload > 1:
        return f"{s.last_depth} items wait after {p.seconds} s,<br>and the queue goes on growing"
    return f"The queue holds:<br>{s.mean_depth:.1f} items wait on average"


def _measured_depth(measured: Measured) -> Trace:
    """Draw what Prefect's server counted."""
    line = {"color": "white", "width": 1}
    return {
        "type": "scatter",
        "x": measured.at_seconds.round(2),
        "y": measured.depth,
        "mode": "markers",
        "marker": {"color": figures.KNOWN, "size": 10, "line": line},
        "name": "Prefect: runs Scheduled, counted by its server",
        "hovertemplate": "Prefect: %{y} wait at %{x:.1f} s<extra></extra>",
    }


def depth(result: BackpressureResult, pinned: BackpressureResult | None = None) -> go.Figure:
    """Draw the items that wait over time, the chosen policy bold. To see first: whether the line
    ever stops rising.
    """
    p, title = result.params, _depth_title(result)
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
                "name": f"{policy}, simulated",
                "hovertemplate": f"{policy}: %{{y}} wait at %{{x:.1f}} s<extra></extra>",
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
            "hovertemplate": "A: %{y} wait<extra></extra>",
        }
        traces.append({"type": "scatter", "x": x, "y": y, **look})
    return drawn(
        title,
        traces,
        height=470,
        x="seconds",
        y="items waiting",
        yaxis={"rangemode": "tozero", "showgrid": True},
        xaxis={"range": [0, p.seconds]},
    )


def waits(result: BackpressureResult) -> go.Figure:
    """Draw each item at its arrival by the time it waited. To see first: does the cloud rise?"""
    p, s = result.params, result.stream
    if s.urgent.any() and not s.urgent.all():
        title = (
            f"Urgent items wait {result.urgent_wait_seconds:.1f} s on average,<br>the others"
            f" {result.normal_wait_seconds:.1f} s"
        )
    else:
        title = (
            f"95% of the items that were taken waited<br>{result.worst_wait_seconds:.1f} s at most"
        )
    groups = [
        ("normal", figures.WAITING, "circle", s.started & ~s.urgent, s.start - s.arrival),
        ("urgent", figures.LEAKED, "diamond", s.started & s.urgent, s.start - s.arrival),
        (
            "still waiting at the end",
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
        thinned = f", {len(shown):,} drawn" if len(shown) < len(places) else ""
        traces.append(
            {
                "type": "scatter",
                "x": s.arrival[shown].round(2),
                "y": values[shown].round(2),
                "mode": "markers",
                "marker": {"color": color, "size": 7, "symbol": symbol},
                "name": f"{name}: {len(places):,}{thinned}",
                "hovertemplate": f"{name}: came at %{{x}} s, %{{y}} s<extra></extra>",
            }
        )
    return drawn(
        title,
        traces,
        height=430,
        x="seconds at which the item came",
        y="seconds that it waited",
        yaxis={"rangemode": "tozero", "showgrid": True},
        xaxis={"range": [0, p.seconds]},
    )


def knee(result: BackpressureResult, pinned: BackpressureResult | None = None) -> go.Figure:
    """Draw the mean wait by how busy the sink is, for ever (Erlang C). To see first: the knee, long
    before 100%.
    """
    p = result.params
    able = p.workers / p.service_seconds
    wait = [model.erlang_wait(load * able, p.service_seconds, p.workers) for load in LOADS]
    at_80, at_95 = np.interp([0.8, 0.95], LOADS, wait)
    title = f"At 80% load an item waits {at_80:.1f} s on average,<br>at 95% {at_95:.1f} s"
    workers = f"{p.workers} {'worker' if p.workers == 1 else 'workers'}"
    traces: list[Trace] = [
        {
            "type": "scatter",
            "x": (100 * LOADS).round(1),
            "y": np.round(wait, 4),
            "mode": "lines",
            "line": {"color": figures.KNOWN, "width": 3},
            "name": f"for ever, {workers} (Erlang C, random times, no rate limit)",
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
                "name": (
                    f"{name}: {mean:.2f} s in {of.params.seconds} s at"
                    f" {format_share(of.params.overload)}"
                ),
                "hovertemplate": f"{name}: %{{y:.2f}} s<extra></extra>",
            }
        )
    full = {"type": "line", "x0": 100, "x1": 100, "y0": 0, "y1": 1, "yref": "paper"}
    return drawn(
        title,
        traces,
        height=430,
        x="load: items that come, by what can be done, %",
        y="mean wait, seconds",
        shapes=[{**full, "line": {"color": figures.FAILED, "dash": "dot"}}],
        yaxis={"rangemode": "tozero", "showgrid": True},
        xaxis={"rangemode": "tozero", "showgrid": True},
    )
