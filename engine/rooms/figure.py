"""The figure of a vote: how the room has chosen, and the engine's answer against it."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

from engine import figures, texts
from engine.rooms.vote import Count
from engine.units import format_number, format_share

LONGEST_LINE = 28  # characters of a choice beside its bar


def distribution(count: Count, right: int | None = None, answer: str = "") -> go.Figure:
    """Draw the share of each choice, the first on top. To see first: where the room agrees, and
    whether that is right.

    Parameters
    ----------
    count
        The vote; it is closed.
    right
        Number of the choice that the engine's run has proved right, from 0; ``None`` before it is
        revealed, or where no choice is.
    answer
        What the run gave, as people read it; empty before it is revealed.
    """
    rows = list(range(len(count.counts)))
    run = f"<b>the run: {texts.inert(answer)}</b>"
    labels = [
        f"{format_share(share)} · {format_number(n)}" + (f" · {run}" if row == right else "")
        for row, share, n in zip(rows, count.shares, count.counts, strict=True)
    ]
    colors = [
        figures.HELD_OUT if row == right else figures.WAITING if answer else figures.KNOWN
        for row in rows
    ]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": list(count.shares),
        "y": rows,
        "marker": {"color": colors},
        "text": labels,
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }
    room = 1.6 if answer else 1.25  # for the labels behind the bars
    figure = figures.drawn(
        verdict(count, right, answer),
        [bars],
        height=460,
        x=f"share of {format_number(count.n)} votes",
        xaxis={"range": [0, max(0.5, room * max(count.shares))], **figures.SHARE_TICKS},
        yaxis={
            "autorange": "reversed",
            "tickvals": rows,
            "ticktext": [_wrapped(choice) for choice in count.question.choices],
        },
    )
    if answer and right is None:
        figure.add_annotation(_outside(run))
    return figure


def verdict(count: Count, right: int | None = None, answer: str = "") -> str:
    """Return what the figure says in one sentence, with bold marks."""
    if not count.n:
        return f"The run gives **{answer}**; nobody voted." if answer else "Nobody voted."
    if answer:
        share = 0.0 if right is None else count.shares[right]
        return f"**{format_share(share)}** of the room is right: the run gives **{answer}**."
    most = max(count.counts)
    first = [
        choice for choice, n in zip(count.question.choices, count.counts, strict=True) if n == most
    ]
    if len(first) > 1:
        return f"The room is divided: {len(first)} answers have the most votes."
    return f"**{format_share(most / count.n)}** of the room says “{texts.inert(first[0])}”."


def _outside(run: str) -> dict[str, object]:
    """Return the annotation for an answer that none of the choices is."""
    return {
        "text": run,
        "x": 1,
        "y": 0,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "right",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 14, "color": figures.HELD_OUT},  # the stage enlarges it
    }


def _wrapped(choice: str) -> str:
    return "<br>".join(textwrap.wrap(texts.inert(choice), LONGEST_LINE))
