"""A system as boxes and ways between them, some of which are lit: what a call or a run passes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from engine import figures

Edge = tuple[str, str]


@dataclass(frozen=True)
class Plan:
    """Where the boxes are: ``at`` their centres, ``half`` their half width and height, ``below``
    what is written under each name, ``edges`` the ways.
    """

    at: Mapping[str, tuple[float, float]]
    below: Mapping[str, str]
    edges: tuple[Edge, ...]
    half: tuple[float, float] = (0.45, 0.16)


def boxes(
    plan: Plan,
    title: str,
    lit: Collection[str],
    passed: Collection[Edge],
    notes: Mapping[str, str],
    hover: Mapping[str, str],
) -> go.Figure:
    """Draw a plan. To see first: the lit boxes.

    Parameters
    ----------
    lit, passed
        Boxes and edges that are lit.
    notes, hover
        Of a box: a further line in it, and what its light says.
    """
    x, y = zip(*plan.at.values(), strict=True)
    dx, dy = plan.half
    traces = [
        _lines(plan, [edge for edge in plan.edges if (edge in passed) is on], on)
        for on in (False, True)
    ]
    traces += [
        _lights(plan, [name for name in plan.at if (name in lit) is on], hover, on)
        for on in (True, False)
    ]
    return figures.drawn(
        title,
        traces,
        height=430,
        shapes=[_box(plan, name, name in lit) for name in plan.at],
        annotations=[_text(plan, name, notes.get(name, "")) for name in plan.at],
        xaxis={
            "range": [min(x) - dx - 0.06, max(x) + dx + 0.06],
            "visible": False,
            "fixedrange": True,
        },
        yaxis={
            "range": [min(y) - dy - 0.06, max(y) + dy + 0.06],
            "visible": False,
            "fixedrange": True,
        },
    )


def _border(plan: Plan, a: str, b: str) -> tuple[float, float]:
    """Return where the straight way from box ``a`` to box ``b`` leaves ``a``."""
    (x, y), (to_x, to_y), (dx, dy) = plan.at[a], plan.at[b], plan.half
    along = min(dx / (abs(to_x - x) or 1e-9), dy / (abs(to_y - y) or 1e-9), 0.5)
    return x + along * (to_x - x), y + along * (to_y - y)


def _lines(plan: Plan, edges: list[Edge], on: bool) -> dict[str, Any]:
    ends = [(_border(plan, a, b), _border(plan, b, a)) for a, b in edges]
    return {
        "type": "scatter",
        "x": [x for one, other in ends for x in (one[0], other[0], None)],
        "y": [y for one, other in ends for y in (one[1], other[1], None)],
        "mode": "lines",
        "line": {
            "color": figures.KNOWN if on else figures.WAITING,
            "width": 4 if on else 1,
            "dash": "solid" if on else "dot",
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _lights(plan: Plan, names: list[str], hover: Mapping[str, str], on: bool) -> dict[str, Any]:
    """Return the light in the corner of each box."""
    dx, dy = plan.half
    return {
        "type": "scatter",
        "x": [plan.at[name][0] - dx + 0.06 for name in names] or [None],
        "y": [plan.at[name][1] + dy - 0.04 for name in names] or [None],
        "mode": "markers",
        "marker": {"size": 13, "color": figures.KNOWN if on else figures.WAITING},
        "name": "passed" if on else "not passed",
        "ids": names or None,
        "customdata": [hover.get(name) or plan.below.get(name, "") for name in names],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _box(plan: Plan, name: str, on: bool) -> dict[str, Any]:
    (x, y), (dx, dy) = plan.at[name], plan.half
    color = figures.KNOWN if on else figures.WAITING
    return {
        "type": "rect",
        "x0": x - dx,
        "x1": x + dx,
        "y0": y - dy,
        "y1": y + dy,
        "fillcolor": figures.faint(color, 0.3 if on else 0.08),
        "line": {"color": color, "width": 3 if on else 1},
    }


def _text(plan: Plan, name: str, note: str) -> dict[str, Any]:
    x, y = plan.at[name]
    lines = [f"<b>{name}</b>", plan.below.get(name, ""), note]
    text = "<br>".join(line for line in lines if line)
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 12}}
