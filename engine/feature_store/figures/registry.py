"""Figures of *registry*: the lineage from sources to models, with what a thing is made from and what is made from it."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.feature_store.snapshot import Snapshot, Thing

COLUMNS = {"source": 0, "entity": 0, "feature view": 1, "on-demand view": 2, "feature service": 3, "model": 4}
HEADINGS = ("sources, entities", "feature views", "on-demand views", "services", "models")
SYMBOLS = {"source": "square", "entity": "diamond", "model": "star"}
LANE = 78  # pixels
UP, HERE, DOWN, AWAY = "is made from", "looked at", "is made from it", "not touched"
COLORS = {UP: figures.KNOWN, HERE: figures.SYNTHETIC, DOWN: figures.LEAKED, AWAY: figures.WAITING}


def places(snapshot: Snapshot) -> dict[str, tuple[float, float]]:
    """Return (column, height) of each thing by id: columns by kind, evenly spread over 0–1 in each."""
    columns: dict[int, list[Thing]] = {}
    for thing in snapshot.things:
        columns.setdefault(COLUMNS[thing.kind], []).append(thing)
    return {
        thing.id: (float(column), 1 - (row + 0.5) / len(things))
        for column, things in columns.items()
        for row, thing in enumerate(things)
    }


def lineage(snapshot: Snapshot, focus: str) -> go.Figure:
    """Draw the lineage. To see first: the vermilion part, which is what breaks when the thing looked at does."""
    at, up, down = places(snapshot), snapshot.reached(focus, forward=False), snapshot.reached(focus, forward=True)
    role = {name: HERE if name == focus else UP if name in up else DOWN if name in down else AWAY for name in at}
    models = sorted(name.partition(" · ")[2] for name in down if name.startswith("model · "))
    kind, _, short = focus.partition(" · ")
    reach = f"reaches {len(models)} model{'s' * (len(models) != 1)}" + (f": {', '.join(models)}" if models else "")
    most = max(sum(COLUMNS[thing.kind] == column for thing in snapshot.things) for column in range(len(HEADINGS)))
    figure = figures.new_tall(f"{short} ({kind})<br>{reach}", height=200 + LANE * max(2, most))
    for way in (AWAY, UP, DOWN):
        edges = [(a, b) for a, b in snapshot.edges if _way(role[a], role[b]) == way]
        figure.add_scatter(
            x=[x for a, b in edges for x in (at[a][0], at[b][0], None)],
            y=[y for a, b in edges for y in (at[a][1], at[b][1], None)],
            mode="lines",
            line={"color": COLORS[way], "width": 1 if way == AWAY else 3},
            hoverinfo="skip",
            showlegend=False,
        )
    for way, color in COLORS.items():
        things = [thing for thing in snapshot.things if role[thing.id] == way]
        figure.add_scatter(
            x=[at[thing.id][0] for thing in things] if things else [None],
            y=[at[thing.id][1] for thing in things] if things else [None],
            text=[_label(thing) for thing in things],
            customdata=[f"{thing.kind}: {thing.description or thing.name}" for thing in things],
            mode="markers+text",
            textposition="bottom center",
            marker={"color": color, "size": 17, "symbol": [SYMBOLS.get(thing.kind, "circle") for thing in things] or "circle"},
            name=way,
            hovertemplate="%{customdata}<extra></extra>",
            cliponaxis=False,
        )
    heads = [
        {"x": column, "y": 1.08, "text": heading, "showarrow": False, "font": {"size": 12}}
        for column, heading in enumerate(HEADINGS)
    ]
    figure.update_layout(
        annotations=heads,
        xaxis={"range": [-0.5, 4.5], "visible": False, "fixedrange": True},
        yaxis={"range": [-0.1, 1.12], "visible": False, "fixedrange": True},
    )
    return figure


def _label(thing: Thing) -> str:
    """Return a name that breaks where words do, for narrow columns."""
    return (
        thing.name.replace("_", "_<br>", 1) if len(thing.name) > 9 and "_" in thing.name else thing.name.replace(" ", "<br>", 1)
    )


def _way(a: str, b: str) -> str:
    """Return the colour's meaning of an edge from a thing in role ``a`` to one in role ``b``."""
    if a in (HERE, DOWN) and b == DOWN:
        return DOWN
    return UP if a == UP and b in (UP, HERE) else AWAY
