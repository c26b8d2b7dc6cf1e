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
        best = min(result.outcomes, key=lambda outcome: outcome.trace.unevenness)
        title = f"Longest by median joining task: {nothing.trace.unevenness:.1f} as it is,<br>"
        title += f"{best.trace.unevenness:.1f} with {best.cure}" if best.cure != "nothing" else "and no cure is evener"
    return timeline.gantt(title, result.traces(), pinned.traces() if pinned else None)
