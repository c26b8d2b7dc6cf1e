"""Figures of *arena*: average precision of every strategy, curves, cost by threshold, reliability,
boundaries.

Blue is the baseline, the others are light blue in the lanes and have line colours of their own in
the curves; alarms and the chosen threshold are orange, perfect calibration is green.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine import figures
from engine.sampling import arena
from engine.sampling.arena import ArenaResult
from engine.sampling.arena.strategies import BASELINE, MOVED

MAX_CURVES = 8
N_POINTS = 200  # drawn of a curve
QUIET, ALARM = figures.faint(figures.WAITING, 0.15), figures.faint(figures.SYNTHETIC, 0.45)
ALARM_STOPS = [(0, QUIET), (0.5, QUIET), (0.5, ALARM), (1, ALARM)]
DASHES = ("solid", "dash", "dot", "dashdot")


def lanes(result: ArenaResult, pinned: ArenaResult | None = None) -> go.Figure:
    """Draw average precision by strategy, a dot per split. To see first: whether any lane is right
    of the baseline.
    """
    names = [name for name in result.names if name != MOVED]
    traces = _averages(result, names, is_pinned=False)
    if pinned is not None:
        traces += _averages(pinned, names, is_pinned=True)
    halves = [half if np.isfinite(half := result.gain(name)[1]) else 0 for name in names]
    traces.append(
        {
            "type": "scatter",
            "x": [result.mean(name, "average_precision") for name in names],
            "y": names,
            "mode": "markers",
            "marker": {"size": 1, "color": figures.EXTRA},
            "error_x": {"array": halves, "color": figures.EXTRA, "thickness": 2, "width": 5},
            "name": "95% CI of difference",
            "hoverinfo": "skip",
        }
    )
    briers = [f"{result.mean(name, 'brier'):.3f}" for name in names]
    return figures.drawn(
        "Average precision of each strategy",
        traces,
        height=210 + 36 * max(4, len(names)),
        x="average precision (dot: a split, line: mean)",
        y="strategy · Brier score",
        shapes=[_upright(result.baseline, figures.KNOWN, 1, "dot")],
        xaxis={"showgrid": True, "range": [0, 1.05 * _top(result, pinned)]},
        yaxis={
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "showgrid": True,
            "range": [-0.6, len(names) - 0.4],
            "tickvals": names,
            "ticktext": [f"{name} · {brier}" for name, brier in zip(names, briers, strict=True)],
        },
    )


def _averages(run: ArenaResult, names: list[str], *, is_pinned: bool) -> list[dict[str, Any]]:
    """Return a dot for each split and a line for the mean of those strategies of ``names`` that the
    run has.
    """
    here = [name for name in names if run.outcomes_of(name)]
    dots = [(name, outcome.average_precision) for name in here for outcome in run.outcomes_of(name)]
    colors = [
        figures.SYNTHETIC if is_pinned else figures.KNOWN if n == BASELINE else figures.EXTRA
        for n in here
    ]
    return [
        {
            "type": "scatter",
            "x": [value for _, value in dots],
            "y": [name for name, _ in dots],
            "mode": "markers",
            "marker": {
                "color": figures.SYNTHETIC if is_pinned else figures.WAITING,
                "size": 8,
                "opacity": 0.5,
            },
            "name": "run A" if is_pinned else "split",
            "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
        },
        {
            "type": "scatter",
            "x": [run.mean(name, "average_precision") for name in here],
            "y": here,
            "mode": "markers",
            "marker": {"symbol": "line-ns", "size": 20, "line": {"color": colors, "width": 4}},
            "hovertemplate": "%{y}, mean: %{x:.3f}<extra></extra>",
            "showlegend": False,
        },
    ]


def _upright(x: float, color: str, width: int, dash: str) -> dict[str, Any]:
    """Return the shape of a line across the whole height at ``x``."""
    line = {"color": color, "width": width, "dash": dash}
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "xref": "x",
        "y0": 0,
        "y1": 1,
        "yref": "y domain",
        "line": line,
    }


def _top(result: ArenaResult, pinned: ArenaResult | None) -> float:
    """Return the largest average precision of any split: whiskers may run out of the plot, dots
    not.
    """
    outcomes = [*result.outcomes, *(pinned.outcomes if pinned is not None else ())]
    return max((outcome.average_precision for outcome in outcomes), default=1.0)


def _lines(result: ArenaResult) -> list[tuple[str, dict[str, object]]]:
    """Return the strategies that curves are drawn of, each with its line."""
    names = [name for name in result.names if name != MOVED][:MAX_CURVES]
    looks = zip(
        cycle(figures.CATEGORICAL),
        (dash for dash in DASHES for _ in figures.CATEGORICAL),
        strict=False,
    )
    return [
        (name, {"color": color, "dash": dash, "width": 2})
        for name, (color, dash) in zip(names, looks, strict=False)
    ]


def _thinned(n: int) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, N_POINTS).astype(int))


def precision_recall(
    result: ArenaResult, threshold: float, cost_missed: float, cost_alarm: float
) -> go.Figure:
    """Draw precision against recall over all splits. To see first: how close the lines are;
    diamonds are the threshold.
    """
    traces, top = [], 0.05
    for name, line in _lines(result):
        y, _ = result.pooled(name)
        right = np.cumsum(y)
        keep = _thinned(len(y))
        recall, precision = right[keep] / y.sum(), right[keep] / (1 + keep)
        top = max(top, float(precision[recall > 0.02].max()))
        traces.append(_line(name, line, recall, precision))
        bill = result.bill(name, threshold, 1, 1)
        if bill.right_alarms:
            traces.append(_diamond(bill.recall, bill.precision, line))
    moved = result.bill(MOVED, threshold, cost_missed, cost_alarm)
    traces.append(_star(moved.recall, moved.precision))
    return figures.drawn(
        "Precision against recall (diamond: the threshold)",
        traces,
        height=440,
        x="recall",
        y="precision",
        xaxis={"range": [-0.02, 1.02], "showgrid": True},
        yaxis={"range": [-0.02 * top, min(1.02, 1.15 * top)], "showgrid": True},
    )


def roc(result: ArenaResult, threshold: float, cost_missed: float, cost_alarm: float) -> go.Figure:
    """Draw true against false alarms over all splits. To see first: diamonds far apart on lines
    that nearly coincide.
    """
    traces = []
    for name, line in _lines(result):
        y, _ = result.pooled(name)
        keep = _thinned(len(y))
        traces.append(
            _line(name, line, np.cumsum(1 - y)[keep] / (1 - y).sum(), np.cumsum(y)[keep] / y.sum())
        )
        bill = result.bill(name, threshold, 1, 1)
        traces.append(
            _diamond(bill.false_alarms / (bill.false_alarms + bill.quiet), bill.recall, line)
        )
    moved = result.bill(MOVED, threshold, cost_missed, cost_alarm)
    traces.append(_star(moved.false_alarms / (moved.false_alarms + moved.quiet), moved.recall))
    return figures.drawn(
        "ROC curves (diamond: the threshold)",
        traces,
        height=440,
        x="false positive rate",
        y="recall",
        xaxis={"range": [-0.02, 1.02], "showgrid": True},
        yaxis={"range": [-0.02, 1.02], "showgrid": True},
    )


def costs(
    result: ArenaResult, threshold: float, cost_missed: float, cost_alarm: float
) -> go.Figure:
    """Draw each strategy's cost by threshold. To see first: valleys as deep as each other, at
    different thresholds.
    """
    moved = result.bill(MOVED, threshold, cost_missed, cost_alarm)
    traces = []
    for name, line in _lines(result):
        y, chances = result.pooled(name)
        thresholds = np.linspace(0, 1, N_POINTS)
        alarms = np.searchsorted(-chances, -thresholds, side="right")
        right = np.concatenate([[0], np.cumsum(y)])[alarms]
        cost = ((y.sum() - right) * cost_missed + (alarms - right) * cost_alarm) / len(y)
        traces.append(_line(name, line, thresholds, cost))
    traces.append(_star(moved.threshold, moved.cost))
    cap = 1.5 * max(cost_missed * result.outcomes_of(BASELINE)[0].y.mean(), moved.cost)
    return figures.drawn(
        "Cost by threshold (star: chosen on training rows)",
        traces,
        height=440,
        x="threshold",
        y="cost per row",
        shapes=[_upright(threshold, figures.SYNTHETIC, 2, "dash")],
        xaxis={"range": [0, 1], "showgrid": True},
        yaxis={"range": [0, float(cap)], "showgrid": True},
    )


def calibration(result: ArenaResult, threshold: float) -> go.Figure:
    """Draw what share is positive where a strategy predicts p. To see first: only the baseline is
    on the green line.
    """
    curves = [
        (name, line, *arena.reliability(*result.pooled(name))) for name, line in _lines(result)
    ]
    straight = {"mode": "lines", "line": {"color": figures.HELD_OUT, "width": 2, "dash": "dot"}}
    truth = {
        "type": "scatter",
        "x": [0, 1],
        "y": [0, 1],
        **straight,
        "name": "perfectly calibrated",
        "hoverinfo": "skip",
    }
    top = max(float(share.max()) for _, _, _, share in curves)
    return figures.drawn(
        "Reliability: predicted probability against true share",
        [*(_line(*curve) for curve in curves), truth],
        height=440,
        x="mean predicted probability, per tenth of the test rows",
        y="share of positives",
        shapes=[_upright(threshold, figures.SYNTHETIC, 2, "dash")],
        xaxis={"showgrid": True},
        yaxis={"range": [0, 1.3 * top], "showgrid": True},
    )


def boundaries(result: ArenaResult, threshold: float) -> go.Figure:
    """Draw each strategy's alarms over a plane of synthetic points. To see first: how the orange
    region grows.
    """
    names = list(result.planes)[:MAX_CURVES]
    made = arena.plane(result.params)
    across, up = arena.grid(made)
    n_across = min(3, len(names))
    n_down = -(-len(names) // n_across)
    traces: list[dict[str, Any]] = []
    for number, name in enumerate(names, start=1):
        axes = {"xaxis": f"x{number}", "yaxis": f"y{number}", "hoverinfo": "skip"}
        alarms = (result.planes[name] >= threshold).astype(np.int8)
        shown = {"x": across.round(3), "y": up.round(3), "z": alarms, "zmin": 0, "zmax": 1}
        traces.append(
            {**axes, "type": "heatmap", **shown, "colorscale": ALARM_STOPS, "showscale": False}
        )
        for value, color, size in ((0, figures.WAITING, 3), (1, figures.KNOWN, 6)):
            rows = made.X[made.y == value].astype(np.float32)
            points = {
                "x": rows[:, 0],
                "y": rows[:, 1],
                "mode": "markers",
                "marker": {"color": color, "size": size},
            }
            traces.append({**axes, "type": "scatter", **points})
    title = {
        "text": f"Alarms at threshold {threshold:g}, two synthetic features",
        "y": 1,
        "yanchor": "top",
        "pad": {"t": 24},
    }
    look = {
        "title": title,
        "height": 110 + 215 * n_down,
        "showlegend": False,
        "margin": {"t": 100, "l": 16, "r": 20},
    }
    return go.Figure(data=traces, layout={**_panels(tuple(names), n_down, n_across), **look})


@lru_cache(maxsize=32)
def _panels(names: tuple[str, ...], n_down: int, n_across: int) -> dict[str, Any]:
    """Return the layout of the panels side by side, named; Plotly takes 15 ms to make it."""
    figure = make_subplots(
        rows=n_down, cols=n_across, subplot_titles=names, shared_xaxes=True, shared_yaxes=True,
        horizontal_spacing=0.02, vertical_spacing=0.18 / n_down,
    )  # fmt: skip
    figure.update_layout(template=figures.TEMPLATE)
    return dict(figure.layout.to_plotly_json())


def _line(name: str, line: dict[str, object], x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": np.asarray(x).astype(np.float32),
        "y": np.asarray(y).astype(np.float32),
        "mode": "lines",
        "line": line,
        "name": name,
        "hovertemplate": name + ": %{x:.3f}, %{y:.3f}<extra></extra>",
    }


def _mark(x: float, y: float, marker: dict[str, Any]) -> dict[str, Any]:
    marker = {**marker, "line": {"width": 1}}
    return {
        "type": "scatter",
        "x": [x],
        "y": [y],
        "mode": "markers",
        "marker": marker,
        "cliponaxis": False,
    }


def _star(x: float, y: float) -> dict[str, Any]:
    """Mark the baseline at the threshold that its own training rows chose."""
    return {
        **_mark(x, y, {"color": figures.KNOWN, "size": 16, "symbol": "star"}),
        "name": MOVED,
        "hoverinfo": "name",
    }


def _diamond(x: float, y: float, line: dict[str, object]) -> dict[str, Any]:
    mark = _mark(x, y, {"color": line["color"], "size": 13, "symbol": "diamond"})
    return {**mark, "showlegend": False, "hoverinfo": "skip"}
