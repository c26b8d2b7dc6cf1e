"""Figures of *run monitor*: the Gantt in which each attempt is its own bar, and the graph coloured
by state.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.monitor import MonitorResult
from engine.orchestration.records import Attempt, Run, Task, state_of
from engine.texts import strip_marks
from engine.units import format_seconds

COLORS = {
    "completed": figures.HELD_OUT,
    "running": figures.KNOWN,
    "failed": figures.FAILED,
    "timed out": figures.LEAKED,
    "cached": figures.SYNTHETIC,
    "awaiting retry": "#B9BEC5",
    "upstream": figures.faint(figures.WAITING, 0.5),
    "pending": figures.WAITING,
    "cancelled": "#5B6470",
    "crashed": "#5B6470",
    "not run": figures.faint(figures.WAITING, 0.28),
}
NAMES = {  # category -> what the legend calls it
    "upstream": "upstream wait",
    "pending": "slot wait",
    "running": "running",
    "completed": "completed",
    "failed": "failed",
    "timed out": "timed out",
    "awaiting retry": "retry wait",
    "cached": "cached",
    "cancelled": "cancelled or crashed",
}
WIDTHS = {"upstream": 0.05, "pending": 0.2, "awaiting retry": 0.34}
ROW_PIXELS, BARE_ROW_PIXELS, LEAST_PIXELS, MOST_PIXELS = 20, 11, 280, 1_000
LEAST_SECONDS = 0.02  # what is shorter cannot be seen, and is not drawn
# of the run's time: a bar that is shorter has no room for its number on a phone
NUMBERED_SHARE = 0.035
LABELLED_TASKS = 45
LABELLED_NODES = 32


@dataclass(slots=True)
class _Bars:
    base: list[float] = field(default_factory=list)
    length: list[float] = field(default_factory=list)
    task: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    hover: list[str] = field(default_factory=list)


def _bars(run: Run, now: float) -> dict[str, _Bars]:
    """Return the bars of a run by category; what still lasts ends now."""
    bars: dict[str, _Bars] = defaultdict(_Bars)
    ready, whole = _ready(run, now), max(now, run.seconds)

    def add(kind: str, attempt: Attempt, start: float, end: float) -> None:
        if kind != "cached" and end - start < LEAST_SECONDS:
            return
        into = bars[kind]
        into.base.append(round(start, 3))
        into.length.append(round(end - start, 3))
        into.task.append(attempt.task)
        room = kind not in WIDTHS and end - start > NUMBERED_SHARE * whole
        into.text.append(f"{attempt.attempt}" if room and attempt.attempt > 1 else "")
        number = f" · attempt {attempt.attempt}" if attempt.attempt else ""
        into.hover.append(
            f"{attempt.task}{number}<br>{NAMES.get(kind, kind)}, {format_seconds(end - start)}"
        )

    for attempt in run.attempts:
        for interval in attempt.intervals:
            start = interval.start_seconds
            end = max(now if interval.end_seconds is None else interval.end_seconds, start)
            kind: str = interval.state
            if kind == "running" and interval.end_seconds is not None:
                kind = "cancelled" if attempt.outcome == "crashed" else attempt.outcome or "running"
            if kind == "pending":
                free = min(max(ready[attempt.task], start), end)
                add("upstream", attempt, start, free)
                start = free
            add(kind, attempt, start, end)
    return bars


def _ready(run: Run, now: float) -> dict[str, float]:
    """Return when the last task upstream of each ended; now, while one of them lasts."""
    ends: dict[str, float] = {}
    for key, attempt in run.last().items():
        last = attempt.intervals[-1] if attempt.intervals else None
        ends[key] = now if last is None or last.end_seconds is None else last.end_seconds
    return {
        task.key: max((ends.get(key, now) for key in task.upstream), default=0.0)
        for task in run.tasks
    }


def seconds_now(run: Run) -> float:
    """Return how far a run that still lasts has come, in seconds since it began."""
    if run.ended or run.started_at is None:
        return run.seconds
    return max(run.seconds, time.time() - run.started_at)


def gantt(
    result: MonitorResult, pinned: MonitorResult | None = None, chosen: str = ""
) -> go.Figure:
    """Draw each attempt as its own bar. To see first: the attempts that failed, and the waits
    before the next ones.
    """
    run = result.run
    names = [task.key for task in run.tasks]
    own = set(names)
    names += [task.key for task in pinned.run.tasks if task.key not in own] if pinned else []
    labels = len(names) <= LABELLED_TASKS
    row = ROW_PIXELS if labels else BARE_ROW_PIXELS
    height = min(max(len(names) * row + 130, LEAST_PIXELS), MOST_PIXELS)
    shown = result.predicted if run.state == "scheduled" else run
    traces = (
        _traces(_bars(pinned.run, seconds_now(pinned.run)), offset=True, pale=True)
        if pinned is not None
        else []
    )
    traces += _traces(_bars(shown, seconds_now(shown)), offset=False, pale=run.state == "scheduled")
    x: dict[str, Any] = {"rangemode": "tozero"}
    shapes = []
    if not run.ended:  # as long as predicted, so that the axis does not move
        now = seconds_now(run)
        x["range"] = [0, 1.04 * max(now, result.predicted.seconds)]
        if run.started_at is not None:
            line = {"color": figures.KNOWN, "width": 1, "dash": "dot"}
            across = {"y0": 0, "y1": 1, "yref": "paper", "line": line}
            shapes = [{"type": "line", "x0": now, "x1": now, **across}]
    y = {
        "categoryorder": "array",
        "categoryarray": names[::-1],
        "range": [-0.6, len(names) - 0.4],
        "showticklabels": labels,
        "tickvals": names,
        "ticktext": [f"<b>{name}</b>" if name == chosen else name for name in names],
        "title": {"text": "" if labels else f"{len(run.tasks)} tasks, in the order of submission"},
    }
    return drawn(
        strip_marks(result.verdict),
        traces,
        height=height,
        x="seconds since the run began" + (" (thin bars: run A)" if pinned else ""),
        barmode="overlay",
        uirevision=run.id or "predicted",
        xaxis=x,
        yaxis=y,
        shapes=shapes,
    )


def _traces(bars: dict[str, _Bars], offset: bool, pale: bool) -> list[Trace]:
    traces = []
    for kind, name in NAMES.items():
        found = bars.get(kind)
        if found is None or (offset and kind in ("upstream", "pending")):
            continue
        text = "A: " if offset else ""
        shared: dict[str, Any] = {
            "y": found.task,
            "name": name,
            "legendgroup": kind,
            "showlegend": not offset,
            "customdata": found.task,
            "hovertext": [text + line for line in found.hover],
            "hoverinfo": "text",
        }
        if kind == "cached":  # a moment: no length to see
            marker: dict[str, Any] = {"symbol": "diamond", "size": 10, "color": COLORS[kind]}
            traces.append(
                {
                    "type": "scatter",
                    "x": found.base,
                    "mode": "markers",
                    "marker": marker,
                    "opacity": 0.4 if pale else 1,
                    **shared,
                }
            )
            continue
        marker = {"color": COLORS[kind], "line": {"width": 0}}
        if kind == "awaiting retry":
            marker["pattern"] = {
                "shape": "/",
                "size": 5,
                "solidity": 0.35,
                "fgcolor": figures.FAILED,
                "bgcolor": COLORS[kind],
            }
        bar: Trace = {
            "type": "bar",
            "base": found.base,
            "x": found.length,
            "orientation": "h",
            "width": WIDTHS.get(kind, 0.72),
            "marker": marker,
            "opacity": 0.45 if pale else 1,
        }
        if offset:
            bar |= {"width": 0.14, "offset": -0.48}
        elif any(found.text):
            bar |= {
                "text": found.text,
                "textposition": "inside",
                "insidetextanchor": "start",
                "textangle": 0,
            }
            bar |= {"textfont": {"color": "white", "size": 12}, "constraintext": "none"}
        traces.append(bar | shared)
    return traces


def _layers(tasks: tuple[Task, ...]) -> dict[str, int]:
    """Return how many steps each task is from a start, by its longest path."""
    depth: dict[str, int] = {}
    for task in tasks:  # in order of submission: upstream comes first
        depth[task.key] = 1 + max((depth[key] for key in task.upstream), default=-1)
    return depth


def _places(tasks: tuple[Task, ...]) -> dict[str, tuple[float, float]]:
    """Return x and y of each node; layers too tall for a column are folded into several."""
    most = 14
    layers: dict[int, list[str]] = defaultdict(list)
    for key, depth in _layers(tasks).items():
        layers[depth].append(key)
    places, x = {}, 0.0
    for depth in sorted(layers):
        keys = layers[depth]
        n_columns = -(-len(keys) // most)
        n_rows = -(-len(keys) // n_columns)
        for place, key in enumerate(keys):
            column, row = divmod(place, n_rows)
            high = min(n_rows, len(keys) - column * n_rows)
            places[key] = (x + column * 0.35, (high - 1) / 2 - row)
        x += 1 + (n_columns - 1) * 0.35
    return places


def _edges(tasks: Sequence[Task], places: dict[str, tuple[float, float]]) -> Trace:
    """Draw a line from each task to those that wait for it."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for task in tasks:
        for key in task.upstream:
            xs += [places[key][0], places[task.key][0], None]
            ys += [places[key][1], places[task.key][1], None]
    return {
        "type": "scatter",
        "x": xs,
        "y": ys,
        "mode": "lines",
        "line": {"color": figures.WAITING, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def graph(result: MonitorResult, chosen: str = "") -> go.Figure:
    """Draw the graph of tasks, coloured by state. To see first: the task that failed, and what it
    keeps from running.
    """
    run = result.run
    places = _places(run.tasks)
    last = run.last()
    states = {
        task.key: state_of(last[task.key]) if task.key in last else "pending" for task in run.tasks
    }
    low, high = min(y for _, y in places.values()), max(y for _, y in places.values())
    labelled = len(states) <= LABELLED_NODES
    traces = [_edges(run.tasks, places)]
    for kind, color in COLORS.items():
        keys = [key for key, state in states.items() if state == kind]
        if not keys:
            continue
        marker = {
            "size": 20 if labelled else 11,
            "color": color,
            "line": {
                "width": [3 if key == chosen else 1 for key in keys],
                "color": figures.WAITING,
            },
        }
        node = {
            "type": "scatter",
            "x": [places[key][0] for key in keys],
            "y": [places[key][1] for key in keys],
            "mode": "markers",
            "name": f"{kind} {len(keys)}",
            "customdata": keys,
            "hovertext": [f"{key}<br>{kind}" for key in keys],
            "hoverinfo": "text",
            "marker": marker,
        }
        if labelled:
            node |= {"mode": "markers+text", "text": [key.partition(" ")[2] for key in keys]}
            node |= {"textfont": {"size": 11, "color": None if kind == "not run" else "white"}}
        traces.append(node)
    return drawn(
        "Task graph, coloured by state" + (" (predicted)" if run.predicted else ""),
        traces,
        height=int(min(max((high - low + 1) * 40 + 130, 260), 540)),
        xaxis={"visible": False, "range": [-0.5, max(x for x, _ in places.values()) + 0.5]},
        yaxis={"visible": False, "range": [low - 1.1, high + 1.1]},
        annotations=_names(run.tasks, places),
    )


def _names(tasks: tuple[Task, ...], places: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    """Return what the nodes of each layer are called, by turns above and below: in one line they
    would meet on a phone.
    """
    layers: dict[int, list[str]] = defaultdict(list)
    for key, depth in _layers(tasks).items():
        layers[depth].append(key)
    names = []
    for depth, keys in layers.items():
        above = depth % 2 == 1
        heights = [places[key][1] for key in keys]
        names.append(
            {
                "x": sum(places[key][0] for key in keys) / len(keys),
                "y": max(heights) if above else min(heights),
                "text": " / ".join(dict.fromkeys(key.partition(" ")[0] for key in keys)),
                "showarrow": False,
                "yanchor": "bottom" if above else "top",
                "yshift": 10 if above else -10,
            }
        )
    return names
