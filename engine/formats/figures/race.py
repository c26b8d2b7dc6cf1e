"""Figure of the *race*: file sizes as bars, every single run as a dot on a logarithmic axis, the median as a line.

Blue lies column by column in the file, sky blue row by row in binary, grey row by row in text; a pinned run A is hollow.
"""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine import figures
from engine.formats.race_result import Lane, Operation, RaceResult
from engine.units import human_bytes, human_factor, human_seconds

LAYOUTS = {"Parquet": "column by column", "Arrow IPC": "column by column", "Avro": "row by row, binary"}
TEXT = "row by row, text"
COLORS = {"column by column": figures.KNOWN, "row by row, binary": figures.EXTRA, TEXT: figures.WAITING}
LANE_HEIGHT = 36
HOLLOW = "rgba(0,0,0,0)"


def chart(result: RaceResult, operation: Operation, pinned: RaceResult | None = None) -> go.Figure:
    """Draw sizes beside the times of one operation. To see first: which lane is short on both sides."""
    lanes = result.lanes
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, column_widths=[0.42, 0.58], horizontal_spacing=0.04)
    figure.update_layout(figures.new_tall(_title(result, operation), height=170 + LANE_HEIGHT * len(lanes)).layout)
    _add_sizes(figure, result, pinned)
    for lane in lanes:
        _add_runs(figure, result, lane, operation)
        _add_pinned(figure, lane, operation, pinned)
    for name, color in COLORS.items():
        key = {"color": color, "size": 11, "symbol": "square"}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=key, name=name, row=1, col=1)
    if pinned is not None:
        key = {"color": HOLLOW, "size": 11, "symbol": "square", "line": {"color": figures.SYNTHETIC, "width": 2}}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=key, name="pinned run A (line: its median)", row=1, col=1)
    names = [lane.name for lane in lanes]
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], range=[-0.6, len(names)], fixedrange=True)
    figure.update_xaxes(title_text="file size", showticklabels=False, showgrid=False, row=1, col=1)
    sized = [lane.file_bytes for lane in lanes] + ([lane.file_bytes for lane in pinned.lanes] if pinned else [])
    figure.update_xaxes(range=[0, max([*sized, 1]) * 1.5], fixedrange=True, row=1, col=1)
    figure.update_xaxes(
        title_text=f"time to {operation} (log)",
        type="log",
        tickvals=[1e-4, 1e-2, 1],
        ticktext=["0.1 ms", "10 ms", "1 s"],
        minor={"tickvals": [1e-3, 0.1, 10], "showgrid": True},
        showgrid=True,
        row=1,
        col=2,
    )
    _note(figure, len(names) - 0.3, "× best")
    figure.update_layout(barmode="overlay", bargap=0.3, margin_r=64)
    return figure


def _title(result: RaceResult, operation: Operation) -> str:
    best, small = result.best(operation), result.smallest
    if best is None or small is None:
        return "The first files are being written"
    seconds = human_seconds(best.median_seconds(operation) or 0.0)
    return f"Fastest: {best.name}, {seconds};<br>smallest: {small.name}, {human_bytes(small.file_bytes)}"


def _color(lane: Lane) -> str:
    return COLORS[LAYOUTS.get(lane.family, TEXT)]


def _add_sizes(figure: go.Figure, result: RaceResult, pinned: RaceResult | None) -> None:
    lanes = [lane for lane in result.lanes if not lane.refused]
    figure.add_bar(
        orientation="h",
        y=[lane.name for lane in lanes],
        x=[lane.file_bytes for lane in lanes],
        marker_color=[_color(lane) for lane in lanes],
        text=[human_bytes(lane.file_bytes) if lane.file_bytes else "…" for lane in lanes],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:,} bytes<extra></extra>",
        showlegend=False,
        row=1,
        col=1,
    )
    if pinned is not None:
        here = {lane.name for lane in lanes}
        before = [lane for lane in pinned.lanes if lane.name in here]
        figure.add_bar(
            orientation="h",
            y=[lane.name for lane in before],
            x=[lane.file_bytes for lane in before],
            marker={"color": HOLLOW, "line": {"color": figures.SYNTHETIC, "width": 2}},
            hovertemplate="A, %{y}: %{x:,} bytes<extra></extra>",
            showlegend=False,
            row=1,
            col=1,
        )


def _add_runs(figure: go.Figure, result: RaceResult, lane: Lane, operation: Operation) -> None:
    runs, middle, factor = lane.seconds.get(operation, ()), lane.median_seconds(operation), result.factor(lane, operation)
    if not runs or middle is None or factor is None:
        _note(figure, lane.name, "refused" if lane.refused else "…")
        return
    mark = {"symbol": "line-ns", "size": 18, "line": {"color": _color(lane), "width": 3}}
    speed = result.megabytes_per_second(lane, operation) or 0.0
    figure.add_scatter(
        x=runs,
        y=[lane.name] * len(runs),
        mode="markers",
        marker={"color": _color(lane), "size": 9, "opacity": 0.55},
        hovertemplate=f"{lane.name}, one run: " + "%{x:.3s}s<extra></extra>",
        showlegend=False,
        row=1,
        col=2,
    )
    _note(figure, lane.name, human_factor(factor), bold=factor == 1)
    figure.add_scatter(
        x=[middle],
        y=[lane.name],
        mode="markers",
        marker=mark,
        hovertemplate=f"{lane.name}, median of {len(runs)}: {human_seconds(middle)}, {speed:,.0f} MB/s<extra></extra>",
        showlegend=False,
        row=1,
        col=2,
    )


def _note(figure: go.Figure, lane: str | float, text: str, *, bold: bool = False) -> None:
    """Write a text to the right of a lane."""
    text = f"<b>{text}</b>" if bold else text
    figure.add_annotation(x=1, xref="paper", y=lane, text=text, showarrow=False, xanchor="left", xshift=6)


def _add_pinned(figure: go.Figure, lane: Lane, operation: Operation, pinned: RaceResult | None) -> None:
    before = pinned.lane(lane.name) if pinned else None
    middle = before.median_seconds(operation) if before else None
    if middle is not None:
        mark = {"symbol": "line-ns", "size": 18, "line": {"color": figures.SYNTHETIC, "width": 3}}
        figure.add_scatter(
            x=[middle],
            y=[lane.name],
            mode="markers",
            marker=mark,
            hovertemplate=f"A, {lane.name}, median: {human_seconds(middle)}<extra></extra>",
            showlegend=False,
            row=1,
            col=2,
        )
