"""Figure of *verdicts*: which detector sees the dosed leak, from which dose on."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.leakage.dose import GRID, NAMES
from engine.leakage.findings import DETECTORS
from engine.leakage.verdicts import N_SEEDS, Verdicts

SCALE = [[0.0, "rgba(140, 147, 156, 0.16)"], [1.0, figures.LEAKED]]  # waiting, thin … leaked


def detectors(verdicts: Verdicts) -> go.Figure:
    """Draw the share of seeds with an alarm by detector and dose. To see first: where vermilion begins, if it does at all."""
    name = NAMES[verdicts.params.focus]
    n_seen = len(verdicts.seen)
    title = "The tables are being audited, dose by dose"
    if len(verdicts.shares) == len(GRID):
        title = f"{name}: {n_seen} of {len(DETECTORS)} detectors see it,<br>" if n_seen else f"{name}: no detector sees it<br>"
        title += f"the first at dose {min(verdicts.seen.values()):g}" if n_seen else "in the table, at any dose"
    doses = [f"{dose:g}" for dose in GRID[: len(verdicts.shares)]]
    shares = [[share.get(detector) for share in verdicts.shares] for detector in DETECTORS]
    figure = figures.new_tall(title, height=190 + 26 * len(DETECTORS), x="dose of the leak (0: clean pipeline)")
    figure.add_heatmap(
        z=shares,
        x=doses,
        y=list(DETECTORS),
        text=[
            ["cannot run" if s is None else f"{round(s * N_SEEDS)} of {N_SEEDS}" if s else "" for s in row] for row in shares
        ],
        texttemplate="%{text}",
        colorscale=SCALE,
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=3,
        ygap=3,
        hoverongaps=False,
        hovertemplate="%{y} at dose %{x}: alarm in %{z:.0%} of the seeds<extra></extra>",
    )
    figure.update_layout(
        showlegend=False,
        xaxis={"type": "category"},
        yaxis={"categoryorder": "array", "categoryarray": list(DETECTORS[::-1])},
        margin_b=60,
    )
    return figure
