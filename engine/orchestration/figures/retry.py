"""Figures of *Retry lab*: where runs land, what a flow of many tasks makes of it, the waits, and the herd.

Green completes, red-purple fails, grey waits, orange is a pinned run A; a blue dot is a real run of Prefect's.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.orchestration import retry_model
from engine.orchestration.retry import RetryResult
from engine.orchestration.retry_model import N_RUNS
from engine.orchestration.retry_real import Dot

GREEN, RED = figures.HELD_OUT, figures.FAILED
SHADES = ("#A9CDEE", "#7FB5E4", "#56A0DC", "#2F86D6", "#1F66A8", "#134574")
QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
N_SIZES = 50


def _share(share: float) -> str:
    return f"{100 * share:.3g} %"


def _band(figure: go.Figure, y: float, low: float, high: float, width: float, color: str, opacity: float, text: str) -> None:
    figure.add_scatter(
        x=[low, max(high, low + 1e-9)],
        y=[y, y],
        mode="lines",
        line={"color": color, "width": width},
        opacity=opacity,
        showlegend=False,
        hovertemplate=text + "<extra></extra>",
    )


def outcomes(result: RetryResult, dots: list[Dot] | None = None, pinned: RetryResult | None = None) -> go.Figure:
    """Draw a lane for each outcome: how often, and how long it takes. To see first: the lane "failed" and its share."""
    p, dots = result.params, dots or []
    n_lanes = p.retries + 2
    title = (
        f"{_share(result.task_fails_share)} of task runs fail in the end;<br>the slowest 1 % take "
        f"{np.quantile(result.runs.seconds, 0.99):,.1f} s or longer"
    )
    height = 190 + 44 * n_lanes
    figure = figures.new_tall(title, height=height, x="seconds from first start to last end", y="completed at")
    names = [result.lane_name(place) for place in range(n_lanes)]
    texts = []
    for place in range(n_lanes):
        seconds = result.runs.seconds[result.runs.lane(place, p.retries)]
        simulated = len(seconds) / N_RUNS
        texts.append(f"<b>{_share(float(result.chances[place]))}</b> · {_share(simulated)}")
        if not len(seconds):
            continue
        color = RED if place == n_lanes - 1 else GREEN
        low, quarter, middle, three, high = np.round(np.quantile(seconds, QUANTILES), 3)
        text = (
            f"{names[place]}: half within {quarter:,.2f} … {three:,.2f} s, 98 % within {low:,.2f} … {high:,.2f} s (simulated)"
        )
        _band(figure, place, low, high, 6, color, 0.45, text)
        _band(figure, place, quarter, three, 18, color, 0.6, text)
        figure.add_scatter(
            x=[middle],
            y=[place],
            mode="markers",
            marker={"symbol": "line-ns", "size": 16, "line": {"color": color, "width": 4}},
            showlegend=False,
            hovertemplate=f"median {middle:,.2f} s<extra></extra>",
        )
    for name, color in (("completed, simulated", GREEN), ("failed, simulated", RED)):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", marker={"color": color, "symbol": "square", "size": 12}, name=name
        )
    _real(figure, dots, n_lanes)
    if pinned is not None:
        _pinned(figure, pinned, n_lanes)
    top = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "showarrow": False}
    heads = [{**top, "y": -0.75, "text": "closed form · simulated", "font": {"size": 12}}]
    figure.update_layout(
        yaxis={"tickvals": list(range(n_lanes)), "ticktext": names, "range": [n_lanes - 0.4, -0.9], "fixedrange": True},
        xaxis={"rangemode": "tozero", "showgrid": True},
        annotations=[*figures.beside(list(range(n_lanes)), texts), *heads],
        margin={"r": 165},
    )
    return figure


def _real(figure: go.Figure, dots: list[Dot], n_lanes: int) -> None:
    """Draw the real runs, each in its lane, side by side where they meet."""
    if not dots:
        return
    lanes = np.array([dot.tries - 1 if dot.completed else n_lanes - 1 for dot in dots])
    shift = np.array([((k * 7) % 11 - 5) / 22 for k in range(len(dots))])
    figure.add_scatter(
        x=[round(dot.seconds, 3) for dot in dots],
        y=lanes + shift,
        mode="markers",
        marker={"color": figures.KNOWN, "size": 9, "line": {"color": "white", "width": 1}},
        name=f"real task runs: {len(dots)}",
        customdata=[(dot.task, dot.tries, dot.foretold_seconds) for dot in dots],
        hovertemplate="%{customdata[0]}: %{customdata[1]} tries, %{x:.2f} s (%{customdata[2]:.2f} s foretold)<extra></extra>",
    )


def _pinned(figure: go.Figure, pinned: RetryResult, n_lanes: int) -> None:
    last = pinned.params.retries + 1
    points = []
    for place in range(last + 1):
        seconds = pinned.runs.seconds[pinned.runs.lane(place, pinned.params.retries)]
        lane = n_lanes - 1 if place == last else place
        if len(seconds) and (place == last or lane < n_lanes - 1):
            points.append((float(np.median(seconds)), lane, float(pinned.chances[place])))
    figure.add_scatter(
        x=[point[0] for point in points],
        y=[point[1] for point in points],
        mode="markers",
        marker={"symbol": "diamond-open", "size": 13, "color": figures.SYNTHETIC, "line": {"width": 3}},
        name="A, median",
        customdata=[100 * point[2] for point in points],
        hovertemplate="A: median %{x:.2f} s, %{customdata:.3g} % of runs<extra></extra>",
    )


def flow(result: RetryResult, pinned: RetryResult | None = None) -> go.Figure:
    """Draw P(flow succeeds) by its number of tasks, a line for each number of retries. To see first: how the lines fall."""
    p = result.params
    none = (1 - p.failure_probability) ** p.n_tasks
    title = f"A flow of {p.n_tasks} succeeds in {_share(result.flow_succeeds_share)},<br>without retries in {_share(none)}"
    figure = figures.new_tall(title, height=440, x="tasks in the flow", y="flows that succeed, %")
    sizes = np.arange(1, N_SIZES + 1)
    for place, retries in enumerate(sorted({0, 1, 2, 3, 5, p.retries})):
        figure.add_scatter(
            x=sizes,
            y=np.round(100 * (1 - p.failure_probability ** (retries + 1)) ** sizes, 3),
            mode="lines",
            line={"color": SHADES[min(place, 5)], "width": 4 if retries == p.retries else 2},
            name="no retry" if not retries else f"{retries} retr{'y' if retries == 1 else 'ies'}",
            hovertemplate=f"%{{x}} tasks, {retries} retries: %{{y:.2f}} %<extra></extra>",
        )
    low, high = retry_model.wilson(int(result.flow_completed.sum()), len(result.flow_completed))
    seen = float(result.flow_completed.mean())
    figure.add_scatter(
        x=[p.n_tasks],
        y=[100 * seen],
        error_y={"type": "data", "array": [100 * (high - seen)], "arrayminus": [100 * (seen - low)], "thickness": 2},
        mode="markers",
        marker={"color": figures.LEAKED, "size": 14, "symbol": "star"},
        name=f"this flow, {len(result.flow_completed):,} simulated, 95 %",
        hovertemplate="simulated: %{y:.2f} %<extra></extra>",
    )
    if pinned is not None:
        figure.add_scatter(
            x=[pinned.params.n_tasks],
            y=[100 * pinned.flow_succeeds_share],
            mode="markers",
            marker={"color": figures.SYNTHETIC, "size": 13, "symbol": "diamond"},
            name="A, closed form",
        )
    figure.update_layout(yaxis={"range": [-2, 102], "showgrid": True}, xaxis={"range": [0, N_SIZES + 1]})
    return figure


def waits(result: RetryResult) -> go.Figure:
    """Draw each retry's delay, and what it costs on average: dear but rare. To see first: how the two bars part."""
    p = result.params
    k = np.arange(1, p.retries + 1)
    delays = p.waits * retry_model.jitter_mean(p.jitter)
    costs = delays * p.failure_probability**k
    title = (
        f"A task waits {result.mean_wait_seconds:.2f} s on average,<br>{delays.sum():,.1f} s if every try fails"
        if p.retries
        else "Without retries nothing waits,<br>and nothing is cured"
    )
    figure = figures.new_tall(title, height=420, x="retry", y="seconds")
    low, high = retry_model.jitter_bounds(p.jitter)
    figure.add_bar(
        x=k,
        y=np.round(delays, 4),
        name="delay, if it comes to it" + (" (bar: mean, line: Prefect's jitter)" if p.jitter else ""),
        marker_color=figures.WAITING,
        error_y={"type": "data", "array": high * p.waits - delays, "arrayminus": delays - low * p.waits} if p.jitter else None,
        hovertemplate="before retry %{x}: %{y:.2f} s<extra></extra>",
    )
    figure.add_bar(
        x=k,
        y=np.round(costs, 6),
        name="times the chance that it comes to it",
        marker_color=figures.KNOWN,
        text=[f"{cost:.2g} s" for cost in costs],
        textposition="outside",
        hovertemplate="on average: %{y:.4f} s<extra></extra>",
    )
    figure.update_layout(barmode="group", xaxis={"dtick": 1}, yaxis={"showgrid": True})
    return figure


