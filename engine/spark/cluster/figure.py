"""Figures of the cluster: who is who, and below it every task on its executor over time.

Blue is a task that ran once (darker: a later stage), orange one whose finished result was lost and
that ran again, pink an attempt that failed.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.spark.cluster.result import ClusterResult, Run, TaskAttempt, Worker
from engine.texts import strip_marks
from engine.units import format_bytes

SPLIT = 0.56  # where the picture begins, of the height
STAGE_COLORS = (figures.SHADES[0], figures.SHADES[2], figures.SHADES[4], figures.SHADES[5])
DRIVER, MASTER = (0.0, 0.58, 0.47, 1.0), (0.53, 0.58, 1.0, 1.0)  # x, y, x, y of the boxes
WORKERS = ((0.0, 0.0, 0.47, 0.44), (0.53, 0.0, 1.0, 0.44))
PROCESSES = {"driver", "cluster manager"}
AGAIN, FAILED = "ran again", "failed"


def cluster(result: ClusterResult) -> go.Figure:
    """Draw the processes of the cluster, and the tasks of its latest run. To see first: orange,
    what ran again after the loss.
    """
    running = bool(result.run.tasks)
    low = SPLIT if running else 0.0
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    return figures.drawn(
        strip_marks(result.verdict),
        _bars(result.run) if running else [_nothing()],
        height=470,
        x="seconds since the job began" if running else "",
        xaxis={"visible": running, "rangemode": "tozero"},
        yaxis={
            "domain": [0, SPLIT - 0.06] if running else [0, 0.001],
            "visible": running,
            "categoryorder": "array",
            "categoryarray": [_lane(one) for one in reversed(_executors(result.run))],
            "fixedrange": True,
        },
        xaxis2={**hidden, "anchor": "y2"},
        yaxis2={**hidden, "domain": [low, 1], "anchor": "x2"},
        shapes=[*_boxes(result), *_losses(result.run)],
        annotations=_texts(result),
        barmode="overlay",
        bargap=0.2,
        showlegend=running,
    )


def files(result: ClusterResult) -> go.Figure:
    """Draw the size of each file that the ETL wrote, by month. To see first: which executor wrote
    it.
    """
    run = result.run
    palette = (figures.KNOWN, figures.HELD_OUT, figures.SYNTHETIC)
    colors = {name: palette[place % 3] for place, name in enumerate(_executors(run))}
    months = [f"month={month}" for month in range(12, 0, -1)]
    traces = []
    for executor, color in colors.items():
        own = [file for file in run.files if run.executor_of(file) == executor]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": f"written by executor {executor}",
                "y": [f"month={file.month}" for file in own],
                "x": [file.size_bytes for file in own],
                "text": [format_bytes(file.size_bytes) for file in own],
                "marker": {"color": color},
                "hovertext": [f"{file.n_rows:,} rows" for file in own],
                "hoverinfo": "text",
                "showlegend": bool(own),
            }
        )
    return figures.drawn(
        "Files that were written, by folder",
        traces,
        height=420,
        x="bytes",
        yaxis={"categoryorder": "array", "categoryarray": months},
        barmode="stack",
    )


def _nothing() -> dict[str, Any]:
    """Return a trace without a mark on the axes of the picture, which Plotly draws only then."""
    return {"type": "scatter", "x": [], "y": [], "xaxis": "x2", "yaxis": "y2", "hoverinfo": "skip"}


def _executors(run: Run) -> list[str]:
    return sorted({one.id for one in run.executors}, key=int)


def _lane(executor: str) -> str:
    return f"executor {executor}"


def _kind(task: TaskAttempt, again: set[TaskAttempt]) -> str:
    return FAILED if task.failed else AGAIN if task in again else f"stage {task.stage}"


def _bars(run: Run) -> list[dict[str, Any]]:
    again = run.again
    colors = {f"stage {n}": color for n, color in enumerate(STAGE_COLORS, 1)}
    colors |= {AGAIN: figures.SYNTHETIC, FAILED: figures.FAILED}
    bars: list[dict[str, Any]] = [_nothing() | {"showlegend": False}]
    for kind, color in colors.items():
        tasks = [task for task in run.tasks if _kind(task, again) == kind]
        bars.append(
            {
                "type": "bar",
                "name": kind,
                "orientation": "h",
                "y": [_lane(task.executor) for task in tasks],
                "x": [max(task.seconds, 0.03) for task in tasks],
                "base": [task.start for task in tasks],
                "marker": {"color": color, "line": {"color": "rgba(255,255,255,0.6)", "width": 1}},
                "hovertext": [_describe(task, kind) for task in tasks],
                "hoverinfo": "text",
                "showlegend": bool(tasks),
            }
        )
    return bars


def _describe(task: TaskAttempt, kind: str) -> str:
    return (
        f"stage {task.stage}, attempt {task.attempt + 1}, partition {task.partition}:"
        f" {task.seconds:.2f} s, {kind}"
    )


def _rectangle(place: tuple[float, float, float, float], color: str, **line: Any) -> dict[str, Any]:
    x0, y0, x1, y1 = place
    return {
        "type": "rect",
        "xref": "x2",
        "yref": "y2",
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "line": {"color": color, "width": 2, **line},
        "fillcolor": figures.faint(color, 0.08),
    }


def _boxes(result: ClusterResult) -> list[dict[str, Any]]:
    """Return the boxes of the processes; what has not started yet is grey."""
    there = len(result.workers)
    driver = figures.KNOWN if result.executors else figures.WAITING
    manager = figures.HELD_OUT if there else figures.WAITING
    boxes = [_rectangle(DRIVER, driver), _rectangle(MASTER, manager)]
    for number, place in enumerate(WORKERS):
        boxes.append(
            _rectangle(place, figures.HELD_OUT if number < there else figures.WAITING, dash="dot")
        )
    return boxes


def _losses(run: Run) -> list[dict[str, Any]]:
    """Return a line through the lanes at the moment of each kill."""
    line = {"color": figures.FAILED, "width": 2, "dash": "dash"}
    span = {"yref": "paper", "y0": 0, "y1": SPLIT - 0.06}
    return [
        {"type": "line", "x0": seconds, "x1": seconds, **span, "line": line}
        for _, seconds in run.killed
    ]


def _texts(result: ClusterResult) -> list[dict[str, Any]]:
    run = result.run
    n_stages = len(result.params.job.STAGES)
    active = max((one.stage for one in run.stages if one.n_active), default=0)
    at_work = f"stage {active} of {n_stages}, " if active else ""
    done = f"{at_work}{run.n_done} of {result.params.n_tasks} tasks done" if run.tasks else ""
    given = [one for one in result.executors if one.removed is None]
    n = len(given)
    manager = f"{len(result.workers)} workers, {n} executor{'s' * (n != 1)}"
    manager = manager if result.workers else ""
    texts = [
        _text(DRIVER, "driver", "gives tasks to executors", done),
        _text(MASTER, "cluster manager (master)", "gives executors to the driver", manager),
    ]
    for number, place in enumerate(WORKERS):
        here = result.workers[number] if number < len(result.workers) else None
        own = _of_worker(result, here) if here else ["executor: runs the tasks"]
        texts.append(_text(place, f"worker {number + 1}", *own))
    arrows = [
        _arrow(DRIVER, WORKERS[0]),
        _arrow(MASTER, WORKERS[1]),
        _between("tasks", DRIVER),
        _between("starts executors", MASTER),
    ]
    lost = [
        {
            "x": seconds,
            "y": SPLIT - 0.06,
            "yref": "paper",
            "text": f"executor {name} killed",
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"color": figures.FAILED},
        }
        for name, seconds in run.killed
    ]
    return [*texts, *arrows, *lost]


def _of_worker(result: ClusterResult, worker: Worker) -> list[str]:
    """Return a line for each executor of a worker: its tasks so far, or that it is lost."""
    run, lines = result.run, []
    gone = {one.id for one in result.executors if one.removed is not None}
    gone |= {name for name, _ in run.killed}
    known = {one.id for one in result.executors}
    for name in sorted(set(worker.executors) & known, key=int):
        own = [task for task in run.tasks if task.executor == name]
        done = sum(task.status == "SUCCESS" for task in own)
        count = f"{done} task{'s' * (done != 1)}"
        core = "busy" if any(task.status == "RUNNING" for task in own) else "idle"
        lines.append(
            f"<b>executor {name}</b>: lost after {count}"
            if name in gone
            else f"<b>executor {name}</b>: core {core}, {count} done"
        )
    return lines[-3:] or ["no executor yet"]


def _text(place: tuple[float, float, float, float], name: str, *lines: str) -> dict[str, Any]:
    x0, y0, x1, y1 = place
    return {
        "x": (x0 + x1) / 2,
        "y": (y0 + y1) / 2,
        "xref": "x2",
        "yref": "y2",
        "text": "<br>".join([f"<b>{name}</b>", *(line for line in lines if line)]),
        "showarrow": False,
    }


def _arrow(
    source: tuple[float, float, float, float], target: tuple[float, float, float, float]
) -> dict[str, Any]:
    middle = (target[0] + target[2]) / 2
    return {
        "x": middle,
        "y": target[3],
        "ax": middle,
        "ay": source[1],
        "xref": "x2",
        "yref": "y2",
        "axref": "x2",
        "ayref": "y2",
        "text": "",
        "showarrow": True,
        "arrowhead": 2,
        "arrowcolor": figures.WAITING,
    }


def _between(text: str, place: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return what an arrow below a box carries, beside it."""
    return {
        "x": (place[0] + place[2]) / 2,
        "y": (place[1] + WORKERS[0][3]) / 2,
        "xref": "x2",
        "yref": "y2",
        "text": text,
        "showarrow": False,
        "xanchor": "left",
        "xshift": 8,
    }
