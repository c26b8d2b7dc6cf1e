"""Figures of *precision*: the error of the mean by the rows read, and by the seconds of reading.

Blue are random samples, green the theory, orange-red rows that are easy to get; the number of rows
asked for is orange, a pinned run A light blue.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.sampling.precision import SIZES, PrecisionResult
from engine.units import format_seconds


def by_rows(result: PrecisionResult, pinned: PrecisionResult | None = None) -> go.Figure:
    """Draw the error by the rows read, both on a log scale. To see first: the dots are on the
    theory's straight line, the biased rows are not.
    """
    sizes = np.array(SIZES)
    known = np.isfinite(result.biased)
    traces: list[dict[str, Any]] = [
        {
            **_line(sizes, result.theory, figures.HELD_OUT, "theory: S / √n"),
            "line": {"color": figures.HELD_OUT, "width": 2, "dash": "dash"},
        },
        {
            **_line(sizes[known], result.biased[known], figures.LEAKED, "wrong rows"),
            "mode": "lines+markers",
        },
        {
            **_line(sizes, result.errors, figures.KNOWN, "random samples"),
            "mode": "markers",
            "marker": {"color": figures.KNOWN, "size": 10},
        },
    ]
    if pinned is not None:
        traces.append(_line(sizes, pinned.errors, figures.EXTRA, "run A"))
    traces.append(_here(result.params.n_rows, result.error, f"{result.params.n_rows:,} rows"))
    figure = _chart("Error of the mean by rows read", traces, "rows read")
    figure.layout.xaxis.tickformat = ","
    return figure


def by_seconds(result: PrecisionResult) -> go.Figure:
    """Draw the error by the seconds of reading. To see first: the last digit costs most of the
    time.
    """
    spent = result.seconds[: len(SIZES)] if len(result.seconds) else np.full(len(SIZES), np.nan)
    hover = [
        f"{n:,} rows: {format_seconds(s)}, error {e:.2f} min"
        for n, s, e in zip(SIZES, spent, result.errors, strict=True)
    ]
    traces = [
        {
            **_line(spent, result.errors, figures.KNOWN, "random samples"),
            "mode": "lines+markers",
            "hovertext": hover,
            "hovertemplate": "%{hovertext}<extra></extra>",
        },
        _here(float(spent[result.place]), result.error, f"{result.params.n_rows:,} rows"),
    ]
    return _chart("Error of the mean by seconds of reading", traces, "seconds of reading")


def _chart(title: str, traces: list[dict[str, Any]], x: str) -> go.Figure:
    log = {"type": "log", "showgrid": True, "dtick": 1}
    return figures.drawn(
        title, traces, height=420, x=x, y="typical error (RMSE), min", xaxis=log, yaxis=log
    )


def _line(x: np.ndarray, y: np.ndarray, color: str, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": color, "width": 2},
        "name": name,
        "hovertemplate": name + ", %{x:,}: %{y:.2f} min<extra></extra>",
    }


def _here(x: float, y: float, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [x],
        "y": [y],
        "mode": "markers",
        "marker": {
            "color": figures.HOLLOW,
            "size": 20,
            "line": {"color": figures.SYNTHETIC, "width": 3},
        },
        "name": name,
        "hoverinfo": "skip",
    }
