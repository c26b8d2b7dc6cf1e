"""Figures of *registry*: the lineage from sources to models, with what a thing is made from and
what is made from it.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Any, NamedTuple

import plotly.graph_objects as go

from engine import figures
from engine.feature_store.registry.result import (
    Answer,
    Outcome,
    RegistryResult,
    answer_text,
    outcome,
)
from engine.feature_store.snapshot import Snapshot, Thing

COLUMNS = {
    "source": 0,
    "entity": 0,
    "feature view": 1,
    "on-demand view": 2,
    "feature service": 3,
    "model": 4,
}
HEADINGS = ("sources,<br>entities", "feature<br>views", "on-demand<br>views", "services", "models")
SYMBOLS = {"source": "square", "entity": "diamond", "model": "star"}
LANE = 56  # pixels
LIFT = 0.14  # of the on-demand views, so that edges past them do not run through their names
UP, HERE, DOWN, AWAY = "upstream", "selected", "downstream", "not affected"
OUTCOMES: dict[Outcome, str] = {
    "works": figures.KNOWN,
    "another number": figures.SYNTHETIC,
    "null": figures.WAITING,
    "fails": figures.FAILED,
}
COLORS = {UP: figures.KNOWN, HERE: figures.SYNTHETIC, DOWN: figures.LEAKED, AWAY: figures.WAITING}


def lay_out(snapshot: Snapshot) -> dict[str, tuple[float, float]]:
    """Return (column, height) of each thing by id: columns by kind, heights spread over 0–1."""
    columns: dict[int, list[Thing]] = {}
    for thing in snapshot.things:
        columns.setdefault(COLUMNS[thing.kind], []).append(thing)
    return {
        thing.id: (
            float(column),
            1 - (row + 0.5) / len(things) + (LIFT if column == COLUMNS["on-demand view"] else 0),
        )
        for column, things in columns.items()
        for row, thing in enumerate(things)
    }


def lineage(snapshot: Snapshot, focus: str) -> go.Figure:
    """Draw the lineage. To see first: what is downstream of the selected object."""
    at, up, down = (
        lay_out(snapshot),
        snapshot.reached(focus, forward=False),
        snapshot.reached(focus, forward=True),
    )
    role = {
        name: HERE if name == focus else UP if name in up else DOWN if name in down else AWAY
        for name in at
    }
    most = max(
        sum(COLUMNS[thing.kind] == column for thing in snapshot.things)
        for column in range(len(HEADINGS))
    )
    lines = [
        _edges([e for e in snapshot.edges if _way(role[e[0]], role[e[1]]) == way], at, way)
        for way in (AWAY, UP, DOWN)
    ]
    marks = [
        _things([thing for thing in snapshot.things if role[thing.id] == way], at, way)
        for way in COLORS
    ]
    heads = [
        {"x": column, "y": 1.16, "text": heading, "showarrow": False, "font": {"size": 12}}
        for column, heading in enumerate(HEADINGS)
    ]
    return figures.drawn(
        f"Lineage of {focus.partition(' · ')[2]}",
        [*lines, *marks],
        height=170 + LANE * max(3, most),
        annotations=heads,
        xaxis={"range": [-0.5, 4.5], "visible": False, "fixedrange": True},
        yaxis={"range": [-0.1, 1.2], "visible": False, "fixedrange": True},
    )


def _edges(
    edges: list[tuple[str, str]], at: dict[str, tuple[float, float]], way: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [x for a, b in edges for x in (at[a][0], at[b][0], None)],
        "y": [y for a, b in edges for y in (at[a][1], at[b][1], None)],
        "mode": "lines",
        "line": {"color": COLORS[way], "width": 1 if way == AWAY else 3},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _things(things: list[Thing], at: dict[str, tuple[float, float]], way: str) -> dict[str, Any]:
    symbols = [SYMBOLS.get(thing.kind, "circle") for thing in things]
    return {
        "type": "scatter",
        "x": [at[thing.id][0] for thing in things] if things else [None],
        "y": [at[thing.id][1] for thing in things] if things else [None],
        "text": [_label(thing) for thing in things],
        "customdata": [f"{thing.kind}: {thing.description or thing.name}" for thing in things],
        "mode": "markers+text",
        "textposition": (
            ["top center" if at[thing.id][1] >= 0.5 else "bottom center" for thing in things]
            or "top center"
        ),
        "marker": {"color": COLORS[way], "size": 17, "symbol": symbols or "circle"},
        "name": way,
        "hovertemplate": "%{customdata}<extra></extra>",
        "cliponaxis": False,
    }


def _label(thing: Thing) -> str:
    """Return a name that breaks where words do, for narrow columns."""
    return (
        thing.name.replace("_", "_<br>", 1)
        if len(thing.name) > 9 and "_" in thing.name
        else thing.name.replace(" ", "<br>", 1)
    )


def _way(a: str, b: str) -> str:
    """Return the colour's meaning of an edge from a thing in role ``a`` to one in role ``b``."""
    if a in (HERE, DOWN) and b == DOWN:
        return DOWN
    return UP if a == UP and b in (UP, HERE) else AWAY


def readers(result: RegistryResult) -> go.Figure:
    """Draw what each reader gets, online and offline. To see first: the cells that are not blue."""
    cells = []
    for who, answers in result.readers.items():
        for place, (where, answer) in enumerate(answers.items()):
            state: Outcome = "fails" if isinstance(answer, str) else "works"
            if answers is not result.newest:
                state = outcome({where: result.before[where]}, {where: answer})
            cells.append(Cell(who, place, state, answer))
    return _cells(f"What each reader gets for plane {result.plane}", [*result.readers], cells)


def reuse(result: RegistryResult) -> go.Figure:
    """Draw what each model gets after the change. To see first: how many rows are not blue."""
    cells = [
        Cell(model, place, outcome({where: before[where]}, {where: answer}), answer)
        for model, (before, after) in result.models.items()
        for place, (where, answer) in enumerate(after.items())
    ]
    title = f"What each model gets after “{result.params.change}”"
    return _cells(title, [*result.models], cells)


class Cell(NamedTuple):
    """One answer: whose row, 0 for online and 1 for offline, what came of it."""

    row: str
    place: int
    state: Outcome
    answer: Answer


def _cells(title: str, rows: list[str], cells: list[Cell]) -> go.Figure:
    traces = []
    for state, color in OUTCOMES.items():
        marks = [cell for cell in cells if cell.state == state]
        if not marks:
            continue
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "base": [cell.place for cell in marks],
                "x": [0.97] * len(marks),
                "y": [cell.row for cell in marks],
                "text": [_wrapped(cell.answer) for cell in marks],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "name": state,
                "marker": {"color": color},
                "hovertext": [answer_text(cell.answer) for cell in marks],
                "hoverinfo": "text",
            }
        )
    return figures.drawn(
        title,
        traces,
        height=380,
        barmode="overlay",
        xaxis={
            "range": [0, 2],
            "tickvals": [0.5, 1.5],
            "ticktext": ["online (serving)", "offline (training)"],
            "showgrid": False,
            "side": "top",
        },
        yaxis={"categoryorder": "array", "categoryarray": rows[::-1]},
        meta={"top": 40},
    )


def _wrapped(answer: Answer) -> str:
    """Return an answer in short lines; of an error the first words."""
    text = answer_text(answer)
    if isinstance(answer, str):
        return "error: " + "<br>".join(wrap(text, 30)[:2]) + " …"
    parts = text.split(", ")
    return "<br>".join(parts if len(parts) < 4 else wrap(text, 30)[:4])
