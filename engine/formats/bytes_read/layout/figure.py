"""Figure of *bytes read*: the start of the CSV and of the Parquet file, byte by byte.

A pinned run A is drawn in a second row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.formats.bytes_read import BytesReadResult
from engine.formats.bytes_read.figure import key
from engine.formats.bytes_read.layout import N_ACROSS, N_DOWN, N_SQUARES, NO_COLUMN, Layout


@figures.quoting
def layout(result: BytesReadResult, pinned: BytesReadResult | None = None) -> go.Figure:
    """Draw the start of the CSV and of the Parquet file as squares of bytes. To see first:
    scattered against in one piece.
    """
    runs = [result] if pinned is None else [result, pinned]
    maps: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for row, run in enumerate(runs):
        name = "" if pinned is None else "A " if run is pinned else "B "
        n_csv_rows = int(run.csv_layout.first_row[-1]) + 1
        texts = (
            f"<b>{name}CSV</b>, rows 1–{n_csv_rows:,}<br>{_per_square(run.csv_layout)}",
            (
                f"<b>{name}Parquet</b>, rows"
                f" 1–{run.groups[0].n_rows:,}<br>{_per_square(run.parquet_layout)}"
            ),
        )
        for side, squares in enumerate((run.csv_layout, run.parquet_layout)):
            place = 2 * row + side
            number = "" if place == 0 else str(place + 1)
            maps.append({**_map(run, squares), "xaxis": f"x{number}", "yaxis": f"y{number}"})
            axes |= _axes(place, number, n_down=len(runs))
            notes.append(_corner(number, texts[side]))
    names = ("columns read", "filter column", "other columns")
    keys = [key(name, color, 1.0) for name, color in zip(names, reversed(_COLORS[1:]), strict=True)]
    height = 470 if pinned is None else 730
    return figures.drawn(
        "Start of the CSV and the Parquet file, by column",
        [*maps, *keys],
        height=height,
        annotations=notes,
        meta={"top": 66},
        margin={"b": 60},
        **axes,
    )


def _per_square(squares: Layout) -> str:
    """Return how many bytes of the file a square stands for."""
    step = squares.step_bytes
    return (
        "1 byte per square" if step == 1 else f"{step:,.{0 if step >= 10 else 1}f} bytes per square"
    )


# Kinds of square: 0 and 1 other columns (in turn, so that cells can be told apart), 2 the predicate
# column, 3 wanted.
_COLORS = (
    figures.faint(figures.WAITING, 0.25),
    figures.faint(figures.WAITING, 0.5),
    figures.EXTRA,
    figures.KNOWN,
)


def _map(run: BytesReadResult, squares: Layout) -> dict[str, Any]:
    """Return one map of squares, without its axes."""
    wanted = [run.column_names.index(name) for name in run.params.columns]
    predicate = run.column_names.index(run.params.predicate_column)
    kind = np.where(squares.column % 2 == 0, 0.0, 1.0)
    kind[squares.column == predicate] = 2
    kind[np.isin(squares.column, wanted)] = 3
    kind[squares.column == NO_COLUMN] = np.nan
    hover = [
        (
            "line end"
            if column == NO_COLUMN
            else f"byte {offset:,}: {run.column_names[column]}, row {row + 1:,}"
        )
        for column, row, offset in zip(
            squares.column, squares.first_row, squares.offset, strict=True
        )
    ]
    if squares is run.parquet_layout:
        hover = [text.replace(", row 1", f", rows 1 – {run.groups[0].n_rows:,}") for text in hover]
    n_missing = N_SQUARES - len(kind)
    return {
        "type": "heatmap",
        "z": np.append(kind, np.full(n_missing, np.nan)).reshape(N_DOWN, N_ACROSS),
        "text": np.array(hover + [""] * n_missing, dtype=object).reshape(N_DOWN, N_ACROSS),
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
        "zmin": -0.5,
        "zmax": 3.5,
        "colorscale": [
            [share, color] for i, color in enumerate(_COLORS) for share in (i / 4, (i + 1) / 4)
        ],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
    }


def _axes(place: int, number: str, *, n_down: int) -> dict[str, dict[str, Any]]:
    """Return both axes of the map at ``place`` (0 … 2 × n_down − 1, CSV left, Parquet right)."""
    side, row = place % 2, place // 2
    height, gap = (1.0, 0.0) if n_down == 1 else (0.4, 0.2)
    top = 1 - row * (height + gap)
    hidden = {
        "showticklabels": False,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
    }
    across = {
        "domain": [0.53 * side, 0.47 + 0.53 * side],
        "anchor": f"y{number}",
        "title": {"text": "bytes, line by line →"},
    }
    down = {
        "domain": [max(0.0, top - height), top],
        "anchor": f"x{number}",
        "autorange": "reversed",
    }
    return {f"xaxis{number}": hidden | across, f"yaxis{number}": hidden | down}


def _corner(number: str, text: str) -> dict[str, Any]:
    """Return a map's text, above its upper left corner."""
    at = {
        "x": 0,
        "y": 1,
        "xref": f"x{number} domain",
        "yref": f"y{number} domain",
        "xanchor": "left",
        "yanchor": "bottom",
    }
    return {**at, "text": text, "showarrow": False, "align": "left"}
