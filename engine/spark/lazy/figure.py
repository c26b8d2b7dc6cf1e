"""Figures of *lazy ledger*: the plan as a graph from scan to answer, the jobs of each line, and the
tasks on their cores.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark import figures as timeline
from engine.spark import plan_figures
from engine.spark.lazy import LazyResult, Predicted
from engine.texts import strip_marks


def plan(result: LazyResult) -> go.Figure:
    """Draw the executed plan, scans on the left. To see first: which exchanges
    end a stage, and how many bytes they move.
    """
    return plan_figures.tree(strip_marks(result.verdict), result.nodes)


def predicted(chain: Predicted) -> go.Figure:
    """Draw the chain as it is written, before Spark has made a plan of it. To see first: which
    steps move rows.
    """
    p, kinds = chain.params, [kind for _, kind in chain.lines]
    names = ("flights", *p.chain, p.action)
    steps = [
        (name.replace(" ", "<br>", 1), kind == "wide")
        for name, kind in zip(names, kinds, strict=True)
    ]
    return plan_figures.chain(strip_marks(chain.verdict), steps)


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


def cores(result: LazyResult, pinned: LazyResult | None = None) -> go.Figure:
    """Draw the tasks of the action on the cores that ran them. To see first: how little of the time
    a core is at work.
    """
    title = strip_marks(result.verdict)
    return timeline.gantt(
        title, {"action": result.trace}, {"action": pinned.trace} if pinned else None
    )
