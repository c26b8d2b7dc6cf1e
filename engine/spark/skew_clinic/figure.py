"""Figure of *skew clinic*: every remedy's tasks on their cores."""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark import figures as timeline
from engine.spark.skew_clinic import SkewClinicResult
from engine.texts import strip_marks


def gantt(result: SkewClinicResult, pinned: SkewClinicResult | None = None) -> go.Figure:
    """Draw each task as a bar on its core. To see first: the one long bar that everyone waits for,
    and which remedy shortens it.
    """
    if not result.outcomes:
        return _preview(result)
    title = strip_marks(result.verdict)
    return timeline.gantt(title, result.traces(), pinned.traces() if pinned else None)


def _preview(result: SkewClinicResult) -> go.Figure:
    """Draw the largest partition by key and by key and salt, before Spark runs. To see first: how
    far it is from even.
    """
    p = result.params
    sizes = (result.plain_largest, result.salted_largest, round(p.n_rows / p.n_partitions))
    bars = {
        "type": "bar",
        "y": ["by key", f"by key and {p.n_salts} salts", "if even"],
        "x": sizes,
        "orientation": "h",
        "marker": {"color": (figures.LEAKED, figures.KNOWN, figures.WAITING)},
        "text": [f"{size:,}" for size in sizes],
        "textposition": "outside",
        "hoverinfo": "skip",
    }
    return figures.drawn(
        strip_marks(result.verdict),
        [bars],
        height=380,
        x="rows of the largest partition (expected)",
        xaxis={"range": [0, 1.2 * max(sizes)]},
        yaxis={"autorange": "reversed"},
        showlegend=False,
    )
