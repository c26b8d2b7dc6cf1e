"""Figures of *APIs*: the time of each API, its plan step by step, what accumulators count, what
closures cost.

Blue stays in the JVM, or is right; orange-red leaves the JVM for Python, or is wrong. Bars are
medians, whiskers the range.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark.apis import ApisResult, Operator, Outcome
from engine.spark.apis.jobs import APIS, JVM_ONLY, TO_PYTHON, Api, n_rows
from engine.spark.apis.shared_variables import (
    CASES,
    LOST,
    TABLE_BYTES,
    AccumulatorResult,
    BroadcastResult,
    expected_count,
)
from engine.texts import strip_marks
from engine.units import format_bytes, format_seconds

DATASET = "Dataset"  # the third API of Spark: a lane of its own, without a bar
NO_DATASET = (
    "not in Python: only the compiler<br>of Scala or Java can check the<br>types of its rows"
)
INSIDE, OUTSIDE = "stays in the JVM", "rows go to Python"
LABELS = {  # of the steps worth reading; the others say on hover what they are
    "Scan parquet": "Scan",
    "FileScanRDD": "Scan",
    "Filter": "Filter",
    "HashAggregate": "Aggregate",
    "Exchange": "Exchange",
    "ShuffledRDD": "Exchange",
}


def race(result: ApisResult, pinned: ApisResult | None = None) -> go.Figure:
    """Draw the median and the range of each API. To see first: how much longer the orange-red
    bars are.
    """
    if not result.outcomes:
        return _preview(result)
    figure = figures.new_tall(strip_marks(result.verdict), height=430, x="seconds (median, range)")
    for name, color, crosses in ((INSIDE, figures.KNOWN, False), (OUTSIDE, figures.LEAKED, True)):
        members = [
            outcome for outcome in result.outcomes if (outcome.rows_to_python > 0) == crosses
        ]
        figure.add_bar(
            y=[outcome.api for outcome in members],
            x=[outcome.median for outcome in members],
            orientation="h",
            marker={"color": color},
            name=name,
            error_x=_range(members),
            text=[format_seconds(outcome.median) for outcome in members],
            textposition="inside",
            insidetextanchor="start",
            hovertext=[
                f"{o.api}: {o.rows_to_python:,} rows to Python through {o.door}" for o in members
            ],
            hoverinfo="text",
            showlegend=bool(members),
        )
    if pinned is not None and pinned.outcomes:
        figure.add_scatter(
            y=[outcome.api for outcome in pinned.outcomes],
            x=[outcome.median for outcome in pinned.outcomes],
            mode="markers",
            marker={
                "symbol": "line-ns",
                "size": 26,
                "line": {"color": figures.SYNTHETIC, "width": 3},
            },
            name="pinned run A",
        )
    return _with_dataset(figure, [outcome.api for outcome in result.ranked])


def _with_dataset(figure: go.Figure, names: list[Api]) -> go.Figure:
    """Order the lanes, and add one that says why an API is missing."""
    figure.add_bar(y=[DATASET], x=[0], orientation="h", hoverinfo="skip", showlegend=False)
    figure.update_layout(
        yaxis={"categoryorder": "array", "categoryarray": [DATASET, *names[::-1]]},
        xaxis={"rangemode": "tozero"},
    )
    figure.add_annotation(
        {
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "xshift": 6,
            "align": "left",
            "y": DATASET,
            "text": NO_DATASET,
            "showarrow": False,
            "font": {"color": figures.WAITING},
        }
    )
    return figure


def _preview(result: ApisResult) -> go.Figure:
    """Draw the flights that the code of each API hands to Python. To see first: which stay in the
    JVM.
    """
    n = n_rows(result.params.months)
    figure = figures.new_tall(
        strip_marks(result.verdict), height=430, x="flights handed to Python (expected)"
    )
    for name, color, members, size in (
        (INSIDE, figures.KNOWN, JVM_ONLY, 0),
        (OUTSIDE, figures.LEAKED, TO_PYTHON, n),
    ):
        figure.add_bar(
            y=list(members),
            x=[size] * len(members),
            orientation="h",
            marker={"color": color},
            name=name,
            text=[f"{size:,}" if size else "none"] * len(members),
            textposition="auto",
            hoverinfo="skip",
        )
    return _with_dataset(figure, list(APIS))


def _range(members: list[Outcome]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(o.seconds) - o.median for o in members],
        "arrayminus": [o.median - min(o.seconds) for o in members],
        "color": figures.WAITING,
    }


def plans(result: ApisResult, chosen: Api | None = None) -> go.Figure:
    """Draw every API's steps from the scan to the answer, ``chosen`` on a grey band.

    To see first: the orange-red diamonds, where rows go to Python.
    """
    figure = figures.new_tall(
        "Steps of each API, from scan to answer", height=170 + 78 * max(len(result.outcomes), 2)
    )
    longest = max((len(outcome.operators) for outcome in result.outcomes), default=1)
    _draw_lanes(figure, result)
    for name, color, crosses in ((INSIDE, figures.KNOWN, False), (OUTSIDE, figures.LEAKED, True)):
        points = [
            (i, o.api, s)
            for o in result.outcomes
            for i, s in enumerate(o.operators)
            if s.python == crosses
        ]
        figure.add_scatter(
            x=[i for i, _, _ in points],
            y=[api for _, api, _ in points],
            mode="markers+text",
            marker={
                "color": color,
                "size": 18 if crosses else 12,
                "symbol": "diamond" if crosses else "circle",
            },
            text=[_short(step) for _, _, step in points],
            textposition=["top center" if i % 2 else "bottom center" for i, _, _ in points],
            hovertext=[step.detail for _, _, step in points],
            hoverinfo="text",
            name=name,
            cliponaxis=False,
        )
    names = [api for api in APIS if result.outcome_of(api)][::-1]
    if chosen in names:
        at = names.index(chosen)
        figure.add_hrect(
            y0=at - 0.5, y1=at + 0.5, fillcolor=figures.WAITING, opacity=0.15, line_width=0
        )
    figure.update_layout(
        xaxis={"visible": False, "range": [-0.5, longest - 0.5]},
        yaxis={
            "categoryorder": "array",
            "categoryarray": names,
            "range": [-0.6, len(names) - 0.4],
            "showgrid": False,
        },
    )
    return figure


def _draw_lanes(figure: go.Figure, result: ApisResult) -> None:
    for outcome in result.outcomes:
        figure.add_scatter(
            x=list(range(len(outcome.operators))),
            y=[outcome.api] * len(outcome.operators),
            mode="lines",
            line={"color": figures.WAITING, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )


def _short(step: Operator) -> str:
    return f"<b>{step.name}</b>" if step.python else LABELS.get(step.name, "")


def counts(result: AccumulatorResult) -> go.Figure:
    """Draw what the accumulator says after each piece of code. To see first: which bars miss the
    dashed line.
    """
    n = result.params.n_rows
    order = [case for case, *_ in CASES] + [
        LOST
    ] * result.params.lost_shuffle  # all from the start: the axis does not move
    figure = figures.new_tall(
        strip_marks(result.verdict), height=460, x="rows counted by the accumulator"
    )
    for name, color, right in (("right", figures.KNOWN, True), ("wrong", figures.LEAKED, False)):
        members = [count for count in result.counts if (count.counted == n) == right]
        figure.add_bar(
            y=[count.case for count in members],
            x=[count.counted for count in members],
            orientation="h",
            marker={"color": color},
            name=name,
            text=[f"{count.counted:,}" for count in members],
            textposition="auto",
            hovertext=[count.because for count in members],
            hoverinfo="text",
            showlegend=bool(members),
        )
    if not result.counts:
        _add_expected(figure, result)
    figure.add_vline(x=n, line={"color": figures.WAITING, "dash": "dash"})
    figure.add_bar(
        y=order, x=[0] * len(order), orientation="h", hoverinfo="skip", showlegend=False
    )  # each has its lane
    figure.update_layout(
        xaxis={"range": [0, 2.2 * n]},
        yaxis={
            "categoryorder": "array",
            "categoryarray": order[::-1],
            "range": [-0.5, len(order) - 0.5],
        },
        barmode="overlay",
    )
    return figure


def _add_expected(figure: go.Figure, result: AccumulatorResult) -> None:
    """Draw what Spark's documentation lets expect of each piece of code, hollow."""
    n = result.params.n_rows
    values = {case: expected_count(case, n) for case, *_ in CASES}
    figure.add_bar(
        y=list(values),
        x=list(values.values()),
        orientation="h",
        marker={
            "color": figures.HOLLOW,
            "line": {
                "width": 2,
                "color": [figures.KNOWN if x == n else figures.LEAKED for x in values.values()],
            },
        },
        text=[f"{x:,}" for x in values.values()],
        textposition="auto",
        hoverinfo="skip",
        name="expected",
    )


