"""Figures of the monitor."""

from __future__ import annotations

from datetime import date
from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.pipeline.stages.training_set import NAMES
from engine.pipeline.weeks import TITLES, WeeksResult
from engine.texts import strip_marks
from engine.units import format_day, format_share


def _days(result: WeeksResult) -> list[str]:
    """Return the first day of each week as text."""
    return [format_day(date.fromisoformat(week["week"])) for week in result.weeks]


def _two_lines(result: WeeksResult, measured: tuple[str, str], model: tuple[str, str]) -> list[Any]:
    """Return one line for what was measured and one for what the model says, each as its name and
    the field of a week.
    """
    return [
        {
            "type": "scatter",
            "x": _days(result),
            "y": [week[field] for week in result.weeks],
            "mode": "lines+markers",
            "name": name,
            "line": {"color": color, "dash": dash},
            "marker": {"size": 12, "symbol": symbol},
        }
        for (name, field), color, dash, symbol in (
            (measured, figures.HELD_OUT, "solid", "circle"),
            (model, figures.KNOWN, "dash", "diamond"),
        )
    ]


def scores(result: WeeksResult) -> go.Figure:
    """Draw the AUC of each week. To see first: how far the two marks of a week are apart."""
    return figures.drawn(
        strip_marks(result.verdict),
        _two_lines(
            result,
            ("measured on labels", "auc"),
            ("estimated without labels", "promised_auc"),
        ),
        height=360,
        x="week from",
        y="AUC",
        xaxis={"type": "category"},
        yaxis={"range": [0.45, 0.9]},
    )


def drift(result: WeeksResult) -> go.Figure:
    """Draw the chosen distance of each feature in the last week. To see first: bars beyond the
    limit.
    """
    names = sorted(NAMES, key=lambda name: result.last_drift[name])
    values = [result.last_drift[name] for name in names]
    kind = result.params.distance
    rates = [result.false_alarms[name].get(kind, float("nan")) for name in names]
    colors = [figures.LEAKED if value > result.limit else figures.KNOWN for value in values]
    limit = {"x0": result.limit, "x1": result.limit, "y0": 0, "y1": 1, "yref": "paper"}
    return figures.drawn(
        f"{TITLES[kind]} of each feature in the last week, against the learned days",
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": values,
                "y": names,
                "marker": {"color": colors},
                "customdata": rates,
                "text": [f"{format_share(rate)} by chance" for rate in rates],
                "hovertemplate": "%{y}: %{x:.3f}, reported by chance in %{customdata:.0%} of"
                " batches<extra></extra>",
                "showlegend": False,
            }
        ],
        height=380,
        x=f"{TITLES[kind]} (limit {result.limit:g})",
        shapes=[{"type": "line", **limit, "line": {"color": figures.WAITING, "width": 2}}],
    )


def feature(result: WeeksResult) -> go.Figure:
    """Draw one feature's distance over the weeks. To see first: when it passes the limit."""
    name, kind = result.params.feature, result.params.distance
    return figures.drawn(
        f"{TITLES[kind]} of {name}, by week",
        [
            {
                "type": "scatter",
                "x": _days(result),
                "y": [week["drift"][name][kind] for week in result.weeks],
                "mode": "lines+markers",
                "line": {"color": figures.KNOWN},
                "showlegend": False,
            },
            {
                "type": "scatter",
                "x": _days(result),
                "y": [result.limit] * len(result.weeks),
                "mode": "lines",
                "name": "limit",
                "line": {"color": figures.WAITING, "dash": "dot"},
            },
        ],
        height=360,
        x="week from",
        y=TITLES[kind],
        xaxis={"type": "category"},
    )


def predictions(result: WeeksResult) -> go.Figure:
    """Draw the mean prediction of each week beside the share that was late. To see first: whether
    the two move together.
    """
    return figures.drawn(
        "Share of late flights, predicted and measured, by week",
        _two_lines(result, ("late", "late_share"), ("mean prediction", "mean_p")),
        height=360,
        x="week from",
        y="share of flights",
        xaxis={"type": "category"},
        yaxis={"rangemode": "tozero", **figures.SHARE_TICKS},
    )


def skew(result: WeeksResult) -> go.Figure:
    """Draw the share of served values that differ from training. To see first: the longest bar."""
    names = sorted(result.skewed, key=lambda name: result.skewed[name])
    return figures.drawn(
        "Served values that differ from training, on the served day",
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": [result.skewed[name] for name in names],
                "y": names,
                "text": [format_share(result.skewed[name]) for name in names],
                "marker": {"color": figures.HELD_OUT},
                "hovertemplate": "%{y}: %{text} of the flights<extra></extra>",
                "showlegend": False,
            }
        ],
        height=380,
        x="share of the flights",
        xaxis={"range": [0, 1], **figures.SHARE_TICKS},
    )
