"""Figures of a run."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.pipeline import compare
from engine.pipeline.flow import FlowResult
from engine.pipeline.flow.result import UNEXPLAINED, Hop, reasons
from engine.pipeline.records import Count, Run
from engine.pipeline.stages import STAGES
from engine.texts import strip_marks
from engine.units import format_number

COLORS = {
    "done": figures.KNOWN,
    "kept": figures.EXTRA,
    "failed": figures.FAILED,
    "running": figures.SYNTHETIC,
    "waiting": figures.WAITING,
}
N_CURVE = 12  # points of an edge that passes other stages
OUT, DROPPED, LOST = "rows out", "dropped, reason known", f"dropped {UNEXPLAINED}"
PALE = 0.3  # opacity of what is expected


def edges(hops: list[Hop]) -> figures.Trace:
    """Return one line that draws which stage needs which; one that passes others bends left."""
    place = {hop.name: number for number, hop in enumerate(hops)}
    x: list[float | None] = []
    y: list[float | None] = []
    for hop in hops:
        for need in hop.needs:
            start, end = place[need], place[hop.name]
            bend = (end - start - 1) / len(hops)
            for step in range(N_CURVE + 1):
                t = step / N_CURVE
                x.append(-bend * 4 * t * (1 - t))
                y.append(start + (end - start) * t)
            x.append(None)
            y.append(None)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": figures.WAITING, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _nodes(hops: list[Hop]) -> list[figures.Trace]:
    found: list[figures.Trace] = []
    for state, color in COLORS.items():
        places = [number for number, hop in enumerate(hops) if hop.state == state]
        if places:
            found.append(
                {
                    "type": "scatter",
                    "x": [0] * len(places),
                    "y": places,
                    "mode": "markers",
                    "marker": {"size": 13, "color": color, "symbol": "square"},
                    "name": state,
                    "text": [hops[number].title for number in places],
                    "hovertemplate": f"%{{text}}: {state}<extra></extra>",
                }
            )
    return found


def _bars(hops: list[Hop]) -> list[figures.Trace]:
    """Return the rows of each stage: passed on, dropped for a reason, dropped without one; pale
    where they are expected only.
    """
    counts = [(hop, hop.record.count if hop.record else hop.expected) for hop in hops]
    parts: dict[str, tuple[str, list[int]]] = {
        OUT: (figures.KNOWN, [count.n_out for _, count in counts]),
        DROPPED: (figures.SYNTHETIC, [sum(count.dropped.values()) for _, count in counts]),
        LOST: (figures.LEAKED, [abs(count.n_unexplained) for _, count in counts]),
    }
    return [
        {
            "type": "bar",
            "orientation": "h",
            "x": rows,
            "y": list(range(len(hops))),
            "xaxis": "x2",
            "name": name,
            "marker": {
                "color": [color if hop.record else figures.faint(color, PALE) for hop in hops],
                "line": {"width": 0},
            },
            "customdata": [
                [hop.title, reasons(hop.record) if hop.record else "expected"] for hop in hops
            ],
            "hovertemplate": "%{customdata[0]}: %{x:,} "
            + name
            + "<br>%{customdata[1]}<extra></extra>",
        }
        for name, (color, rows) in parts.items()
        if any(rows) or name == OUT
    ]


def graph(result: FlowResult) -> go.Figure:
    """Draw the stages, what each needs, and its rows. To see first: an orange end that says where
    rows were dropped, or another one that nobody explained.
    """
    hops = result.hops
    counts = [hop.record.count if hop.record else hop.expected for hop in hops]
    most = max([1, *(count.n_in for count in counts)])
    notes = [
        _note(number, hop, count, most)
        for number, (hop, count) in enumerate(zip(hops, counts, strict=True))
    ]
    return figures.drawn(
        strip_marks(result.verdict),
        [edges(hops), *_nodes(hops), *_bars(hops)],
        height=430,
        barmode="stack",
        bargap=0.2,
        annotations=notes,
        xaxis={"domain": [0, 0.1], "visible": False, "range": [-1, 0.12], "fixedrange": True},
        xaxis2={
            "domain": [0.115, 1],
            "anchor": "y",
            "title": {"text": "flights"},
            "tickformat": ",",
            "range": [0, 1.02 * most],
        },
        yaxis={
            "range": [len(hops) - 0.4, -0.6],
            "tickvals": list(range(len(hops))),
            "ticktext": [hop.title for hop in hops],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
    )


def _note(number: int, hop: Hop, count: Count, most: int) -> dict[str, Any]:
    """Return what is written of a stage: on its bar, or behind one that is too short."""
    measured = hop.record is not None
    covered = measured and count.n_out > 0.6 * most
    return {
        "x": count.n_in if measured and not covered else 0,
        "xref": "x2",
        "y": number,
        "yref": "y",
        "text": hop.note,
        "showarrow": False,
        "xanchor": "left",
        "xshift": 6,
        "font": {"size": 11, **({"color": "white"} if covered else {})},
    }


def stage(hop: Hop) -> go.Figure:
    """Draw what became of a stage's rows, from in to out. To see first: the parts in between."""
    count = hop.record.count if hop.record else hop.expected
    parts = [(why, n, figures.SYNTHETIC) for why, n in count.dropped.items() if n]
    if count.n_unexplained:
        parts.append((LOST, count.n_unexplained, figures.LEAKED))
    left = count.n_in
    rows: list[tuple[str, int, int, str]] = [("rows in", 0, left, figures.WAITING)]
    for name, n, color in parts:
        left -= n
        rows.append((name, min(left, left + n), abs(n), color))
    rows.append((OUT, 0, count.n_out, figures.KNOWN))
    names = [name for name, *_ in rows]
    return figures.drawn(
        f"Rows of the stage {hop.title}, from in to out",
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": [n for _, _, n, _ in rows],
                "base": [start for _, start, _, _ in rows],
                "y": names,
                "text": [format_number(n) for _, _, n, _ in rows],
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": [color for *_, color in rows]},
                "hovertemplate": "%{y}: %{text}<extra></extra>",
                "showlegend": False,
            }
        ],
        height=120 + 45 * len(rows),
        x="flights",
        xaxis={"tickformat": ",", "range": [0, 1.12 * max(1, count.n_in)]},
        yaxis={"categoryorder": "array", "categoryarray": names[::-1], "fixedrange": True},
    )


def compared(first: Run, second: Run) -> go.Figure:
    """Draw how many values of each stage are not the same in two runs. To see first: where the
    first bar is: what comes before it was made the same.
    """
    found = compare.differences(first, second)
    titles = {"settings": "Settings"} | {stage.name: stage.title for stage in STAGES}
    numbers = {name: sum(row["stage"] == name for row in found) for name in titles}
    return figures.drawn(
        "Values that differ between the two runs, by stage",
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": list(numbers.values()),
                "y": list(titles.values()),
                "text": [format_number(n) if n else "same" for n in numbers.values()],
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": figures.LEAKED},
                "hovertemplate": "%{y}: %{text}<extra></extra>",
                "showlegend": False,
            }
        ],
        height=380,
        x="values that differ",
        xaxis={"rangemode": "tozero"},
        yaxis={"categoryorder": "array", "categoryarray": list(titles.values())[::-1]},
    )
