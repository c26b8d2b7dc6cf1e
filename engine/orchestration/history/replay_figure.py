"""The figure of the history's replay: a run played again, task by task."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.figures import Trace, drawn
from engine.orchestration.history import HistoryResult
from engine.orchestration.history.figure import _lanes

N_FRAMES = 40
BUTTONS = {
    "bgcolor": "rgba(140,147,156,0.25)",
    "bordercolor": figures.WAITING,
    "font": {"color": figures.WAITING},
    "showactive": False,
}
STATE_LOOKS = {
    "pending": "rgba(140,147,156,0.35)",
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


def _player(times: list[float]) -> tuple[Trace, Trace]:
    """Return the scrubber over the frames and its buttons."""
    still = {
        "mode": "immediate",
        "frame": {"duration": 0, "redraw": True},
        "transition": {"duration": 0},
    }
    steps = [
        {"method": "animate", "label": f"{at:.1f}", "args": [[f"{at:.2f}"], still]} for at in times
    ]
    play = {
        "frame": {"duration": 120, "redraw": True},
        "transition": {"duration": 0},
        "fromcurrent": False,
    }
    buttons = [
        {"label": "▶", "method": "animate", "args": [None, play]},
        {"label": "❚❚", "method": "animate", "args": [[None], still]},
    ]
    slide = {
        "steps": steps,
        "active": N_FRAMES,
        "currentvalue": {"suffix": " s"},
        "pad": {"t": 48},
        "x": 0.12,
        "len": 0.88,
    }
    menu = {
        "type": "buttons",
        "direction": "left",
        "buttons": buttons,
        "x": 0,
        "y": 0,
        "pad": {"t": 62},
        "yanchor": "top",
    }
    return slide, menu | BUTTONS


def replay(result: HistoryResult) -> go.Figure:
    """Draw the run as it came to be, with a scrubber in the browser. To see first: who works, who
    waits, at each moment.
    """
    names, said = _lanes(result)
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
    slide, menu = _player(times)
    figure = drawn(
        f"Run {result.params.run}, {total:.1f} s: drag the scrubber{said}",
        bars,
        height=230 + 20 * len(names),
        x="seconds",
        margin={"t": 84, "b": 20},
        legend={"y": 1, "yref": "paper"},  # the scrubber is below
        barmode="overlay",
        sliders=[slide],
        updatemenus=[menu],
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.5, len(names) - 0.5],
            "dtick": 1,
        },
        xaxis={"range": [0, total * 1.02]},
    )
    figure.frames = [  # bars only grow: a frame is their lengths
        {
            "name": f"{at:.2f}",
            "data": [
                {"type": "bar", "name": state, "x": _lengths(start, end, at)}
                for state, (start, end, _) in found.items()
            ],
        }
        for at in times
    ]
    return figure
