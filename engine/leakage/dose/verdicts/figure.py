"""Figure of *verdicts*: which detector sees the leak, from which strength."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.leakage.audit.findings import DETECTORS
from engine.leakage.dose.params import GRID
from engine.leakage.dose.verdicts import N_SEEDS, Verdicts
from engine.units import format_share

SCALE = [
    [0.0, figures.faint(figures.WAITING, 0.16)],
    [1.0, figures.LEAKED],
]


def detectors(verdicts: Verdicts) -> go.Figure:
    """Draw the share of seeds with an alarm by detector and strength. To see first: where the
    colour begins, if it does at all.
    """
    waiting = [None] * (len(GRID) - len(verdicts.shares))
    shares = [[share.get(detector) for share in verdicts.shares] for detector in DETECTORS]
    figure = figures.new_tall(
        f"{verdicts.params.focus}: alarms by leak strength",
        height=190 + 26 * len(DETECTORS),
        x="leak strength (0%: clean pipeline)",
    )
    figure.add_heatmap(
        z=[[*row, *waiting] for row in shares],
        x=[format_share(dose) for dose in GRID],
        y=list(DETECTORS),
        text=[[*map(_text, row), *[""] * len(waiting)] for row in shares],
        texttemplate="%{text}",
        colorscale=SCALE,
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=3,
        ygap=3,
        hoverongaps=False,
        hovertemplate="%{y} at %{x}: alarm in %{z:.0%} of the seeds<extra></extra>",
    )
    figure.update_layout(
        showlegend=False,
        xaxis={"type": "category"},
        yaxis={"showgrid": False, "categoryorder": "array", "categoryarray": list(DETECTORS[::-1])},
        margin_b=60,
    )
    return figure


def _text(share: float | None) -> str:
    if share is None:
        return "cannot run"
    return f"{round(share * N_SEEDS)} of {N_SEEDS}" if share else ""
