"""Figures of *ETL or ELT*: which new rule each warehouse can answer, which days are left, and what
each way costs.

Green can be rebuilt, vermilion is wrong without a word, grey cannot; the outlined column is the ETL
in view.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.etl.elt import RULES, WAYS, EltResult, Outcome, Race
from engine.units import format_bytes

COLORS: dict[Outcome, str] = {
    "rebuilds": figures.HELD_OUT,
    "silently wrong": figures.LEAKED,
    "cannot": figures.WAITING,
}
TEXTS: dict[Outcome, str] = {
    "rebuilds": "rebuilds",
    "silently wrong": "silently wrong",
    "cannot": "cannot:<br>columns are gone",
}
STEPS = {"transform": figures.EXTRA, "load": figures.WAITING, "transform in SQL": figures.KNOWN}


def matrix(result: EltResult) -> go.Figure:
    """Draw new rules × warehouses. To see first: how the green grows to the right, and the bytes
    with it.
    """
    n, moved = result.n_rules_rebuilt, format_bytes(result.moved_bytes[result.params.way])
    title = (
        f"{result.params.way}: {moved} moved,<br>and {n} of {len(RULES)} new rules can be answered"
    )
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
        title,
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
        margin={"t": 140, "b": 8, "l": 16, "r": 20},
    )


def days(result: EltResult, pinned: EltResult | None = None) -> go.Figure:
    """Draw the days for which ETL can give the new answer. To see first: where the grey ends."""
    p = result.params
    title = (
        f"ETL can give the new answer for {result.rebuilt_days} of {p.n_days} days,<br>ELT for all"
    )
    figure = figures.new_tall(title, height=360, x="day of 2013", y="flights")
    flights = np.bincount(
        result.etl["day_of_year"].to_numpy(), result.etl["flights"].to_numpy(), p.n_days + 1
    )[1:]
    place = np.arange(1, p.n_days + 1)
    kept = place > p.n_days - result.rebuilt_days
    how = (
        "from what ETL loaded" if result.outcome == "rebuilds" else "fetched again from the source"
    )
    for name, color, mask in (
        (how, figures.HELD_OUT, kept),
        ("the old answer is all there is", figures.WAITING, ~kept),
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
            name="first day rebuilt in run A",
        )
    figure.update_layout(bargap=0.1, yaxis={"showgrid": True})
    return figure


def race(measured: Race) -> go.Figure:
    """Draw the median seconds of each way by step. To see first: which bar is longest, and its blue
    end.
    """
    if not measured.measured:
        return figures.new_tall("The first repeat is being measured", height=300, x="milliseconds")
    fastest = min(WAYS, key=measured.median)
    n = len(measured.totals(fastest))
    title = (
        f"{fastest} is fastest: {1000 * measured.median(fastest):,.0f} ms<br>(median of {n}"
        f" {'repeats' if n > 1 else 'repeat'})"
    )
    figure = figures.new_tall(
        title,
        height=320,
        x="milliseconds until the summary is in the warehouse; line: lowest to highest",
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
        yaxis={"categoryorder": "array", "categoryarray": list(WAYS)[::-1]},
        xaxis={"showgrid": True, "rangemode": "tozero"},
    )
    return figure
