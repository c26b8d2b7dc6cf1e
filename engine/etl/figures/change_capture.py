"""Figures of *change capture*: what each strategy moves and when it shows it, wrong rows over the day, one flight's history.

Each strategy keeps its colour; a pinned run A is drawn with orange diamonds. Red-purple is what differs from the source.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc

from engine import figures
from engine.etl import change_capture
from engine.etl.change_capture import STRATEGIES, ChangeCaptureResult, Outcome, Strategy

COLORS: dict[Strategy, str] = {
    "full reload": figures.WAITING,
    "cursor": figures.SYNTHETIC,
    "change log": figures.KNOWN,
    "micro-batch": figures.EXTRA,
}
STEP_MINUTES = 15.0
VERSION_COLORS = (figures.KNOWN, figures.EXTRA, figures.HELD_OUT, figures.SYNTHETIC, figures.FAILED, figures.LEAKED)


def _ends(outcome: Outcome) -> str:
    if outcome.ledger.exact:
        return "exact"
    counts = outcome.ledger.counts()
    ghosts = [f"{counts['ghost']:,} ghost{'s' * (counts['ghost'] > 1)}"] if counts["ghost"] else []
    return "<br>".join([f"{counts[kind]:,} {kind}" for kind in ("stale", "lost", "duplicated") if counts[kind]] + ghosts)


def race(result: ChangeCaptureResult, pinned: ChangeCaptureResult | None = None) -> go.Figure:
    """Draw rows moved and minutes until a change shows, by strategy. To see first: the right end of each lane."""
    exact = [outcome.strategy for outcome in result.outcomes if outcome.ledger.exact]
    which = (
        "No target equals"
        if not exact
        else f"{' and '.join(exact[:2])} equal"
        if len(exact) == 2
        else f"{len(exact)} of 4 equal"
    )
    if len(exact) == 1:
        which = f"Only {exact[0]} equals"
    title = (
        f"{which[0].upper()}{which[1:]} the source in the end;<br>the cursor has {result.cursor_ghosts:,} rows that are gone"
    )
    names: list[str] = list(STRATEGIES)
    x = ("rows moved", "minutes until a change shows (dot: median, line: to 95 %)")
    figure = figures.new_pair(title, height=380, x=x, names=names, split=0.45, gap=0.06, y_range=(-0.6, 3.6))
    for outcome in result.outcomes:
        color, name = COLORS[outcome.strategy], outcome.strategy
        hover = f"{name}: %{{x:,}} rows moved, {outcome.loaded.n_loads:,} transactions<extra></extra>"
        bar = {"color": color, "line": {"width": 0}}
        figure.add_bar(x=[outcome.loaded.n_moved], y=[name], orientation="h", marker=bar, showlegend=False, hovertemplate=hover)
        seen = outcome.minutes[np.isfinite(outcome.minutes)]
        low, middle, high = np.percentile(seen, [5, 50, 95]).round(1)
        figure.add_scatter(
            x=[low, high], y=[name, name], mode="lines", line={"color": color, "width": 6}, xaxis="x2", showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=[middle], y=[name], mode="markers", marker={"color": color, "size": 16}, xaxis="x2", showlegend=False,
            hovertemplate=f"{name}: median %{{x:.0f}} min, 5–95 %: {low:.0f}–{high:.0f} min<extra></extra>",
        )  # fmt: skip
    if pinned is not None:
        _add_pinned(figure, pinned)
    texts = figures.beside(list(names), [_ends(outcome) for outcome in result.outcomes])
    for text, outcome in zip(texts, result.outcomes, strict=True):
        text |= {"align": "left", "font": {"color": figures.HELD_OUT if outcome.ledger.exact else figures.FAILED, "size": 15}}
    grid = {"showgrid": True, "rangemode": "tozero", "tickformat": ",", "nticks": 5}
    figure.update_layout(annotations=texts, margin_r=110, xaxis=grid, xaxis2=grid, showlegend=pinned is not None, bargap=0.45)
    return figure


def _add_pinned(figure: go.Figure, pinned: ChangeCaptureResult) -> None:
    marker = {"symbol": "diamond", "size": 12, "color": figures.LEAKED, "line": {"color": "white", "width": 1}}
    values: tuple[tuple[str, list[float]], ...] = (
        ("x", [outcome.loaded.n_moved for outcome in pinned.outcomes]),
        ("x2", [float(np.median(outcome.minutes[np.isfinite(outcome.minutes)])) for outcome in pinned.outcomes]),
    )
    for axis, x in values:
        figure.add_scatter(
            x=x, y=list(STRATEGIES), xaxis=axis, mode="markers", marker=marker, name="run A", showlegend=axis == "x",
            hovertemplate="run A, %{y}: %{x:,.0f}<extra></extra>",
        )  # fmt: skip


def wrong_rows(result: ChangeCaptureResult) -> go.Figure:
    """Draw how many flights each target has wrong during the day. To see first: the line that never comes down."""
    moments = np.arange(0, result.stream.end + 2 * max(change_capture.POLLS[3], result.params.poll_minutes), STEP_MINUTES)
    wrong = change_capture.wrong_rows(result, moments)
    worst = max(STRATEGIES, key=lambda name: int(wrong[name][-1]))
    title = "Between two loads every target lags behind;<br>" + (
        f"the {worst} still has {wrong[worst][-1]:,} flights wrong at the end"
        if wrong[worst][-1]
        else "in the end all are right"
    )
    figure = figures.new_tall(title, height=440, x="hour of the day, New York", y="flights that differ from the source")
    for name in STRATEGIES:
        figure.add_scatter(
            x=moments / 60,
            y=wrong[name],
            mode="lines",
            line={"color": COLORS[name], "width": 2.5, "shape": "hv"},
            name=name,
            hovertemplate=f"{name}, hour %{{x:.2f}}: %{{y:,}} wrong<extra></extra>",
        )
    figure.update_layout(xaxis={"dtick": 3, "showgrid": True}, yaxis={"showgrid": True, "rangemode": "tozero"})
    return figure


def _versions(history: pa.Table, flight: str) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = history.filter(pc.equal(history["flight"], flight)).to_pylist()
    return rows


def history(result: ChangeCaptureResult, key: int) -> go.Figure:
    """Draw one flight's history in the source and in each target (SCD type 2). To see first: lanes unlike the top."""
    flight = result.stream.labels[key].as_py()
    lanes = {"source": _versions(result.outcomes[0].history.source, flight)}
    lanes |= {outcome.strategy: _versions(outcome.loaded.history, flight) for outcome in result.outcomes}
    end = result.stream.end / 60 + 1
    order = {version["lsn"]: place for place, version in enumerate(lanes["source"])}
    agree = sum(lanes[name] == lanes["source"] for name in STRATEGIES)
    n = len(lanes["source"])
    gone = bool(n) and lanes["source"][-1]["valid_to"] is not None
    title = f"{flight}: {n} versions{', then cancelled' if gone else ''};<br>{agree} of 4 histories say so"
    figure = figures.new_tall(title, height=400, x="hour of the day, New York (valid from … to)")
    for name, versions in lanes.items():
        for version in versions:
            start, stop = version["valid_from"] / 60, end if version["valid_to"] is None else version["valid_to"] / 60
            place = order.get(version["lsn"], 0)
            delay = "no delay known" if version["dep_delay"] is None else f"delay {version['dep_delay']} min"
            until = "still" if version["valid_to"] is None else f"until {stop:.2f} h"
            figure.add_bar(
                x=[abs(stop - start)],
                base=[min(start, stop)],
                y=[name],
                orientation="h",
                marker={"color": VERSION_COLORS[place % len(VERSION_COLORS)], "line": {"width": 1, "color": "white"}},
                opacity=0.9,
                showlegend=False,
                text="" if version["dep_delay"] is None else f"{version['dep_delay']}",
                textposition="inside",
                insidetextanchor="middle",
                hovertemplate=f"{name}, version {place + 1}: {delay}<br>from {start:.2f} h {until}<extra></extra>",
            )
    figure.update_layout(
        barmode="overlay",
        showlegend=False,
        yaxis={"categoryorder": "array", "categoryarray": list(lanes)[::-1]},
        xaxis={"range": [0, end], "dtick": 3, "showgrid": True},
        bargap=0.3,
    )
    return figure
