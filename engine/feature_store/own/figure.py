"""Figure of *own_viewer*: one key's feature rows and the labels that ask for it.

Grey dots are rows, blue triangles labels at the value that they get; vermilion ones get none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.feature_store.feast_repo import EVENT
from engine.feature_store.own.asked import VALUE, plain_value
from engine.feature_store.own.viewer import OwnView

MAX_ROWS = 2_000


@figures.quoting
def life(view: OwnView, key: int) -> go.Figure:
    """Draw a key's rows and labels. To see first: vermilion triangles, labels that training would
    get as nulls.
    """
    told = view.explanation
    if told is None:
        return figures.new(f"{view.name} cannot be shown", height=320)
    labels, rows = view.labels(key), view.rows(key)
    without = np.array([view.answers[label] is None for label in labels])
    title = (
        f"{view.keys[key]}: {int((~without).sum())} of {len(labels)} moments<br>get a value of"
        f" {view.feature}"
    )
    figure = figures.new_tall(title, height=440, x="event time (UTC)", y=view.feature)
    drawn = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).astype(int))]
    column, times, moments = told.features[VALUE], told.features[EVENT], told.labels[EVENT]
    figure.add_scatter(
        x=[times[int(row)].as_py() for row in drawn],
        y=[drawn_value(column[int(row)].as_py()) for row in drawn],
        mode="markers",
        marker={"color": figures.WAITING, "size": 6},
        name=(
            "feature rows"
            if len(drawn) == len(rows)
            else f"{len(drawn):,} of {len(rows):,} feature rows"
        ),
    )
    for chosen, name, color in (
        (~without, "label with a value", figures.KNOWN),
        (without, "label without", figures.LEAKED),
    ):
        _labels(
            figure,
            view,
            labels[chosen],
            [moments[int(label)].as_py() for label in labels[chosen]],
            name,
            color,
        )
    figure.update_layout(yaxis={"showgrid": True})
    return figure


def drawn_value(value: Any) -> Any:
    """Return a value as the axis takes it: lists and bytes as short texts, rows with it at one
    height.
    """
    plain = plain_value(value)
    texts = isinstance(plain, list | dict | bytes)
    return (f"{plain!s:.40}" + "…" * (len(str(plain)) > 40)) if texts else plain


def _labels(
    figure: go.Figure, view: OwnView, labels: np.ndarray, moments: list[Any], name: str, color: str
) -> None:
    figure.add_scatter(
        x=moments,
        y=[
            0.02 if view.answers[label] is None else drawn_value(view.answers[label])
            for label in labels
        ],
        yaxis="y2" if name == "label without" else "y",
        mode="markers",
        marker={"color": color, "size": 13, "symbol": "triangle-up"},
        name=name,
        hovertemplate="asked at %{x}<extra>" + name + "</extra>",
    )
    if name == "label without":
        figure.update_layout(
            yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
        )
