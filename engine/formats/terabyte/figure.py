"""Figure of *one terabyte*: what each format costs to keep and takes to scan, projected; best score
on top.

Blue is the winner under the weights, grey the others; whiskers run from the fastest to the slowest
measured run.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.formats.terabyte import Projection, TerabyteResult
from engine.texts import strip_marks
from engine.units import format_range, format_seconds

LANE_HEIGHT = 40
TICKS = {
    0.001: "1 ms",
    1.0: "1 s",
    60.0: "1 min",
    600.0: "10 min",
    3_600.0: "1 h",
    86_400.0: "1 d",
    2_592_000.0: "30 d",
    31_536_000.0: "1 yr",
}


def chart(result: TerabyteResult, pinned: TerabyteResult | None = None) -> go.Figure:
    """Draw cost beside scan time. To see first: the lane on top, and how far the last one is
    behind.
    """
    best = result.best
    names = [entry.name for entry in result.formats]
    figure = figures.new_pair(
        strip_marks(result.verdict),
        height=110 + LANE_HEIGHT * len(names),
        x=("USD per month", "one scan (log); right: score"),
        names=names,
        split=0.45,
        gap=0.05,
        y_range=(-0.6, len(names) - 0.4),
    )
    colors = [figures.KNOWN if entry is best else figures.WAITING for entry in result.formats]
    marker: dict[str, Any] = {
        "color": colors,
        "pattern": {"shape": "/", "fillmode": "overlay", "size": 5},
    }
    traces = [_costs(result.formats, {"marker": marker}), _scans(result.formats, colors, "")]
    if pinned is not None:
        before = [entry for entry in pinned.formats if entry.name in names]
        hollow = {"color": figures.HOLLOW, "line": {"color": figures.SYNTHETIC, "width": 2}}
        traces.append(_costs(before, {"marker": hollow, "text": None}))
        traces.append(_scans(before, [figures.SYNTHETIC] * len(before), "A, "))
    figure.add_traces(traces)  # in one go: each add_trace validates again
    scores = [
        f"<b>{entry.score:.2f}</b>" if entry is best else f"{entry.score:.2f}"
        for entry in result.formats
    ]
    top = max(
        [entry.usd_a_month for entry in (*result.formats, *(pinned.formats if pinned else ()))]
        + [0.01]
    )
    figure.update_layout(
        annotations=figures.side_notes(list(names), scores),
        xaxis={"range": [0, top * 1.5], "fixedrange": True, "nticks": 4},
        xaxis2={
            "type": "log",
            "showgrid": True,
            "tickvals": list(TICKS),
            "ticktext": list(TICKS.values()),
        },
        barmode="overlay",
        bargap=0.35,
        margin={"r": 60},
        showlegend=False,
    )
    return figure


def _costs(
    entries: tuple[Projection, ...] | list[Projection], look: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "y": [entry.name for entry in entries],
        "x": [entry.usd_a_month for entry in entries],
        "text": [f"{entry.usd_a_month:,.2f}" for entry in entries],
        "customdata": [entry.stored_bytes / 1e9 for entry in entries],
        "hovertemplate": "%{y}: %{customdata:,.1f} GB, %{x:,.2f} USD a month<extra></extra>",
        "textposition": "outside",
        "cliponaxis": False,
        **look,
    }


def _scans(
    entries: tuple[Projection, ...] | list[Projection], colors: list[str], mark: str
) -> dict[str, Any]:
    """Return one mark a format, with a whisker for each: whiskers of one trace have one colour."""
    texts = [
        f"{mark}{e.name}, one scan: {format_seconds(e.scan.middle)}"
        f" ({format_range(e.scan.low, e.scan.high, format_seconds)}), waits for the {e.bottleneck}"
        for e in entries
    ]
    return {
        "type": "scatter",
        "xaxis": "x2",
        "x": [entry.scan.middle for entry in entries],
        "y": [entry.name for entry in entries],
        "mode": "markers",
        "marker": {"color": colors, "size": 13, "symbol": "diamond-open" if mark else "diamond"},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [entry.scan.high - entry.scan.middle for entry in entries],
            "arrayminus": [entry.scan.middle - entry.scan.low for entry in entries],
            "color": figures.SYNTHETIC if mark else figures.WAITING,
        },
        "hovertext": texts,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
