"""Figures of *ML on Spark*: seconds of a fit, and the coefficients of both libraries."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.spark.crossover.ml import FEATURES, SIZES, MlResult
from engine.texts import strip_marks

COLORS = {"Spark": figures.LEAKED, "scikit-learn": figures.KNOWN}


def seconds(result: MlResult) -> go.Figure:
    """Draw the seconds of a fit against the flights. To see first: the gap between the lines."""
    traces: list[dict[str, Any]] = []
    for library, color in COLORS.items():
        fits = result.of(library)
        middle = [fit.median for fit in fits]
        traces.append(
            {
                "type": "scatter",
                "name": library,
                "mode": "lines+markers",
                "x": [fit.n_rows for fit in fits],
                "y": middle,
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [max(fit.seconds) - fit.median for fit in fits],
                    "arrayminus": [fit.median - min(fit.seconds) for fit in fits],
                },
                "line": {"color": color, "width": 3},
                "marker": {"size": 11},
            }
        )
    axis: dict[str, Any] = {"type": "log"}
    empty = {} if result.fits else {"range": [-2, 1]}
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=420,
        x="flights trained on",
        y="seconds of a fit (median, range)",
        xaxis={**axis, "tickvals": list(SIZES), "range": [3.3, 5.7]},
        yaxis={**axis, **empty},
    )


def coefficients(result: MlResult) -> go.Figure:
    """Draw the coefficients of both models at the largest size. To see first: each circle is on
    its cross.
    """
    names = ["intercept", *FEATURES]
    traces: list[dict[str, Any]] = []
    for library, symbol, size in (("Spark", "circle-open", 18), ("scikit-learn", "x-thin", 10)):
        fits = result.of(library)
        traces.append(
            {
                "type": "scatter",
                "name": library,
                "mode": "markers",
                "x": list(fits[-1].coefficients) if fits else [],
                "y": names,
                "marker": {
                    "symbol": symbol,
                    "size": size,
                    "color": COLORS[library],
                    "line": {"width": 3, "color": COLORS[library]},
                },
            }
        )
    return figures.drawn(
        "Coefficients of both models",
        traces,
        height=330,
        x="coefficient of the standardized column",
        yaxis={"autorange": "reversed"},
    )
