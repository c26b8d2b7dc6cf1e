"""Figures of *codecs*: ratio against speed with the Pareto front; what the order of the rows is
worth, whole and by column.

Blue is on the front (or sorted), grey is not (or in the original order); a pinned run A is drawn in
hollow orange.
"""

from __future__ import annotations

from math import log10
from statistics import median
from typing import Literal

import plotly.graph_objects as go

from engine import figures
from engine.formats.codecs import CodecsResult, Trial
from engine.formats.codecs.params import LEVELS, Order
from engine.texts import strip_marks
from engine.units import format_bytes, format_factor, format_seconds

Against = Literal["write", "read"]
ROW_HEIGHT = 26
LETTER, LINE = 0.014, 0.07  # of the front's width and height: a letter of a name, a line of text
ALWAYS = (
    "snappy",
    "gzip 6",
)  # named on the chart even when not on the front; more names would overlap


def tradeoff(
    result: CodecsResult, against: Against, pinned: CodecsResult | None = None
) -> go.Figure:
    """Draw each trial's ratio against its speed. To see first: the front, and who is on it."""
    front = result.front(against)
    figure = figures.new_tall(
        strip_marks(result.verdict),
        height=480,
        x=f"{against} speed, MB/s of Arrow memory (log)",
        y="compression ratio (memory / file)",
    )
    if pinned is not None:
        _add_trials(
            figure,
            pinned,
            list(pinned.ready),
            against,
            "run A",
            figures.SYNTHETIC,
            hollow=True,
        )
    beaten = [trial for trial in result.ready if trial not in front]
    _add_trials(figure, result, beaten, against, "worse in both", figures.WAITING)
    points = [(result.speed(trial, against), result.ratio(trial)) for trial in front]
    figure.add_scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode="lines",
        line={"color": figures.KNOWN, "width": 2, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    _add_trials(figure, result, front, against, "Pareto front", figures.KNOWN)
    figure.update_xaxes(
        type="log", tickvals=[1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000], showgrid=True
    )
    figure.update_yaxes(ticksuffix="×")
    return figure


def _add_trials(
    figure: go.Figure,
    result: CodecsResult,
    trials: list[Trial],
    against: Against,
    name: str,
    color: str,
    *,
    hollow: bool = False,
) -> None:
    """Add one mark a trial at its median, with a whisker from its slowest to its fastest run."""
    speeds = [result.speed(trial, against) for trial in trials]
    best = [result.table_bytes / min(trial.seconds(against)) / 1e6 for trial in trials]
    worst = [result.table_bytes / max(trial.seconds(against)) / 1e6 for trial in trials]
    ratios = [result.ratio(trial) for trial in trials]
    if color == figures.KNOWN:
        names = _placed([trial.name for trial in trials], speeds, ratios)
    else:
        names = [(trial.name if trial.name in ALWAYS else "", "bottom center") for trial in trials]
    text = [
        f"{trial.name}: {format_bytes(trial.file_bytes)}, {format_factor(result.ratio(trial))},"
        f" {against} {format_seconds(median(trial.seconds(against)))} (median of"
        f" {len(trial.seconds(against))})"
        for trial in trials
    ]
    figure.add_scatter(
        x=speeds,
        y=ratios,
        mode="markers" if hollow else "markers+text",
        text=None if hollow else [name for name, _ in names],
        cliponaxis=False,
        textposition=[place for _, place in names] or None,
        marker={
            "color": figures.HOLLOW if hollow else color,
            "size": 11,
            "line": {"color": color, "width": 2},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [b - s for b, s in zip(best, speeds, strict=True)],
            "arrayminus": [s - w for s, w in zip(speeds, worst, strict=True)],
            "color": color,
            "thickness": 1,
        },
        hovertext=text,
        hovertemplate="%{hovertext}<extra></extra>",
        name=name,
    )


def _placed(names: list[str], speeds: list[float], ratios: list[float]) -> list[tuple[str, str]]:
    """Return for each mark of the front its name and the place of it; no name where there is no
    room for one.

    Names are placed one after another, first above the mark, then below, right, left: where no name
    and no mark is yet.
    """
    if not names:
        return []
    wide, tall = log10(max(speeds) / min(speeds)) or 1.0, max(ratios) - min(ratios) or 1.0
    marks = [
        (log10(speed / min(speeds)) / wide, (ratio - min(ratios)) / tall)
        for speed, ratio in zip(speeds, ratios, strict=True)
    ]
    taken = [(x, y, 0.0) for x, y in marks]
    placed = []
    for name, (x, y) in zip(names, marks, strict=True):
        half = LETTER * len(name) / 2
        room = {
            "top center": (x, y + LINE),
            "bottom center": (x, y - LINE),
            "middle right": (x + half + LETTER, y),
            "middle left": (x - half - LETTER, y),
        }
        free = [
            place
            for place, (cx, cy) in room.items()
            if not any(
                abs(cx - tx) < half + th and abs(cy - ty) < LINE * 0.9
                for tx, ty, th in taken
                if (tx, ty) != (x, y)
            )
        ]
        placed.append((name, free[0]) if free else ("", "top center"))
        if free:
            taken.append((*room[free[0]], half))
    return placed


def sorting(result: CodecsResult, pinned: CodecsResult | None = None) -> go.Figure:
    """Draw the file of each trial with its rows sorted, as they came and shuffled. To see first:
    how far apart they are.
    """
    trials = sorted(
        result.ready, key=lambda trial: (list(LEVELS).index(trial.codec), trial.level or 0)
    )
    figure = figures.new_tall(
        "File size by row order", height=190 + ROW_HEIGHT * len(trials), x="file size, kB"
    )
    names = [trial.name for trial in trials]
    looks: tuple[tuple[Order, str], ...] = (
        ("sorted", figures.KNOWN),
        ("as is", figures.WAITING),
        ("shuffled", figures.EXTRA),
    )
    for order, color in looks:
        figure.add_scatter(
            x=[trial.order_bytes[order] / 1e3 for trial in trials],
            y=names,
            mode="markers",
            marker={"color": color, "size": 12},
            hovertemplate="%{y}, " + order + ": %{x:,.0f} kB<extra></extra>",
            name=order,
        )
    if pinned is not None:
        before = [trial for trial in pinned.ready if trial.name in names]
        figure.add_scatter(
            x=[trial.file_bytes / 1e3 for trial in before],
            y=[trial.name for trial in before],
            mode="markers",
            marker={
                "color": figures.HOLLOW,
                "size": 15,
                "line": {"color": figures.SYNTHETIC, "width": 2},
            },
            hovertemplate="A, %{y}: %{x:,.0f} kB<extra></extra>",
            name=f"run A ({pinned.params.order})",
        )
    figure.update_xaxes(showgrid=True, separatethousands=True, nticks=6)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], showgrid=True)
    return figure


