"""Figure of *sources*: what each tells, one cell for each source and question.

Blue is told, orange-red is hidden; a cell says how many of how many.
"""

from __future__ import annotations

import plotly.graph_objects as go

from engine import figures
from engine.formats.sources import SourcesResult
from engine.formats.sources.result import QUESTIONS

SCALE = [[0, figures.LEAKED], [0.5, figures.WAITING], [1, figures.KNOWN]]
HEADS = ["rows as<br>they are now", "deletes<br>reported", "changes<br>reported",
         "columns<br>with types", "in order<br>of change", "in the<br>first call"]  # fmt: skip


def matrix(result: SourcesResult) -> go.Figure:
    """Draw what each source tells. To see first: no row is blue throughout."""
    claims = [result.claims(one) for one in result.readings]
    names = [one.source for one in result.readings]
    cells = {
        "type": "heatmap",
        "x": HEADS,
        "y": names,
        "z": [[row[name].share for name in QUESTIONS] for row in claims],
        "text": [[_cell(str(row[name])) for name in QUESTIONS] for row in claims],
        "texttemplate": "%{text}",
        "textfont": {"color": "white"},
        "zmin": 0,
        "zmax": 1,
        "colorscale": SCALE,
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>",
    }
    return figures.drawn(
        "What each source tells",
        [cells],
        height=400,
        showlegend=False,
        xaxis={"side": "top", "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True},
        meta={"top": 64},
    )


def _cell(text: str) -> str:
    """Return a text in two lines: a cell is narrow on a phone."""
    return text.replace(" of", "<br>of")
