"""Figures of the *quality gate*: rows that break each rule, errors downstream, schema changes under
four policies.

Orange is injected, blue is in the real data, pink is missed by all rules; downstream, orange-red is
without a gate and green behind it. A pinned run A is drawn as grey diamonds.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.etl.quality import QualityResult, schema_drift
from engine.etl.quality.schema_drift import CHANGES, POLICIES, Cell, Outcome
from engine.texts import strip_marks

MAX_LANES = 10
UNSEEN = "missed by<br>all rules"
FLOOR_PERCENT, EXCEPTION_PERCENT = 0.01, 100_000.0
COLORS: dict[Outcome, str] = {
    "right": figures.HELD_OUT,
    "right, column lost": figures.EXTRA,
    "held back": figures.WAITING,
    "silently empty": figures.LEAKED,
    "downstream breaks": figures.FAILED,
}
TEXTS: dict[Outcome, str] = {
    "right": "right",
    "right, column lost": "right, new<br>column lost",
    "held back": "rejected,<br>with reason",
    "silently empty": "silently<br>empty",
    "downstream breaks": "downstream<br>breaks",
}


def _short(text: str, limit: int = 52) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _wrapped(text: str) -> str:
    return "<br>".join(textwrap.wrap(_short(text, 66), 30))


def _pinned_checks(pinned: QualityResult, names: list[str]) -> dict[str, Any]:
    """Return a mark for each rule in view: the rows that broke it in run A."""
    known = {_wrapped(check.text): len(check.rows) for check in pinned.checks}
    known[UNSEEN] = pinned.n_unseen
    shown = [name for name in names if name in known]
    line = {"color": "white", "width": 1}
    return {
        "x": [known[name] for name in shown],
        "y": shown,
        "mode": "markers",
        "marker": {"symbol": "diamond", "size": 12, "color": figures.WAITING, "line": line},
        "name": "run A",
        "hovertemplate": "run A, %{y}: %{x:,} rows<extra></extra>",
    }


@figures.quoting
def checks(result: QualityResult, pinned: QualityResult | None = None) -> go.Figure:
    """Draw the rows that break each rule. To see first: the pink lane, which all rules miss, and
    the blue ends.
    """
    failing = sorted(
        (check for check in result.checks if check.failed), key=lambda check: -len(check.rows)
    )[:MAX_LANES]
    names = [_wrapped(check.text) for check in failing] or ["all rules pass"]
    injected, real = (
        [check.n_injected for check in failing] or [0],
        [check.n_real for check in failing] or [0],
    )
    texts = [check.severity for check in failing] or [""]
    unseen = [0] * len(names)
    if result.n_injected:
        names, injected, real, texts, unseen = (
            [*names, UNSEEN],
            [*injected, 0],
            [*real, 0],
            [*texts, ""],
            [*unseen, result.n_unseen],
        )
    title = strip_marks(result.verdict)
    figure = figures.new_tall(title, height=130 + 48 * max(5, len(names)), x="rows of the batch")
    bars = (
        ("injected", figures.SYNTHETIC, injected),
        ("real", figures.KNOWN, real),
        (UNSEEN.replace("<br>", " "), figures.FAILED, unseen),
    )
    for name, color, values in bars:
        figure.add_bar(
            x=values,
            y=names,
            orientation="h",
            name=name,
            marker={"color": color, "line": {"width": 0}},
            text=[f"{value:,}" if value else "" for value in values],
            textposition="auto",
            hovertemplate=f"%{{y}}: %{{x:,}} {name}<extra></extra>",
        )
    if pinned is not None:
        figure.add_scatter(**_pinned_checks(pinned, names))
    figure.update_layout(
        barmode="stack",
        legend_traceorder="normal",
        annotations=[mark for mark in figures.side_notes(list(names), texts) if mark["text"]],
        margin_r=116,
        yaxis={"categoryorder": "array", "categoryarray": names[::-1]},
        xaxis={"showgrid": True, "tickformat": ",", "rangemode": "tozero"},
    )
    return figure


def _place(error: float, exception: bool) -> float:
    return EXCEPTION_PERCENT if exception else max(100 * error, FLOOR_PERCENT)


@figures.quoting
def downstream(result: QualityResult) -> go.Figure:
    """Draw the error of each number downstream, without a gate and behind it. To see first: the
    distance between the two dots.
    """
    gate = result.params.gate
    behind = result.stops or f"{result.n_loaded:,} rows loaded"
    names = [metric.name for metric in result.metrics]
    title = f"Error of each number downstream ({_short(behind, 60)})"
    figure = figures.new_tall(title, height=180 + 44 * len(names), x="error, % (logarithmic)")
    open_ = [_place(m.error("off"), bool(m.exception)) for m in result.metrics]
    gated = [_place(m.error("quarantine"), False) for m in result.metrics]
    dots = [("without a gate", figures.LEAKED, open_, [m.open for m in result.metrics])]
    if gate != "off" and not result.stops:
        gated_values = [m.gated for m in result.metrics]
        dots.append(("behind the gate", figures.HELD_OUT, gated, gated_values))
    for name, color, values, numbers in dots:
        values_text = [
            f"{_number(number)}, correct: {_number(metric.truth)}"
            for number, metric in zip(numbers, result.metrics, strict=True)
        ]
        figure.add_scatter(
            x=values,
            y=names,
            mode="markers",
            marker={"color": color, "size": 15},
            name=name,
            customdata=values_text,
            hovertemplate=f"%{{y}}, {name}: %{{customdata}}<extra></extra>",
        )
    ticks = [FLOOR_PERCENT, 0.1, 1, 10, 100, 1_000, 10_000, EXCEPTION_PERCENT]
    texts = ["exact", "0.1", "1", "10", "100", "1,000", "10,000", "fails"]
    figure.update_layout(
        yaxis={"categoryorder": "array", "categoryarray": names[::-1], "showgrid": True},
        xaxis={
            "type": "log",
            "tickvals": ticks,
            "ticktext": texts,
            "range": [-2.2, 5.3],
            "showgrid": True,
        },
    )
    return figure


def _number(value: float) -> str:
    return (
        "no number"
        if np.isnan(value)
        else f"{value:,.4g}"
        if abs(value) < 1000
        else f"{value:,.0f}"
    )


def schema_matrix(selected: Cell) -> go.Figure:
    """Draw schema changes × policies by what happens downstream. To see first: the orange-red
    cells, where nothing is reported.
    """
    cells = schema_drift.cells()
    title = "Schema change and load policy: the result downstream"
    figure = figures.new_tall(title, height=400, x="policy of the load")
    for outcome, color in COLORS.items():
        mine = [cell for cell in cells if cell.outcome == outcome]
        figure.add_bar(
            x=[POLICIES.index(cell.policy) for cell in mine],
            y=[0.92] * len(mine),
            base=[CHANGES.index(cell.change) - 0.46 for cell in mine],
            width=0.94,
            name=outcome,
            marker={"color": color, "line": {"width": 0}, "opacity": 0.85},
            text=[TEXTS[outcome]] * len(mine),
            textposition="inside",
            insidetextanchor="middle",
            textfont={"color": "white"},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                f"{cell.change}, {cell.policy}: {cell.outcome}<br>{cell.detail}" for cell in mine
            ],
        )
    x, y = POLICIES.index(selected.policy), CHANGES.index(selected.change)
    box = {"x0": x - 0.47, "x1": x + 0.47, "y0": y - 0.46, "y1": y + 0.46}
    plain = {"showgrid": False, "zeroline": False, "fixedrange": True}
    figure.update_layout(
        barmode="overlay",
        shapes=[
            {
                "type": "rect",
                **box,
                "line": {"color": figures.SYNTHETIC, "width": 5},
                "fillcolor": figures.HOLLOW,
            }
        ],
        xaxis={
            "tickvals": list(range(len(POLICIES))),
            "ticktext": list(POLICIES),
            "range": [-0.5, 3.5],
            **plain,
        },
        yaxis={
            "tickvals": list(range(len(CHANGES))),
            "ticktext": list(CHANGES),
            "range": [3.5, -0.5],
            **plain,
        },
        showlegend=False,
        margin_b=8,
    )
    return figure