def columns(result: CodecsResult, pinned: CodecsResult | None = None) -> go.Figure:
    """Draw what each column takes, as asked and sorted, in the tightest trial. To see first: the
    column that takes most.
    """
    best = result.smallest
    sizes = best.column_bytes if best else {}
    names = sorted(sizes, key=lambda name: sizes[name])
    title = f"Size of each column with {best.name}" if best else "Size of each column"
    figure = figures.new_tall(
        title, height=190 + ROW_HEIGHT * len(names), x="compressed size of the column, kB"
    )
    if best is None:
        return figure
    asked = result.params.order
    figure.add_bar(
        orientation="h",
        y=names,
        x=[sizes[name] / 1e3 for name in names],
        marker_color=figures.WAITING,
        name=f"rows {asked}",
        hovertemplate="%{y}: %{x:,.1f} kB<extra></extra>",
    )
    figure.add_scatter(
        x=[best.column_bytes_sorted[name] / 1e3 for name in names],
        y=names,
        mode="markers",
        marker={"color": figures.KNOWN, "size": 11},
        name="rows sorted",
        hovertemplate="%{y}, sorted: %{x:,.1f} kB<extra></extra>",
    )
    before = pinned.smallest if pinned else None
    if before is not None:
        figure.add_scatter(
            x=[before.column_bytes.get(name, 0) / 1e3 for name in names],
            y=names,
            mode="markers",
            marker={
                "color": figures.HOLLOW,
                "size": 14,
                "line": {"color": figures.SYNTHETIC, "width": 2},
            },
            name=f"run A ({before.name})",
            hovertemplate="A, %{y}: %{x:,.1f} kB<extra></extra>",
        )
    figure.update_xaxes(showgrid=True, separatethousands=True, nticks=6)
    return figure
