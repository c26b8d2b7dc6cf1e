"""Figure of *skew clinic*: every cure's tasks on their cores."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark import figures as timeline
from engine.spark.skew_clinic import SkewClinicResult


def gantt(result: SkewClinicResult, pinned: SkewClinicResult | None = None) -> go.Figure:
    """Draw each task as a bar on its core. To see first: the one long bar that everyone waits for,
    and which cure cuts it.
    """
    nothing = result.outcome_of("nothing")
    if nothing is None:
        return _preview(result)
    best = min(
        (outcome for outcome in result.outcomes if outcome.largest),
        key=lambda outcome: outcome.largest,
        default=nothing,
    )
    title = f"The largest joining task holds {nothing.largest:,} rows,<br>"
    title += (
        f"with {best.cure} {best.largest:,}"
        if best.largest < nothing.largest
        else "and no cure makes it smaller"
    )
    return timeline.gantt(title, result.traces(), pinned.traces() if pinned else None)


def _preview(result: SkewClinicResult) -> go.Figure:
    """Draw the largest partition by key and by key and salt, before Spark runs. To see first: how
    far it is from even.
    """
    p = result.params
    title = f"Foretold: one task will hold {result.plain_largest:,} of {p.n_rows:,} rows"
    figure = figures.new_tall(title, height=300, x="rows of the largest partition")
    sizes = (result.plain_largest, result.salted_largest, round(p.n_rows / p.n_partitions))
    figure.add_bar(
        y=["by key", f"by key and {p.n_salts} salts", "were all even"],
        x=sizes,
        orientation="h",
        marker={"color": (figures.LEAKED, figures.KNOWN, figures.WAITING)},
        text=[f"{size:,}" for size in sizes],
        textposition="auto",
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_layout(yaxis={"autorange": "reversed"})
    return figure
