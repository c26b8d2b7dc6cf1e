"""The chart of a page: a component that updates one Plotly chart in place, drawn by ``chart.js``.

``st.plotly_chart`` builds the chart again at each tweak (measured: 2.25 times the answer of a bare
page, this 1.15). Plotly's own script is served from the installed package, under ``LIBRARY``, which
lies below ``server.baseUrlPath`` as all else does.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st
from starlette.responses import FileResponse
from starlette.routing import Route

from pages.shell import state

LIBRARY = f"{state.base_path()}/chart/plotly-{plotly.__version__}.min.js"
_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "chart",
    html=(_HERE / "chart.html").read_text("utf-8"),
    css=(_HERE / "chart.css").read_text("utf-8"),
    js=(_HERE / "chart.js").read_text("utf-8"),
    isolate_styles=False,
)


async def _library(_: Any) -> FileResponse:
    """Answer with Plotly's script; its address changes with its version, so a browser keeps it."""
    path = str(resources.files("plotly") / "package_data" / "plotly.min.js")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(path, media_type="text/javascript", headers=headers)


ROUTES = (Route(LIBRARY, _library),)


def chart(
    figure: go.Figure,
    key: str,
    alt: str,
    on_click: Callable[[], None] | None = None,
    *,
    verdict: str = "",
) -> None:
    """Draw a figure; what it is about is its title.

    Parameters
    ----------
    figure
        Its own title is drawn above the plot as text, which wraps.
    key
        Name of the chart: in scenes, of saved files, and for ``clicked``.
    alt
        What is drawn, for those who do not see it.
    on_click
        Called after a click on a mark; ``clicked(key)`` has the marks.
    verdict
        Of a screen's first chart: the finding, shown in place of the figure's own title. On stage
        only this chart is drawn, or the one that the scene names.
    """
    if state.presenting():
        named = st.session_state.get("stage_chart", "")
        if named not in ("", key) or (not named and not verdict):
            return
        st.session_state["stage_filled"] = True
    title = verdict or str(figure.layout.title.text or "").replace("<br>", " ")
    data = {
        "figure": figure.to_json(),
        "name": key,
        "title": title,
        "alt": alt,
        "first": bool(verdict),
        "stage": state.presenting(),
        "size": st.session_state.get("stage_size", 1.0) if state.on_stage() else 1.0,
        "clickable": on_click is not None,
        "library": LIBRARY,
    }
    if state.presenting():
        st.session_state["stage_drawn"] = data
    _mount(data=data, key=key, on_clicked_change=on_click)


def recorded(problem: str) -> bool:
    """Draw what the scene on stage showed when it was last whole, its title with the date, in place
    of what cannot be made now because of ``problem``; return whether there is such a record for the
    settings on screen.
    """
    st.session_state["stage_problem"] = problem
    held = st.session_state.get("stage_recorded") if state.on_stage() else None
    if held is None or not state.shows(st.session_state.get("stage_settings", {})):
        return False
    drawn = st.session_state.get("stage_drawn")
    if drawn is None or drawn["name"] != held["name"]:  # else its own chart is there already
        shown = {part: held[part] for part in ("name", "figure", "title", "alt")}
        fixed = {"first": True, "stage": True, "clickable": False, "library": LIBRARY}
        fixed["size"] = st.session_state.get("stage_size", 1.0)
        _mount(data={**shown, **fixed}, key=f"{held['name']}_recorded")
        st.session_state["stage_filled"] = True
    return True


def clicked(key: str) -> list[dict[str, Any]]:
    """Return the marks of chart ``key`` that were just clicked, topmost first.

    Each has ``curve_number``, ``point_number``, ``x``, ``y``, ``id``, ``label``, ``customdata``;
    what a mark lacks is ``None``.
    """
    value = st.session_state.get(key)
    marks = value.get("clicked") if value is not None else None
    return list(marks or [])
