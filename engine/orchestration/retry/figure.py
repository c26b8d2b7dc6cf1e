"""Figures of *Retry lab*: outcomes of task runs, flows of many tasks, waits, and the herd.

Green completes, pink fails, grey waits, orange is a pinned run A; a blue dot is a real task run.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.retry import RetryResult, model
from engine.orchestration.retry.real import Dot
from engine.statistics import share_interval
from engine.texts import strip_marks
from engine.units import format_range, format_share

GREEN, RED = figures.HELD_OUT, figures.FAILED
QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
N_SIZES = 50


def _bands(result: RetryResult, names: list[str], failed: bool) -> list[Trace]:
    """Return the times of the lanes that complete, or of the one that fails: 98% thin, half thick,
    the median across.
    """
    last = len(names) - 1
    color, name = (RED, "failed, simulated") if failed else (GREEN, "completed, simulated")
    thin: list[float | None] = []
    thick: list[float | None] = []
    middles, lanes, rows, hovers = [], [], [], []
    for place in [last] if failed else range(last):
        seconds = result.runs.seconds[result.runs.lane(place, result.params.retries)]
        if not len(seconds):
            continue
        low, quarter, middle, three, high = np.round(np.quantile(seconds, QUANTILES), 3).tolist()
        thin += [low, max(high, low + 1e-9), None]
        thick += [quarter, max(three, quarter + 1e-9), None]
        lanes += [place, place, None]
        middles.append(middle)
        rows.append(place)
        hovers.append(
            f"{names[place]}: median {middle:,.2f} s, half within {format_range(quarter, three, 2)}"
            f" s, 98% within {format_range(low, high, 2)} s (simulated)"
        )
    band: Trace = {
        "type": "scatter",
        "y": lanes,
        "mode": "lines",
        "showlegend": False,
        "hoverinfo": "skip",
    }
    marker = {"symbol": "line-ns", "size": 16, "line": {"color": color, "width": 4}}
    middle_marks = {
        "type": "scatter",
        "x": middles,
        "y": rows,
        "mode": "markers",
        "marker": marker,
        "showlegend": False,
    }
    square = {"color": color, "symbol": "square", "size": 12}
    return [
        {**band, "x": thin, "line": {"color": color, "width": 6}, "opacity": 0.45},
        {**band, "x": thick, "line": {"color": color, "width": 18}, "opacity": 0.6},
        {**middle_marks, "text": hovers, "hovertemplate": "%{text}<extra></extra>"},
        {
            "type": "scatter",
            "x": [None],
            "y": [None],
            "mode": "markers",
            "marker": square,
            "name": name,
        },
    ]


def outcomes(
    result: RetryResult, dots: list[Dot] | None = None, pinned: RetryResult | None = None
) -> go.Figure:
    """Draw a lane for each outcome with its share and its times. To see first: the lane "failed"
    and its share.
    """
    p, dots = result.params, dots or []
    n_lanes = p.retries + 2
    names = [result.lane_name(place) for place in range(n_lanes)]
    shares = [format_share(float(share)) for share in result.chances]
    traces = [
        *_bands(result, names, failed=False),
        *_bands(result, names, failed=True),
        *_real(dots, n_lanes),
    ]
    if pinned is not None:
        traces.append(_pinned(pinned, n_lanes))
    lanes: list[str | float] = list(range(n_lanes))
    return drawn(
        strip_marks(result.verdict),
        traces,
        height=190 + 44 * n_lanes,
        x="seconds from first start to last end",
        y="completed at",
        yaxis={
            "tickvals": lanes,
            "ticktext": [
                f"{name}: <b>{share}</b>" for name, share in zip(names, shares, strict=True)
            ],
            "range": [n_lanes - 0.4, -0.6],
            "fixedrange": True,
        },
        xaxis={"rangemode": "tozero", "showgrid": True},
    )


def _real(dots: list[Dot], n_lanes: int) -> list[Trace]:
    """Return the real runs, each in its lane, side by side where they meet."""
    if not dots:
        return []
    lanes = np.array([dot.attempts - 1 if dot.completed else n_lanes - 1 for dot in dots])
    shift = np.array([((k * 7) % 11 - 5) / 22 for k in range(len(dots))])
    return [
        {
            "type": "scatter",
            "x": [round(dot.seconds, 3) for dot in dots],
            "y": lanes + shift,
            "mode": "markers",
            "marker": {"color": figures.KNOWN, "size": 9, "line": {"color": "white", "width": 1}},
            "name": f"real task runs: {len(dots)}",
            "customdata": [(dot.task, dot.attempts, dot.predicted_seconds) for dot in dots],
            "hovertemplate": (
                "%{customdata[0]}: %{customdata[1]} attempts, %{x:.2f} s (%{customdata[2]:.2f} s"
                " predicted)<extra></extra>"
            ),
        }
    ]


def _pinned(pinned: RetryResult, n_lanes: int) -> Trace:
    last = pinned.params.retries + 1
    points = []
    for place in range(last + 1):
        seconds = pinned.runs.seconds[pinned.runs.lane(place, pinned.params.retries)]
        lane = n_lanes - 1 if place == last else place
        if len(seconds) and (place == last or lane < n_lanes - 1):
            points.append((float(np.median(seconds)), lane, float(pinned.chances[place])))
    return {
        "type": "scatter",
        "x": [point[0] for point in points],
        "y": [point[1] for point in points],
        "mode": "markers",
        "marker": {
            "symbol": "diamond-open",
            "size": 13,
            "color": figures.SYNTHETIC,
            "line": {"width": 3},
        },
        "name": "A, median",
        "customdata": [100 * point[2] for point in points],
        "hovertemplate": "A: median %{x:.2f} s, %{customdata:.3g}% of runs<extra></extra>",
    }


def _simulated_flow(result: RetryResult) -> Trace:
    """Draw the share of simulated flows that succeed, with its interval."""
    done = result.flow_completed
    low, high = share_interval(int(done.sum()), len(done))
    seen = float(done.mean())
    spread = {"array": [100 * (high - seen)], "arrayminus": [100 * (seen - low)]}
    return {
        "type": "scatter",
        "x": [result.params.n_tasks],
        "y": [100 * seen],
        "error_y": {"type": "data", **spread, "thickness": 2},
        "mode": "markers",
        "marker": {"color": figures.LEAKED, "size": 14, "symbol": "star"},
        "name": "this flow, simulated",
        "hovertemplate": "simulated: %{y:.2f}%<extra></extra>",
    }


def flow(result: RetryResult, pinned: RetryResult | None = None) -> go.Figure:
    """Draw P(flow succeeds) by its number of tasks, a line for each number of retries. To see
    first: how the lines fall.
    """
    p = result.params
    sizes = np.arange(1, N_SIZES + 1)
    traces: list[Trace] = [
        {
            "type": "scatter",
            "x": sizes,
            "y": np.round(100 * (1 - p.failure_probability ** (retries + 1)) ** sizes, 3),
            "mode": "lines",
            "line": {
                "color": figures.SHADES[min(place, 5)],
                "width": 4 if retries == p.retries else 2,
            },
            "name": (
                "no retry" if not retries else f"{retries} retr{'y' if retries == 1 else 'ies'}"
            ),
            "hovertemplate": f"%{{x}} tasks, {retries} retries: %{{y:.2f}}%<extra></extra>",
        }
        for place, retries in enumerate(sorted({0, 1, 2, 3, 5, p.retries}))
    ]
    traces.append(_simulated_flow(result))
    if pinned is not None:
        traces.append(
            {
                "type": "scatter",
                "x": [pinned.params.n_tasks],
                "y": [100 * pinned.flow_succeeds_share],
                "mode": "markers",
                "marker": {"color": figures.SYNTHETIC, "size": 13, "symbol": "diamond"},
                "name": "A, exact",
            }
        )
    return drawn(
        "Flows that succeed, by tasks and retries",
        traces,
        height=440,
        x="tasks in the flow",
        y="flows that succeed, %",
        yaxis={"range": [-2, 102], "showgrid": True},
        xaxis={"range": [0, N_SIZES + 1]},
    )


def waits(result: RetryResult) -> go.Figure:
    """Draw each retry's delay, and its expected cost. To see first: how the two bars diverge."""
    p = result.params
    k = np.arange(1, p.retries + 1)
    delays = p.waits * model.jitter_mean(p.jitter)
    costs = delays * p.failure_probability**k
    low, high = model.jitter_bounds(p.jitter)
    bars: list[Trace] = [
        {
            "type": "bar",
            "x": k,
            "y": np.round(delays, 4),
            "name": "delay (line: jitter range)" if p.jitter else "delay",
            "marker": {"color": figures.WAITING},
            "error_y": (
                {
                    "type": "data",
                    "array": high * p.waits - delays,
                    "arrayminus": delays - low * p.waits,
                }
                if p.jitter
                else None
            ),
            "hovertemplate": "before retry %{x}: %{y:.2f} s<extra></extra>",
        },
        {
            "type": "bar",
            "x": k,
            "y": np.round(costs, 6),
            "name": "delay × its probability",
            "marker": {"color": figures.KNOWN},
            "text": [f"{cost:.2g} s" for cost in costs],
            "textposition": "outside",
            "hovertemplate": "on average: %{y:.4f} s<extra></extra>",
        },
    ]
    return drawn(
        "Delay before each retry, and expected delay" if p.retries else "No retries, no delays",
        bars,
        height=420,
        x="retry",
        y="seconds",
        barmode="group",
        xaxis={"dtick": 1},
        yaxis={"showgrid": True},
    )


