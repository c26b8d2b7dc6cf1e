"""Figures of *partition count*: the measured curve over the number of partitions, and the tasks
of one of its points.

Blue is measured with the number asked for, green what AQE chose, grey the rules of thumb.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark import figures as timeline
from engine.spark.tuner import Point, TunerResult
from engine.texts import strip_marks
from engine.units import format_seconds, format_share


def curve(result: TunerResult, at: int = 0, pinned: TunerResult | None = None) -> go.Figure:
    """Draw seconds over the number of partitions. To see first: the lowest point of the curve,
    and how both arms rise from it.
    """
    low, high = result.at_cores
    figure = figures.new_tall(
        strip_marks(result.verdict),
        height=460,
        x="shuffle partitions (log)",
        y="seconds (median, range)",
    )
    figure.add_vrect(x0=low, x1=high, fillcolor=figures.WAITING, opacity=0.18, line_width=0)
    if not result.complete:
        _to_come(figure, result)
    if result.points:
        figure.add_vline(
            x=result.by_size, line={"color": figures.WAITING, "dash": "dash", "width": 2}
        )
    _line(figure, result.points, figures.KNOWN, "measured", "solid")
    if pinned is not None:
        _line(
            figure,
            pinned.points,
            figures.SYNTHETIC,
            "pinned run A",
            "dot",
        )
    looked = result.point_at(at)
    if looked is not None:
        _draw_ring(figure, at, looked)
    if result.adaptive is not None:
        aqe = result.adaptive
        figure.add_scatter(
            x=[aqe.n],
            y=[aqe.median],
            mode="markers",
            error_y=_range([aqe]),
            marker={"symbol": "diamond", "size": 16, "color": figures.HELD_OUT},
            name=f"AQE: {aqe.n}",
            hovertemplate=f"AQE chose {aqe.n}: {format_seconds(aqe.median)}<extra></extra>",
        )
    _name_rules(figure, result)
    ticks = [1, 2, 4, 8, 16, 32, 64, 100, 200, 400]
    figure.update_layout(
        xaxis={"type": "log", "tickvals": ticks, "ticktext": [str(n) for n in ticks]},
        yaxis={"rangemode": "tozero", "showticklabels": bool(result.points)},
    )
    return figure


def _name_rules(figure: go.Figure, result: TunerResult) -> None:
    low, high = result.at_cores
    rules = [(f"2–4 per core: {low}–{high}", "solid")] + [
        (f"by size: {result.by_size}", "dash")
    ] * bool(result.points)
    for name, line in rules:
        style = {"color": figures.WAITING, "width": 10 if line == "solid" else 2, "dash": line}
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="lines",
            line=style,
            name=name,
            opacity=0.5 if line == "solid" else 1,
        )


def _draw_ring(figure: go.Figure, at: int, looked: Point) -> None:
    ring = {"symbol": "circle-open", "size": 22, "line": {"width": 3}, "color": figures.KNOWN}
    figure.add_scatter(
        x=[at],
        y=[looked.median],
        mode="markers",
        marker=ring,
        name="selected",
        hoverinfo="skip",
    )


def _to_come(figure: go.Figure, result: TunerResult) -> None:
    """Mark the numbers that have not run yet, and keep the axis still while they come."""
    waiting = [n for n in result.params.numbers if result.point_at(n) is None]
    mark = {"symbol": "circle-open", "size": 11, "color": figures.WAITING}
    figure.add_scatter(
        x=waiting,
        y=[0] * len(waiting),
        mode="markers",
        marker=mark,
        name="not measured yet",
        hoverinfo="skip",
    )
    top = max((max(point.seconds) for point in result.points), default=1.0)
    ends = [result.params.numbers[0], result.params.numbers[-1]]
    figure.add_scatter(
        x=ends,
        y=[top, top],
        mode="markers",
        marker={"opacity": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _line(figure: go.Figure, points: tuple[Point, ...], color: str, name: str, dash: str) -> None:
    figure.add_scatter(
        x=[point.n for point in points],
        y=[point.median for point in points],
        mode="lines+markers",
        line={"color": color, "width": 3, "dash": dash},
        marker={"size": 9},
        error_y=_range(points),
        name=name,
        hovertext=[
            f"{p.n} partitions: {format_seconds(p.median)}, {format_share(p.overhead_share)}"
            " overhead"
            for p in points
        ],
        hoverinfo="text",
    )


def _range(points: tuple[Point, ...] | list[Point]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(point.seconds) - point.median for point in points],
        "arrayminus": [point.median - min(point.seconds) for point in points],
        "thickness": 1.5,
    }


def overhead(result: TunerResult) -> go.Figure:
    """Draw the tasks' time as work and overhead over the number of partitions. To see first: where
    overhead takes over.
    """
    figure = figures.new_tall(
        "Work and overhead of all tasks", height=340, x="shuffle partitions", y="seconds"
    )
    names = [str(point.n) for point in result.points]
    work = [sum(task.run_seconds for task in point.trace.tasks) for point in result.points]
    whole = [sum(task.seconds for task in point.trace.tasks) for point in result.points]
    figure.add_bar(x=names, y=work, name="work", marker={"color": figures.KNOWN})
    rest = [max(0.0, all_of - own) for all_of, own in zip(whole, work, strict=True)]
    figure.add_bar(
        x=names,
        y=rest,
        name="overhead (schedule, report)",
        marker={"color": figures.LEAKED},
    )
    figure.update_layout(barmode="stack", showlegend=True, xaxis={"type": "category"})
    return figure


def gantt(result: TunerResult, at: int) -> go.Figure:
    """Draw the tasks of one number of partitions on their cores. To see first: gaps
    between many short tasks.
    """
    point = result.point_at(at) or result.points[0]
    title = f"Tasks on their cores with {point.n} partition{'s' * (point.n != 1)}"
    return timeline.gantt(title, {f"{point.n} partitions": point.trace})
