"""Figure of *one terabyte*: what each format costs to keep and takes to scan, projected; best score on top.

Blue is the winner under the weights, grey the others; whiskers run from the fastest to the slowest measured run.
"""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine import figures
from engine.formats.terabyte import Projection, TerabyteResult
from engine.units import human_seconds

LANE_HEIGHT = 40
HOLLOW = "rgba(0,0,0,0)"
TICKS = {0.001: "1 ms", 1.0: "1 s", 60.0: "1 min", 3_600.0: "1 h", 86_400.0: "1 d", 2_592_000.0: "30 d", 31_536_000.0: "1 yr"}


def chart(result: TerabyteResult, pinned: TerabyteResult | None = None) -> go.Figure:
    """Draw cost beside scan time. To see first: the lane on top, and how far the last one is behind."""
    best, p = result.best, result.params
    title = f"Projected to {p.raw_tb:g} TB, your weights choose<br>{best.name}; the score (1: best in all) is at the right"
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, column_widths=[0.45, 0.55], horizontal_spacing=0.05)
    figure.update_layout(figures.new_tall(title, height=170 + LANE_HEIGHT * len(result.formats)).layout)
    names = [entry.name for entry in result.formats]
    colors = [figures.KNOWN if entry is best else figures.WAITING for entry in result.formats]
    _add_costs(
        figure, result.formats, {"marker": {"color": colors, "pattern": {"shape": "/", "fillmode": "overlay", "size": 5}}}
    )
    _add_scans(figure, result.formats, colors, "")
    if pinned is not None:
        before = [entry for entry in pinned.formats if entry.name in names]
        _add_costs(
            figure, before, {"marker": {"color": HOLLOW, "line": {"color": figures.SYNTHETIC, "width": 2}}, "text": None}
        )
        _add_scans(figure, before, [figures.SYNTHETIC] * len(before), "A, ")
    for entry in result.formats:
        text = f"<b>{entry.score:.2f}</b>" if entry is best else f"{entry.score:.2f}"
        figure.add_annotation(x=1, xref="paper", y=entry.name, text=text, showarrow=False, xanchor="left", xshift=6)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], range=[-0.6, len(names) - 0.4], fixedrange=True)
    top = max([entry.usd_a_month for entry in (*result.formats, *(pinned.formats if pinned else ()))] + [0.01])
    figure.update_xaxes(title_text="USD/month", range=[0, top * 1.5], fixedrange=True, nticks=4, row=1, col=1)
    ticks = {"tickvals": list(TICKS), "ticktext": list(TICKS.values())}
    figure.update_xaxes(title_text="one scan", type="log", showgrid=True, row=1, col=2, **ticks)
    figure.update_layout(barmode="overlay", bargap=0.35, margin_r=60, showlegend=False)
    return figure


def _add_costs(figure: go.Figure, entries: tuple[Projection, ...] | list[Projection], look: dict[str, object]) -> None:
    text = [f"{entry.usd_a_month:,.2f}" for entry in entries]
    figure.add_bar(
        orientation="h",
        y=[entry.name for entry in entries],
        x=[entry.usd_a_month for entry in entries],
        customdata=[entry.stored_bytes / 1e9 for entry in entries],
        hovertemplate="%{y}: %{customdata:,.1f} GB, %{x:,.2f} USD a month<extra></extra>",
        textposition="outside",
        cliponaxis=False,
        row=1,
        col=1,
        **{"text": text, **look},
    )


def _add_scans(figure: go.Figure, entries: tuple[Projection, ...] | list[Projection], colors: list[str], mark: str) -> None:
    for entry, color in zip(entries, colors, strict=True):
        scan = entry.scan
        told = f"{human_seconds(scan.middle)} ({human_seconds(scan.low)} … {human_seconds(scan.high)})"
        figure.add_scatter(
            x=[scan.middle],
            y=[entry.name],
            mode="markers",
            marker={"color": color, "size": 13, "symbol": "diamond-open" if mark else "diamond"},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [scan.high - scan.middle],
                "arrayminus": [scan.middle - scan.low],
                "color": color,
            },
            hovertemplate=f"{mark}{entry.name}, one scan: {told}, waits for the {entry.bottleneck}<extra></extra>",
            row=1,
            col=2,
        )
