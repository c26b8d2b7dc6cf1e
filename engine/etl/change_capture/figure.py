"""Figures of *change capture*: what each strategy moves and when it shows it, wrong rows over the
day, one flight's history.

Each strategy keeps its colour; a pinned run A is drawn with orange diamonds. Pink is what
differs from the source.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc

from engine import figures
from engine.etl import change_capture
from engine.etl.change_capture import STRATEGIES, ChangeCaptureResult, Outcome, Strategy
from engine.texts import strip_marks

COLORS: dict[Strategy, str] = {
    "full reload": figures.WAITING,
    "cursor": figures.SYNTHETIC,
    "change log": figures.KNOWN,
    "micro-batch": figures.EXTRA,
}
STEP_MINUTES = 15.0
SPLIT, GAP = 0.45, 0.06  # where the race's two plots part, and how far, as shares of the width
VERSION_COLORS = (
    figures.KNOWN,
    figures.EXTRA,
    figures.HELD_OUT,
    figures.SYNTHETIC,
    figures.FAILED,
    figures.LEAKED,
)


def _ends(outcome: Outcome) -> str:
    if outcome.ledger.exact:
        return "exact"
    return "<br>".join(
        f"{n:,} {kind.replace(' ', '<br>')}"
        for kind, n in outcome.ledger.counts().items()
        if kind != "correct" and n
    )


def race(result: ChangeCaptureResult, pinned: ChangeCaptureResult | None = None) -> go.Figure:
    """Draw rows moved and minutes until a change shows, by strategy. To see first: the right end of
    each lane.
    """
    names: list[str] = list(STRATEGIES)
    minutes = "min until visible (dot: median)"
    traces = [trace for outcome in result.outcomes for trace in _lane(outcome)]
    if pinned is not None:
        traces += _pinned(pinned)
    texts = figures.side_notes(list(names), [_ends(outcome) for outcome in result.outcomes])
    for text, outcome in zip(texts, result.outcomes, strict=True):
        text |= {
            "align": "left",
            "font": {
                "color": figures.HELD_OUT if outcome.ledger.exact else figures.FAILED,
                "size": 13,
            },
        }
    grid = {"showgrid": True, "rangemode": "tozero", "tickformat": ",", "nticks": 5}
    lanes = {"categoryorder": "array", "categoryarray": names[::-1]}
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=420,
        x="rows moved",
        xaxis={**grid, "domain": [0, SPLIT - GAP / 2]},
        xaxis2={**grid, "domain": [SPLIT + GAP / 2, 1], "anchor": "y", "title": {"text": minutes}},
        yaxis={**lanes, "range": [-0.6, 3.6], "fixedrange": True, "title": None},
        annotations=texts,
        margin={"r": 136},
        showlegend=pinned is not None,
        bargap=0.45,
    )


def _lane(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the bar of the rows moved, and the line and the dot of the minutes."""
    color, name = COLORS[outcome.strategy], outcome.strategy
    low, middle, high = np.percentile(
        outcome.minutes[np.isfinite(outcome.minutes)], [5, 50, 95]
    ).round(1)
    line: dict[str, Any] = {"type": "scatter", "xaxis": "x2", "showlegend": False}
    return [
        {
            "type": "bar",
            "x": [outcome.loaded.n_moved],
            "y": [name],
            "orientation": "h",
            "marker": {"color": color, "line": {"width": 0}},
            "showlegend": False,
            "hovertemplate": (
                f"{name}: %{{x:,}} rows moved, {outcome.loaded.n_loads:,}"
                " transactions<extra></extra>"
            ),
        },
        {
            **line,
            "x": [low, high],
            "y": [name, name],
            "mode": "lines",
            "line": {"color": color, "width": 6},
            "hoverinfo": "skip",
        },
        {
            **line,
            "x": [middle],
            "y": [name],
            "mode": "markers",
            "marker": {"color": color, "size": 16},
            "hovertemplate": (
                f"{name}: median %{{x:.0f}} min, 5–95%: {low:.0f}–{high:.0f} min<extra></extra>"
            ),
        },
    ]