def herd(result: RetryResult, pinned: RetryResult | None = None) -> go.Figure:
    """Draw requests a second with and without jitter against the capacity. To see first: the second wave over the line."""
    plain, other = result.herds
    p = result.params
    title = (
        f"{plain.retry_peak:,} come back in the same second without jitter,<br>"
        f"{other.retry_peak:,} with jitter {other.jitter:g} (simulated)"
    )
    figure = figures.new_tall(title, height=440, x="seconds since all failed at once", y="requests a second")
    last = min(max(plain.clear_seconds, other.clear_seconds), 400)
    for of, color, name in ((plain, figures.FAILED, "no jitter"), (other, figures.KNOWN, f"jitter {other.jitter:g}")):
        seen = np.zeros(last)
        within = of.second < last
        seen[of.second[within]] = of.n_asked[within]
        figure.add_bar(
            x=np.arange(last),
            y=seen,
            marker_color=color,
            opacity=0.75,
            name=f"{name}: {of.n_requests:,} requests, {of.n_gave_up:,} gave up, clear in {of.clear_seconds:,} s",
            hovertemplate=f"second %{{x}}, {name}: %{{y:,}} requests<extra></extra>",
        )
    line = {"color": figures.HELD_OUT, "width": 3, "dash": "dash"}
    figure.add_scatter(x=[-0.6, last], y=[p.capacity] * 2, mode="lines", line=line, name=f"capacity: {p.capacity:,}")
    if pinned is not None:
        of = pinned.herds[1] if pinned.params.jitter else pinned.herds[0]
        within = of.second < last
        line = {"color": figures.SYNTHETIC, "dash": "dot", "shape": "hvh"}
        figure.add_scatter(x=of.second[within], y=of.n_asked[within], mode="lines+markers", line=line, name="A")
    figure.update_layout(barmode="group", bargap=0.1, yaxis={"showgrid": True}, xaxis={"range": [-0.6, last]})
    return figure
