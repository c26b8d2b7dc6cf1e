"""The step player of *lineage*'s plane: how one synthetic point is made, frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import figures
from engine.sampling.lineage.result import LineageResult

STAGES = ("seed", "k neighbours", "chosen neighbour", "λ of the way", "new point")
N_PLAYED = 2  # synthetic points that it shows one after the other


def path(*points: np.ndarray) -> dict[str, list[float | None]]:
    """Return x and y of lines from point to point, ``None`` between two lines."""
    x: list[float | None] = []
    y: list[float | None] = []
    for start, end in zip(points[::2], points[1::2], strict=True):
        x += [float(start[0]), float(end[0]), None]
        y += [float(start[1]), float(end[1]), None]
    return {"x": x, "y": y}


def _stage(result: LineageResult, made: int, stage: int) -> list[dict[str, Any]]:
    """Return the three overlay traces (thin lines, thick line, marks) of one synthetic point at one
    stage.
    """
    X = result.points.X
    seed, chosen, new = (
        X[result.record.seed_index[made]],
        X[result.record.neighbour_index[made]],
        result.synthetic[made],
    )
    near = X[result.record.neighbours[made]]
    marks, symbols, texts = [seed], ["circle-open"], ["seed"]
    if stage >= 1:
        marks += list(near)
        symbols += ["circle-open"] * len(near)
        texts += [str(i + 1) for i in range(len(near))]
    if stage >= 3:
        marks.append(new)
        symbols.append("circle-open" if stage == 3 else "star")
        texts.append(f"λ = {result.record.step[made]:.2f}" if stage == 3 else "new")
    thin = (
        path(*(end for row in near for end in (seed, row)))
        if stage >= 1
        else {"x": [None], "y": [None]}
    )
    thick = path(seed, chosen) if stage >= 2 else {"x": [None], "y": [None]}
    points = {"x": [float(p[0]) for p in marks], "y": [float(p[1]) for p in marks], "text": texts}
    return [thin, thick, {**points, "marker": {"symbol": symbols}}]


def picked(result: LineageResult, made: int) -> list[dict[str, Any]]:
    """Return the picked synthetic point with its parents."""
    thin, thick, marks = _stage(result, made, len(STAGES) - 1)
    look = {"type": "scatter", "showlegend": False, "hoverinfo": "skip"}
    marker = {**marks["marker"], "size": 15, "color": figures.SYNTHETIC, "line": {"width": 2}}
    texts = {"mode": "markers+text", "textposition": "top center", "cliponaxis": False}
    return [
        {
            **look,
            **thin,
            "mode": "lines",
            "line": {"color": figures.KNOWN, "width": 1, "dash": "dot"},
        },
        {**look, **thick, "mode": "lines", "line": {"color": figures.SYNTHETIC, "width": 4}},
        {**look, **marks, **texts, "marker": marker},
    ]


def frames(result: LineageResult, made: int, n_played: int, first: int) -> list[dict[str, Any]]:
    """Return the frames that play the picked point and the next ones step by step; ``first`` is the
    place of its traces.
    """
    played = [(made + i) % result.n_synthetic for i in range(min(n_played, result.n_synthetic))]
    return [
        {
            "name": f"{point:,}: {text}",
            "traces": [first, first + 1, first + 2],
            "data": [{"type": "scatter", **trace} for trace in _stage(result, point, stage)],
        }
        for point in played
        for stage, text in enumerate(STAGES)
    ]


def controls(names: list[str]) -> dict[str, Any]:
    """Return the buttons and the slider that play the frames ``names``."""
    last = len(STAGES) - 1
    layout = figures.player(
        names, names, active=last, milliseconds=900, redraw=False, prefix="point "
    )
    layout["updatemenus"][0]["font"]["size"] = 14  # the slider beside it is at a fixed distance
    return layout
