"""SMOTE, step by step: which rows made each synthetic point, and which rule removed each removed
one.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.sampling import lineage, points
from engine.sampling.lineage import SLOW, LineageParams, LineageResult
from engine.sampling.lineage import figure as figures
from engine.sampling.points import FLIGHT_COLUMNS
from pages.shell import controls, lab, state, upload, work
from pages.shell.controls import BOUND
from pages.tabs.sampling import canvas

D = LineageParams()
run = st.cache_resource(max_entries=64, show_spinner=False)(lineage.run)


def preview() -> go.Figure:
    """Return the chart of the default run."""
    return figures.plane(run(D))


def _point_clicked() -> None:
    """Copy the clicked point into the control, which is the truth."""
    selected = lab.clicked("lineage_plane")
    custom = selected[0].get("customdata") if selected else None
    if custom:
        kind, place, _ = custom
        st.session_state[f"lineage_{kind}"] = int(place)


def _params() -> LineageParams:
    source = controls.selectbox(
        D, "source", "Points", help="Made up, real flights, yours, or drawn"
    )
    method = controls.selectbox(D, "method", "Method", help="Every sampler of imbalanced-learn")
    k_neighbors = controls.slider(
        D, "k_neighbors", "Neighbours k", help="Rows that the method looks at around a point",
        disabled=not lineage.uses_k(method),
    )  # fmt: skip
    ratio = controls.slider(
        D, "ratio", "Ratio afterwards",
        help=(
            "Minority points for each majority point; cleaning methods take out what their rule"
            " finds"
        ),
        disabled=not lineage.uses_ratio(method),
    )  # fmt: skip
    chosen = {"source": source, "method": method, "k_neighbors": k_neighbors, "ratio": ratio}
    if source == "drawn":
        return LineageParams(**chosen, drawn=canvas.draw("lineage_drawn", D.drawn))
    return LineageParams(**chosen, **_rows(source), **_columns(source))


def _rows(source: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if source not in ("few", "upload"):
        settings["minority_share"] = controls.slider(
            D, "minority_share", "Minority share", help="Of the points before"
        )
    with st.expander("Rows, seed"):
        settings["n_rows"] = controls.slider(D, "n_rows", "Rows", help="Points before resampling")
        settings["seed"] = controls.slider(
            D, "seed", "Seed", help="Of made-up points, the choice of flights and the method"
        )
    return settings


def _columns(source: str) -> dict[str, Any]:
    if source not in ("flights", "upload"):
        return {}
    numbers: list[str] = list(FLIGHT_COLUMNS)
    labels: list[str] = []
    settings: dict[str, Any] = {}
    if source == "upload":
        settings["upload"] = upload.path(
            "lineage", help="Two columns of numbers and a label column of two values"
        )
        numbers, labels = points.upload_columns(settings["upload"])
    for number, key in enumerate(("x_column", "y_column")):
        if st.session_state.get(f"lineage_{key}") not in numbers:
            st.session_state[f"lineage_{key}"] = numbers[number]
        settings[key] = st.selectbox(
            "Across" if number == 0 else "Up",
            numbers,
            key=f"lineage_{key}",
            help="A column of numbers, standardised",
            **BOUND,
        )
    if labels:
        settings["label"] = st.selectbox(
            "Label", labels, key="lineage_label", help="Its rarer value is the minority"
        )
    return settings


def _pick(kind: str, n: int, label: str) -> int:
    """Draw the control that picks one of ``n`` points and return its number."""
    key = f"lineage_{kind}"
    if n < 2:
        return 0
    if not 0 <= int(st.session_state.get(key) or 0) < n:
        st.session_state[key] = 0
    return int(st.slider(label, 0, n - 1, key=key, help="Or click a point", **BOUND))


def _picked(result: LineageResult) -> dict[str, Any]:
    """Draw the controls that pick a point and a look, and return what ``figures.plane`` takes."""
    chosen: dict[str, Any] = {}
    left, middle, right = st.columns([2, 1, 1], vertical_alignment="bottom")
    with left:
        if result.n_synthetic:
            chosen["made"] = _pick("made", result.n_synthetic, "Synthetic point")
        elif result.n_removed:
            chosen["removed"] = _pick("removed", result.n_removed, "Removed point")
    if chosen:
        chosen["close"] = middle.toggle(
            "Close up",
            key="lineage_close",
            help="The neighbourhood of the picked point alone",
            **BOUND,
        )
    if "made" in chosen:
        chosen["lines"] = right.toggle(
            "All parents' lines",
            key="lineage_lines",
            help="A line for each pair of parents",
            **BOUND,
        )
        st.caption(result.describe(chosen["made"]))
    elif "removed" in chosen:
        row, removal = chosen["removed"], result.removal
        st.caption(f"Row {removal.index[row]:,} was removed: {removal.describe(row)}.")
    return chosen


def _show(result: LineageResult) -> None:
    pinned = lab.pinned("lineage")
    st.markdown(result.verdict)
    above = st.container()  # the chart stands above the controls that point into it
    picks, below = lab.places(1)[0]
    with picks:
        chosen = _picked(result)
    figure = figures.plane(result, pinned, **chosen)
    if state.presenting():
        figure.update_layout(height=470)  # the player has to be on stage as well
    with above:
        lab.chart(
            figure,
            "lineage_plane",
            "Points by class, the synthetic ones with their parents",
            on_click=_point_clicked,
        )
    with below:
        lab.chart(
            figures.origins(result, pinned),
            "lineage_origins",
            "Kinds of minority points and of the seeds",
        )
    lab.report("sampling", "lineage", result, figure)


def _output(params: LineageParams) -> None:
    if params.method in SLOW:
        work.run("lineage", params, lineage.steps, _show)
    else:
        _show(run(params))


show = lab.tab("sampling", "lineage", _params, _output)
