"""Figure of *Alerts*: each run compared with the runs before it, and which raise an alert."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.alerts import BAD_STATES, AlertsResult, Watched
from engine.texts import strip_marks
from engine.units import format_signed

LOW, HIGH = -5.0, 15.0  # scores beyond are drawn at the edge; the hover text has the value


def _look(one: Watched, result: AlertsResult) -> str:
    if one.run.state in BAD_STATES:
        return "failed"
    if one.run.state != "completed":
        return "cancelled"
    if one.score is None:
        return "too few before"
    return "too slow" if one.score > result.params.k else "normal"


LOOKS = {
    "normal": (figures.HELD_OUT, "circle"),
    "too slow": (figures.SYNTHETIC, "diamond"),
    "failed": (figures.FAILED, "x"),
    "too few before": (figures.WAITING, "circle-open"),
    "cancelled": (figures.WAITING, "x-thin-open"),
}


def _late_trace(late: list[tuple[int, Watched]]) -> Trace:
    """Draw a square around each run that started late."""
    look = {"color": figures.LEAKED, "symbol": "square-open", "size": 19, "line": {"width": 2}}
    return {
        "type": "scatter",
        "x": [place for place, _ in late],
        "y": [_height(one) for _, one in late],
        "mode": "markers",
        "marker": look,
        "name": "late",
        "customdata": [one.waited_seconds for _, one in late],
        "hovertemplate": "started %{customdata:.1f} s after it was submitted<extra></extra>",
    }


def scores(result: AlertsResult, pinned: AlertsResult | None = None) -> go.Figure:
    """Draw how far each run is above the median of its past. To see first: marks above the dotted
    limit, crosses.
    """
    p, n = result.params, len(result.watched)
    numbered = list(enumerate(result.watched, 1))
    late = [(place, one) for place, one in numbered if one.waited_seconds > p.late_seconds]
    traces: list[Trace] = []
    for name, (colour, symbol) in LOOKS.items():
        found = [(place, one) for place, one in numbered if _look(one, result) == name]
        if not found:
            continue
        traces.append(
            {
                "type": "scatter",
                "x": [place for place, _ in found],
                "y": [_height(one) for _, one in found],
                "mode": "markers",
                "marker": {"color": colour, "symbol": symbol, "size": 11},
                "name": name,
                "customdata": [
                    [one.run.name, one.run.params.flow, one.run.seconds, _score_text(one)]
                    for _, one in found
                ],
                "hovertemplate": (
                    "%{customdata[0]}, %{customdata[1]}<br>%{customdata[2]:.2f} s, %{customdata[3]}"
                    "<extra></extra>"
                ),
            }
        )
    if late:
        traces.append(_late_trace(late))
    limits = [(p.k, figures.SYNTHETIC, f"limit: {p.k:g} σ")]
    if pinned is not None and pinned.params.k != p.k:
        limits.append((pinned.params.k, figures.WAITING, "limit of A"))
    seen = [_height(one) for one in result.watched]
    across = {"type": "line", "x0": 0, "x1": 1, "xref": "paper"}
    over = {"x": 1, "xref": "paper", "xanchor": "right", "yanchor": "bottom", "showarrow": False}
    return drawn(
        strip_marks(result.verdict),
        traces,
        height=440,
        x="run (1: the latest)",
        y="σ above the median of its past",
        shapes=[
            {**across, "y0": y, "y1": y, "line": {"dash": "dot", "color": colour}}
            for y, colour, _ in limits
        ],
        annotations=[{**over, "y": y, "text": text} for y, _, text in limits],
        xaxis={"range": [n + 0.7, 0.3], "dtick": 1 if n <= 10 else None},
        yaxis={"range": [min([-3.0, *seen]) - 0.5, max([p.k + 1, *seen]) + 0.5]},
    )


def _height(one: Watched) -> float:
    return min(max(one.score or 0.0, LOW), HIGH)


def _score_text(one: Watched) -> str:
    past = one.past
    if past is None or one.score is None:
        return "too few runs before it"
    return (
        f"median of {past.n} before: {past.median_seconds:.2f} s, {format_signed(one.score, 1)} σ"
    )
