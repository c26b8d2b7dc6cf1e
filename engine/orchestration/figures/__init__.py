"""Figures of the orchestration lab: Result in, Plotly figure out.

Each is built in one go: Plotly validates again after each ``add_trace`` and ``update_layout``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from engine import figures

Trace = dict[str, Any]


def drawn(title: str, traces: list[Trace], *, height: int, x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """Return a whole figure in the look of ``figures.new_tall``; ``layout`` adds to it."""
    own = {"title": {"text": title}, "height": height, "xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}
    return go.Figure(data=traces, layout=_merged(_merged(_look(), own), layout))


@lru_cache(maxsize=1)
def _look() -> dict[str, Any]:
    return {**figures.new_tall("", height=300).layout.to_plotly_json(), "template": figures.TEMPLATE}


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return ``over`` laid on ``under``, dictionary by dictionary."""
    both = {key: _merged(under[key], value) for key, value in over.items() if isinstance(value, dict) and key in under}
    return {**under, **over, **both}
