"""Figures of *budget*: recall by alarms a day, and the alarms of a fixed threshold on each day.

Blue is the baseline, the others are light blue and red-purple; the budget is orange, a day over the
budget orange-red, an alarm that is right green.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.sampling.arena.strategies import BASELINE
from engine.sampling.budget import BudgetResult, days
from engine.sampling.budget.result import MOST
from engine.units import day_of_2013

COLORS = (figures.KNOWN, figures.EXTRA, figures.FAILED)
DASHES = ("solid", "dash", "dot")


def recall(result: BudgetResult, pinned: BudgetResult | None = None) -> go.Figure:
    """Draw the share of positives found by the alarms a day. To see first: where the orange budget
    meets the curves, which nearly coincide.
    """
    budgets = np.arange(0, MOST + 1)
    traces = [
        _line(budgets, one.recall(budgets), one.strategy, {"color": color, "dash": dash})
        for one, color, dash in zip(result.rankings, COLORS, DASHES, strict=False)
    ]
    if pinned is not None:
        before = pinned.ranking().recall(budgets)
        traces.append(_line(budgets, before, "run A", {"color": figures.SYNTHETIC}))
    by_chance = budgets / result.rows_per_day.mean()
    traces.append(_line(budgets, by_chance, "at random", {"color": figures.WAITING, "dash": "dot"}))
    budget = result.params.per_day
    marker = {"color": figures.SYNTHETIC, "size": 14, "symbol": "diamond", "line": {"width": 1}}
    traces.append(
        {
            "type": "scatter",
            "x": [budget],
            "y": [result.baseline_recall],
            "mode": "markers",
            "marker": marker,
            "name": "the budget",
            "hoverinfo": "skip",
        }
    )
    line = {"color": figures.SYNTHETIC, "width": 2, "dash": "dash"}
    upright = {"type": "line", "x0": budget, "x1": budget, "y0": 0, "y1": 1, "line": line}
    return figures.drawn(
        "Positives found by alarms a day",
        traces,
        height=420,
        x="alarms a day",
        y="positives found (recall)",
        shapes=[upright],
        xaxis={"range": [0, MOST], "showgrid": True},
        yaxis={"range": [0, 1.02], "showgrid": True, **figures.SHARE_TICKS},
    )


def precision(result: BudgetResult) -> go.Figure:
    """Draw the share of alarms that are right by the alarms a day. To see first: even a perfect
    ranking is low at this base rate.
    """
    budgets = np.unique(np.geomspace(1, MOST, 60).astype(int))
    shares = {
        one.strategy: np.array([result.precision(one.strategy, int(b)) for b in budgets])
        for one in result.rankings
    }
    traces = [
        _line(budgets, share, name, {"color": color, "dash": dash})
        for (name, share), color, dash in zip(shares.items(), COLORS, DASHES, strict=False)
    ]
    rare = days.per_day(result.day, result.y == 1)
    perfect = [np.minimum(b, rare).sum() / result.n_alarms(int(b)) for b in budgets]
    ideal = {"color": figures.HELD_OUT, "dash": "dash"}
    traces.append(_line(budgets, np.array(perfect), "perfect ranking", ideal))
    return figures.drawn(
        "Right alarms by alarms a day",
        traces,
        height=420,
        x="alarms a day",
        y="right alarms (precision)",
        xaxis={"type": "log", "showgrid": True},
        yaxis={"rangemode": "tozero", "showgrid": True, **figures.SHARE_TICKS},
    )


def fixed_threshold(result: BudgetResult) -> go.Figure:
    """Draw the alarms of the fixed threshold on each later day. To see first: the days over the
    budget.
    """
    counts = result.fixed_per_day
    dates = [day_of_2013(int(day)) for day in days.different(result.day)]
    over = counts > result.params.per_day
    right = days.per_day(result.day, result.fixed & (result.y == 1))
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "x": dates,
            "y": counts,
            "marker": {"color": np.where(over, figures.LEAKED, figures.KNOWN)},
            "name": "alarms",
            "hovertemplate": "%{x|%-d %b}: %{y:,} alarms<extra></extra>",
        },
        {
            "type": "scatter",
            "x": [date for date, n in zip(dates, right, strict=True) if n],
            "y": counts[right > 0],
            "mode": "markers",
            "marker": {"color": figures.HELD_OUT, "size": 8, "symbol": "triangle-up"},
            "hovertext": [f"{n} right" for n in right if n],
            "hovertemplate": "%{x|%-d %b}: %{hovertext}<extra></extra>",
            "name": "an alarm is right",
        },
        {
            "type": "scatter",
            "x": [dates[0], dates[-1]],
            "y": [result.params.per_day] * 2,
            "mode": "lines",
            "line": {"color": figures.SYNTHETIC, "width": 3, "dash": "dash"},
            "name": "budget",
            "hoverinfo": "skip",
        },
    ]
    return figures.drawn(
        "Alarms of a fixed threshold by day",
        traces,
        height=400,
        y="alarms",
        xaxis={"tickformat": "%-d %b"},
        yaxis={"showgrid": True},
    )


def _line(x: np.ndarray, y: np.ndarray, name: str, look: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": x,
        "y": np.asarray(y).round(4),
        "mode": "lines",
        "line": {"width": 3 if name == BASELINE else 2, **look},
        "name": name,
        "hovertemplate": name + ", %{x} a day: %{y:.2%}<extra></extra>",
    }
