"""SMOTE, step by step: the parents of each synthetic point, and why a point was removed."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.sampling import lineage, points
from engine.sampling.lineage import SLOW, LineageParams, LineageResult
from engine.sampling.lineage import figure as figures
from engine.sampling.points import FLIGHT_CATEGORIES, FLIGHT_COLUMNS
from pages.shell import controls, lab, texts, upload, work
from pages.shell.controls import BOUND
from pages.tabs.sampling import canvas

D = LineageParams()
VIEWS = ("Vote", "Kinds")  # of SMOTE-NC alone
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
        D, "source", "Points", help="Synthetic points, real flights, your file, or your drawing"
    )
    method = controls.selectbox(D, "method", "Method", help="Every sampler of imbalanced-learn")
    k_neighbors = controls.slider(
        D, "k_neighbors", "Neighbours k", help="Nearest rows that the method uses",
        disabled=not lineage.uses_k(method),
    )  # fmt: skip
    ratio = controls.slider(
        D, "ratio", "Ratio after",
        help="Minority points per point of the largest other class. Cleaning methods have none",
        disabled=not lineage.uses_ratio(method),
    )  # fmt: skip
    chosen = {"source": source, "method": method, "k_neighbors": k_neighbors, "ratio": ratio}
    if source == "drawn":
        return LineageParams(**chosen, drawn=canvas.draw("lineage_drawn", D.drawn))
    return LineageParams(**chosen, **_rows(source), **_columns(source, method))


def _rows(source: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if source not in ("few", "upload"):
        settings["minority_share"] = controls.slider(
            D, "minority_share", "Minority share", help="Before resampling", percent=True
        )
    with st.expander("Rows, seed"):
        settings["n_rows"] = controls.slider(D, "n_rows", "Rows", help="Points before resampling")
        settings["seed"] = controls.slider(
            D, "seed", "Seed", help="Of the points and of the method"
        )
    return settings


def _columns(source: str, method: str) -> dict[str, Any]:
    if source not in ("flights", "upload"):
        return {}
    if source == "upload":
        return _upload_columns(method)
    settings = _axes(list(FLIGHT_COLUMNS))
    if method == "SMOTE-NC":
        settings["category"] = _category(list(FLIGHT_CATEGORIES), **BOUND)
    return settings


def _upload_columns(method: str) -> dict[str, Any]:
    path = upload.path("lineage", help="Two columns of numbers and a label column of 2–100 classes")
    numbers, labels = points.upload_columns(path)
    label = _choice(
        "Label", labels, "label", "The classes. Of two, the rarer is the minority", labels[0]
    )
    settings: dict[str, Any] = {"upload": path, "label": label}
    classes = points.upload_classes(path, label)
    if len(classes) > 2:
        settings["minority"] = _choice(
            "Minority", list(classes), "minority", "The class to resample", next(iter(classes)),
            format_func=lambda name: f"{name} ({classes.get(name, 0):,})",
        )  # fmt: skip
    settings |= _axes(sorted(numbers, key=lambda name: name == label))
    if method == "SMOTE-NC":
        taken = (label, settings["x_column"], settings["y_column"])
        names = points.upload_categories(path, taken)
        if names:
            settings["category"] = _category(names)
        else:
            texts.note("No column is left for a category: low and high x are used.")
    return settings


def _category(names: list[str], **more: Any) -> str:
    help_ = "Not a number: the neighbours vote for it"
    return _choice("Category", names, "category", help_, names[0], **more)


def _axes(numbers: list[str]) -> dict[str, Any]:
    """Draw the choice of two columns of numbers; without a choice the first two."""
    help_ = "A column of numbers, standardized"
    with st.expander("Axes"):
        x = _choice("x column", numbers, "x_column", help_, numbers[0], **BOUND)
        y = _choice("y column", numbers, "y_column", help_, numbers[1], **BOUND)
    return {"x_column": x, "y_column": y}


def _choice(
    label: str, options: list[str], field: str, help_: str, default: str, **more: Any
) -> str:
    """Draw a choice of what a file has; what the session holds from another file gives way."""
    key = f"lineage_{field}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = default
    return str(st.selectbox(label, options, key=key, help=help_, **more))


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
            "Zoom in", key="lineage_close", help="Only the area around the picked point", **BOUND
        )
    if "made" in chosen:
        chosen["lines"] = right.toggle(
            "All parent lines", key="lineage_lines", help="One line per pair of parents", **BOUND
        )
        st.caption(result.describe(chosen["made"]))
    elif "removed" in chosen:
        row, removal = chosen["removed"], result.removal
        texts.note(f"Row {removal.index[row]:,} was removed: {removal.describe(row)}.")
    return chosen


def _show(result: LineageResult) -> None:
    pinned = lab.pinned("lineage")
    with lab.screen("sampling", "lineage", result) as screen:
        place = st.container()  # the chart is above the controls that point into it
        chosen = _picked(result)
        with place:
            screen.answer(
                figures.plane(result, pinned, **chosen),
                "lineage_plane",
                "Points by class, the synthetic ones with their parents",
                on_click=_point_clicked,
            )
        voted = len(result.synthetic_category) > 0
        if voted and controls.view("lineage_view", VIEWS) == VIEWS[0]:
            lab.chart(
                figures.vote(result, chosen.get("made", 0)),
                "lineage_vote",
                "The neighbours that vote on the category, by distance from the seed",
            )
            return
        lab.chart(
            figures.origins(result, pinned),
            "lineage_origins",
            "Kinds of minority points and of the seeds",
        )


def _output(params: LineageParams) -> None:
    if params.method in SLOW:
        work.run("lineage", params, lineage.steps, _show)
    else:
        _show(run(params))


show = lab.tab("sampling", "lineage", _params, _output)
