"""Figures of the game."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.pipeline.game import WRONG_MINUTES, GameResult
from engine.pipeline.game.cases import CLUES
from engine.texts import strip_marks
from engine.units import format_number

WRONG = "Wrong answer"


def price_list(result: GameResult) -> go.Figure:
    """Draw what each clue costs. To see first: the blue bars, which are paid for, and how long a
    wrong answer is.
    """
    opened = set(result.params.clues)
    bars = [
        (clue.title, clue.minutes, name in opened, figures.KNOWN) for name, clue in CLUES.items()
    ]
    bars.append((WRONG, WRONG_MINUTES, result.wrong, figures.LEAKED))
    traces: list[figures.Trace] = []
    for name, paid in (("paid", True), ("not paid", False)):
        some = [bar for bar in bars if bar[2] == paid]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [title for title, *_ in some],
                "x": [minutes for _, minutes, *_ in some],
                "name": name,
                "marker": {
                    "color": [
                        color if paid else figures.faint(figures.WAITING, 0.35)
                        for *_, color in some
                    ]
                },
                "text": [_price(result, minutes) for _, minutes, *_ in some],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{y}: %{x} min<extra></extra>",
                "showlegend": False,
            }
        )
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=400,
        x="minutes",
        barmode="stack",
        xaxis={"range": [0, 2.4 * WRONG_MINUTES]},
        yaxis={
            "categoryorder": "array",
            "categoryarray": [title for title, *_ in reversed(bars)],
            "fixedrange": True,
        },
    )


def _price(result: GameResult, minutes: int) -> str:
    """Return what some minutes cost, once the case is executed."""
    if result.pair is None:
        return f"{minutes} min"
    params = result.params
    usd = minutes * result.risk * params.saved_share * params.minute_usd
    return f"{minutes} min · {format_number(usd)} USD"
