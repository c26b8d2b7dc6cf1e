"""The truth ledger as a stacked bar: up to the line what the source has, beyond it what is too
much.

Blue is correct; light blue hatched is stale, grey hatched lost: together as long as the source.
Beyond the line: orange are further copies, pink are rows that the source deleted.
"""

from __future__ import annotations

from typing import Any, Final

from engine import figures
from engine.etl.ledger import KINDS, Kind

COLORS: Final[dict[Kind, str]] = {
    "correct": figures.KNOWN,
    "stale": figures.EXTRA,
    "lost": figures.WAITING,
    "duplicated": figures.SYNTHETIC,
    "not deleted": figures.FAILED,
}
HATCHES: Final[dict[Kind, str]] = {"stale": "/", "lost": "x"}
PINNED_OPACITY: Final = 0.35


def bars(lanes: list[Any], counts: list[dict[Kind, int]]) -> list[dict[str, Any]]:
    """Return one horizontal bar for each lane and kind, to be stacked; ``counts`` are the ledgers'
    ``counts()``.
    """
    return [
        {
            "type": "bar",
            "y": lanes,
            "x": [count[kind] for count in counts],
            "orientation": "h",
            "name": kind,
            "legendgroup": kind,
            "marker": {
                "color": COLORS[kind],
                "line": {"width": 0},
                "pattern": {
                    "shape": HATCHES.get(kind, ""),
                    "fillmode": "replace",
                    "size": 7,
                    "solidity": 0.35,
                },
            },
            "hovertemplate": f"%{{y}}: %{{x:,}} rows {kind}<extra></extra>",
        }
        for kind in KINDS
    ]


def truth_line(n_source: int) -> dict[str, Any]:
    """Return the shape of the line at which the source ends; give it to
    ``figures.drawn(shapes=[…])``.
    """
    line = {"color": figures.HELD_OUT, "width": 3, "dash": "dot"}
    return {
        "type": "line",
        "x0": n_source,
        "x1": n_source,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": line,
    }


def truth_text(n_source: int) -> dict[str, Any]:
    """Return the annotation that names the line, above the plot."""
    return {
        "x": n_source,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "center",
        "showarrow": False,
        "text": f"source: {n_source:,} rows",
        "font": {"color": figures.HELD_OUT},
    }
