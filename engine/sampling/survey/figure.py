"""Figures of *survey*: where each scheme's estimates fall around the truth, before and after
weighing, and in time.

Blue schemes are probabilistic, vermilion ones are not; green is the truth; a pinned run A is
orange.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.sampling.survey import NOT_RANDOM, SeriesTally, SurveyResult, Tally
from engine.units import format_range, format_share, format_signed


def estimates(result: SurveyResult, pinned: SurveyResult | None = None) -> go.Figure:
    """Draw each scheme's estimates. To see first: which bars the green line of the truth does not
    cross.
    """
    title = f"The truth: {result.truth:.2f} min;<br>the schemes are being drawn"
    bad = result.tally("convenience")
    if bad is not None:
        title = (
            f"Off by {format_signed(bad.bias, 1)} min: convenience samples<br>are all alike, and"
            " all wrong"
        )
    return _lanes(
        title,
        result.tallies,
        result.truth,
        pinned.tallies if pinned else (),
        f"estimated mean {result.params.measure}",
    )


def mitigations(result: SurveyResult, pinned: SurveyResult | None = None) -> go.Figure:
    """Draw biased samples before and after weighing. To see first: which bar moves to the green
    line, and which stays.
    """
    before, after = (
        result.number(name, "bias")
        for name in ("self-selected", "self-selected, inverse probability")
    )
    title = (
        f"Self-selection, weighed: bias {format_signed(before, 1)} → {format_signed(after, 1)}"
        " min;<br>convenience cannot be mended so"
    )
    measure = f"estimated mean {result.params.measure}"
    return _lanes(
        title, result.mitigations, result.truth, pinned.mitigations if pinned else (), measure
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
        traces.append({"type": "scatter", **ends, "name": "truth", "hoverinfo": "name"})
    notes = [f"{format_signed(t.bias, 2)} · {format_share(t.coverage)}" for t in tallies]
    return figures.drawn(
        title,
        traces,
        height=190 + 36 * max(4, len(names)),
        x=f"{measure}, minutes",
        annotations=(
            figures.side_notes([*names, len(names) - 0.3], [*notes, "bias · covers"])
            if names
            else []
        ),
        barmode="overlay",
        xaxis={"showgrid": True},
        yaxis={"categoryorder": "array", "categoryarray": names[::-1], "range": [-0.6, len(names)]},
        margin={"r": 120},
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
        "name": "pinned run A" if is_pinned else "95% of the estimates",
    }
    means = {
        **hover,
        "type": "scatter",
        "x": [t.mean for t in run],
        "mode": "markers",
        "marker": {"color": colors, "size": 9, "symbol": "diamond"},
        "name": "their mean",
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
    what each is blind to.
    """
    worst = max(result.series, key=lambda tally: tally.trend, default=None)
    title = (
        f"Trend missed by {worst.trend:.1f} min a month: {worst.name}"
        if worst
        else "The days are being drawn"
    )
    figure = figures.new_tall(
        f"{title},<br>and each scheme is blind to something",
        height=400,
        x="",
        y="miss (RMSE), minutes",
    )
    parts = (
        ("level", figures.KNOWN),
        ("weekday profile", figures.EXTRA),
        ("trend, a month", figures.SYNTHETIC),
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
            name="pinned run A",
            showlegend=number == 0,
            hovertemplate="run A: %{y:.2f} min<extra></extra>",
        )
    figure.update_layout(yaxis={"showgrid": True})
    return figure


def _named(tally: SeriesTally) -> str:
    unseen = f"<br>{tally.n_unseen:.0f} weekdays never seen" if tally.n_unseen >= 0.5 else ""
    return tally.name.replace(" weigh", "<br>weigh") + unseen
