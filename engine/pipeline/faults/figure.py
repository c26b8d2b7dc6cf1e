"""Figures of the faults."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.pipeline.faults.executed import auc_change
from engine.pipeline.faults.incident import TITLES
from engine.pipeline.faults.kinds import FAULTS, KINDS
from engine.pipeline.faults.result import HOPS, NO_GATE, FaultsResult
from engine.texts import strip_marks
from engine.units import format_seconds

LANES = [*HOPS, NO_GATE]


def gates(result: FaultsResult) -> go.Figure:
    """Draw for each fault the hop that it hits and the hop that catches it. To see first: marks far
    to the right, and those that no gate catches.
    """
    place = {name: number for number, name in enumerate(LANES)}
    lines_x: list[float | None] = []
    lines_y: list[str | None] = []
    for fault in FAULTS:
        end = result.hop(fault) or NO_GATE
        title = KINDS[fault].title
        lines_x += [place[KINDS[fault].hop], place[end], None]
        lines_y += [title, title, None]
    traces: list[figures.Trace] = [
        {
            "type": "scatter",
            "x": lines_x,
            "y": lines_y,
            "mode": "lines",
            "line": {"color": figures.WAITING, "width": 2},
            "hoverinfo": "skip",
            "showlegend": False,
        },
        _marks(result, "fault hits", list(FAULTS), figures.SYNTHETIC, "square", hits=True),
    ]
    expected: list[str] = [fault for fault in FAULTS if fault not in result.executed]
    caught: list[str] = [fault for fault in result.done if result.hop(fault)]
    for name, faults, color, symbol in (
        ("gate catches", caught, figures.HELD_OUT, "circle"),
        ("no gate", result.missed, figures.LEAKED, "x"),
        ("expected, not executed", expected, figures.WAITING, "circle-open"),
    ):
        if faults:
            traces.append(_marks(result, name, faults, color, symbol, hits=False))
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=430,
        xaxis={
            "range": [-0.4, len(LANES) - 0.1],
            "tickvals": list(range(len(LANES))),
            "ticktext": [_short(name) for name in LANES],
            "fixedrange": True,
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": [KINDS[fault].title for fault in reversed(FAULTS)],
            "fixedrange": True,
        },
    )


def _short(name: str) -> str:
    """Return a hop's name for an axis."""
    names = {"training_set": "training", "train": "model", NO_GATE: "no gate"}
    return names.get(name, name)


def _marks(
    result: FaultsResult, name: str, faults: list[str], color: str, symbol: str, *, hits: bool
) -> figures.Trace:
    hops = [KINDS[fault].hop if hits else result.hop(fault) or NO_GATE for fault in faults]
    texts = ["" if hits else _after(result, fault) for fault in faults]
    return {
        "type": "scatter",
        "x": [LANES.index(hop) for hop in hops],
        "y": [KINDS[fault].title for fault in faults],
        "mode": "markers+text",
        "name": name,
        "text": texts,
        "textposition": ["middle left" if hop == NO_GATE else "middle right" for hop in hops],
        "marker": {"color": color, "symbol": symbol, "size": 9 if hits else 14},
        "customdata": [TITLES.get(hop, hop) for hop in hops],
        "hovertemplate": "%{y}: " + name + " at %{customdata}<extra></extra>",
    }


def _after(result: FaultsResult, fault: str) -> str:
    caught = result.caught(fault)
    return f"  {format_seconds(60 * caught.minute)}" if caught else ""


def metric(result: FaultsResult) -> go.Figure:
    """Draw the change of the AUC under each fault that still serves. To see first: intervals that
    hold 0.
    """
    names, values, low, high = [], [], [], []
    for fault in result.done:
        change = auc_change(result.executed[fault], result.clean) if result.clean else None
        if change is not None:
            names.append(KINDS[fault].title)
            values.append(change[0])
            low.append(change[0] - change[1])
            high.append(change[2] - change[0])
    return figures.drawn(
        "Change of the day's AUC under each fault that still serves",
        [
            {
                "type": "scatter",
                "x": values,
                "y": names,
                "mode": "markers",
                "marker": {"color": figures.KNOWN, "size": 12},
                "error_x": {
                    "type": "data",
                    "array": np.round(high, 6).tolist(),
                    "arrayminus": np.round(low, 6).tolist(),
                },
                "showlegend": False,
            }
        ],
        height=360,
        x="AUC less AUC without the fault (95% CI)",
        xaxis={"zeroline": True},
    )
