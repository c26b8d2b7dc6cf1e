"""Figure of *schema evolution*: nine changes × four formats, each cell coloured and named by what
its reader did.

Orange-red is silently wrong and drawn solid; every other outcome is pale. Cells are bars, because
Streamlit can select bars on a click but no heatmap cells; ``customdata`` is (change, format).
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.formats.evolution import CHANGES, FORMATS, OUTCOMES, Cell, EvolutionResult, Outcome
from engine.texts import strip_marks

COLORS: dict[Outcome, str] = {
    "same": figures.KNOWN,
    "filled": figures.HELD_OUT,
    "nulls": figures.WAITING,
    "silently wrong": figures.LEAKED,
    "error": figures.FAILED,
}
PALE = {"same": 0.1, "filled": 0.25, "nulls": 0.22, "silently wrong": 1.0, "error": 0.25}
SHORT: dict[Outcome, str] = {outcome: outcome.removeprefix("silently ") for outcome in OUTCOMES}
LABELS = {
    "add with default": "add, with<br>default",
    "add without default": "add, without<br>default",
    "number to text": "number<br>to text",
    "text to number": "text to<br>number",
}
PLAIN = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": ""}  # both axes
HALF = 0.46  # of a cell's width and height; the rest is the gap


def matrix(result: EvolutionResult, pinned: EvolutionResult | None = None) -> go.Figure:
    """Draw the matrix; the selected cell is outlined. To see first: the cells that are silently
    wrong.
    """
    bars = [
        _cells(outcome, [cell for cell in result.cells if cell.outcome == outcome], pinned)
        for outcome in OUTCOMES
    ]
    changed = [(cell, _before(cell, pinned)) for cell in result.cells]
    outlines = [
        _outline(cell, COLORS[before], width=2, dash="dot")
        for cell, before in changed
        if before != cell.outcome
    ]
    layout = {
        "template": figures.TEMPLATE,
        "title": {"text": strip_marks(result.verdict)},
        "height": 500,
        "meta": {"top": 4},
        "annotations": [_label(cell, before) for cell, before in changed if PALE[cell.outcome] < 1],
        "shapes": [*outlines, _outline(result.selected, figures.WAITING, width=4, dash="solid")],
        "xaxis": {
            "title": {"text": "format of the file"},
            "tickvals": list(range(len(FORMATS))),
            "ticktext": [f"<b>{name}</b>" for name in FORMATS],
            "range": [-0.5, len(FORMATS) - 0.5],
            "side": "top",
            **PLAIN,
        },
        "yaxis": {
            "title": {"text": "change from v1 to v2"},
            "tickvals": list(range(len(CHANGES))),
            "ticktext": [LABELS.get(change, change) for change in CHANGES],
            "range": [len(CHANGES) - 0.5, -0.5],
            **PLAIN,
        },
        "barmode": "overlay",
        "showlegend": False,
        "margin": {"l": 12, "b": 12},
    }
    return go.Figure(
        data=bars, layout=layout
    )  # in one go: each add_bar and update_layout validates again


def _before(cell: Cell, pinned: EvolutionResult | None) -> Outcome:
    """Return the outcome of the same cell in the pinned run; without one, the cell's own."""
    return cell.outcome if pinned is None else pinned.cell(cell.change, cell.format).outcome


def _cells(outcome: Outcome, cells: list[Cell], pinned: EvolutionResult | None) -> dict[str, Any]:
    """Return the cells of one outcome as bars of one cell's height, with their text.

    A solid bar's own text contrasts with its colour; on pale bars the page's text colour is the one
    that contrasts.
    """
    texts = [_text(cell, _before(cell, pinned)) for cell in cells]
    solid = PALE[outcome] == 1
    rows = [CHANGES.index(cell.change) for cell in cells]
    return {
        "type": "bar",
        "x": [FORMATS.index(cell.format) for cell in cells],
        "base": [row - HALF for row in rows],
        "y": [2 * HALF] * len(cells),
        "width": 2 * HALF,
        "name": outcome,
        "marker": {"color": COLORS[outcome], "opacity": PALE[outcome], "line": {"width": 0}},
        "customdata": [[cell.change, cell.format] for cell in cells],
        "text": texts if solid else None,
        "textposition": "inside" if solid else "none",
        "insidetextanchor": "middle",
        "insidetextfont": {"size": 16},
        "constraintext": "none",  # else the cells that matter most have the smallest text
        "textangle": 0,
        "hovertext": [_hover(cell) for cell in cells],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "selected": {"marker": {"opacity": PALE[outcome]}},
        "unselected": {"marker": {"opacity": PALE[outcome]}},
    }


def _label(cell: Cell, before: Outcome) -> dict[str, object]:
    x, y = FORMATS.index(cell.format), CHANGES.index(cell.change)
    return {"x": x, "y": y, "text": _text(cell, before), "showarrow": False}


def _text(cell: Cell, before: Outcome) -> str:
    """Return the outcome; against a pinned run, A's below it where it differs."""
    text = cell.outcome.replace(" ", "<br>")
    if before != cell.outcome:
        text = f"B {SHORT[cell.outcome]}<br><i>A {SHORT[before]}</i>"
    return f"<b>{text}</b>" if cell.outcome == "silently wrong" else text


def _outline(cell: Cell, color: str, *, width: int, dash: str) -> dict[str, object]:
    x, y = FORMATS.index(cell.format), CHANGES.index(cell.change)
    corners = {"x0": x - HALF, "x1": x + HALF, "y0": y - HALF, "y1": y + HALF}
    return {"type": "rect", **corners, "line": {"color": color, "width": width, "dash": dash}}


def _hover(cell: Cell) -> str:
    """Return the cell's sentence, broken into lines that fit a phone."""
    lines, line = [f"<b>{cell.format}, {cell.change}: {cell.outcome}</b>"], ""
    for word in cell.detail.replace("<", "&lt;").split():
        if len(line) + len(word) > 44:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "<br>".join([*lines, line])
