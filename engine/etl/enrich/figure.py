"""Figures of *enrich*: rows with and without a partner in each source, and the cells that cleaning
put right.

Blue is matched or right already, green put right, grey a null key, orange-red without a partner or
still wrong, red-purple matched to the wrong row.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from engine import figures
from engine.etl.enrich.result import JOINS, EnrichResult


def joins(result: EnrichResult) -> go.Figure:
    """Draw what each join finds, keys as they came and cleaned. To see first: the orange-red that
    cleaning does not remove.
    """
    lanes = [
        (f"{name}, {keys}", result.join_of(name, cleaned=keys == "cleaned"))
        for name in JOINS
        for keys in ("as they came", "cleaned")
    ]
    names = [lane for lane, _ in lanes]
    parts = {
        "matched": ([one.n_matched - one.n_wrong for _, one in lanes], figures.KNOWN),
        "wrong hour": ([one.n_wrong for _, one in lanes], figures.FAILED),
        "key is null": ([one.n_null for _, one in lanes], figures.WAITING),
        "no partner": ([one.n_unmatched for _, one in lanes], figures.LEAKED),
    }
    return _bars("Rows with and without a partner in each source", names, parts, "flights")


def cleaning(result: EnrichResult) -> go.Figure:
    """Draw the cells of each column before and after cleaning. To see first: what was put right."""
    names = [one.column for one in result.cleaned]
    parts = {
        "right already": ([one.n_right for one in result.cleaned], figures.KNOWN),
        "put right": ([one.n_fixed for one in result.cleaned], figures.HELD_OUT),
        "still wrong": ([one.n_wrong for one in result.cleaned], figures.LEAKED),
    }
    return _bars("Cells of each column, before and after cleaning", names, parts, "cells")


def _bars(
    title: str, names: list[str], parts: dict[str, tuple[list[int], str]], x: str
) -> go.Figure:
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "x": counts,
            "y": names,
            "name": name,
            "marker": {"color": color},
            "hovertemplate": "%{y}: %{x:,} " + name + "<extra></extra>",
        }
        for name, (counts, color) in parts.items()
    ]
    return figures.drawn(
        title,
        traces,
        height=400,
        x=x,
        barmode="stack",
        xaxis={"showgrid": True},
        yaxis={"autorange": "reversed"},
    )
