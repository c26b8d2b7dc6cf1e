"""Figures of *cache and memory*: what Storage holds after each step, and how a heap is divided.

Blue is in memory, grey on disk; the dashed line is what the executor can hold.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.spark.cache import CacheResult
from engine.spark.cache.model import Regions
from engine.texts import strip_marks
from engine.units import format_binary_bytes, format_bytes

MEGA = 1e6
GIB = 2**30
SHADES = (
    "#1F6FB5",
    "#2F86D6",
    "#56B4E9",
    "#8CCBF2",
    "#B7DEF7",
    "#D9EEFB",
)  # of memory blue: table 1, 2, …


def storage(result: CacheResult, pinned: CacheResult | None = None) -> go.Figure:
    """Draw the bytes held of each table after each step. To see first: the darkest piece, table 1,
    and whether it shrinks.
    """
    if not result.moments:
        return _preview(result)
    figure = figures.new_tall(
        strip_marks(result.verdict), height=440, x="table just read", y="MB cached"
    )
    steps = [row["step"] for row in result.rows()]
    for table in range(result.params.n_tables):
        held = [
            moment.held[table] if table < len(moment.held) else None for moment in result.moments
        ]
        for kind, color in (("memory", SHADES[table]), ("disk", figures.WAITING)):
            sizes = [
                (h.memory_bytes if kind == "memory" else h.disk_bytes) / MEGA if h else 0.0
                for h in held
            ]
            if kind == "memory" or any(sizes):
                figure.add_bar(
                    x=steps,
                    y=sizes,
                    name=f"table {table + 1}" + (", disk" if kind == "disk" else ""),
                    marker={"color": color, "line": {"width": 1, "color": "rgba(255,255,255,0.6)"}},
                    hovertemplate=f"table {table + 1} in {kind}: %{{y:,.1f}} MB<extra></extra>",
                )
    if pinned is not None and pinned.moments:
        totals = [
            sum(h.memory_bytes + h.disk_bytes for h in moment.held) / MEGA
            for moment in pinned.moments
        ]
        figure.add_scatter(
            x=[row["step"] for row in pinned.rows()],
            y=totals,
            mode="markers",
            marker={
                "symbol": "line-ew",
                "size": 30,
                "line": {"color": figures.SYNTHETIC, "width": 3},
            },
            name="pinned run A",
        )
    if result.storage_limit_bytes < 3 * max(
        (sum(h.memory_bytes for h in m.held) for m in result.moments), default=0
    ):
        _limit(figure, result)
    figure.update_layout(barmode="stack", showlegend=True)
    return figure


def _preview(result: CacheResult) -> go.Figure:
    """Draw the tables asked for against what fits. To see first: whether the stack passes
    the dashed line.
    """
    asked, limit = result.asked_bytes, result.storage_limit_bytes
    figure = figures.new_tall(
        strip_marks(result.verdict),
        height=440,
        x="table just read",
        y="MB to cache (expected)",
    )
    n = result.params.n_tables
    names = [f"table {table + 1}" for table in range(n)]
    for table, name in enumerate(names):
        sizes = [asked / n / MEGA if step >= table else 0.0 for step in range(n)]
        figure.add_bar(
            x=names,
            y=sizes,
            name=name,
            marker={"color": SHADES[table]},
            hoverinfo="skip",
        )
    if limit < 3 * asked:
        _limit(figure, result)
    figure.update_layout(barmode="stack", showlegend=True)
    return figure


def _limit(figure: go.Figure, result: CacheResult) -> None:
    figure.add_hline(
        y=result.storage_limit_bytes / MEGA,
        line={"color": figures.LEAKED, "dash": "dash"},
        annotation_text=(f"limit of {result.holders}: {format_bytes(result.storage_limit_bytes)}"),
        annotation_position="bottom left",
    )


def memory(model: Regions, live: Regions, limit_bytes: int) -> go.Figure:
    """Draw the regions of the heap on the sliders (model) and of the live executor's. To see first:
    what is left to cache.
    """
    figure = figures.new_tall("Memory regions of an executor's heap", height=330, x="heap, GiB")
    names = [
        "model",
        f"this lab<br>({format_binary_bytes(limit_bytes)} shared)",
    ]
    for region, color in (
        ("reserved", figures.WAITING),
        ("user", figures.EXTRA),
        ("execution", figures.SYNTHETIC),
        ("storage", figures.KNOWN),
    ):
        figure.add_bar(
            y=names,
            x=[getattr(model, region) / GIB, getattr(live, region) / GIB],
            orientation="h",
            marker={"color": color},
            name={
                "storage": "storage (protected)",
                "execution": "execution",
                "user": "your objects",
            }.get(region, region),
            hovertemplate=f"{region}: %{{x:.2f}} GiB<extra></extra>",
        )
    figure.update_layout(
        barmode="stack", yaxis={"categoryorder": "array", "categoryarray": names[::-1]}
    )
    return figure