def herd(result: RetryResult, pinned: RetryResult | None = None) -> go.Figure:
    """Draw requests per second with and without jitter, and the capacity. To see first: the second
    wave over the line.
    """
    plain, other = result.herds
    p = result.params
    last = min(max(plain.clear_seconds, other.clear_seconds), 400)
    traces: list[Trace] = []
    for of, color, name in (
        (plain, figures.FAILED, "no jitter"),
        (other, figures.KNOWN, f"jitter {other.jitter:g}"),
    ):
        seen = np.zeros(last)
        within = of.second < last
        seen[of.second[within]] = of.n_asked[within]
        traces.append(
            {
                "type": "bar",
                "x": np.arange(last),
                "y": seen,
                "marker": {"color": color},
                "opacity": 0.75,
                "name": f"{name}, {of.n_gave_up:,} gave up",
                "hovertemplate": f"second %{{x}}, {name}: %{{y:,}} requests<extra></extra>",
            }
        )
    line = {"color": figures.HELD_OUT, "width": 3, "dash": "dash"}
    most = {"x": [-0.6, last], "y": [p.capacity] * 2, "name": f"capacity: {p.capacity:,}"}
    traces.append({"type": "scatter", "mode": "lines", "line": line, **most})
    if pinned is not None:
        of = pinned.herds[1] if pinned.params.jitter else pinned.herds[0]
        within = of.second < last
        line = {"color": figures.SYNTHETIC, "dash": "dot", "shape": "hvh"}
        seen_a = {
            "x": of.second[within],
            "y": of.n_asked[within],
            "mode": "lines+markers",
            "line": line,
            "name": "A",
        }
        traces.append({"type": "scatter", **seen_a})
    return drawn(
        "Requests per second of the herd (simulated)",
        traces,
        height=440,
        x="seconds since all failed",
        y="requests per second",
        barmode="group",
        bargap=0.1,
        yaxis={"showgrid": True},
        xaxis={"range": [-0.6, last]},
    )
