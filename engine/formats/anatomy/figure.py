"""Figures of *anatomy*: the zoomable byte map of a Parquet file, and the curve on which the
dictionary grows too large.

Blue is dictionary pages, light blue dictionary indexes, grey plain values, green footer and page
indexes.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.formats.anatomy import AnatomyResult
from engine.formats.parquet.pieces import Piece
from engine.texts import strip_marks
from engine.units import format_bytes

MAX_BLOCKS = 1_500  # drawn; a file with more pieces is shown down to its column chunks
MAX_CHUNKS = 24  # side by side
FRAME = (  # of what only holds other blocks: solid, so that its label is legible in both themes
    "#D7DBE0"
)
INK = "#1F2933"  # of labels on light blocks
MAX_BORDERED = 200  # blocks with a border; more and thinner ones would drown in it
COLORS = {
    "dictionary": figures.KNOWN,
    "dictionary indexes": figures.EXTRA,
    "plain values": figures.WAITING,
    "footer, indexes": figures.HELD_OUT,
}


def meaning(piece: Piece) -> str:
    """Return which of the four colours a piece has."""
    if piece.kind == "dictionary page":
        return "dictionary"
    if piece.kind == "data page":
        return "dictionary indexes" if piece.dictionary_coded else "plain values"
    return "footer, indexes"


def _hover(piece: Piece) -> str:
    text = f"{piece.kind}, {format_bytes(piece.size_bytes)} at byte {piece.offset:,}"
    if piece.page >= 0:
        nulls = f", {piece.n_nulls:,} nulls" if piece.n_nulls >= 0 else ""
        text += f"<br>{piece.encoding}, {piece.codec.lower()}, {piece.n_values:,} values{nulls}"
        text += (
            f"<br>header {piece.header_bytes:,} B, uncompressed"
            f" {format_bytes(piece.uncompressed_bytes)}"
        )
    if piece.minimum or piece.maximum:
        text += f"<br>min {piece.minimum}, max {piece.maximum}"
    return text


@figures.quoting
def byte_map(result: AnatomyResult, pinned: AnatomyResult | None = None) -> go.Figure:
    """Draw the file as nested blocks, as wide as their bytes; a click zooms in. To see first: the
    widest column.

    A file of many column chunks is opened at its first row group: over the whole file no chunk
    would be wide enough to see.
    """
    blocks = _blocks(result)
    border = int(len(blocks) <= MAX_BORDERED)
    icicle = {
        "type": "icicle",
        "ids": [block[0] for block in blocks],
        "parents": [block[1] for block in blocks],
        "labels": [block[2] for block in blocks],
        "values": [block[3] for block in blocks],
        "marker": {"colors": [block[4] for block in blocks], "line": {"width": border}},
        "hovertext": [block[5] for block in blocks],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "branchvalues": "total",
        "level": "group 0" if len(result.columns) * result.n_row_groups > MAX_CHUNKS else None,
        "sort": False,
        "tiling": {"orientation": "v", "pad": border},
        "pathbar": {"visible": True, "side": "bottom"},
        "leaf": {"opacity": 1},
        "textfont": {
            "size": 14,
            "color": [INK if block[4] in (FRAME, figures.EXTRA) else "#FFFFFF" for block in blocks],
        },
    }
    keys = [
        {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "name": name,
         "marker": {"color": color, "size": 11, "symbol": "square"}}
        for name, color in COLORS.items()
    ]  # fmt: skip
    return figures.drawn(
        "Byte map: click a block to zoom in",
        [icicle, *keys],
        height=520,
        xaxis={"visible": False},
        yaxis={"visible": False},
        uniformtext={"minsize": 13, "mode": "hide"},
    )


def _blocks(result: AnatomyResult) -> list[tuple[str, str, str, int, str, str]]:
    """Return (id, parent, label, bytes, colour, hover) of every block, parents first, in file
    order.
    """
    blocks = [
        (
            "file",
            "",
            "file",
            result.file_bytes,
            FRAME,
            f"the file, {format_bytes(result.file_bytes)}",
        )
    ]
    in_full = len(result.pieces) <= MAX_BLOCKS
    sizes: dict[tuple[int, str], int] = {}
    for piece in result.pages():
        for key in ((piece.row_group, piece.column), (piece.row_group, "")):
            sizes[key] = sizes.get(key, 0) + piece.size_bytes
    chunk_color = {(p.row_group, p.column): COLORS[meaning(p)] for p in result.pages()}
    seen: set[str] = set()
    for piece in result.pieces:
        if piece.page < 0:
            blocks.append(
                (
                    f"at {piece.offset}",
                    "file",
                    piece.kind,
                    piece.size_bytes,
                    COLORS[meaning(piece)],
                    _hover(piece),
                )
            )
            continue
        group, chunk = f"group {piece.row_group}", f"group {piece.row_group}/{piece.column}"
        if group not in seen:
            group_bytes = sizes[piece.row_group, ""]
            text = f"row group {piece.row_group}, {format_bytes(group_bytes)}"
            blocks.append((group, "file", f"row group {piece.row_group}", group_bytes, FRAME, text))
        if chunk not in seen:
            chunk_bytes = sizes[piece.row_group, piece.column]
            text = f"{piece.column}, row group {piece.row_group}: {format_bytes(chunk_bytes)}"
            color = FRAME if in_full else chunk_color[piece.row_group, piece.column]
            blocks.append((chunk, group, piece.column, chunk_bytes, color, text))
        seen |= {group, chunk}
        if in_full:
            label = "dictionary" if piece.kind == "dictionary page" else f"page {piece.page}"
            blocks.append(
                (
                    f"{chunk}/{piece.page}",
                    chunk,
                    label,
                    piece.size_bytes,
                    COLORS[meaning(piece)],
                    _hover(piece),
                )
            )
    return blocks


def fallback(result: AnatomyResult, pinned: AnatomyResult | None = None) -> go.Figure:
    """Draw the text column's size by distinct values. To see first: the jump where the dictionary
    grows too large.
    """
    figure = figures.new_tall(
        strip_marks(result.verdict),
        height=420,
        x="distinct values (log)",
        y="text column, kB",
    )
    sizes = [point.size_bytes for point in result.curve]
    plain_sizes = [point.plain_size_bytes for point in result.curve]
    lines = [
        ("with dictionary", figures.KNOWN, "solid", sizes),
        ("without dictionary", figures.WAITING, "dot", plain_sizes),
    ]
    if pinned is not None and pinned.curve:
        before = [point.size_bytes for point in pinned.curve]
        lines.append(("run A", figures.SYNTHETIC, "dash", before))
    for name, color, dash, size_bytes in lines:
        figure.add_scatter(
            x=[point.cardinality for point in result.curve],
            y=[size / 1e3 for size in size_bytes],
            mode="lines+markers",
            line={"color": color, "dash": dash, "width": 2},
            name=name,
            hovertemplate=f"{name}: " + "%{x:,} distinct values, %{y:,.0f} kB<extra></extra>",
        )
    color = figures.LEAKED if result.n_fallen_pages else figures.KNOWN
    figure.add_scatter(
        x=[result.params.cardinality],
        y=[result.text_bytes / 1e3],
        mode="markers",
        marker={"color": color, "size": 16, "symbol": "diamond"},
        name="this file",
        hovertemplate="this file: %{x:,} distinct values, %{y:,.0f} kB<extra></extra>",
    )
    figure.update_xaxes(
        type="log",
        tickvals=[10, 100, 1_000, 10_000, 100_000],
        ticktext=["10", "100", "1k", "10k", "100k"],
    )
    figure.update_yaxes(rangemode="tozero", separatethousands=True, showgrid=True)
    return figure
