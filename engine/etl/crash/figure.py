"""Figures of *crash*: every table after the crash and after the rerun; every call of each retry
policy.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.etl import figures as truth
from engine.etl.crash import SAFEGUARDS, CrashResult, Lane
from engine.etl.crash.daily import CRASH_POINTS
from engine.etl.crash.flaky import POLICIES, FlakyResult
from engine.etl.warehouse import STRATEGIES
from engine.texts import strip_marks

GAP = 0.03
STEP_NAMES = {"in load": "load, 1st half", "load": "load, 2nd half"}
STEP_COLORS = dict(zip(CRASH_POINTS, figures.CATEGORICAL, strict=True))
OUTCOMES = {  # of a call: colour, name
    "200": (figures.KNOWN, "200"),
    "429": (figures.SYNTHETIC, "429, rate limit"),
    "500": (figures.FAILED, "500, error"),
    "timeout": (figures.WAITING, "timeout"),
}
TITLES = {
    "neither": "none",
    "staging": "staging",
    "transaction": "transaction",
    "both": "both",
}


ABOVE = {"xref": "paper", "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False}


def matrix(result: CrashResult, pinned: CrashResult | None = None) -> go.Figure:
    """Draw every table after the crash and after the rerun. To see first: bars that do not end at
    the line, and in which column.
    """
    names = [f"{strategy}, {moment}" for strategy in STRATEGIES for moment in ("crashed", "rerun")]
    longest = max(
        max(lane.crashed.n_target + lane.crashed.n_lost, lane.rerun.n_target)
        for lane in result.lanes
    )
    width = (1 - GAP * (len(SAFEGUARDS) - 1)) / len(SAFEGUARDS)
    layout: dict[str, Any] = {
        "barmode": "stack",
        "shapes": [],
        "annotations": [],
        "bargap": 0.15,
        "margin": {"b": 8},
    }
    traces = []
    for number, safeguard in enumerate(SAFEGUARDS):
        axis = "x" if number == 0 else f"x{number + 1}"
        start = number * (width + GAP)
        layout[f"xaxis{number + 1 if number else ''}"] = {
            "domain": [start, start + width],
            "range": [0, 1.04 * longest],
            "anchor": "y",
            "tickformat": ",",
            "nticks": 4,
            "title": {"text": "rows"},
        }
        lanes = [result.lane(strategy, safeguard.name) for strategy in STRATEGIES]
        traces += _column(names, lanes, axis, number == 0)
        line = {**truth.truth_line(result.source.num_rows), "xref": axis}
        layout["shapes"].append(line)
        heading = {"x": start + width / 2, "text": f"<b>{TITLES[safeguard.name]}</b>"}
        heading["font"] = {"size": 11}
        layout["annotations"].append({**ABOVE, **heading})
        if pinned is not None:
            before = [pinned.lane(strategy, safeguard.name) for strategy in STRATEGIES]
            traces.append(_pinned(names, before, axis, number == 0))
    layout["yaxis"] = {
        "categoryorder": "array",
        "categoryarray": names[::-1],
        "tickvals": names,
        "ticktext": [text for strategy in STRATEGIES for text in (strategy, "rerun")],
        "range": [-0.5, len(names) - 0.5],
    }
    for y in range(1, len(STRATEGIES)):
        rule = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 2 * y - 0.5}
        line = {"color": figures.WAITING, "width": 0.5}
        layout["shapes"].append({**rule, "y1": 2 * y - 0.5, "line": line})
    return figures.drawn(strip_marks(result.verdict), traces, height=560, **layout)


def _column(names: list[str], lanes: list[Lane], axis: str, legend: bool) -> list[dict[str, Any]]:
    counts = [found.counts() for lane in lanes for found in (lane.crashed, lane.rerun)]
    return [{**bar, "xaxis": axis, "showlegend": legend} for bar in truth.bars(names, counts)]


def _pinned(names: list[str], lanes: list[Lane], axis: str, legend: bool) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [found.n_correct for lane in lanes for found in (lane.crashed, lane.rerun)],
        "y": names,
        "xaxis": axis,
        "mode": "markers",
        "marker": {
            "symbol": "diamond",
            "size": 10,
            "color": figures.LEAKED,
            "line": {"color": "white", "width": 1},
        },
        "name": "correct in run A",
        "legendgroup": "A",
        "showlegend": legend,
        "hovertemplate": "run A, %{y}: %{x:,} rows correct<extra></extra>",
    }


def timeline(lane: Lane) -> go.Figure:
    """Draw one table's attempts step by step. To see first: the steps that the rerun skips."""
    names = [*(f"attempt {i + 1}: {ending}" for i, ending in enumerate(lane.ended)), "rerun"]
    title = f"Time per step: {lane.cell.strategy}, {TITLES[lane.cell.safeguard]}"
    if lane.costs[-1]["skipped"]:
        title += " (rerun skips the day)"
    figure = figures.new_tall(title, height=200 + 46 * len(names), x="ms of work, one run each")
    for step in CRASH_POINTS:
        figure.add_bar(
            y=names,
            x=[round(1000 * cost["seconds"].get(step, 0.0), 1) for cost in lane.costs],
            orientation="h",
            name=STEP_NAMES.get(step, step),
            marker={"color": STEP_COLORS[step], "line": {"width": 0}},
            hovertemplate=f"%{{y}}, {step}: %{{x}} ms<extra></extra>",
        )
    texts = [f"{cost['calls']} calls" for cost in lane.costs]
    figure.update_layout(
        barmode="stack",
        annotations=figures.side_notes(list(names), texts),
        yaxis={"categoryorder": "array", "categoryarray": names[::-1]},
        legend_traceorder="normal",
        margin_r=80,
    )
    return figure


def calls(result: FlakyResult) -> go.Figure:
    """Draw every call of every policy over time. To see first: which lanes end with dots that are
    not blue.
    """
    names = [name for name in POLICIES if name in {lane.policy for lane in result.lanes}]
    figure = figures.new_tall(
        "Calls by retry policy", height=440, x="seconds since all clients started"
    )
    n_clients = result.params.clients
    for outcome, (color, text) in OUTCOMES.items():
        points = [
            (at, names.index(lane.policy) + 0.7 * ((client + 0.5) / n_clients - 0.5))
            for lane in result.lanes
            for at, client, came in lane.calls
            if came == outcome
        ]
        figure.add_scatter(
            x=[round(at, 4) for at, _ in points],
            y=[round(y, 3) for _, y in points],
            mode="markers",
            marker={"color": color, "size": 8, "opacity": 0.85},
            name=text,
            hovertemplate="%{x:.2f} s<extra>" + text + "</extra>",
        )
    texts = [f"{lane.n_got} of {lane.n_pages} pages" for lane in result.lanes]
    figure.update_layout(
        annotations=figures.side_notes([float(i) for i in range(len(names))], texts),
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.4, -0.6],
        },
        xaxis={"showgrid": True, "rangemode": "tozero"},
        margin_r=130,
    )
    return figure
