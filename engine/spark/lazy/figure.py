"""Figures of *lazy ledger*: the plan as a graph from scan to answer, the jobs of each line, and the
tasks on their cores.

Blue is an operator that works within its partition, orange-red one that moves rows: an exchange
ends a stage.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark import figures as timeline
from engine.spark.lazy import LazyResult, Predicted
from engine.spark.plan_tree import Node
from engine.texts import strip_marks
from engine.units import format_bytes

QUIET = (
    "ColumnarToRow",
    "AQEShuffleRead",
    "Project",
)  # no rows change: these say on hover what they are
NARROW, WIDE = "narrow: within its partition", "wide: moves rows, ends a stage"


def plan(result: LazyResult) -> go.Figure:
    """Draw the executed plan, scans on the left. To see first: which exchanges
    end a stage, and how many bytes they move.
    """
    nodes = result.nodes
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
    title = strip_marks(result.verdict)
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


def predicted(chain: Predicted) -> go.Figure:
    """Draw the chain as it is written, before Spark has made a plan of it. To see first: which
    steps move rows.
    """
    figure = figures.new_tall(strip_marks(chain.verdict), height=380)
    p, kinds = chain.params, [kind for _, kind in chain.lines]
    places = list(enumerate(zip(("flights", *p.chain, p.action), kinds, strict=True)))
    figure.add_scatter(
        x=[0, len(places) - 1],
        y=[0, 0],
        mode="lines",
        line={"color": figures.WAITING, "width": 2},
        hoverinfo="skip",
        showlegend=False,
    )
    for wide, color, name in ((False, figures.KNOWN, NARROW), (True, figures.LEAKED, WIDE)):
        members = [(x, step) for x, (step, kind) in places if (kind == "wide") == wide]
        figure.add_scatter(
            x=[x for x, _ in members],
            y=[0] * len(members),
            mode="markers+text",
            marker={"color": color, "size": 16, "symbol": "diamond" if wide else "circle"},
            text=[step.replace(" ", "<br>", 1) for _, step in members],
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


def jobs(result: LazyResult) -> go.Figure:
    """Draw the jobs that Spark had run after each line. To see first: zero until the action."""
    figure = figures.new_tall(
        strip_marks(result.verdict), height=430, x="jobs that Spark has run so far"
    )
    names = ["read flights", *result.params.chain, f"action: {result.params.action}"]
    lanes = [f"{i + 1} · {name}" for i, name in enumerate(names)]
    for kinds, color, name in (
        (("source", "narrow", "wide"), figures.KNOWN, "transformation"),
        (("action",), figures.LEAKED, "action"),
    ):
        members = [
            (lane, line)
            for lane, line in zip(lanes, result.lines, strict=True)
            if line.kind in kinds
        ]
        figure.add_bar(
            y=[lane for lane, _ in members],
            x=[line.n_jobs for _, line in members],
            orientation="h",
            marker={"color": color},
            text=[f"{line.n_jobs}" for _, line in members],
            textposition="outside",
            cliponaxis=False,
            hovertext=[f"{line.kind}: {line.code}" for _, line in members],
            hoverinfo="text",
            name=name,
        )
    most = max(line.n_jobs for line in result.lines)
    figure.update_layout(
        yaxis={"categoryorder": "array", "categoryarray": lanes[::-1]},
        xaxis={"range": [0, 1.15 * max(most, 1)], "dtick": 1 if most <= 10 else None},
        barmode="overlay",
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


def cores(result: LazyResult, pinned: LazyResult | None = None) -> go.Figure:
    """Draw the tasks of the action on the cores that ran them. To see first: how little of the time
    a core is at work.
    """
    title = strip_marks(result.verdict)
    return timeline.gantt(
        title, {"action": result.trace}, {"action": pinned.trace} if pinned else None
    )
