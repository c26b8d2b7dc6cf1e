"""The step player of *lineage*'s plane: how one synthetic point is made, frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import figures
from engine.errors import name_in_sentence
from engine.sampling.lineage.result import LineageResult

VOTE = "vote on the category"  # of SMOTE-NC, before the last stage
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


def stages(result: LineageResult) -> tuple[str, ...]:
    """Return the names of the steps of one synthetic point."""
    return (*STAGES[:-1], VOTE, STAGES[-1]) if len(result.synthetic_category) else STAGES


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
    rows = result.record.neighbours[made]
    near = X[rows]
    named = _categories(result, made)
    marks, symbols, texts = [seed], ["circle-open"], [f"seed {named[0]}".strip()]
    if stage >= 1:
        marks += list(near)
        symbols += ["circle-open"] * len(near)
        texts += [f"{i + 1} {named[i + 1]}".strip() for i in range(len(near))]
    if stage >= 3:
        marks.append(new)
        is_new = stage == len(stages(result)) - 1
        symbols.append("star" if is_new else "circle-open")
        texts.append(_said(result, made, stage, f"new {named[-1]}".strip()))
    thin = (
        path(*(end for row in near for end in (seed, row)))
        if stage >= 1
        else {"x": [None], "y": [None]}
    )
    thick = path(seed, chosen) if stage >= 2 else {"x": [None], "y": [None]}
    points = {"x": [float(p[0]) for p in marks], "y": [float(p[1]) for p in marks], "text": texts}
    return [thin, thick, {**points, "marker": {"symbol": symbols}}]


def _categories(result: LineageResult, made: int) -> list[str]:
    """Return the categories of the seed, of its neighbours and of the new point; empty texts where
    no category is voted on.
    """
    near = result.record.neighbours[made]
    if not len(result.synthetic_category):
        return [""] * (len(near) + 2)
    rows = [result.record.seed_index[made], *near]
    values = [*result.points.category[rows], result.synthetic_category[made]]
    return [name_in_sentence(str(value)) for value in values]


def _said(result: LineageResult, made: int, stage: int, new: str) -> str:
    """Return what is written at the place of the new point."""
    if stage == STAGES.index("λ of the way"):
        return f"λ = {result.record.step[made]:.2f}"
    if stages(result)[stage] == VOTE:
        counts = result.vote(made).counts
        return ", ".join(f"{name_in_sentence(name)} {n}" for name, n in counts)
    return new


def picked(result: LineageResult, made: int) -> list[dict[str, Any]]:
    """Return the picked synthetic point with its parents."""
    thin, thick, marks = _stage(result, made, len(stages(result)) - 1)
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
        for stage, text in enumerate(stages(result))
    ]


def controls(names: list[str], n_stages: int = len(STAGES)) -> dict[str, Any]:
    """Return the buttons and the slider that play the frames ``names``, ``n_stages`` a point."""
    last = n_stages - 1
    layout = figures.player(
        names, names, active=last, milliseconds=900, redraw=False, prefix="point "
    )
    layout["updatemenus"][0]["font"]["size"] = 14  # the slider beside it is at a fixed distance
    return layout
