"""Figures of *ETL or ELT*: which new rule each warehouse can answer, which days can be rebuilt, the
cost of each way.

Green can be rebuilt, orange-red is wrong without an error, grey is impossible; the outlined cell is
the ETL and rule in view.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.etl.elt import RULES, WAYS, EltResult, Outcome, Race, Way
from engine.texts import strip_marks
from engine.units import format_bytes

COLORS: dict[Outcome, str] = {
    "rebuilds": figures.HELD_OUT,
    "silently wrong": figures.LEAKED,
    "cannot": figures.WAITING,
}
TEXTS: dict[Outcome, str] = {
    "rebuilds": "can rebuild",
    "silently wrong": "silently wrong",
    "cannot": "cannot: column<br>not loaded",
}
STEPS = {"transform": figures.EXTRA, "load": figures.WAITING, "transform in SQL": figures.KNOWN}


def matrix(result: EltResult) -> go.Figure:
    """Draw new rules × warehouses. To see first: the green cells, and the bytes above."""
    traces = []
    for outcome, color in COLORS.items():
        mine = [found for found in result.rebuilds if found.outcome == outcome]
        traces.append(
            {
                "type": "bar",
                "x": [WAYS.index(found.way) for found in mine],
                "y": [0.9] * len(mine),
                "base": [RULES.index(found.rule) - 0.45 for found in mine],
                "width": 0.94,
                "name": outcome,
                "marker": {"color": color, "line": {"width": 0}, "opacity": 0.85},
                "text": [TEXTS[outcome]] * len(mine),
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textfont": {"color": "white"},
                "customdata": [f"{found.rule}, {found.way}<br>{found.detail}" for found in mine],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )
    x, y = WAYS.index(result.params.way), RULES.index(result.params.rule)
    box = {"x0": x - 0.47, "x1": x + 0.47, "y0": y - 0.45, "y1": y + 0.45}
    line = {"color": figures.SYNTHETIC, "width": 5}
    names = [
        f"<b>{way}</b><br>{format_bytes(result.moved_bytes[way])}, {result.moved_rows[way]:,} rows"
        for way in WAYS
    ]
    plain = {"showgrid": False, "zeroline": False, "fixedrange": True}
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=460,
        barmode="overlay",
        shapes=[{"type": "rect", **box, "line": line, "fillcolor": figures.HOLLOW}],
        xaxis={
            "tickvals": list(range(len(WAYS))),
            "ticktext": names,
            "range": [-0.5, len(WAYS) - 0.5],
            "side": "top",
            **plain,
        },
        yaxis={
            "tickvals": list(range(len(RULES))),
            "ticktext": list(RULES),
            "range": [len(RULES) - 0.5, -0.5],
            **plain,
        },
        showlegend=False,
        margin={"b": 8},
    )


def days(result: EltResult, pinned: EltResult | None = None) -> go.Figure:
    """Draw the days that ETL can rebuild with the new rule. To see first: where the grey ends."""
    p = result.params
    figure = figures.new_tall(
        "Days that ETL can rebuild with the new rule", height=360, x="day of 2013", y="flights"
    )
    flights = np.bincount(
        result.etl["day_of_year"].to_numpy(), result.etl["flights"].to_numpy(), p.n_days + 1
    )[1:]
    place = np.arange(1, p.n_days + 1)
    kept = place > p.n_days - result.rebuilt_days
    how = "from ETL's rows" if result.outcome == "rebuilds" else "from the source"
    for name, color, mask in (
        (how, figures.HELD_OUT, kept),
        ("old rule only", figures.WAITING, ~kept),
    ):
        figure.add_bar(
            x=place[mask],
            y=flights[mask],
            name=name,
            marker={"color": color, "line": {"width": 0}},
            hovertemplate=f"day %{{x}}: %{{y:,}} flights, {name}<extra></extra>",
        )
    if pinned is not None:
        edge = pinned.params.n_days - pinned.rebuilt_days + 0.5
        line = {"color": figures.SYNTHETIC, "dash": "dash", "width": 3}
        figure.add_scatter(
            x=[edge, edge],
            y=[0, float(flights.max())],
            mode="lines",
            line=line,
            name="run A",
        )
    figure.update_layout(bargap=0.1, yaxis={"showgrid": True})
    return figure


def race(measured: Race, moved_bytes: dict[Way, int]) -> go.Figure:
    """Draw the median time of each way by step; until it is measured, the bytes that each moves. To
    see first: the longest bar, and its blue end.
    """
    names = {"categoryorder": "array", "categoryarray": list(WAYS)[::-1]}
    if not measured.measured:
        bar = {"type": "bar", "orientation": "h", "marker": {"color": figures.WAITING}}
        megabytes = [moved_bytes[way] / 1e6 for way in WAYS]
        return figures.drawn(
            "Not measured yet. Data that each way moves",
            [{**bar, "x": megabytes, "y": list(WAYS), "name": "moved"}],
            height=320,
            x="MB into the warehouse",
            yaxis=names,
            showlegend=False,
        )
    n = len(measured.totals(WAYS[0]))
    figure = figures.new_tall(
        f"Time per step, median of {n} {'repeats' if n > 1 else 'repeat'}",
        height=320,
        x="ms to the summary (line: lowest–highest)",
    )
    for step, color in STEPS.items():
        medians = [1000 * float(np.median(measured.seconds[way].get(step, [0.0]))) for way in WAYS]
        bar = {"color": color, "line": {"width": 0}}
        hover = f"%{{y}}, {step}: %{{x:.1f}} ms<extra></extra>"
        figure.add_bar(
            x=medians, y=list(WAYS), orientation="h", name=step, marker=bar, hovertemplate=hover
        )
    for way in WAYS:
        ends = 1000 * np.array([measured.totals(way).min(), measured.totals(way).max()])
        figure.add_scatter(
            x=ends,
            y=[way, way],
            mode="lines",
            line={"color": figures.SYNTHETIC, "width": 3},
            showlegend=False,
            hoverinfo="skip",
        )
    figure.update_layout(
        barmode="stack",
        legend_traceorder="normal",
        yaxis=names,
        xaxis={"showgrid": True, "rangemode": "tozero"},
    )
    return figure
