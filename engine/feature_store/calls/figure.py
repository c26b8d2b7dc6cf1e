"""Figures of the architecture: the components that a call passes, and how fresh each read is."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.boxes_figure import Edge, Plan, boxes
from engine.feature_store.calls.result import Call, CallsResult
from engine.units import format_seconds

CODE = "your code"
PLAN = Plan(
    at={
        "feature server": (0.0, 1.0),
        "registry": (1.0, 1.0),
        CODE: (0.0, 0.5),
        "SDK": (1.0, 0.5),
        "online store": (2.0, 0.5),
        "offline store": (1.0, 0.0),
        "compute engine": (2.0, 0.0),
    },
    below={
        CODE: "model, training",
        "SDK": "Python",
        "feature server": "HTTP, not used",
        "registry": "what is defined",
        "offline store": "Parquet, DuckDB",
        "compute engine": "copies rows",
        "online store": "SQLite",
    },
    edges=(
        (CODE, "SDK"),
        ("SDK", "feature server"),
        ("SDK", "registry"),
        ("SDK", "offline store"),
        ("SDK", "online store"),
        ("SDK", "compute engine"),
        ("offline store", "compute engine"),
        ("compute engine", "online store"),
    ),
)


def _passed(edge: Edge, lit: set[str]) -> bool:
    """Return whether a call goes along an edge: rows that the engine moves go through it alone."""
    stores = {"offline store", "online store"}
    if "compute engine" in lit and lit >= stores:
        return {*edge} <= lit and not (edge[0] == "SDK" and edge[1] in stores)
    return {*edge} <= lit and edge != ("compute engine", "online store")


def _note(call: Call, name: str) -> str:
    """Return how often and how long the call was in a component."""
    if not (call.seconds and call.entries.get(name)):
        return ""
    return f"{call.entries[name]}×, {format_seconds(call.seconds.get(name, 0.0))}"


def architecture(result: CallsResult) -> go.Figure:
    """Draw Feast's components. To see first: which of them the call passes."""
    call = result.shown
    lit = {CODE, *call.touched}
    entered = {
        name: "<br>".join(f"{what}() {n}×" for where, what, n in call.functions if where == name)
        for name in PLAN.at
    }
    return boxes(
        PLAN,
        f"Components that {call.name} passes",
        lit,
        [edge for edge in PLAN.edges if _passed(edge, lit)],
        {name: _note(call, name) for name in PLAN.at},
        entered,
    )


def freshness(result: CallsResult) -> go.Figure:
    """Draw the age of the served value after each step. To see first: the push shortens it."""
    steps = {
        "serve too soon": "after apply",
        "serve": "after materialize",
        "serve again": "after push",
    }
    found = [result.named(name) for name in steps]
    ages = [call.age_hours or 0.0 for call in found]
    labels = [
        (
            "nothing is served"
            if call.age_hours is None
            else f"{format_seconds(call.age_hours * 3600)} old"
        )
        + f", {call.n_rows:,} rows in the online store"
        for call in found
    ]
    bars: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": list(steps.values()),
        "x": ages,
        "text": labels,
        "textposition": "auto",
        "marker": {"color": [figures.WAITING, figures.SYNTHETIC, figures.KNOWN]},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    return figures.drawn(
        f"Age of the value served for plane {result.plane}",
        [bars],
        height=300,
        x="age of the served value, h",
        yaxis={"autorange": "reversed"},
        xaxis={"range": [0, 1.6 * max(*ages, 1.0)]},
        showlegend=False,
    )
