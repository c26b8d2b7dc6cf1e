"""The replay of a run, task by task."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.history import HistoryResult
from engine.orchestration.history.figure import _lanes

N_FRAMES = 40
STATE_LOOKS = {
    "pending": figures.faint(figures.WAITING, 0.35),
    "running": figures.KNOWN,
    "awaiting retry": figures.SYNTHETIC,
}


def _intervals(
    result: HistoryResult, names: list[str]
) -> dict[str, tuple[np.ndarray, np.ndarray, list[str]]]:
    """Return start, end and task of every interval, by state."""
    found: dict[str, list[tuple[float, float, str]]] = {state: [] for state in STATE_LOOKS}
    shown = set(names)
    for attempt in result.run.attempts:
        for interval in attempt.intervals if attempt.task in shown else ():
            if interval.state in found and interval.end_seconds is not None:
                found[interval.state].append(
                    (interval.start_seconds, interval.end_seconds, attempt.task)
                )
    return {
        state: (
            np.array([start for start, *_ in rows]),
            np.array([end for _, end, _ in rows]),
            [task for *_, task in rows],
        )
        for state, rows in found.items()
    }


def _lengths(start: np.ndarray, end: np.ndarray, until: float) -> np.ndarray:
    """Return how long each interval has lasted at a moment: what is still to come has no length
    yet.
    """
    lengths: np.ndarray = np.maximum(np.minimum(end, until) - start, 0).astype(np.float32)
    return lengths


def replay(result: HistoryResult) -> go.Figure:
    """Draw the run with a time slider. To see first: which tasks run and which wait."""
    names, note = _lanes(result)
    names = names[:40]
    total = max(result.finish_seconds, 0.01)
    found = _intervals(result, names)
    bars: list[Trace] = [
        {
            "type": "bar",
            "base": start.astype(np.float32),
            "x": _lengths(start, end, total),
            "y": tasks,
            "orientation": "h",
            "marker": {"color": STATE_LOOKS[state]},
            "name": state,
        }
        for state, (start, end, tasks) in found.items()
    ]
    times = [total * k / N_FRAMES for k in range(N_FRAMES + 1)]
    moments = [str(k) for k in range(N_FRAMES + 1)]
    player = figures.player(
        moments,
        [f"{at:.1f}" for at in times],
        active=N_FRAMES,
        milliseconds=120,
        redraw=True,
        suffix=" s",
    )
    figure = drawn(
        f"Replay of run {result.params.run}: drag the time slider{note}",
        bars,
        height=340 + 20 * len(names),
        x="seconds",
        legend={"y": 1, "yref": "paper"},  # the slider is below
        barmode="overlay",
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.5, len(names) - 0.5],
            "dtick": 1,
        },
        xaxis={"range": [0, total * 1.02]},
        **player | {"margin": {"b": 130}},
    )
    figure.frames = [  # bars only grow: a frame is their lengths
        {
            "name": name,
            "data": [
                {"type": "bar", "name": state, "x": _lengths(start, end, at)}
                for state, (start, end, _) in found.items()
            ],
        }
        for name, at in zip(moments, times, strict=True)
    ]
    return figure
