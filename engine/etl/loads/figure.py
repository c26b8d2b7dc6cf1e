"""Figures of *loads*: each strategy's table against the source, in both runs and file by file."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.etl import figures as truth
from engine.etl.ledger import KINDS
from engine.etl.loads import Lane, LoadsResult
from engine.texts import strip_marks


def lanes(result: LoadsResult, pinned: LoadsResult | None = None) -> go.Figure:
    """Draw each strategy's table after run 1 and run 2. To see first: bars that end short of the
    line, or run past it.
    """
    names, counts, texts = [], [], []
    for lane in result.lanes:
        for number, found in enumerate(lane.ledgers):
            names.append(f"{lane.strategy}, run {number + 1}")
            counts.append(found.counts())
            texts.append("" if number == 0 else "= run 1" if lane.idempotent else "≠ run 1")
    traces = truth.bars(names, counts)
    marks = [text for text in figures.side_notes(list(names), texts) if text["text"]]
    for mark, lane in zip(marks, result.lanes, strict=True):
        mark["font"] = {"color": figures.HELD_OUT if lane.idempotent else figures.FAILED}
    if pinned is not None:
        traces.append(_pinned(pinned, names))
    gaps = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": y,
            "y1": y,
            "line": {"color": figures.WAITING, "width": 0.5},
        }
        for y in (2 * i - 0.5 for i in range(1, len(result.lanes)))
    ]
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=110 + 42 * len(names),
        x="rows",
        barmode="stack",
        shapes=[truth.truth_line(result.n_source), *gaps],
        annotations=[truth.truth_text(result.n_source), *marks],
        yaxis={"categoryorder": "array", "categoryarray": names[::-1]},
        xaxis={
            "tickformat": ",",
            "range": [0, 1.06 * max([result.n_source, *(sum(count.values()) for count in counts)])],
        },
        margin={"r": 96},
        bargap=0.18,
    )


def _pinned(pinned: LoadsResult, names: list[str]) -> dict[str, Any]:
    ends = {
        f"{lane.strategy}, run {number + 1}": found.n_correct
        for lane in pinned.lanes
        for number, found in enumerate(lane.ledgers)
    }
    return {
        "type": "scatter",
        "x": [ends[name] for name in names if name in ends],
        "y": [name for name in names if name in ends],
        "mode": "markers",
        "marker": {
            "symbol": "diamond",
            "size": 12,
            "color": figures.LEAKED,
            "line": {"color": "white", "width": 1},
        },
        "name": "correct in run A",
        "hovertemplate": "run A, %{y}: %{x:,} rows correct<extra></extra>",
    }


def files(result: LoadsResult, lane: Lane) -> go.Figure:
    """Draw one strategy file by file. To see first: the first bar that is not blue."""
    names = [f"{number + 1} · {step.batch}" for number, step in enumerate(lane.steps)]
    title = f"Rows after each file, {lane.strategy}"
    figure = figures.new_tall(title, height=430, y="rows", x="files in loading order")
    for kind in KINDS:
        marker: dict[str, Any] = {"color": truth.COLORS[kind], "line": {"width": 0}}
        marker["pattern"] = {
            "shape": truth.HATCHES.get(kind, ""),
            "fillmode": "replace",
            "size": 7,
            "solidity": 0.35,
        }
        rows = [step.counts[kind] for step in lane.steps]
        hover = f"after %{{x}}: %{{y:,}} rows {kind}<extra></extra>"
        figure.add_bar(x=names, y=rows, name=kind, marker=marker, hovertemplate=hover)
    ends = [i for i, (a, b) in enumerate(pairwise(lane.steps)) if a.run != b.run]
    shapes = [
        {"type": "line", "x0": i + 0.5, "x1": i + 0.5, "y0": 0, "y1": 1, "yref": "paper"}
        for i in ends
    ]
    figure.update_layout(
        barmode="stack",
        legend_traceorder="normal",
        yaxis_tickformat=",",
        shapes=[{**shape, "line": {"color": figures.WAITING, "width": 2}} for shape in shapes],
        annotations=[
            {
                "x": i + 0.5,
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "text": "run 1 | run 2",
                "showarrow": False,
            }
            for i in ends
        ],
    )
    return figure
