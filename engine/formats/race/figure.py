"""Figure of the *race*: file sizes as bars, every single run as a dot on a logarithmic axis, the
median as a line.

Blue is column by column in the file, light blue row by row in binary, grey row by row in text; a
pinned run A is hollow.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.formats.race.result import Lane, Operation, RaceResult
from engine.texts import strip_marks
from engine.units import format_bytes, format_factor, format_seconds

LAYOUTS = {
    "Parquet": "column by column",
    "Arrow IPC": "column by column",
    "Avro": "row by row, binary",
}
TEXT = "row by row, text"
COLORS = {
    "column by column": figures.KNOWN,
    "row by row, binary": figures.EXTRA,
    TEXT: figures.WAITING,
}
LANE_HEIGHT = 36


@figures.quoting
def chart(result: RaceResult, operation: Operation, pinned: RaceResult | None = None) -> go.Figure:
    """Draw sizes beside the times of one operation. To see first: which lane is short on both
    sides.
    """
    lanes = result.lanes
    names = [lane.name for lane in lanes]
    figure = figures.new_pair(
        strip_marks(result.verdict),
        height=170 + LANE_HEIGHT * len(lanes),
        x=("file size", f"time to {operation} (log)"),
        names=names,
        split=0.42,
        gap=0.04,
        y_range=(-0.6, len(names)),
    )
    traces = [*_sizes(result, pinned), *_runs(result, operation)]
    if pinned is not None:
        traces.append(_pinned(lanes, operation, pinned))
    key = {"type": "scatter", "x": [None], "y": [None], "mode": "markers"}
    square: dict[str, Any] = {"size": 11, "symbol": "square"}
    traces += [
        {**key, "marker": {**square, "color": color}, "name": name}
        for name, color in COLORS.items()
    ]
    if pinned is not None:
        hollow = {
            **square,
            "color": figures.HOLLOW,
            "line": {"color": figures.SYNTHETIC, "width": 2},
        }
        traces.append({**key, "marker": hollow, "name": "run A (line: median)"})
    figure.add_traces(traces)  # in one go: each add_trace and update_layout validates again
    sized = [lane.file_bytes for lane in lanes] + (
        [lane.file_bytes for lane in pinned.lanes] if pinned else []
    )
    notes = figures.side_notes(
        [*names, len(names) - 0.3], [*(_note(result, lane, operation) for lane in lanes), "× best"]
    )
    figure.update_layout(
        annotations=notes,
        xaxis={
            "range": [0, max([*sized, 1]) * 1.5],
            "fixedrange": True,
            "showticklabels": False,
            "showgrid": False,
        },
        xaxis2={
            "type": "log",
            "tickvals": [10.0**power for power in range(-5, 3)],
            "ticktext": ["10 µs", "0.1 ms", "1 ms", "10 ms", "0.1 s", "1 s", "10 s", "100 s"],
            "tickangle": 0,
            "showgrid": True,
        },
        barmode="overlay",
        bargap=0.3,
        margin_r=64,
    )
    return figure


def _color(lane: Lane) -> str:
    return COLORS[LAYOUTS.get(lane.family, TEXT)]


def _sizes(result: RaceResult, pinned: RaceResult | None) -> list[dict[str, Any]]:
    lanes = [lane for lane in result.lanes if not lane.refused]
    bar = {"type": "bar", "orientation": "h", "showlegend": False}
    now = {
        **bar,
        "y": [lane.name for lane in lanes],
        "x": [lane.file_bytes for lane in lanes],
        "marker": {"color": [_color(lane) for lane in lanes]},
        "text": [format_bytes(lane.file_bytes) if lane.file_bytes else "…" for lane in lanes],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{x:,} bytes<extra></extra>",
    }
    if pinned is None:
        return [now]
    here = {lane.name for lane in lanes}
    before = [lane for lane in pinned.lanes if lane.name in here]
    earlier = {
        **bar,
        "y": [lane.name for lane in before],
        "x": [lane.file_bytes for lane in before],
        "marker": {"color": figures.HOLLOW, "line": {"color": figures.SYNTHETIC, "width": 2}},
        "hovertemplate": "A, %{y}: %{x:,} bytes<extra></extra>",
    }
    return [now, earlier]


def _runs(result: RaceResult, operation: Operation) -> list[dict[str, Any]]:
    """Return every run as a dot and each median as a line, all lanes in one trace each."""
    timed = [
        (lane, lane.seconds.get(operation, ()), lane.median_seconds(operation))
        for lane in result.lanes
    ]
    runs = [(lane, seconds) for lane, all_seconds, _ in timed for seconds in all_seconds]
    dots = {
        "type": "scatter",
        "xaxis": "x2",
        "x": [seconds for _, seconds in runs],
        "y": [lane.name for lane, _ in runs],
        "mode": "markers",
        "marker": {"color": [_color(lane) for lane, _ in runs], "size": 9, "opacity": 0.55},
        "hovertemplate": "%{y}, one run: %{x:.3s}s<extra></extra>",
        "showlegend": False,
    }
    medians = [
        (lane, len(seconds), middle) for lane, seconds, middle in timed if middle is not None
    ]
    texts = [
        f"{lane.name}, median of {n}: {format_seconds(middle)},"
        f" {result.megabytes_per_second(lane, operation) or 0.0:,.0f} MB/s"
        for lane, n, middle in medians
    ]
    return [dots, _medians([(lane, middle, _color(lane)) for lane, _, middle in medians], texts)]


def _pinned(lanes: tuple[Lane, ...], operation: Operation, pinned: RaceResult) -> dict[str, Any]:
    before = [(lane, pinned.lane(lane.name)) for lane in lanes]
    medians = [(lane, a.median_seconds(operation)) for lane, a in before if a is not None]
    known = [(lane, middle, figures.SYNTHETIC) for lane, middle in medians if middle is not None]
    return _medians(
        known, [f"A, {lane.name}, median: {format_seconds(middle)}" for lane, middle, _ in known]
    )


def _medians(medians: list[tuple[Lane, float, str]], texts: list[str]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "xaxis": "x2",
        "x": [middle for _, middle, _ in medians],
        "y": [lane.name for lane, _, _ in medians],
        "mode": "markers",
        "marker": {
            "symbol": "line-ns",
            "size": 18,
            "line": {"color": [color for _, _, color in medians], "width": 3},
        },
        "hovertext": texts,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _note(result: RaceResult, lane: Lane, operation: Operation) -> str:
    """Return what stands to the right of a lane: its factor to the best."""
    factor = result.factor(lane, operation)
    if factor is None:
        return "refused" if lane.refused else "…"
    return f"<b>{format_factor(factor)}</b>" if factor == 1 else format_factor(factor)
