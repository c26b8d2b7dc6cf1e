"""Figures of *online*: a key's value in training and in serving, all keys hour by hour, latencies
of reads.

Blue is what training joins, green what serving answers; grey ticks are the runs; orange-red is null
in training but served.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.feature_store.online.beside import Beside
from engine.feature_store.online.real import ServedResult
from engine.feature_store.online.result import GRID, NONE, START, UNITS, OnlineResult
from engine.feature_store.own.online import OwnOnlineResult
from engine.texts import strip_marks
from engine.units import format_seconds

DATES = [START.replace(tzinfo=None) + timedelta(hours=int(hour)) for hour in GRID]
BINS = np.logspace(-5, 0, 101)  # seconds


def _drawn(result: OnlineResult, places: np.ndarray) -> np.ndarray:
    values = result.values(result.params.shown)
    return np.where(places == NONE, np.nan, values[np.maximum(places, 0)]).round(3)


def life(
    result: OnlineResult,
    pinned: OnlineResult | None = None,
    sqlite: OnlineResult | None = None,
) -> go.Figure:
    """Draw one key's week in training and in serving, dotted what ``sqlite`` would serve where that
    differs. To see first: where the green steps leave the blue ones.
    """
    p, key = result.params, result.params.key_number - 1
    served_by = f"serving ({'online' if p.store == 'SQLite' else p.store})"
    steps = [
        _step(_drawn(result, result.offline[:, key]), "training (offline)", figures.KNOWN, 2),
        _step(_drawn(result, result.online[:, key]), served_by, figures.HELD_OUT, 3),
    ]
    if sqlite is not None and (sqlite.online[:, key] != result.online[:, key]).any():
        served = _drawn(sqlite, sqlite.online[:, key])
        steps.insert(1, _step(served, "serving (SQLite)", figures.LEAKED, 2, "dot"))  # below Redis
    if pinned is not None:
        places = pinned.online[:, min(key, len(pinned.rows.names) - 1)]
        steps.append(_step(_drawn(pinned, places), "serving in run A", figures.WAITING, 2, "dot"))
    every = [START.replace(tzinfo=None) + timedelta(hours=run.hour) for run in result.runs]
    runs = {
        "type": "scatter",
        "x": every,
        "y": [0.02] * len(every),
        "yaxis": "y2",
        "mode": "markers",
        "marker": {"symbol": "triangle-up", "color": figures.WAITING, "size": 9},
        "name": "run",
        "hovertemplate": "run at %{x}<extra></extra>",
    }
    return figures.drawn(
        strip_marks(result.verdict),
        [*steps, runs],
        height=430,
        x="July 2013, UTC",
        y=f"{result.rows.names[key]}: {p.shown}, {UNITS[p.shown]}",
        shapes=[_looked_at(p.at_hours)],
        yaxis={"showgrid": True},
        yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        hovermode="x unified",
    )


def _step(
    values: np.ndarray, name: str, color: str, width: int, dash: str = "solid"
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": DATES,
        "y": values,
        "mode": "lines",
        "line": {"color": color, "width": width, "shape": "hv", "dash": dash},
        "name": name,
        "hovertemplate": "%{y:.4g}",
    }


def _looked_at(hours: int) -> dict[str, Any]:
    """Return the upright line at the chosen hour."""
    at = {"xref": "x", "x0": DATES[hours], "x1": DATES[hours], "yref": "y domain", "y0": 0, "y1": 1}
    return {"type": "line", **at, "line": {"color": figures.WAITING, "width": 2, "dash": "dash"}}


def keys_by_hour(result: OnlineResult, pinned: OnlineResult | None = None) -> go.Figure:
    """Draw, hour by hour, which share of the keys differs. To see first: the sawtooth, and the keys
    that are null in training below it.
    """
    n = len(result.rows.names)
    expired = np.array(
        [(result.expired(int(hour)) & (result.online[hour] != NONE)).mean() for hour in GRID]
    )
    lines = [("stale", _stale(result), figures.HELD_OUT, "solid")]
    lines += [("null in training, served", expired, figures.LEAKED, "solid")]
    if pinned is not None:
        lines.append(("stale, run A", _stale(pinned), figures.WAITING, "dot"))
    traces = [
        {
            "type": "scatter",
            "x": DATES,
            "y": (100 * share).round(2),
            "mode": "lines",
            "line": {"color": color, "width": 3, "dash": dash},
            "name": name,
            "hovertemplate": "%{y:.0f}%",
        }
        for name, share, color, dash in lines
    ]
    return figures.drawn(
        "Stale keys and keys null in training, by hour",
        traces,
        height=400,
        x="July 2013, UTC",
        y=f"share of the {n:,} keys, %",
        shapes=[_looked_at(result.params.at_hours)],
        xaxis={"hoverformat": "%-d %b %Y %H:%M"},
        yaxis={"showgrid": True, "range": [-3, 103]},
        hovermode="x unified",
    )


def _stale(result: OnlineResult) -> np.ndarray:
    return np.asarray((result.offline != result.online).mean(axis=1))


def latency(served: ServedResult) -> go.Figure:
    """Draw the times of get_online_features. To see first: the most frequent time, and the slowest
    calls on the right.
    """
    reads = served.reads or {}
    title = "Time of get_online_features calls" if reads else "The reads have not been timed yet"
    figure = figures.new_tall(title, height=400, x="time per call, ms (log)", y="calls")
    for (n_keys, seconds), color in zip(
        reads.items(), (figures.KNOWN, figures.SYNTHETIC), strict=False
    ):
        counts, _ = np.histogram(seconds, BINS)
        kept = np.flatnonzero(counts)
        half, most = (served.percentile_seconds(n_keys, percent) for percent in (50, 99))
        label = (
            f"{n_keys:,} key{'s' * (n_keys > 1)}: p50 {format_seconds(half)}, p99"
            f" {format_seconds(most)}"
        )
        figure.add_bar(
            x=(1e3 * np.sqrt(BINS[kept] * BINS[kept + 1])).round(5),
            y=counts[kept],
            width=(1e3 * np.diff(BINS)[kept]).round(6),
            marker_color=color,
            name=label,
            hovertemplate="%{x:.3f} ms: %{y} calls<extra></extra>",
        )
        figure.add_vline(x=1e3 * most, line={"color": color, "width": 2, "dash": "dot"})
    figure.update_layout(
        xaxis={"type": "log", "showgrid": True}, yaxis={"showgrid": True}, bargap=0
    )
    return figure


def store_latency(found: Beside) -> go.Figure:
    """Draw the times of get_online_features of two stores, which took turns. To see first: what the
    way to another process costs one key, and what it costs many.
    """
    figure = figures.new_tall(
        f"Time of get_online_features calls, SQLite and {found.store}",
        height=120 + 70 * len(found.reads),
        x="time per call, ms (log)",
    )
    for (store, n_keys), seconds in reversed([*found.reads.items()]):
        figure.add_box(
            x=(1e3 * np.sort(seconds.ravel())).round(4),
            name=f"{store}, {n_keys:,} key{'s' * (n_keys > 1)}",
            marker_color=figures.KNOWN if store == "SQLite" else figures.HELD_OUT,
            boxpoints=False,
            hovertemplate="%{x} ms<extra></extra>",
            showlegend=False,
        )
    figure.update_layout(xaxis={"type": "log", "showgrid": True})
    return figure


def own_latency(result: OwnOnlineResult) -> go.Figure:
    """Draw the times of get_online_features by feature view of a visitor's own store. To see first:
    which view is slow.
    """
    tables = result.tables
    slowest = max(tables, key=lambda table: float(np.median(table.seconds)), default=None)
    title = "No rows are served yet"
    if slowest is not None:
        title = (
            f"{slowest.view} is slowest to read: p50"
            f" {format_seconds(float(np.median(slowest.seconds)))} for one key"
        )
    figure = figures.new_tall(
        title, height=190 + 60 * max(2, len(tables)), x="time per call, ms (log)"
    )
    for table in tables:
        milliseconds = (1e3 * np.sort(table.seconds)).round(4)
        figure.add_box(
            x=milliseconds,
            name=table.view,
            marker_color=figures.HELD_OUT,
            boxpoints=False,
            hovertemplate="%{x} ms<extra></extra>",
            showlegend=False,
        )
    figure.update_layout(xaxis={"type": "log", "showgrid": True})
    return figure
