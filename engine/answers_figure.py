"""A guess and what happened, drawn into any figure."""

from __future__ import annotations

from numbers import Real
from typing import Any, Final

import plotly.graph_objects as go

from engine import figures

ANSWER: Final = "#8A5CF6"  # violet, which means nothing else in any figure
_MARKS: Final = [
    {
        "type": "scatter",
        "mode": "markers+text",
        "textposition": position,
        "marker": {"symbol": symbol, "size": 18, "color": ANSWER, "line": {"width": 3}},
        "textfont": {"color": ANSWER},
        "cliponaxis": False,
        "showlegend": False,
        "hoverinfo": "skip",
    }
    for symbol, position in (("diamond-open", "top center"), ("circle-open", "bottom center"))
]


def with_answers(
    figure: go.Figure, answers: list[tuple[str, Any]], axis: str, at: Any = None
) -> go.Figure:
    """Return the figure with a guess and what happened drawn into it; the figure itself where it
    has no place for them.

    Parameters
    ----------
    figure
        It stays as it is.
    answers
        Text and value of each: the guess first (dotted, an open diamond), then what happened.
    axis
        ``x``, ``y``, ``x2`` … of the values: numbers, or names of its ticks; ``trace``: the values
        are names of traces, whose last point is marked.
    at
        Where on the other axis each is marked; without it, a line across the plot.
    """
    if axis == "trace":
        marks = [_end_of(figure, name) for _, name in answers]
    elif at is None:
        places = [place_of(figure, axis, value) for _, value in answers]
        if None in places:
            return figure
        lines = [
            _answer_line(figure, axis, text, place, number)
            for number, ((text, _), place) in enumerate(zip(answers, places, strict=True))
        ]
        copy = go.Figure(figure).update_layout(shapes=[*figure.layout.shapes, *lines])
        return _reaching(copy, axis, places)
    else:
        across = "y" if axis[0] == "x" else "x"
        place = place_of(figure, across, at)
        values = [place_of(figure, axis, value) for _, value in answers]
        there = None not in (place, *values)
        along = {f"{axis[0]}axis": axis} if axis[1:] else {}
        marks = [
            {axis[0]: [value], across: [place], **along} if there else None for value in values
        ]
    if None in marks:
        return figure
    copy = go.Figure(figure)
    copy.add_traces(
        [
            {**_MARKS[number], **mark, "text": [f"<b>{text}</b>"]}
            for number, ((text, _), mark) in enumerate(zip(answers, marks, strict=True))
            if mark
        ]
    )
    return copy if axis == "trace" else _reaching(copy, axis, values)


def _reaching(figure: go.Figure, axis: str, places: list[Any]) -> go.Figure:
    """Let an axis that ends at set values reach as far as the answers, and a tenth more."""
    layout = figure.layout[axis_name(axis)]
    numbers = [place for place in places if isinstance(place, Real)]
    if not numbers or not layout.range or layout.type == "log":
        return figure
    first, last = layout.range
    low, high = min(first, last), max(first, last)
    spare = 0.1 * (max(high, *numbers) - min(low, *numbers))
    ends = [min([low, *(n - spare for n in numbers if n < low)])]
    ends.append(max([high, *(n + spare for n in numbers if n > high)]))
    layout.range = ends if first <= last else ends[::-1]
    return figure


def place_of(figure: go.Figure, axis: str, value: Any) -> Any:
    """Return a number itself, of a name its tick's number or its category; ``None`` without one."""
    if not isinstance(value, str):
        return value
    layout = figure.layout[axis_name(axis)]
    for text, tick in zip(layout.ticktext or (), layout.tickvals or (), strict=False):
        if text == value:
            return tick
    named = (*(layout.categoryarray or ()), *values_on(figure, axis))
    return value if value in named else None


def values_on(figure: go.Figure, axis: str) -> list[Any]:
    """Return the values of all traces on an axis (``x``, ``y2`` …), without gaps."""
    mine = [trace for trace in figure.data if (trace[axis_name(axis[0])] or axis[0]) == axis]
    columns = [trace[axis[0]] for trace in mine if trace[axis[0]] is not None]
    return [value for column in columns for value in column if value is not None]


def axis_name(axis: str) -> str:
    """Return the name of an axis in a layout: ``x2`` is ``xaxis2``."""
    return f"{axis[0]}axis{axis[1:]}"


def _end_of(figure: go.Figure, name: str) -> figures.Trace | None:
    """Return where the last point of a trace is; ``None`` without such a trace."""
    for trace in figure.data:
        if trace.name == name and trace.x is not None and len(trace.x):
            axes = {"xaxis": trace.xaxis, "yaxis": trace.yaxis}
            return {"x": [trace.x[-1]], "y": [trace.y[-1]], **axes}
    return None


def _answer_line(figure: go.Figure, axis: str, text: str, place: Any, number: int) -> Any:
    """Return a line across the plot, the guess's text at its end, that of what happened at its
    start, on the side with more room.
    """
    upright = axis[0] == "x"
    layout = figure.layout[axis_name(axis)]
    across_all = "paper" if not axis[1:] else f"{layout.anchor} domain"
    numbers = [one for one in values_on(figure, axis) if isinstance(one, Real)]
    ends = (min(numbers, default=0), max(numbers, default=0))
    low, high = layout.range if layout.range and layout.type != "log" else ends
    right = not isinstance(place, str) and 2 * place > low + high
    side = {"xanchor": "right" if right else "left"} if upright else {"yanchor": "bottom"}
    along, across = ("x", "y") if upright else ("y", "x")
    return {
        "type": "line",
        f"{along}ref": axis,
        f"{along}0": place,
        f"{along}1": place,
        f"{across}ref": across_all,
        f"{across}0": 0,
        f"{across}1": 1,
        "line": {"color": ANSWER, "width": 3, "dash": "solid" if number else "dot"},
        "label": {
            "text": f"<b>{text}</b>",
            "textangle": 0,
            "textposition": "start" if number else "end",
            "font": {"size": 14, "color": ANSWER},
            **side,
        },
    }
