"""The figure of the architecture: the components that a moment of the run passes."""

from __future__ import annotations

import plotly.graph_objects as go

from engine.boxes_figure import Edge, Plan, boxes
from engine.orchestration.components.result import ComponentsResult
from engine.units import format_seconds

PLAN = Plan(
    at={
        "scheduler": (0.0, 1.0),
        "database": (0.0, 0.0),
        "API": (1.0, 0.5),
        "worker": (2.0, 1.0),
        "flow process": (2.0, 0.0),
    },
    below={
        "scheduler": "in the server",
        "database": "SQLite",
        "API": "HTTP, in the server",
        "worker": "asks for runs",
        "flow process": "your code",
    },
    edges=(
        ("scheduler", "database"),
        ("API", "database"),
        ("worker", "API"),
        ("worker", "flow process"),
        ("flow process", "API"),
    ),
    half=(0.45, 0.19),
)
AT = {  # moments whose time is written in a box, and how
    "scheduler": {"booked": "books"},
    "worker": {"picked up": "picks up", "process started": "starts"},
    "flow process": {"running": "runs", "ended": "ends"},
}


def architecture(result: ComponentsResult) -> go.Figure:
    """Draw the server, the worker and the flow process. To see first: the lit way."""
    lit = set(result.lit)
    passed: list[Edge] = [edge for edge in PLAN.edges if {*edge} <= lit]
    return boxes(
        PLAN,
        f"Components at “{result.params.moment}”",
        lit,
        passed,
        {name: _times(result, name) for name in PLAN.at},
        {},
    )


def _times(result: ComponentsResult, name: str) -> str:
    at = result.at_seconds or {}
    if name == "database" and result.rows:
        return f"{sum(result.rows.values())} rows of it"
    said = [
        f"{verb} {'−' if at[moment] < 0 else '+'}{format_seconds(abs(at[moment]))}"
        for moment, verb in AT.get(name, {}).items()
        if moment in at and not (moment == "ended" and result.state == "Crashed")
    ]
    if name == "worker" and result.state == "Crashed" and "ended" in at:
        said.append(f"reports +{format_seconds(at['ended'])}")
    return "<br>".join(said)
