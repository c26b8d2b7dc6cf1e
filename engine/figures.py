"""The look that all figures share: one colour a meaning, one Plotly template.

Colours are Okabe and Ito's colour-blind-safe palette (2008), lightened where needed to hold on
white and on black. Backgrounds, text and grid lines are left to the page's theme
(``st.plotly_chart(theme="streamlit")`` fills them in).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from html import escape
from typing import Any, Final, ParamSpec

import pandas  # noqa: F401 - before any thread: Plotly must not meet one that a job is half through importing
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from engine import html_page, texts

KNOWN: Final = "#2F86D6"  # known / training / kept: blue
LEAKED: Final = "#D95F30"  # future / leaked: vermilion
SYNTHETIC: Final = "#E69F00"  # made up: orange
HELD_OUT: Final = "#149E77"  # held-out / production: green
WAITING: Final = "#8C939C"  # waiting / skipped / not touched: grey
FAILED: Final = "#C25B9B"  # failed: red-purple
EXTRA: Final = "#56B4E9"  # a further category without a meaning of its own: sky blue
CATEGORICAL: Final = (KNOWN, SYNTHETIC, HELD_OUT, FAILED, LEAKED, EXTRA, WAITING)
SEQUENTIAL: Final = "Blues"
SHARE_TICKS: Final = {"tickformat": ",.0%"}  # of an axis of shares, 0–1
SHADES: Final = ("#A9CDEE", "#7FB5E4", "#56A0DC", KNOWN, "#1F66A8", "#134574")  # of blue, darker
HOLLOW: Final = "rgba(0,0,0,0)"  # the inside of a mark that has only an outline

# Of every chart, on a page or in a file: no way to plotly's cloud, its address and its logo left
# out.
CONFIG: Final[dict[str, Any]] = {
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "displaylogo": False,
    "locale": "day-first",
    "locales": {
        "day-first": {"format": {"dayMonth": "%-d %b", "dayMonthYear": "%-d %b %Y"}}  # 24 Jun 2013
    },
}
# An exported file runs what it brings along and asks no address for anything.
FILE_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; style-src"
    " 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:; form-action 'none';"
    " base-uri 'none'"
)
_DOCUMENT_STYLE = (
    "dt{font-weight:600}dd{margin:0 0 .4rem;white-space:pre-wrap;overflow-wrap:anywhere}"
)
_POLICY_TAG = f'<meta http-equiv="Content-Security-Policy" content="{FILE_POLICY}" />'

P = ParamSpec("P")
Trace = dict[str, Any]  # as Plotly takes it; it says its ``type``
TEMPLATE: Final = go.layout.Template(
    layout=go.Layout(
        colorway=CATEGORICAL,
        paper_bgcolor=HOLLOW,
        plot_bgcolor=HOLLOW,
        margin={"l": 8, "r": 8, "t": 56, "b": 8},
        font={"size": 14},
        title={"x": 0, "xanchor": "left", "font": {"size": 17}, "automargin": True},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "title": {"text": ""}},
        hoverlabel={"align": "left"},
        xaxis={"automargin": True, "title": {"standoff": 8}},
        yaxis={"automargin": True, "title": {"standoff": 8}},
        separators=".,",
        bargap=0.25,
    )
)


def faint(color: str, opacity: float) -> str:
    """Return a ``#RRGGBB`` colour that lets through what is behind it; ``opacity`` is 0 … 1."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{round(opacity, 2):g})"


def new(title: str, *, height: int = 420, x: str = "", y: str = "") -> go.Figure:
    """Return an empty figure in the house's look. ``title`` is the finding; ``x`` and ``y`` name
    the axes with units.
    """
    return go.Figure(
        layout=_layout(title, height, x, y)
    )  # in one go: each update_layout validates for milliseconds


def new_tall(title: str, *, height: int, x: str = "", y: str = "") -> go.Figure:
    """Return an empty figure with room for a title of two lines above, and the legend below the
    plot.
    """
    return go.Figure(layout=_tall(title, height, x, y))


