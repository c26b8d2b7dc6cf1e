"""Figures of *survey*: where each scheme's estimates fall around the truth, before and after
weighting, and in time.

Blue schemes are probabilistic, orange-red ones are not; green is the true mean; a pinned run A is
orange.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.sampling.survey import NOT_RANDOM, SurveyResult, Tally
from engine.sampling.survey.in_time import SeriesTally
from engine.units import format_range, format_share


def estimates(result: SurveyResult, pinned: SurveyResult | None = None) -> go.Figure:
    """Draw each scheme's estimates. To see first: which bars the green line of the truth does not
    cross.
    """
    return _lanes(
        "Estimates of each scheme around the true mean",
        result.tallies,
        result.truth,
        pinned.tallies if pinned else (),
        f"estimated mean {result.params.measure}",
    )


def mitigations(result: SurveyResult, pinned: SurveyResult | None = None) -> go.Figure:
    """Draw biased samples before and after weighting. To see first: which bar moves to the green
    line, and which stays.
    """
    return _lanes(
        "Biased samples before and after weighting",
        result.mitigations,
        result.truth,
        pinned.mitigations if pinned else (),
        f"estimated mean {result.params.measure}",
    )


def _lanes(
    title: str, tallies: tuple[Tally, ...], truth: float, before: tuple[Tally, ...], measure: str
) -> go.Figure:
    names = [tally.name for tally in tallies]
    traces = _traces(tallies, is_pinned=False)
    if before:
        traces += _traces([t for t in before if t.name in names], is_pinned=True)
    if names:
        ends = {
            "x": [truth] * 2,
            "y": [names[0], names[-1]],
            "mode": "lines",
            "line": {"color": figures.HELD_OUT, "width": 3},
        }
        traces.append({"type": "scatter", **ends, "name": "true mean", "hoverinfo": "name"})
    return figures.drawn(
        title,
        traces,
        height=190 + 36 * max(4, len(names)),
        x=f"{measure}, minutes",
        y="scheme · coverage of its 95% CI",
        barmode="overlay",
        xaxis={"showgrid": True},
        yaxis={
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.6, len(names)],
            "tickvals": names,
            "ticktext": [f"{t.name} · {format_share(t.coverage)}" for t in tallies],
        },
    )


def _traces(run: tuple[Tally, ...] | list[Tally], *, is_pinned: bool) -> list[dict[str, Any]]:
    """Return what a run's schemes came to: the middle 95% as a bar, the mean as a diamond, all
    estimates as a hill.
    """
    colors = [figures.SYNTHETIC if is_pinned else _color(t.name) for t in run]
    hover = {
        "y": [t.name for t in run],
        "hovertext": [
            f"{t.name}: mean {t.mean:.2f}, 95% of the estimates in {format_range(t.low, t.high, 2)}"
            for t in run
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    bars = {
        **hover,
        "type": "bar",
        "orientation": "h",
        "base": [t.low for t in run],
        "x": [t.high - t.low for t in run],
        "width": 0.1 if is_pinned else 0.2,
        "marker": {"color": colors, "opacity": 0.55},
        "name": "run A" if is_pinned else "95% of estimates",
    }
    means = {
        **hover,
        "type": "scatter",
        "x": [t.mean for t in run],
        "mode": "markers",
        "marker": {"color": colors, "size": 9, "symbol": "diamond"},
        "name": "mean estimate",
        "showlegend": not is_pinned,
    }
    fills = [figures.HOLLOW if is_pinned else figures.faint(color, 0.3) for color in colors]
    return [bars, means, *map(_hill, run, colors, fills)]


def _hill(tally: Tally, color: str, fill: str) -> dict[str, Any]:
    """Return the distribution of a scheme's estimates."""
    return {
        "type": "violin",
        "x": tally.estimates.astype(np.float32),
        "y0": tally.name,
        "orientation": "h",
        "side": "positive",
        "width": 1.3,
        "spanmode": "hard",
        "points": False,
        "line": {"color": color, "width": 1},
        "fillcolor": fill,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _color(name: str) -> str:
    not_random = name in NOT_RANDOM or name.startswith("convenience")
    return figures.LEAKED if not_random else figures.KNOWN


def in_time(result: SurveyResult, pinned: SurveyResult | None = None) -> go.Figure:
    """Draw how far each temporal scheme is from level, weekday profile and trend. To see first:
    what each misses.
    """
    figure = figures.new_tall(
        "Error of each temporal scheme, by part of the series", height=400, y="RMSE, minutes"
    )
    parts = (
        ("level", figures.KNOWN),
        ("weekday profile", figures.EXTRA),
        ("trend per month", figures.SYNTHETIC),
    )
    for (name, color), field in zip(parts, ("level", "season", "trend"), strict=True):
        figure.add_bar(
            x=[_named(tally) for tally in result.series],
            y=[getattr(tally, field) for tally in result.series],
            name=name,
            marker_color=color,
            hovertemplate="%{x}: " + name + " off by %{y:.2f} min<extra></extra>",
        )
    for number, field in enumerate(
        ("level", "season", "trend") if pinned is not None and len(pinned.series) else ()
    ):
        figure.add_scatter(
            x=[place + (number - 1) * 0.25 for place in range(len(result.series))],
            y=[getattr(tally, field) for tally in pinned.series] if pinned is not None else [],
            mode="markers",
            marker={
                "symbol": "diamond-open",
                "size": 11,
                "color": figures.HELD_OUT,
                "line": {"width": 2},
            },
            name="run A",
            showlegend=number == 0,
            hovertemplate="run A: %{y:.2f} min<extra></extra>",
        )
    figure.update_layout(yaxis={"showgrid": True})
    return figure


def _named(tally: SeriesTally) -> str:
    unseen = f"<br>{tally.n_unseen:.0f} weekdays not sampled" if tally.n_unseen >= 0.5 else ""
    return tally.name + unseen
