"""Figures of *audit*: each column's own score with what was found about it; and the detectors
against known truth.

Orange-red is flagged, blue is not, grey a note; green lines are the goals.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.leakage.audit.detectors.columns import TOO_GOOD
from engine.leakage.audit.result import AuditResult
from engine.leakage.audit.scoreboard import MOVED, ScoreboardResult
from engine.leakage.plants import HIDDEN_KIND
from engine.statistics import share_interval
from engine.texts import strip_marks

MAX_LANES = 24
RECALL_GOAL, FALSE_GOAL = 0.95, 0.005
CLEAN = "clean columns flagged"


@figures.quoting
def columns(result: AuditResult, pinned: AuditResult | None = None) -> go.Figure:
    """Draw a lane for each column: its own score, and which detectors name it. To see first: the
    flagged lanes.
    """
    flagged = set(result.flagged)
    noted = {name for finding in result.findings for name in finding.columns} - flagged
    every = [*(name for name in result.flagged if name not in result.scores), *result.scores]
    scores = {name: score.value for name, score in result.scores.items()}
    names = sorted(every, key=lambda name: (name in flagged, scores.get(name, 0.0)))[-MAX_LANES:]
    unit, chance = ("AUC", 0.5) if result.binary else ("R²", 0.0)
    title = strip_marks(result.verdict)
    values = [
        max(chance, result.scores[name].value) if name in result.scores else chance
        for name in names
    ]
    colors = [
        figures.LEAKED if n in flagged else figures.WAITING if n in noted else figures.KNOWN
        for n in names
    ]
    bars: figures.Trace = {
        "type": "bar",
        "x": [value - chance for value in values],
        "base": chance,
        "y": names,
        "orientation": "h",
        "marker": {"color": colors},
        "text": [_named_by(result, name) for name in names],
        "textposition": [
            "inside" if value - chance > 0.7 * (1 - chance) else "outside" for value in values
        ],
        "insidetextanchor": "end",
        "constraintext": "none",  # inside a bar Plotly would shrink it
        "cliponaxis": False,
        "customdata": [[value] for value in values],
        "hovertemplate": "%{y}: %{customdata[0]:.3f}<extra></extra>",
        "showlegend": False,
    }
    traces = [bars, *([] if pinned is None else [_draw_pinned(pinned, names)])]
    limit = {
        "type": "line",
        "x0": TOO_GOOD,
        "x1": TOO_GOOD,
        "y0": 0,
        "y1": 1,
        "yref": "y domain",
        "layer": "below",
    }
    return figures.drawn(
        title,
        traces,
        height=max(360, 130 + 24 * len(names)),
        x=f"{unit} of the column alone, out of fold",
        shapes=[{**limit, "line": {"color": figures.WAITING, "dash": "dot"}}],
        xaxis={"range": [chance, 1 + 0.1 * (1 - chance)], "tickvals": _ticks(chance)},
        yaxis={"categoryorder": "array", "categoryarray": names, "range": [-0.6, len(names) - 0.4]},
        showlegend=pinned is not None,
    )


def _draw_pinned(pinned: AuditResult, names: list[str]) -> figures.Trace:
    """Return a mark at the score of each column that the pinned run has too."""
    known = [name for name in names if name in pinned.scores]
    return {
        "type": "scatter",
        "x": [pinned.scores[name].value for name in known],
        "y": known,
        "mode": "markers",
        "marker": {
            "color": figures.SYNTHETIC,
            "symbol": "line-ns-open",
            "size": 16,
            "line": {"width": 3},
        },
        "name": "pinned run A",
        "hovertemplate": "A, %{y}: %{x:.3f}<extra></extra>",
    }


def _ticks(chance: float) -> list[float]:
    return [chance + (1 - chance) * i / 5 for i in range(6)]


def _named_by(result: AuditResult, name: str) -> str:
    by = [
        finding.detector
        for finding in result.findings
        if name in finding.columns and finding.flagged
    ]
    notes = [
        f"({finding.detector})"
        for finding in result.findings
        if name in finding.columns and not finding.flagged
    ]
    return " ".join(["", ", ".join(dict.fromkeys(by + notes))])


Lane = tuple[str, float, float, float, int, int]  # name, share, interval, hits, of how many


def _list_lanes(result: ScoreboardResult) -> list[Lane]:
    """Return a lane for each kind of leak that moves a score, and one for clean columns."""
    lanes: list[Lane] = [
        (row["leak"], row["recall"], row["low"], row["high"], row["caught"], row["move_score"])
        for row in result.rows
        if row["move_score"]
    ]
    if result.cleans:
        low, high = share_interval(result.n_false, result.n_clean_columns)
        lanes.append((CLEAN, result.false_share, low, high, result.n_false, result.n_clean_columns))
    return lanes


def _draw_shares(lanes: list[Lane]) -> go.Scatter:
    """Return a dot for each lane, with its interval."""
    colors = [
        figures.WAITING
        if name == HIDDEN_KIND
        else figures.LEAKED
        if name == CLEAN
        else figures.KNOWN
        for name, *_ in lanes
    ]
    return go.Scatter(
        x=[share for _, share, *_ in lanes],
        y=[name for name, *_ in lanes],
        mode="markers",
        marker={"color": colors, "size": 12},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - share for _, share, _, high, *_ in lanes],
            "arrayminus": [share - low for _, share, low, *_ in lanes],
            "thickness": 2,
            "width": 0,
            "color": figures.WAITING,
        },
        customdata=[[hits, n] for *_, hits, n in lanes],
        hovertemplate="%{y}: %{customdata[0]} of %{customdata[1]} = %{x:.1%}<extra></extra>",
        showlegend=False,
    )


def scoreboard(result: ScoreboardResult) -> go.Figure:
    """Draw recall for each kind of leak with Wilson's interval. To see first: dots left of the
    green line are missed leaks.
    """
    lanes = _list_lanes(result)
    figure = figures.new_tall(
        strip_marks(result.verdict),
        height=170 + 28 * (1 + sum(name != CLEAN for name, *_ in lanes)),
        x=f"share found, of leaks that move the score by {MOVED}",
    )
    figure.add_trace(_draw_shares(lanes))
    for goal in (RECALL_GOAL, FALSE_GOAL):
        figure.add_vline(goal, line={"color": figures.HELD_OUT, "dash": "dot"})
    names = [name for name, *_ in lanes]
    figure.update_layout(
        xaxis={
            "range": [-0.03, 1.18],
            **figures.SHARE_TICKS,
            "tickvals": [0, 0.25, 0.5, 0.75, 0.95],
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.6, len(names) - 0.4],
            "showgrid": True,
        },
        annotations=[
            *figure.layout.annotations,
            *[
                {
                    "x": 1.04,
                    "y": name,
                    "text": f"{hits} of {n:,}",
                    "showarrow": False,
                    "xanchor": "left",
                }
                for name, *_, hits, n in lanes
            ],
        ],
        showlegend=False,
    )
    return figure