def drawn(
    title: str, traces: list[Trace], *, height: int, x: str = "", y: str = "", **layout: Any
) -> go.Figure:
    """Return a whole figure in the look of ``new_tall``, built in one go: Plotly validates after
    each ``add_trace`` again.

    ``layout`` (``xaxis``, ``annotations``, ``shapes`` …) adds to the look.
    """
    return go.Figure(data=traces, layout=_merged(_tall(title, height, x, y), layout))


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return ``over`` laid on ``under``, dictionary by dictionary."""
    both = {
        key: _merged(under[key], value)
        for key, value in over.items()
        if isinstance(value, dict) and key in under
    }
    return {**under, **over, **both}


def new_pair(
    title: str,
    *,
    height: int,
    x: tuple[str, str],
    names: list[str],
    split: float,
    gap: float,
    y_range: tuple[float, float],
) -> go.Figure:
    """Return an empty tall figure of two plots side by side that share the lanes ``names``, the
    first one on top.

    Traces of the right plot say ``xaxis="x2"``. ``split`` is the left plot's share of the width,
    ``gap`` that between the two.
    """
    layout = _tall(title, height, x[0], "")
    layout["xaxis"]["domain"] = [0, split - gap / 2]
    layout["xaxis2"] = {"title": {"text": x[1]}, "domain": [split + gap / 2, 1], "anchor": "y"}
    layout["yaxis"] = {
        "categoryorder": "array",
        "categoryarray": names[::-1],
        "range": list(y_range),
        "fixedrange": True,
    }
    return go.Figure(layout=layout)


def inert(figure: go.Figure) -> go.Figure:
    """Return the figure with every text in it ``inert``: for one that shows names or values of a
    person's own.
    """
    tree = figure.to_dict()
    safe = texts.inert_tree(tree)
    return figure if safe == tree else go.Figure(safe)


def quoting(draw: Callable[P, go.Figure]) -> Callable[P, go.Figure]:
    """Make the figures of ``draw`` ``inert``: for one that writes names or values of a person's
    own.
    """

    @wraps(draw)
    def drawn_inert(*args: P.args, **kwargs: P.kwargs) -> go.Figure:
        return inert(draw(*args, **kwargs))

    return drawn_inert


def to_html(figure: go.Figure) -> str:
    """Return the figure as an HTML file of its own: Plotly inside, and a policy by which it calls
    no address.
    """
    page: str = inert(figure).to_html(include_plotlyjs=True, config=CONFIG)
    return page.replace("<head>", f"<head>{_POLICY_TAG}", 1)


def to_document(title: str, parts: Iterable[str | go.Figure], style: str = "") -> str:
    """Return one HTML file of figures and of HTML that the project wrote, in order: Plotly inside
    once, and the same policy. ``style`` is CSS of its own.
    """
    body = "".join(
        part
        if isinstance(part, str)
        else inert(part).to_html(
            full_html=False, include_plotlyjs=False, config=CONFIG, auto_play=False
        )
        for part in parts
    )
    return html_page.page(
        title,
        f"<h1>{escape(title)}</h1>{body}",
        style=_DOCUMENT_STYLE + style,
        policy=FILE_POLICY,
        script=get_plotlyjs(),
    )


def _layout(title: str, height: int, x: str, y: str) -> dict[str, Any]:
    axes = {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}
    return {"template": TEMPLATE, "title": {"text": title}, "height": height, **axes}


def _tall(title: str, height: int, x: str, y: str) -> dict[str, Any]:
    return {
        **_layout(title, height, x, y),
        "title": {"text": title, "y": 1, "yanchor": "top", "pad": {"t": 24}},
        "legend": {"y": 0, "yref": "container", "yanchor": "bottom"},
        "showlegend": True,
        "margin": {"t": 96, "l": 16, "r": 20},
    }


def player(
    frames: list[str],
    labels: list[str],
    *,
    active: int,
    milliseconds: int,
    redraw: bool,
    prefix: str = "",
    suffix: str = "",
) -> dict[str, Any]:
    """Return the layout of the buttons and the slider that play ``frames``, given by their names.

    ``labels`` are what the slider shows of each frame, between ``prefix`` and ``suffix``;
    ``active`` is the number of the frame shown first; ``redraw`` is for bars, which Plotly moves
    in no other way.
    """
    now = {
        "mode": "immediate",
        "frame": {"duration": milliseconds, "redraw": redraw},
        "transition": {"duration": 0},
    }
    buttons = (("▶ play", [None, {**now, "fromcurrent": True}]), ("❚❚", [[None], now]))
    menu = {
        "type": "buttons",
        "direction": "right",
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 62},
        "showactive": False,
        "bgcolor": HOLLOW,
        "bordercolor": WAITING,
        "font": {"color": WAITING},
        "buttons": [{"label": label, "method": "animate", "args": args} for label, args in buttons],
    }
    steps = [
        {"label": label, "method": "animate", "args": [[frame], now]}
        for frame, label in zip(frames, labels, strict=True)
    ]
    slider = {
        "active": active,
        "x": 0,
        "y": 0,
        "pad": {"t": 48, "l": 130},  # pixels: beside the buttons even on a phone
        "currentvalue": {
            "prefix": prefix,
            "suffix": suffix,
            "font": {"size": 15, "color": WAITING},
        },
        "ticklen": 0,
        "minorticklen": 0,
        "font": {"size": 1, "color": HOLLOW},  # its labels would overlap
        "steps": steps,
    }
    return {"updatemenus": [menu], "sliders": [slider], "margin": {"b": 150}}


def side_notes(names: list[str | float], texts: list[str]) -> list[dict[str, Any]]:
    """Return annotations that write a text to the right of each lane; give them to
    ``update_layout`` at once.
    """
    place = {"x": 1, "xref": "paper", "showarrow": False, "xanchor": "left", "xshift": 6}
    return [{**place, "y": name, "text": text} for name, text in zip(names, texts, strict=True)]
