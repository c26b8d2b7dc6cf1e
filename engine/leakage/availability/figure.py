"""Figures of *availability*: when each column becomes known, the score from each moment, and the
five cases.

Blue is known, orange-red not yet known (or leaked), green a leak-free model in the last quarter,
pink the leaky model once it is served. A pinned run A is orange.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.leakage.availability import AvailabilityParams, AvailabilityResult
from engine.leakage.availability.cases import CaseResult
from engine.leakage.flights import GROUPS, KNOWN_AT, MOMENTS, moment_of
from engine.leakage.trial import interval
from engine.texts import strip_marks

AXIS = (*MOMENTS, "at the gate")


def timeline(params: AvailabilityParams) -> go.Figure:
    """Draw from when on each column is known. To see first: the lanes of columns in the model that
    are not known yet.
    """
    now = MOMENTS.index(params.moment)
    return figures.drawn(
        "From which moment each column is known",
        _draw_lanes(params),
        height=420,
        x="moment (evenly spaced, not to scale)",
        shapes=[_mark_moment(now)],
        annotations=[_name_moment(now)],
        xaxis={
            "tickvals": list(range(len(AXIS))),
            "ticktext": list(AXIS),
            "range": [-0.3, len(AXIS) - 0.6],
            "showgrid": True,
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": list(GROUPS[::-1]),
            "range": [-0.6, len(GROUPS) - 0.4],
        },
    )


def _draw_lanes(params: AvailabilityParams) -> list[figures.Trace]:
    """Return a bar for each group of columns, from its moment on, and a dot at the moment."""
    lanes = {
        "known": (figures.KNOWN, [g for g in params.chosen if g not in params.later]),
        "not known yet": (figures.LEAKED, list(params.later)),
        "not in model": (figures.WAITING, [g for g in GROUPS if g not in params.chosen]),
    }
    traces: list[figures.Trace] = []
    for name, (color, groups) in lanes.items():
        lines = [
            (x, group) for group in groups for x in (KNOWN_AT[group], len(AXIS) - 1 + 0.3, None)
        ]
        traces.append(
            {
                "type": "scatter",
                "x": [x for x, _ in lines],
                "y": [group for _, group in lines],
                "mode": "lines",
                "line": {"color": color, "width": 9},
                "opacity": 0.45 if name == "not in model" else 0.9,
                "name": name,
                "showlegend": bool(groups),
                "hoverinfo": "skip",
            }
        )
        traces.append(
            {
                "type": "scatter",
                "x": [KNOWN_AT[group] for group in groups],
                "y": groups,
                "mode": "markers",
                "marker": {"color": color, "size": 16},
                "text": [f"{group}: known at {moment_of(group)}" for group in groups],
                "hovertemplate": "%{text}<extra></extra>",
                "showlegend": False,
            }
        )
    return traces


def _mark_moment(now: int) -> dict[str, Any]:
    """Return the line at the moment of prediction."""
    return {
        "type": "line",
        "x0": now,
        "x1": now,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": figures.HELD_OUT, "width": 3, "dash": "dash"},
        "layer": "below",
    }


def _name_moment(now: int) -> dict[str, Any]:
    """Return the label above the line at the moment of prediction."""
    return {
        "x": now,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "text": "<b>prediction</b>",
        "showarrow": False,
        "xanchor": "left" if now == 0 else "center",
        "font": {"color": figures.HELD_OUT},
    }


def moments(result: AvailabilityResult, pinned: AvailabilityResult | None = None) -> go.Figure:
    """Draw the score from each moment. To see first: the reported line far above the leak-free
    one at the moment marked.
    """
    now = MOMENTS.index(result.params.moment)
    return figures.drawn(
        "AUC by moment of prediction",
        _draw_scores(result, pinned),
        height=460,
        x="moment of prediction",
        y="AUC",
        shapes=[_mark_moment(now)],
        xaxis={
            "tickvals": list(range(len(MOMENTS))),
            "ticktext": list(MOMENTS),
            "range": [-0.3, len(MOMENTS) - 0.7],
        },
        yaxis={"range": [0.4, 1.02], "showgrid": True},
    )


def _draw_scores(
    result: AvailabilityResult, pinned: AvailabilityResult | None
) -> list[figures.Trace]:
    """Return the reported score as a level, the others as a line over the moments."""
    traces: list[figures.Trace] = []
    done = list(result.by_moment.values())
    if done:
        traces.append(
            {
                "type": "scatter",
                "x": [0, len(done) - 1],
                "y": [result.reported_auc] * 2,
                "mode": "lines",
                "line": {"color": figures.LEAKED, "width": 4},
                "name": "reported",
                "hovertemplate": "reported: %{y:.3f}<extra></extra>",
            }
        )
        for name, color, dash, shift, values in (
            (
                "leak-free, random split",
                figures.KNOWN,
                "dot",
                -0.06,
                [at.leak_free["random"] for at in done],
            ),
            (
                "leak-free, last quarter",
                figures.HELD_OUT,
                "solid",
                0.0,
                [at.leak_free["in time order"] for at in done],
            ),
            (
                "reported model, served",
                figures.FAILED,
                "dash",
                0.06,
                [at.served for at in done],
            ),
        ):
            traces.append(_line(name, color, dash, shift, values))
    if pinned is not None and pinned.by_moment:
        values = [at.leak_free["in time order"] for at in pinned.by_moment.values()]
        traces.append(_line("A: leak-free, last quarter", figures.SYNTHETIC, "solid", 0.03, values))
    return traces


def _line(name: str, color: str, dash: str, shift: float, values: list[Any]) -> figures.Trace:
    """Return one line over the moments, shifted by a hair so that the intervals of the lines are
    side by side.
    """
    bars = [(0.5, 0.0) if value is None else interval(value) for value in values]
    return {
        "type": "scatter",
        "x": [place + shift for place in range(len(bars))],
        "y": [mean for mean, _ in bars],
        "error_y": {"array": [half for _, half in bars], "thickness": 1.2, "width": 4},
        "customdata": [[half, moment] for (_, half), moment in zip(bars, MOMENTS, strict=False)],
        "mode": "lines+markers",
        "line": {"color": color, "width": 3, "dash": dash, "shape": "hv"},
        "marker": {"size": 8},
        "name": name,
        "hovertemplate": (
            name + ", %{customdata[1]}: %{y:.3f} ± %{customdata[0]:.3f}<extra></extra>"
        ),
    }


def case(result: CaseResult) -> go.Figure:
    """Draw each variant of a case. To see first: whether the leaky mean is right of the leak-free
    one.
    """
    names = list(result.aucs)
    colors = [figures.LEAKED if leaks else figures.HELD_OUT for leaks, _ in result.aucs.values()]
    dots = [
        (name, auc, color)
        for (name, (_, aucs)), color in zip(result.aucs.items(), colors, strict=True)
        for auc in aucs
    ]
    means = [float(aucs.mean()) for _, aucs in result.aucs.values()]
    draws: figures.Trace = {
        "type": "scatter",
        "x": [auc for _, auc, _ in dots],
        "y": [name for name, _, _ in dots],
        "mode": "markers",
        "marker": {"color": [color for _, _, color in dots], "size": 10, "opacity": 0.55},
        "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
    }
    middles: figures.Trace = {
        "type": "scatter",
        "x": means,
        "y": names,
        "mode": "markers",
        "marker": {"symbol": "line-ns", "size": 24, "line": {"color": colors, "width": 3}},
        "hovertemplate": "%{y}, mean: %{x:.3f}<extra></extra>",
    }
    return figures.drawn(
        strip_marks(result.verdict),
        [draws, middles],
        height=190 + 46 * max(3, len(names)),
        x="AUC: one repeat (dot), mean (line)",
        showlegend=False,
        annotations=figures.side_notes(list(names), [f"{mean:.3f}" for mean in means]),
        xaxis={"showgrid": True},
        yaxis={
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.6, max(0, len(names) - 1) + 0.6],
        },
        margin={"r": 70, "b": 60},
    )