def _pinned(pinned: ChangeCaptureResult) -> list[dict[str, Any]]:
    values: tuple[tuple[str, list[float]], ...] = (
        ("x", [outcome.loaded.n_moved for outcome in pinned.outcomes]),
        (
            "x2",
            [
                float(np.median(outcome.minutes[np.isfinite(outcome.minutes)]))
                for outcome in pinned.outcomes
            ],
        ),
    )
    return [
        {
            "type": "scatter",
            "x": x,
            "y": list(STRATEGIES),
            "xaxis": axis,
            "mode": "markers",
            "marker": {
                "symbol": "diamond",
                "size": 12,
                "color": figures.LEAKED,
                "line": {"color": "white", "width": 1},
            },
            "name": "run A",
            "showlegend": axis == "x",
            "hovertemplate": "run A, %{y}: %{x:,.0f}<extra></extra>",
        }
        for axis, x in values
    ]


def wrong_rows(result: ChangeCaptureResult) -> go.Figure:
    """Draw how many flights each target has wrong during the day. To see first: the line that stays
    up.
    """
    moments = np.arange(
        0,
        result.stream.end + 2 * max(change_capture.POLLS[3], result.params.poll_minutes),
        STEP_MINUTES,
    )
    wrong = change_capture.wrong_rows(result, moments)
    lines = [
        {
            "type": "scatter",
            "x": moments / 60,
            "y": wrong[name],
            "mode": "lines",
            "line": {"color": COLORS[name], "width": 2.5, "shape": "hv"},
            "name": name,
            "hovertemplate": f"{name}, hour %{{x:.2f}}: %{{y:,}} wrong<extra></extra>",
        }
        for name in STRATEGIES
    ]
    return figures.drawn(
        "Wrong flights in each target over the day",
        lines,
        height=440,
        x="hour of the day, New York",
        y="wrong flights",
        xaxis={"dtick": 3, "showgrid": True},
        yaxis={"showgrid": True, "rangemode": "tozero"},
    )


def _versions(history: pa.Table, flight: str) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = history.filter(pc.equal(history["flight"], flight)).to_pylist()
    return rows


def history(result: ChangeCaptureResult, key: int) -> go.Figure:
    """Draw one flight's history in the source and in each target (SCD type 2). To see first: lanes
    unlike the top.
    """
    flight = result.stream.labels[key].as_py()
    lanes = {"source": _versions(result.outcomes[0].history.source, flight)}
    lanes |= {
        outcome.strategy: _versions(outcome.loaded.history, flight) for outcome in result.outcomes
    }
    end = result.stream.end / 60 + 1
    order = {version["lsn"]: place for place, version in enumerate(lanes["source"])}
    complete = sum(lanes[name] == lanes["source"] for name in STRATEGIES)
    n = len(lanes["source"])
    gone = bool(n) and lanes["source"][-1]["valid_to"] is not None
    title = f"{flight}: {n} versions{', then cancelled' if gone else ''}. {complete} of 4 complete"
    bars = [
        _bar(name, version, order.get(version["lsn"], 0), end)
        for name, versions in lanes.items()
        for version in versions
    ]
    return figures.drawn(
        title,
        bars,
        height=400,
        x="valid from–to, hour of the day",
        barmode="overlay",
        showlegend=False,
        yaxis={"categoryorder": "array", "categoryarray": list(lanes)[::-1]},
        xaxis={"range": [0, end], "dtick": 3, "showgrid": True},
        bargap=0.3,
    )


def _bar(name: str, version: dict[str, float], place: int, end: float) -> dict[str, Any]:
    """Return one version of a flight from the hour at which it begins to hold to the hour at which
    it ends, or to ``end``.
    """
    start, stop = (
        version["valid_from"] / 60,
        end if version["valid_to"] is None else version["valid_to"] / 60,
    )
    delay = (
        "no delay known" if version["dep_delay"] is None else f"delay {version['dep_delay']} min"
    )
    until = "still" if version["valid_to"] is None else f"until {stop:.2f} h"
    return {
        "type": "bar",
        "x": [abs(stop - start)],
        "base": [min(start, stop)],
        "y": [name],
        "orientation": "h",
        "marker": {
            "color": VERSION_COLORS[place % len(VERSION_COLORS)],
            "line": {"width": 1, "color": "white"},
        },
        "opacity": 0.9,
        "showlegend": False,
        "text": "" if version["dep_delay"] is None else f"{version['dep_delay']}",
        "textposition": "inside",
        "insidetextanchor": "middle",
        "hovertemplate": (
            f"{name}, version {place + 1}: {delay}<br>from {start:.2f} h {until}<extra></extra>"
        ),
    }
