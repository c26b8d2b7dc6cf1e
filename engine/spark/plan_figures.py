"""A plan as a graph, shared by the experiments that show one.

Blue is an operator that works within its partition, orange-red one that moves rows: an exchange
ends a stage.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark.plan_tree import Node
from engine.units import format_bytes

QUIET = (
    "ColumnarToRow",
    "AQEShuffleRead",
    "Project",
)  # no rows change: these say on hover what they are
NARROW, WIDE = "narrow: within its partition", "wide: moves rows, ends a stage"


def tree(title: str, nodes: tuple[Node, ...]) -> go.Figure:
    """Draw an executed plan, scans on the left. To see first: which exchanges end a stage, and how
    many bytes they move.
    """
    deepest = max(node.depth for node in nodes)
    lanes = _lanes(nodes)
    joins = [
        nodes[node.parent].depth
        for i, node in enumerate(nodes)
        if node.parent >= 0 and lanes[i] != lanes[node.parent]
    ]
    above = (
        joins[0] if joins else 0
    )  # labels take turns above and below; a join's is above, where no line comes in
    figure = figures.new_tall(title, height=300 + 90 * (max(lanes) + 1))
    for wide in (False, True):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for i, node in enumerate(nodes):
            if node.parent >= 0 and node.wide == wide:
                xs += [deepest - node.depth, deepest - nodes[node.parent].depth, None]
                ys += [lanes[i], lanes[node.parent], None]
        color, width = (figures.LEAKED, 5) if wide else (figures.WAITING, 2)
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": color, "width": width},
            hoverinfo="skip",
            showlegend=False,
        )
    for wide, color, name in (
        (False, figures.KNOWN, NARROW),
        (True, figures.LEAKED, WIDE),
    ):
        members = [(i, node) for i, node in enumerate(nodes) if node.wide == wide]
        figure.add_scatter(
            x=[deepest - node.depth for _, node in members],
            y=[lanes[i] for i, _ in members],
            mode="markers+text",
            marker={"color": color, "size": 16, "symbol": "diamond" if wide else "circle"},
            text=[_label(node) for _, node in members],
            textposition=[
                "bottom center" if (node.depth - above) % 2 else "top center" for _, node in members
            ],
            hovertext=[node.detail for _, node in members],
            hoverinfo="text",
            name=name,
            cliponaxis=False,
        )
    figure.update_layout(
        xaxis={"visible": False, "range": [-0.9, deepest + 0.6]},
        yaxis={"visible": False, "range": [max(lanes) + 0.7, -0.7]},
    )
    return figure


def chain(title: str, steps: list[tuple[str, bool]]) -> go.Figure:
    """Draw steps in their order, before Spark has made a plan of them, each with whether it moves
    rows. To see first: which do.
    """
    figure = figures.new_tall(title, height=380)
    places = list(enumerate(steps))
    figure.add_scatter(
        x=[0, len(places) - 1],
        y=[0, 0],
        mode="lines",
        line={"color": figures.WAITING, "width": 2},
        hoverinfo="skip",
        showlegend=False,
    )
    for wide, color, name in ((False, figures.KNOWN, NARROW), (True, figures.LEAKED, WIDE)):
        members = [(x, step) for x, (step, moves) in places if moves == wide]
        figure.add_scatter(
            x=[x for x, _ in members],
            y=[0] * len(members),
            mode="markers+text",
            marker={"color": color, "size": 16, "symbol": "diamond" if wide else "circle"},
            text=[step for _, step in members],
            textposition=["bottom center" if x % 2 else "top center" for x, _ in members],
            hoverinfo="skip",
            name=name,
            cliponaxis=False,
        )
    figure.update_layout(
        xaxis={"visible": False, "range": [-0.6, len(places) - 0.4]},
        yaxis={"visible": False, "range": [-1, 1]},
    )
    return figure


def _lanes(nodes: tuple[Node, ...]) -> list[int]:
    """Return a row for each operator: the first child stays in its parent's row, each further one
    opens the next.
    """
    lanes: list[int] = []
    seen: set[int] = set()
    for node in nodes:
        fresh = node.parent in seen
        lanes.append(max(lanes) + 1 if fresh else (lanes[node.parent] if node.parent >= 0 else 0))
        seen.add(node.parent)
    return lanes


def _label(node: Node) -> str:
    if node.name.strip() in QUIET:
        return ""
    name = (
        "Broadcast"
        if node.name == "BroadcastExchange"
        else node.name.strip().removesuffix(" parquet")
    )
    for kind in ("Join", "Aggregate"):  # two short lines, for a phone
        name = name.replace(kind, f"<br>{kind}")
    n = node.n_rows or 0
    rows = f"{n / 1000:,.0f}k rows" if n >= 10_000 else f"{n:,} rows"
    amount = (
        format_bytes(node.shuffle_bytes) if node.wide and node.shuffle_bytes else rows if n else ""
    )
    return f"{name}<br>{amount}" if amount else name
