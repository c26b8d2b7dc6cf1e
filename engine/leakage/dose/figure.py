"""Figures of *dose*: reported and production score over the dose, and every leak alone.

Vermilion is reported, green is production; the shaded band between them is the lie. A pinned run A
is orange.
"""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go

from engine import figures
from engine.leakage.dose.params import NAMES
from engine.leakage.dose.result import NULL, DoseResult, Overview, Scores
from engine.leakage.trial import ACCURACY, AUC, PRODUCTION, REPORTED
from engine.units import format_signed

Measure = Literal["AUC", "accuracy"]
MEASURES: dict[str, int] = {"AUC": AUC, "accuracy": ACCURACY}
LANES = ((REPORTED, "reported", figures.LEAKED), (PRODUCTION, "in production", figures.HELD_OUT))
SHADE = figures.faint(figures.LEAKED, 0.18)  # vermilion, thin


def curve(
    result: DoseResult, measure: Measure = "AUC", pinned: DoseResult | None = None
) -> go.Figure:
    """Draw both scores over the dose. To see first: the band that opens between what is reported
    and what is earned.
    """
    which, name = MEASURES[measure], result.params.focus
    reported, earned = result.here.mean(REPORTED, which), result.here.mean(PRODUCTION, which)
    title = (
        f"{name}, dose {result.params.dose:g}: {measure} {reported:.3f} reported,<br>{earned:.3f}"
        " in production"
    )
    done = list(result.grid[: len(result.curve)])
    means = {where: [point.mean(where, which) for point in result.curve] for where, _, _ in LANES}
    gap: figures.Trace = {
        "type": "scatter",
        "x": done + done[::-1],
        "y": means[REPORTED] + means[PRODUCTION][::-1],
        "fill": "toself",
        "fillcolor": SHADE,
        "line": {"width": 0},
        "mode": "lines",
        "name": "the gap",
        "hoverinfo": "skip",
    }
    traces = [gap, *(_pinned(pinned, which) if pinned is not None else [])]
    for where, label, color in LANES:
        halves = [point.interval(where, which)[1] for point in result.curve]
        traces.append(
            {
                "type": "scatter",
                "x": done,
                "y": means[where],
                "error_y": {"array": halves, "thickness": 1.5, "width": 4},
                "mode": "lines+markers",
                "line": {"color": color, "width": 3},
                "marker": {"size": 7},
                "name": label,
                "customdata": halves,
                "hovertemplate": (
                    label + " at dose %{x:g}: %{y:.3f} ± %{customdata:.3f}<extra></extra>"
                ),
            }
        )
    chance = 0.5 if which == AUC else 0.4
    low = min([chance, *means[PRODUCTION], *means[REPORTED]])
    return figures.drawn(
        title,
        [*traces, _here(result.params.dose, result.here, which)],
        height=440,
        x="dose of the leak (0: clean pipeline, 1: the whole leak)",
        y=measure,
        xaxis={"range": [-0.04, 1.1], "showgrid": True, "tickvals": list(result.grid)},
        yaxis={"range": [low - 0.08, 1.08], "showgrid": True},
    )


def _here(dose: float, here: Scores, which: int) -> figures.Trace:
    """Mark the dose that is set: a point on each line, its value beside it."""
    values = [here.mean(where, which) for where, _, _ in LANES]
    return {
        "type": "scatter",
        "x": [dose] * 2,
        "y": values,
        "mode": "lines+markers+text",
        "line": {"color": figures.WAITING, "width": 1, "dash": "dot"},
        "marker": {"size": 15, "color": [color for _, _, color in LANES]},
        "text": [f"<b>{value:.3f}</b>" for value in values],
        "textposition": (
            ["top right", "bottom right"]
            if values[0] >= values[1]
            else ["bottom right", "top right"]
        ),
        "showlegend": False,
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _pinned(pinned: DoseResult, which: int) -> list[figures.Trace]:
    return [
        {
            "type": "scatter",
            "x": list(pinned.grid[: len(pinned.curve)]),
            "y": [point.mean(where, which) for point in pinned.curve],
            "mode": "lines",
            "line": {
                "color": figures.SYNTHETIC,
                "width": 2,
                "dash": "solid" if where == REPORTED else "dash",
            },
            "name": f"run A: {pinned.params.focus.lower()}, {label}",
            "hovertemplate": "run A, " + label + " at dose %{x:g}: %{y:.3f}<extra></extra>",
        }
        for where, label, _ in LANES
    ]


def leaks(overview: Overview) -> go.Figure:
    """Draw what each leak alone adds at full dose. To see first: the long bars, and the two that
    are not there at all.
    """
    ordered = sorted(overview.inflation.items(), key=lambda item: -item[1][0])
    nulls = [name for name, (mean, _) in ordered if abs(mean) < NULL]
    title = "The first leak is being tried"
    if ordered:
        first, (most, _) = ordered[0]
        title = (
            f"{NAMES[first]} adds {format_signed(most, 2)} AUC;<br>{len(nulls)} of {len(ordered)}"
            " leaks add next to nothing"
        )
    figure = figures.new_tall(
        title, height=180 + 34 * max(4, len(ordered)), x="AUC added to the clean gap"
    )
    labels = [NAMES[name] for name, _ in ordered]
    means = [mean for _, (mean, _) in ordered]
    halves = [half for _, (_, half) in ordered]
    figure.add_bar(
        orientation="h",
        y=labels,
        x=means,
        error_x={"array": halves, "thickness": 1.5, "width": 4, "color": figures.WAITING},
        marker_color=[figures.WAITING if name in nulls else figures.LEAKED for name, _ in ordered],
        customdata=halves,
        hovertemplate="%{y}: %{x:+.4f} ± %{customdata:.4f}<extra></extra>",
    )
    figure.update_layout(
        showlegend=False,
        annotations=figures.side_notes(
            list(labels),
            [
                f"{format_signed(mean)} ± {half:.3f}"
                for mean, half in zip(means, halves, strict=True)
            ],
        ),
        xaxis={"showgrid": True, "rangemode": "tozero"},
        yaxis={"categoryorder": "array", "categoryarray": labels[::-1]},
        margin_r=120,
        margin_b=60,
    )
    return figure
