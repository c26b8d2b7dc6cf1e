"""Figures of *Spark SQL*: the plan of a query, and its answer."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark import plan_figures
from engine.spark.sql import SqlResult
from engine.spark.sql.console import Answer
from engine.texts import strip_marks

MAX_BARS = 12  # of an answer


def plan(result: SqlResult) -> go.Figure:
    """Draw the executed plan, before the run the clauses in their order. To see first: the
    orange-red exchanges.
    """
    title = strip_marks(result.verdict)
    if not result.nodes:
        steps = [(_in_two_lines(clause), moves) for clause, moves in result.params.clauses]
        return plan_figures.chain(title, steps)
    return plan_figures.tree(title, result.nodes)


def _in_two_lines(clause: str) -> str:
    name, by, rest = clause.partition(" BY ")
    return f"{name} BY<br>{rest}" if by else clause.replace(" ", "<br>", 1)


def answer(result: SqlResult, found: Answer) -> go.Figure:
    """Draw the rows that were found: their last number by their first columns. To see first: the
    longest bar.
    """
    columns, rows = found.columns, found.values[:MAX_BARS]
    last = max(i for i, value in enumerate(rows[0]) if isinstance(value, int | float))
    names = [i for i in range(last) if isinstance(rows[0][i], str)]
    labels = [" → ".join(str(row[i]) for i in names) for row in rows]
    numbers = [row[last] for row in rows]
    bars = {
        "type": "bar",
        "y": labels,
        "x": numbers,
        "orientation": "h",
        "marker": {"color": figures.KNOWN},
        "text": [f"{number:,.4g}" for number in numbers],
        "textposition": "auto",
        "textangle": 0,
        "hoverinfo": "skip",
    }
    low, high = min(0, *numbers), max(0, *numbers)
    room = 0.1 * (high - low)  # for the numbers beside short bars
    ends = [low - room * (low < 0), high + room]
    more = f" ({len(rows)} of {result.n_rows:,} rows)" if result.n_rows > len(rows) else ""
    return figures.drawn(
        strip_marks(result.verdict),
        [bars],
        height=430,
        x=f"{columns[last]}{more}",
        xaxis={"range": ends},
        yaxis={"autorange": "reversed"},
        showlegend=False,
    )
