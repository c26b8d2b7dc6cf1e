"""Figures of *bytes read*: the touched strip, and the statistics that decided.

Blue is read or kept, grey is skipped; a pinned run A is drawn hollow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.formats.byte_files import FormatTrace
from engine.formats.bytes_read import BytesReadResult
from engine.formats.row_groups import RowGroup, Value, cut
from engine.texts import strip_marks
from engine.units import format_bytes, format_share

# drawn one by one; a bar is never thinner than a pixel, so more of them would cover their holes
MAX_PIECES = 120
N_BINS = 400  # of a strip with more pieces; a bin is as blue as the share of it that was touched
NAMES = {"csv": "CSV", "avro": "Avro", "parquet": "Parquet"}
PALE = 0.28  # opacity of what is there but not read
UNITS = {
    **dict.fromkeys(("dep_delay", "arr_delay", "air_time"), "minutes"),
    **dict.fromkeys(
        ("dep_time", "arr_time", "sched_dep_time", "sched_arr_time"), "local time, hhmm"
    ),
    **dict.fromkeys(("distance", "visib"), "miles"),
    **dict.fromkeys(("temp", "dewp"), "°F"),
    **dict.fromkeys(("wind_speed", "wind_gust"), "mph"),
    **dict.fromkeys(("time_hour", "event_time"), "UTC"),
    "humid": "%",
    "wind_dir": "degrees",
    "precip": "inches",
    "pressure": "millibars",
}


@figures.quoting
def strip(result: BytesReadResult, pinned: BytesReadResult | None = None) -> go.Figure:
    """Draw each file as a strip of bytes, what its reader touched in blue. To see first: how little
    of Parquet's is blue.
    """
    lanes = [(result, trace, NAMES[trace.format]) for trace in result.traces]
    if pinned is not None:
        lanes[-1] = (result, result.parquet, "Parquet B")
        lanes.append((pinned, pinned.parquet, "Parquet A"))
    marks: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for y, (run, trace, name) in enumerate(reversed(lanes)):
        marks += _lane(y, run, trace, hollow=run is pinned)
        share, size = format_share(trace.read_share), format_bytes(trace.file_bytes)
        reads = f"{trace.n_reads:,} read{'s' * (trace.n_reads != 1)}"
        text = f"<b>{name}</b> {size}, <b>{share}</b> read in {reads}"
        notes.append(
            {
                "x": 0,
                "y": y + 0.28,
                "text": text,
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "bottom",
            }
        )
    keys = [key("read", figures.KNOWN, 1.0), key("row group kept", figures.KNOWN, PALE)]
    return figures.drawn(
        strip_marks(result.verdict),
        [*marks, *keys, key("not read", figures.WAITING, PALE)],
        height=85 * len(lanes) + 165,
        x="position in the file, % of its bytes",
        annotations=notes,
        barmode="overlay",
        bargap=0,
        xaxis={
            "range": [-0.5, 100.5],
            "ticksuffix": "%",
            "dtick": 25,
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={"range": [-0.4, len(lanes) - 0.3], "visible": False, "fixedrange": True},
    )


def key(name: str, color: str, opacity: float) -> dict[str, Any]:
    """Return an entry of the legend that has no marks of its own."""
    marker = {"symbol": "square", "size": 12, "color": color, "opacity": opacity}
    return {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "mode": "markers",
        "marker": marker,
        "name": name,
    }


def _bars(
    y: float, base: np.ndarray, size: np.ndarray, hover: Sequence[str], marker: Mapping[str, object]
) -> dict[str, Any]:
    """Return stretches of one strip, given in percent of the file."""
    return {
        "type": "bar",
        "orientation": "h",
        "base": np.round(base, 4),
        "x": np.round(size, 4),
        "y": np.full(len(base), y, dtype=np.int8),
        "width": 0.5,
        "marker": marker,
        "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _lane(
    y: float, run: BytesReadResult, trace: FormatTrace, *, hollow: bool
) -> list[dict[str, Any]]:
    """Return one file: its row groups (Parquet) or its whole length as background, and what was
    touched on top.
    """
    scale = 100 / trace.file_bytes
    if trace.format == "parquet":
        base = np.array([group.offset for group in run.groups])
        size = np.array([group.size_bytes for group in run.groups])
        hover = [f"row group {g.index} ({g.n_rows:,} rows)<br>{g.reason}" for g in run.groups]
        colors = [figures.KNOWN if group.kept else figures.WAITING for group in run.groups]
        background = {
            "color": colors,
            "opacity": PALE / 2 if hollow else PALE,
            "line": {"color": colors, "width": 1},
        }
        under = _bars(y, base * scale, size * scale, hover, background)
        base, size, hover, shares = _parquet_marks(run)
    else:
        base, size = trace.touched.offsets, trace.touched.lengths
        hover = [
            f"{_bytes_from_to(b, s)}<br>read for any question"
            for b, s in zip(base, size, strict=True)
        ]
        shares = np.ones(len(base))
        whole = np.array([0.0]), np.array([100.0])
        under = _bars(y, *whole, ["not read"], {"color": figures.WAITING, "opacity": PALE})
    if len(base) > MAX_PIECES:
        painted = {
            "color": [figures.faint(figures.KNOWN, share) for share in shares],
            "line": {"width": 0},
        }
    else:
        # The outline keeps a lone sliver visible.
        line = {"color": figures.KNOWN, "width": 1.5 if hollow else 0.6}
        painted = {"color": figures.HOLLOW if hollow else figures.KNOWN, "line": line}
    return [under, _bars(y, base * scale, size * scale, hover, painted)]


def _bytes_from_to(first: int, length: int) -> str:
    return f"bytes {first:,} – {first + length - 1:,} ({format_bytes(length)})"


def _parquet_marks(run: BytesReadResult) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """Return first byte, length, hover text and share touched of the marks: pieces of chunks, or
    bins when they are many.
    """
    pieces = cut(run.parquet.touched, run.chunks)
    if len(pieces.offset) > MAX_PIECES:
        edges = np.linspace(0, run.parquet.file_bytes, N_BINS + 1).astype(np.int64)
        shares = np.diff(run.parquet.touched.before(edges)) / np.diff(edges)
        some = shares > 0
        starts, lengths, shares = edges[:-1][some], np.diff(edges)[some], shares[some]
        marks = zip(starts, lengths, shares, strict=True)
        return (
            starts,
            lengths,
            [
                f"{_bytes_from_to(b, s)}<br>{format_share(share)} of them read"
                for b, s, share in marks
            ],
            shares,
        )
    texts = []
    for offset, length, chunk in zip(pieces.offset, pieces.length, pieces.chunk, strict=True):
        if chunk < 0:
            name = "footer: schema, offsets, statistics"
        else:
            column, group = run.column_names[run.chunks.column[chunk]], run.chunks.group[chunk]
            name = f"{column}, row group {group}"
            if length < run.chunks.size_bytes[chunk]:
                name += "<br>(part of the chunk, read with the footer)"
        texts.append(f"{name}<br>{_bytes_from_to(offset, length)}")
    return pieces.offset, pieces.length, texts, np.ones(len(texts))


@figures.quoting
def statistics(result: BytesReadResult, pinned: BytesReadResult | None = None) -> go.Figure:
    """Draw each row group's min–max against the range asked for. To see first: which bars the band
    meets.
    """
    column = result.params.predicate_column
    unit = UNITS.get(column) if result.params.table != "upload" else None
    same_axis = pinned is not None and (pinned.params.table, pinned.params.predicate_column) == (
        result.params.table,
        column,
    )
    traces: list[dict[str, Any]] = []
    windows = [_window(result.low, result.high, hollow=False)]
    suffix = "" if pinned is None else ", B"
    for name, color, pattern, chosen in (
        ("read", figures.KNOWN, "", [g for g in result.groups if g.kept and not g.in_vain]),
        ("read, no match", figures.KNOWN, "/", [g for g in result.groups if g.in_vain]),
        ("skipped", figures.WAITING, "", [g for g in result.groups if not g.kept]),
    ):
        marker = {
            "color": color,
            "opacity": 0.6,
            "pattern": {"shape": pattern, "fgcolor": color, "size": 6},
        }
        traces += _group_marks(name + suffix, chosen, result, marker)
    if pinned is not None and same_axis:
        windows.append(_window(pinned.low, pinned.high, hollow=True))
        colors = [figures.KNOWN if group.kept else figures.WAITING for group in pinned.groups]
        traces += _group_marks(
            "A",
            list(pinned.groups),
            pinned,
            {"color": figures.HOLLOW, "line": {"color": colors, "width": 1.5}},
        )
    elif pinned is not None:
        traces.append(
            key(
                f"A: {pinned.params.predicate_column} of {pinned.params.table}, another axis",
                figures.HOLLOW,
                1.0,
            )
        )
    n_rows = max(result.n_rows, pinned.n_rows if pinned is not None and same_axis else 0)
    return figures.drawn(
        f"Min and max of {column} in each row group",
        traces,
        height=460,
        x=f"{column}, {unit}" if unit else column,
        y="row in the file, thousands",
        shapes=windows,
        barmode="overlay",
        yaxis={"range": [1.03 * n_rows / 1000, 0], "showgrid": False, "zeroline": False},
        xaxis={
            "type": "date" if isinstance(result.low, date) else "linear",
            "separatethousands": True,
            "zeroline": False,
        },
    )


def _window(low: Value, high: Value, *, hollow: bool) -> dict[str, Any]:
    """Return the range asked for as a band; an empty band still shows its line."""
    line = {"color": figures.KNOWN, "width": 2, "dash": "dot" if hollow else "solid"}
    fill = figures.HOLLOW if hollow else figures.faint(figures.KNOWN, 0.18)
    across = {"xref": "x", "x0": low, "x1": high, "yref": "y domain", "y0": 0, "y1": 1}
    return {"type": "rect", **across, "fillcolor": fill, "line": line, "layer": "above"}


def _group_marks(
    name: str, groups: list[RowGroup], run: BytesReadResult, marker: Mapping[str, object]
) -> list[dict[str, Any]]:
    """Return a bar from min to max for each row group; a group without statistics gets a cross at
    the range's start.
    """
    step = run.params.rows_per_group
    traces: list[dict[str, Any]] = []
    for symbol, chosen in (
        ("bar", [g for g in groups if g.minimum is not None]),
        ("x", [g for g in groups if g.minimum is None]),
    ):
        if not chosen:
            continue
        middle = [(group.index * step + group.n_rows / 2) / 1000 for group in chosen]
        hover = [
            f"<b>row group {g.index}</b>: {_nulls(g)}<br>{g.reason}<br>{g.n_matching:,} rows in the"
            " range"
            for g in chosen
        ]
        shared = {"y": middle, "hovertext": hover, "hovertemplate": "%{hovertext}<extra></extra>"}
        if symbol == "x":
            cross = {"color": _dot_colors(chosen), "symbol": "x", "size": 9}
            at = {"x": [run.low] * len(chosen), "mode": "markers", "marker": cross}
            traces.append({"type": "scatter", "name": f"{name}, no min/max", **at, **shared})
            continue
        extents = [_extent(group) for group in chosen]
        if "line" not in marker:  # a bar from x to x has no area: give it an outline
            marker = {
                **marker,
                "line": {
                    "color": marker["color"],
                    "width": [2.0 if e == 0 else 0.0 for e in extents],
                },
            }
        base, width = (
            [group.minimum for group in chosen],
            [0.7 * group.n_rows / 1000 for group in chosen],
        )
        bar = {
            "type": "bar",
            "orientation": "h",
            "base": base,
            "x": extents,
            "width": width,
            "marker": marker,
        }
        traces.append({**bar, "name": name, **shared})
    return traces


def _dot_colors(groups: list[RowGroup]) -> list[str]:
    return [figures.KNOWN if group.kept else figures.WAITING for group in groups]


def _nulls(group: RowGroup) -> str:
    return (
        f"{group.n_rows:,} rows, {'unknown' if group.n_nulls is None else f'{group.n_nulls:,}'}"
        " null"
    )


def _extent(group: RowGroup) -> float:
    """Return max − min, in milliseconds for dates and times, as a bar on a date axis wants it."""
    if isinstance(group.minimum, date) and isinstance(group.maximum, date):
        return (group.maximum - group.minimum).total_seconds() * 1000
    return float(group.maximum) - float(group.minimum)  # type: ignore[arg-type]  # numbers: only groups with min/max come here
