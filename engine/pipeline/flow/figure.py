"""Figures of a run."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.pipeline.flow import FlowResult
from engine.pipeline.flow.result import Hop, reasons
from engine.texts import strip_marks

COLORS = {
    "done": figures.KNOWN,
    "kept": figures.EXTRA,
    "failed": figures.FAILED,
    "running": figures.SYNTHETIC,
    "waiting": figures.WAITING,
}
N_CURVE = 12  # points of an edge that passes other stages


def edges(hops: list[Hop]) -> figures.Trace:
    """Return one line that draws which stage needs which; one that passes others bends left."""
    place = {hop.name: number for number, hop in enumerate(hops)}
    x: list[float | None] = []
    y: list[float | None] = []
    for hop in hops:
        for need in hop.needs:
            start, end = place[need], place[hop.name]
            bend = (end - start - 1) / len(hops)
            for step in range(N_CURVE + 1):
                t = step / N_CURVE
                x.append(-bend * 4 * t * (1 - t))
                y.append(start + (end - start) * t)
            x.append(None)
            y.append(None)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": figures.WAITING, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _nodes(hops: list[Hop]) -> list[figures.Trace]:
    found: list[figures.Trace] = []
    for state, color in COLORS.items():
        places = [number for number, hop in enumerate(hops) if hop.state == state]
        if places:
            found.append(
                {
                    "type": "scatter",
                    "x": [0] * len(places),
                    "y": places,
                    "mode": "markers",
                    "marker": {"size": 13, "color": color, "symbol": "square"},
                    "name": state,
                    "hoverinfo": "name",
                }
            )
    return found


def _bars(hops: list[Hop]) -> list[figures.Trace]:
    """Return the rows of each stage that is over: passed on, dropped for a reason, without one."""
    over = [(n, hop, hop.record) for n, hop in enumerate(hops) if hop.record]
    parts: dict[str, tuple[str, list[int]]] = {
        "rows out": (figures.KNOWN, [one.n_out for _, _, one in over]),
        "dropped, reason known": (
            figures.SYNTHETIC,
            [sum(one.dropped.values()) for _, _, one in over],
        ),
        "dropped without a reason": (
            figures.LEAKED,
            [abs(one.count.n_unexplained) for _, _, one in over],
        ),
    }
    return [
        {
            "type": "bar",
            "orientation": "h",
            "x": rows,
            "y": [n for n, _, _ in over],
            "xaxis": "x2",
            "name": name,
            "marker": {"color": color, "line": {"width": 0}},
            "customdata": [[hop.title, reasons(one)] for _, hop, one in over],
            "hovertemplate": "%{customdata[0]}: %{x:,} "
            + name
            + "<br>%{customdata[1]}<extra></extra>",
        }
        for name, (color, rows) in parts.items()
        if any(rows) or name == "rows out"
    ]


def graph(result: FlowResult) -> go.Figure:
    """Draw the stages, what each needs, and its rows. To see first: an orange end that says where
    rows were dropped, or a vermilion one that nobody explained.
    """
    hops = result.hops
    most = max([1, *(record.n_in for record in result.records)])
    notes: list[dict[str, Any]] = [
        {
            "x": 0,
            "xref": "x2",
            "y": number,
            "yref": "y",
            "text": hop.note,
            "showarrow": False,
            "xanchor": "left",
            "xshift": 6,
            "yshift": 0,
            "font": {"size": 12, "color": "white" if _covers(hop, most) else figures.WAITING},
        }
        for number, hop in enumerate(hops)
    ]
    return figures.drawn(
        strip_marks(result.verdict),
        [edges(hops), *_nodes(hops), *_bars(hops)],
        height=430,
        barmode="stack",
        bargap=0.2,
        annotations=notes,
        xaxis={"domain": [0, 0.14], "visible": False, "range": [-1, 0.12], "fixedrange": True},
        xaxis2={
            "domain": [0.16, 1],
            "anchor": "y",
            "title": {"text": "flights"},
            "tickformat": ",",
            "range": [0, 1.02 * most],
        },
        yaxis={
            "range": [len(hops) - 0.4, -0.6],
            "tickvals": list(range(len(hops))),
            "ticktext": [hop.title for hop in hops],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
    )


def _covers(hop: Hop, most: int) -> bool:
    """Whether the bar is behind the whole note."""
    return hop.record is not None and hop.record.n_out > 0.6 * most
