"""Figure of *skew clinic*: every cure's tasks on their cores."""

from __future__ import annotations

import plotly.graph_objects as go

from engine.spark.figures import timeline
from engine.spark.skew_clinic import SkewClinicResult


def gantt(result: SkewClinicResult, pinned: SkewClinicResult | None = None) -> go.Figure:
    """Draw each task as a bar on its core. To see first: the one long bar that everyone waits for, and which cure cuts it."""
    nothing = result.of("nothing")
    title = "The join is running as it is"
    if nothing is not None:
        best = min(
            (outcome for outcome in result.outcomes if outcome.largest), key=lambda outcome: outcome.largest, default=nothing
        )
        title = f"The largest joining task holds {nothing.largest:,} rows,<br>"
        title += f"with {best.cure} {best.largest:,}" if best.largest < nothing.largest else "and no cure makes it smaller"
    return timeline.gantt(title, result.traces(), pinned.traces() if pinned else None)
