"""Point in time: why each joined cell has its value, with the real Feast behind it to confirm."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.feature_store.own import viewer
from engine.feature_store.point_in_time import (
    PointInTimeParams,
    PointInTimeResult,
    planes,
    run,
    steps,
)
from engine.feature_store.point_in_time import figure as figures
from engine.units import format_seconds
from pages.shell import controls, lab, state, work
from pages.tabs.feature_store.own import replace_by_own
from pages.tabs.feature_store.own import viewer as own_viewer

D = PointInTimeParams()


def preview() -> go.Figure:
    """Return the chart of the default run."""
    return figures.life(run(D), label=6)


def _params() -> PointInTimeParams:
    source = controls.segmented(
        D, "source", "Features",
        help="Hourly weather of the airport, or the mean delay of the plane's last five landings",
    )  # fmt: skip
    settings: dict[str, Any] = {
        "source": source,
        "ttl": controls.slider(
            D, "ttl", "TTL", format_func=str,
            help="How old a value may be at the label's moment; 0 never expires",
        ),
        "offset": controls.slider(
            D, "offset", "Labels ask before departure", format_func=str,
            help="When the prediction is made: the label's event timestamp",
        ),
        "delay": controls.slider(
            D, "delay", "Feed delay", format_func=str,
            help="From the event to the arrival of its row (created timestamp); made up",
        ),
        "correct": controls.toggle(
            D, "correct", "Late corrections",
            help="One row in six arrives again 3–12 h later with another value; made up",
        ),
        "store": controls.segmented(
            D, "store", "Offline store", help="Which of Feast's stores joins"
        ),
        "filter_by_created": controls.toggle(
            D, "filter_by_created", "filter_by_created_timestamp",
            help="Feast 0.67 can leave out rows that arrived after the label's moment;"
            " off by default",
        ),
    }  # fmt: skip
    return PointInTimeParams(**settings, **_rows_and_seed(source))


def _rows_and_seed(source: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with st.expander("Whose life, days, rows, seed"):
        if source == "planes":
            values["plane"] = controls.selectbox(
                D, "plane", "Plane", options=planes(), help="One of the twelve that land most"
            )
        else:
            values["airport"] = controls.selectbox(
                D, "airport", "Airport", help="Origin of the flights"
            )
        values["first_day"] = controls.slider(
            D, "first_day", "First day of 2013", help="1 is 1 January, UTC"
        )
        values["n_rows"] = controls.slider(
            D, "n_rows", "Feature rows", format_func=str, help="Consecutive rows of this key"
        )
        values["n_labels"] = controls.slider(
            D, "n_labels", "Labels", format_func=str, help="Flights in these days, evenly taken"
        )
        values["seed"] = controls.slider(D, "seed", "Seed", help="Of the corrections")
    return values


def _clicked(chart: str) -> None:
    """Copy the clicked label into the control, which is the truth."""
    selected = lab.clicked(chart)
    custom = selected[0].get("customdata") if selected else None
    if isinstance(custom, list | tuple):  # of a label or a cell; feature rows carry a text
        st.session_state["point_in_time_label"] = int(custom[0])


def _pick(n: int) -> int:
    """Draw the control that picks one of ``n`` labels and return its number (an int field breaks on
    infinity in a link).
    """
    key, first = "point_in_time_label", min(6, n - 1)
    if n < 2:
        return 0
    if not 0 <= int(st.session_state.get(key, first)) < n:
        st.session_state[key] = first
    return int(
        st.slider(
            "Label looked at",
            0,
            n - 1,
            first,
            key=key,
            help="Arrow keys, or click a label in a chart",
            **controls.BOUND,
        )
    )


def _badge(result: PointInTimeResult) -> None:
    check = result.check
    if check is None:
        st.badge("Real Feast has not answered yet", icon=":material/hourglass_empty:", color="gray")
    elif check.n_disagreements:
        st.badge(check.badge, icon=":material/error:", color="red")
    else:
        st.badge(
            f"{check.badge} ({format_seconds(check.seconds)})",
            icon=":material/check_circle:",
            color="green",
        )


def _candidates(result: PointInTimeResult, label: int) -> None:
    """Every candidate row of the label looked at, the winner on top."""
    table = result.candidate_table(label)
    n = len(result.explanation.candidates(label)[0])
    which = f"All {n:,}" if n == table.num_rows else f"The nearest {table.num_rows:,} of {n:,}"
    st.caption(f"{which} candidates of label {label}, the winner first: what each one is, and why.")
    moment = st.column_config.DatetimeColumn(format="D MMM HH:mm")
    st.dataframe(
        table,
        hide_index=True,
        height=245,
        key="point_in_time_candidates",
        column_config={
            "event time": moment,
            "arrived": moment,
            "version": st.column_config.NumberColumn(
                width="small", help="0: first sent, 1: the late correction"
            ),
            result.params.feature: st.column_config.NumberColumn(format="%.1f"),
            "why": st.column_config.TextColumn(width="large"),
        },
        alt=f"Every candidate row of label {label} with its verdict",
    )


def _show(result: PointInTimeResult) -> None:
    st.markdown(result.verdict)
    _badge(result)
    chart = st.container()
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        label = _pick(result.n_labels)
    arrival = right.toggle(
        "Second axis: when each row arrived",
        key="point_in_time_arrival",
        help="Event time across, arrival up",
        **controls.BOUND,
    )
    figure = figures.life(result, label=label, arrival=bool(arrival))
    with chart:
        lab.chart(
            figure,
            "point_in_time_life",
            "Feature rows over time with each label's arrow to its row",
            on_click=lambda: _clicked("point_in_time_life"),
        )
    lab.chart(
        figures.cells(result, lab.pinned("point_in_time"), label=label),
        "point_in_time_cells",
        "What each join gives",
        on_click=lambda: _clicked("point_in_time_cells"),
    )
    if not state.presenting():
        _candidates(result, label)
    lab.report("feature_store", "point_in_time", result, figure)


def _output(params: PointInTimeParams) -> None:
    work.run("point_in_time", params, steps, _show, first=run(params))


show = replace_by_own(
    lab.tab("feature_store", "point_in_time", _params, _output),
    "own_viewer",
    viewer.steps,
    own_viewer.draw,
)
