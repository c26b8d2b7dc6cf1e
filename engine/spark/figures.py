"""Tasks as bars on their cores over time: the map of who ran what, when; shared by the experiments
that run on Spark.

Blue is a task, orange-red the longest of the stage that does the work, pink a failed attempt. A row
is a core of a run.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark.tasks import Task, Trace

LANE_HEIGHT = 22
LONGEST = "longest of the main stage"


def gantt(
    title: str, traces: dict[str, Trace], pinned: dict[str, Trace] | None = None
) -> go.Figure:
    """Draw the tasks of each named run, one row per core; pinned runs are marked by their
    end.
    """
    bars: dict[str, list[tuple[str, Task]]] = {"task": [], LONGEST: [], "failed": []}
    lanes: list[str] = []
    for name, trace in traces.items():
        longest = max(trace.widest, key=lambda task: task.run_seconds, default=None)
        lanes += [
            _lane(name, *place)
            for place in sorted({(task.executor, task.lane) for task in trace.tasks})
        ]
        for task in trace.tasks:
            kind = "failed" if task.failed else LONGEST if task is longest else "task"
            bars[kind].append((_lane(name, task.executor, task.lane), task))
    figure = figures.new_tall(
        title, height=240 + LANE_HEIGHT * max(len(lanes), 6), x="seconds since the first task began"
    )
    for (kind, members), color in zip(
        bars.items(), (figures.KNOWN, figures.LEAKED, figures.FAILED), strict=True
    ):
        figure.add_bar(
            y=[lane for lane, _ in members],
            x=[task.seconds for _, task in members],
            base=[task.start_seconds for _, task in members],
            orientation="h",
            marker={"color": color, "line": {"color": "rgba(255,255,255,0.6)", "width": 1}},
            name=kind,
            hovertext=[_describe(task) for _, task in members],
            hoverinfo="text",
            showlegend=bool(members),
        )
    for name, trace in (pinned or {}).items():
        end = max((task.start_seconds + task.seconds for task in trace.tasks), default=0.0)
        at = [lane for lane in lanes if lane.startswith(f"{name}:")]
        figure.add_scatter(
            x=[end] * len(at),
            y=at,
            mode="markers",
            marker={
                "symbol": "line-ns",
                "size": 18,
                "line": {"color": figures.SYNTHETIC, "width": 3},
            },
            name="end of pinned run A",
            legendgroup="pinned",
            showlegend=name == next(iter(pinned or {})),
        )
    figure.update_layout(
        barmode="overlay",
        bargap=0.15,
        yaxis={"categoryorder": "array", "categoryarray": lanes[::-1]},
    )
    return figure


def _lane(name: str, executor: str, lane: int) -> str:
    return (
        f"{name}: core {lane + 1}"
        if executor == "driver"
        else f"{name}: executor {executor}, core {lane + 1}"
    )


def _describe(task: Task) -> str:
    return (
        f"stage {task.stage}, partition {task.index}: {task.seconds:.2f} s, {task.n_rows_read:,}"
        " rows read"
    )
