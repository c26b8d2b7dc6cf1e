"""Figures of *dose*: reported and production score over the leak strength, and every leak alone.

Orange-red is reported, green is production, the shaded band their gap. A pinned run A is orange.
"""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go

from engine import figures
from engine.leakage.dose.params import NAMES
from engine.leakage.dose.result import NULL, DoseResult, Overview, Scores
from engine.leakage.trial import ACCURACY, AUC, PRODUCTION, REPORTED
from engine.texts import strip_marks
from engine.units import format_signed

Measure = Literal["AUC", "accuracy"]
MEASURES: dict[str, int] = {"AUC": AUC, "accuracy": ACCURACY}
LANES = ((REPORTED, "reported", figures.LEAKED), (PRODUCTION, "in production", figures.HELD_OUT))
SHADE = figures.faint(figures.LEAKED, 0.18)


def curve(
    result: DoseResult, measure: Measure = "AUC", pinned: DoseResult | None = None
) -> go.Figure:
    """Draw both scores over the leak strength. To see first: the band between reported and
    production.
    """
    which = MEASURES[measure]
    title = strip_marks(result.verdict)
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
        "name": "gap",
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
                    label + " at %{x:.0%}: %{y:.3f} ± %{customdata:.3f}<extra></extra>"
                ),
            }
        )
    chance = 0.5 if which == AUC else 0.4
    low = min([chance, *means[PRODUCTION], *means[REPORTED]])
    return figures.drawn(
        title,
        [*traces, _here(result.params.dose, result.here, which)],
        height=440,
        x="leak strength (0%: clean pipeline, 100%: full leak)",
        y=measure,
        xaxis={
            "range": [-0.04, 1.1],
            "showgrid": True,
            "tickvals": list(result.grid),
            "tickformat": ".0%",
        },
        yaxis={"range": [low - 0.08, 1.08], "showgrid": True},
    )


def _here(strength: float, here: Scores, which: int) -> figures.Trace:
    """Mark the strength that is set: a point on each line, its value beside it."""
    values = [here.mean(where, which) for where, _, _ in LANES]
    return {
        "type": "scatter",
        "x": [strength] * 2,
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
            "name": f"run A: {label}",
            "hovertemplate": "run A, " + label + " at %{x:.0%}: %{y:.3f}<extra></extra>",
        }
        for where, label, _ in LANES
    ]


def boosting(logistic: DoseResult, found: DoseResult | None) -> go.Figure:
    """Draw AUC by leak strength of the boosting model, as far as it is there, beside the logistic
    model's. To see first: how much faster the boosting model's reported line rises.
    """
    traces: list[figures.Trace] = [
        {
            "type": "scatter",
            "x": list(result.grid[: len(result.curve)]),
            "y": [point.mean(where, AUC) for point in result.curve],
            "mode": "lines+markers",
            "line": {"color": color, "width": 3, "dash": dash},
            "marker": {"size": 8},
            "name": f"{name}, {label}",
            "hovertemplate": f"{name}, {label} at %{{x:.0%}}: %{{y:.3f}}<extra></extra>",
        }
        for result, name, dash in ((logistic, "logistic", "dot"), (found, "boosting", "solid"))
        if result is not None
        for where, label, color in LANES
    ]
    return figures.drawn(
        f"{logistic.params.focus}: boosting and logistic model",
        traces,
        height=440,
        x="leak strength (0%: clean pipeline, 100%: full leak)",
        y="AUC",
        xaxis={"showgrid": True, "tickvals": list(logistic.grid), "tickformat": ".0%"},
        yaxis={"range": [0.42, 1.04], "showgrid": True},
    )


def leaks(overview: Overview) -> go.Figure:
    """Draw what each leak alone adds at full strength. To see first: the long bars, and the two
    that are zero.
    """
    ordered = sorted(overview.inflation.items(), key=lambda item: -item[1][0])
    nulls = [name for name, (mean, _) in ordered if abs(mean) < NULL]
    figure = figures.new_tall(
        "AUC that each leak adds at full strength",
        height=180 + 34 * len(NAMES),
        x="AUC added to the gap of the clean pipeline",
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
            [format_signed(mean) for mean in means],
        ),
        xaxis={"showgrid": True, "rangemode": "tozero"},
        yaxis={"categoryorder": "array", "categoryarray": labels[::-1]},
        margin_r=90,
        margin_b=60,
    )
    return figure