def shipments(result: BroadcastResult) -> go.Figure:
    """Draw the bytes that Python workers unpickle by the size of the table. To see first: the gap
    between the two lines.
    """
    broadcasts = result.shipments_by("broadcast")
    figure = figures.new_tall(
        strip_marks(result.verdict),
        height=430,
        x="bytes of the table",
        y="bytes unpickled in Python",
    )
    if not broadcasts:
        for name, copies, color in (
            ("closure", result.params.n_tasks, figures.LEAKED),
            ("broadcast", result.cores, figures.KNOWN),
        ):
            line = {"color": color, "width": 2, "dash": "dot"}
            figure.add_scatter(
                x=TABLE_BYTES,
                y=[copies * size for size in TABLE_BYTES],
                mode="lines",
                line=line,
                name=f"{name} (expected)",
                hoverinfo="skip",
            )
    for way, color in (("closure", figures.LEAKED), ("broadcast", figures.KNOWN)):
        members = result.shipments_by(way)
        figure.add_scatter(
            x=[shipment.table_bytes for shipment in members],
            y=[shipment.unpickled_bytes for shipment in members],
            mode="lines+markers",
            line={"color": color, "width": 3},
            marker={"size": 10},
            name=f"by {way}",
            showlegend=bool(members),
            hovertext=[
                f"{s.n_copies} copies, {format_bytes(s.unpickled_bytes)},"
                f" {format_seconds(s.seconds)}"
                for s in members
            ],
            hoverinfo="text",
        )
    axis = {"type": "log", "exponentformat": "SI", "ticksuffix": "B", "dtick": 1}
    figure.update_layout(xaxis=axis, yaxis=axis, showlegend=True)
    return figure
