"""SMOTE, step by step: which rows made each synthetic point, and which rule removed each removed
one.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.sampling import lineage, points
from engine.sampling.lineage import METHODS, SLOW, LineageParams, LineageResult
from engine.sampling.lineage import figure as figures
from engine.sampling.points import FLIGHT_COLUMNS, SOURCES
from pages.shell import lab, state, upload, work
from pages.tabs.sampling import canvas

D = LineageParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
run = st.cache_resource(max_entries=64, show_spinner=False)(lineage.run)


def preview() -> go.Figure:
    """Return the chart of the default run."""
    return figures.plane(run(D))


def _point_clicked() -> None:
    """Copy the clicked point into the control, which is the truth."""
    selected = st.session_state["lineage_plane"]["selection"]["points"]
    custom = selected[0].get("customdata") if selected else None
    if custom:
        kind, place, _ = custom
        st.session_state[f"lineage_{kind}"] = int(place)


def _params() -> LineageParams:
    source = st.selectbox(
        "Points",
        SOURCES,
        SOURCES.index(D.source),
        key="lineage_source",
        help="Made up, real flights, yours, or drawn",
        **BOUND,
    )
    method = st.selectbox(
        "Method",
        METHODS,
        METHODS.index(D.method),
        key="lineage_method",
        help="Every sampler of imbalanced-learn",
        **BOUND,
    )
    k = st.slider(
        "Neighbours k",
        1,
        20,
        D.k_neighbors,
        key="lineage_k_neighbors",
        help="Rows that the method looks at around a point",
        disabled=not lineage.uses_k(method),
        **BOUND,
    )
    ratio = st.slider(
        "Ratio afterwards",
        0.05,
        1.0,
        D.ratio,
        0.05,
        key="lineage_ratio",
        help=(
            "Minority points for each majority point; cleaning methods take out what their rule"
            " finds"
        ),
        disabled=not lineage.uses_ratio(method),
        **BOUND,
    )
    chosen = {"source": source, "method": method, "k_neighbors": k, "ratio": ratio}
    if source == "drawn":
        return LineageParams(**chosen, drawn=canvas.draw("lineage_drawn", D.drawn))
    return LineageParams(**chosen, **_rows(source), **_columns(source))


def _rows(source: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if source not in ("few", "upload"):
        settings["minority_share"] = st.slider(
            "Minority share",
            0.01,
            0.5,
            D.minority_share,
            0.01,
            key="lineage_minority_share",
            help="Of the points before",
            **BOUND,
        )
    with st.expander("Rows, seed"):
        settings["n_rows"] = st.select_slider(
            "Rows", (50, 100, 200, 400, 1_000, 2_000, 5_000), D.n_rows, format_func="{:,}".format, key="lineage_n_rows",
            help="Points before resampling", **BOUND,
        )  # fmt: skip
        settings["seed"] = st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="lineage_seed",
            help="Of made-up points, the choice of flights and the method",
            **BOUND,
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


def _show(result: LineageResult) -> None:
    pinned = lab.pinned("lineage")
    st.markdown(result.verdict)
    made, removed, lines, close = 0, None, False, False
    above = st.container()  # the chart stands above the controls that point into it
    controls, below = lab.places(1)[0]
    left, middle, right = controls.columns([2, 1, 1], vertical_alignment="bottom")
    with left:
        if result.n_synthetic:
            made = _pick("made", result.n_synthetic, "Synthetic point")
        elif result.n_removed:
            removed = _pick("removed", result.n_removed, "Removed point")
    if result.n_synthetic or result.n_removed:
        close = middle.toggle(
            "Close up",
            key="lineage_close",
            help="The neighbourhood of the picked point alone",
            **BOUND,
        )
    if result.n_synthetic:
        lines = right.toggle(
            "All parents' lines",
            key="lineage_lines",
            help="A line for each pair of parents",
            **BOUND,
        )
        controls.caption(result.told(made))
    elif removed is not None:
        controls.caption(
            f"Row {result.removal.index[removed]:,} was removed: {result.removal.told(removed)}."
        )
    figure = figures.plane(
        result, pinned, made=made, removed=removed, lines=bool(lines), close=bool(close)
    )
    if state.presenting():
        figure.update_layout(height=470)  # the player has to be on stage as well
    with above:
        lab.chart(
            figure,
            "lineage_plane",
            "Points by class, the synthetic ones with their parents",
            on_select=_point_clicked,
        )
    with below:
        lab.chart(
            figures.origins(result, pinned),
            "lineage_origins",
            "Kinds of minority points and of the seeds",
        )
    lab.report("sampling", "lineage", result, figure)


@lab.experiment("lineage")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("sampling", "lineage")
    with output:
        if params.method in SLOW:
            work.run("lineage", params, lineage.steps, _show)
        else:
            _show(run(params))
