"""Figures of many runs: run × task grid, durations, tasks in numbers, two runs, the critical path
and what-if.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.history import FATES, HistoryResult, critical_path, fates_of
from engine.orchestration.records import Run
from engine.texts import strip_marks
from engine.units import format_seconds, format_time

FATE_COLOURS = dict(
    zip(
        FATES,
        (
            *(
                figures.HELD_OUT,
                "#8FD3BC",
                figures.SYNTHETIC,
                figures.FAILED,
                figures.LEAKED,
                figures.EXTRA,
            ),
            figures.faint(figures.WAITING, 0.35),
        ),
        strict=True,
    )
)
RUN_COLOURS = {
    "completed": figures.HELD_OUT,
    "failed": figures.FAILED,
    "crashed": figures.LEAKED,
    "cancelled": figures.WAITING,
}
MOST_TASKS = 60  # lanes of a figure; beyond them the shortest are not drawn


def _when(run: Run) -> str:
    return (
        f"seed {run.params.seed}"
        if run.predicted
        else format_time(datetime.fromtimestamp(run.submitted_at, UTC))
    )


def grid(result: HistoryResult) -> go.Figure:
    """Draw the outcome of each task in each run. To see first: rows that are often not green."""
    runs, tasks = result.runs[::-1], result.tasks
    codes = np.full((len(tasks), len(runs)), np.nan, dtype=np.float32)
    rows = {task: k for k, task in enumerate(tasks)}
    for column, run in enumerate(runs):
        for task, fate in fates_of(run).items():
            codes[rows[task], column] = FATES.index(fate)
    places = [len(runs) - k for k in range(len(runs))]
    n = len(FATES)
    scale = [
        point
        for k, colour in enumerate(FATE_COLOURS.values())
        for point in ((k / n, colour), ((k + 1) / n, colour))
    ]
    heat: Trace = {
        "type": "heatmap",
        "x": [str(place) for place in places],
        "y": list(tasks),
        "z": codes,
        "zmin": -0.5,
        "zmax": n - 0.5,
        "colorscale": scale,
        "showscale": False,
        "xgap": 1 if len(runs) <= 100 else 0,
        "ygap": 1,
        "hovertemplate": "run %{x}<br>%{y}<extra></extra>",
    }
    # the legend of the squares
    key: Trace = {"type": "scatter", "x": [None], "y": [None], "mode": "markers"}
    seen = set(np.unique(codes[~np.isnan(codes)]).astype(int).tolist())
    keys = [
        {**key, "marker": {"color": colour, "symbol": "square", "size": 10}, "name": fate}
        for k, (fate, colour) in enumerate(FATE_COLOURS.items())
        if k in seen
    ]
    columns: dict[int, str] = {}
    for name, place in (("A", result.params.run), ("B", result.params.other)):
        column = len(runs) - min(place, len(runs))
        columns[column] = f"{columns[column]} = {name}" if column in columns else name
    over = {"y": 1, "yref": "paper", "showarrow": False, "yanchor": "bottom"}
    return drawn(
        strip_marks(result.verdict),
        [heat, *keys],
        height=max(330, 200 + 15 * len(tasks)),
        x="run (1: the latest)",
        # by number: a category that reads like one would be taken for it
        annotations=[
            {**over, "x": column, "text": f"<b>{name}</b>"} for column, name in columns.items()
        ],
        yaxis={
            "autorange": "reversed",
            "type": "category",
            "showgrid": False,
            "dtick": 1 if len(tasks) <= 40 else None,
        },
        xaxis={"type": "category", "showgrid": False, "nticks": 12, "tickangle": 0},
    )


def durations(result: HistoryResult) -> go.Figure:
    """Draw how long each run took, in order. To see first: what is not green, and a level that
    shifts.
    """
    traces: list[Trace] = []
    for state in dict.fromkeys(run.state for run in result.runs):
        found = [(place, run) for place, run in enumerate(result.runs, 1) if run.state == state]
        traces.append(
            {
                "type": "scatter",
                "x": [place for place, _ in found],
                "y": [run.seconds for _, run in found],
                "mode": "markers",
                "marker": {"color": RUN_COLOURS.get(state, figures.WAITING), "size": 9},
                "name": state,
                "text": [f"{run.name}<br>{_when(run)}" for _, run in found],
                "hovertemplate": "%{text}<br>%{y:.2f} s<extra></extra>",
            }
        )
    middle = result.duration.value
    line = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": middle, "y1": middle}
    return drawn(
        "Duration of each run" + (" (dotted: median)" if result.duration.n else ""),
        traces,
        height=380,
        x="run (1: the latest)",
        y="duration, s",
        shapes=(
            [{**line, "line": {"dash": "dot", "color": figures.WAITING}}]
            if result.duration.n
            else []
        ),
        xaxis={"autorange": "reversed"},
        yaxis={"rangemode": "tozero"},
    )


def tasks(result: HistoryResult) -> go.Figure:
    """Draw the slowest tasks beside how often an attempt failed, with intervals. To see first: the
    top row, and how wide its interval is.
    """
    found = sorted(result.stats, key=lambda s: -s.seconds.value)[:12]
    names = [s.task for s in found]
    figure = figures.new_pair(
        "Slowest tasks and failed attempts" if found else "No task has run",
        height=190 + 26 * len(names),
        x=("median time, s", "runs with a failed attempt"),
        names=names,
        split=0.55,
        gap=0.06,
        y_range=(-0.6, len(names) - 0.4),
    )
    for axis, key, colour in (("x", "seconds", figures.KNOWN), ("x2", "flaky", figures.FAILED)):
        numbers = [getattr(s, key) for s in found]
        figure.add_scatter(
            x=[e.value for e in numbers],
            y=names,
            xaxis=axis,
            mode="markers",
            marker={"color": colour, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [e.high - e.value for e in numbers],
                "arrayminus": [e.value - e.low for e in numbers],
                "color": colour,
                "thickness": 1.5,
            },
            customdata=[[e.low, e.high, e.n] for e in numbers],
            hovertemplate=(
                "%{y}: %{x:.2f} (%{customdata[0]:.2f} to %{customdata[1]:.2f}, n ="
                " %{customdata[2]})<extra></extra>"
            ),
            showlegend=False,
        )
    figure.update_layout(
        xaxis={"rangemode": "tozero"},
        xaxis2={"range": [0, 1], **figures.SHARE_TICKS},
        showlegend=False,
    )
    return figure


def compared(result: HistoryResult) -> go.Figure:
    """Draw both runs task by task. To see first: the longest grey line, the task that made the
    difference.
    """
    rows = [row for row in result.compared if row["A"] is not None or row["B"] is not None][
        :MOST_TASKS
    ]
    title = (
        f"Task times: run A {format_seconds(result.run.seconds)}, run B"
        f" {format_seconds(result.other.seconds)}"
    )
    names = [str(row["task"]) for row in rows]
    lines = [
        (float(str(row["A"])), float(str(row["B"])), row["task"])
        for row in rows
        if row["A"] is not None and row["B"] is not None
    ]
    between: Trace = {
        "type": "scatter",
        "x": [x for left, right, _ in lines for x in (left, right, None)],
        "y": [y for *_, task in lines for y in (task, task, None)],
        "mode": "lines",
        "line": {"color": figures.WAITING, "width": 2},
        "showlegend": False,
        "hoverinfo": "skip",
    }
    ends = [
        {
            "type": "scatter",
            "x": [row[name] for row in rows],
            "y": names,
            "mode": "markers",
            "marker": {"color": colour, "symbol": symbol, "size": 10},
            "name": f"{name}: run {min(place, len(result.runs))}",
        }
        for name, place, colour, symbol in (
            ("A", result.params.run, figures.KNOWN, "circle"),
            ("B", result.params.other, figures.SYNTHETIC, "diamond"),
        )
    ]
    return drawn(
        title,
        [between, *ends],
        height=190 + 24 * len(rows),
        x="first start to last end of a task, s",
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "dtick": 1,
        },
        xaxis={"rangemode": "tozero"},
    )


def _lanes(result: HistoryResult) -> tuple[list[str], str]:
    """Return the tasks of the run that have a lane, in order of their starts, and a note on the
    others.
    """
    names = list(result.spans)
    if len(names) <= MOST_TASKS:
        return names, ""
    on_path = {link.task for link in result.path}
    longest = sorted(names, key=lambda task: (task not in on_path, -result.spans[task].seconds))[
        :MOST_TASKS
    ]
    return [
        task for task in names if task in longest
    ], f" ({len(names) - MOST_TASKS} short tasks not drawn)"


def path(result: HistoryResult) -> go.Figure:
    """Draw the run, its critical path, and the run with the faster task. To see first: the chain
    that decides the end.
    """
    names, note = _lanes(result)
    moved = critical_path.replay(result.spans, result.faster, result.params.factor)
    chain = {link.task for link in result.path}
    what_if = f"{result.faster} {result.params.factor:g}× faster"
    title = f"{result.finish_seconds:.1f} s as run, {result.what_if_seconds:.1f} s with {what_if}"
    traces: list[Trace] = []
    for name, on, colour in (
        ("critical path", True, figures.LEAKED),
        ("has slack", False, figures.WAITING),
    ):
        found = [task for task in names if (task in chain) == on]
        spans = [(result.spans[task].start, result.spans[task].seconds) for task in found]
        traces.append(
            {**_bar(found, spans), "marker": {"color": colour}, "name": name, "width": 0.5}
        )
    frames = [(moved[task][0], moved[task][1] - moved[task][0]) for task in names]
    hollow = {"color": figures.HOLLOW, "line": {"color": figures.KNOWN, "width": 2}}
    traces.append({**_bar(names, frames), "marker": hollow, "name": "what if", "width": 0.86})
    return drawn(
        (title if names else "No task of this run has run") + note,
        traces,
        height=180 + 22 * len(names),
        x="seconds of the run",
        barmode="overlay",
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "dtick": 1,
        },
    )


def _bar(names: list[str], spans: list[tuple[float, float]]) -> Trace:
    """Return one bar per task, from its start to its end."""
    return {
        "type": "bar",
        "base": [round(start, 3) for start, _ in spans],
        "x": [round(seconds, 3) for _, seconds in spans],
        "y": names,
        "orientation": "h",
        "hovertemplate": "%{y}: %{x:.2f} s from %{base:.2f} s on<extra></extra>",
    }
