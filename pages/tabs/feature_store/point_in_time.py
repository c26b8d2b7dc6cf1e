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
VIEWS = ("Three joins", "Candidates")


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
            D, "ttl", "TTL",
            help="Maximum age of a value at the label's time; 0: never expires",
        ),
        "offset": controls.slider(
            D, "offset", "Lead time",
            help="From the prediction to the departure: it sets the label's event timestamp",
        ),
        "correct": controls.toggle(
            D, "correct", "Late corrections",
            help="Simulated: one row in six arrives again 3–12 h later with another value",
        ),
        "store": controls.segmented(
            D, "store", "Offline store", help="The Feast store that runs the join"
        ),
        "filter_by_created": controls.toggle(
            D, "filter_by_created", "Filter by arrival",
            help="Feast's filter_by_created_timestamp leaves out rows that arrived after the"
            " label's time; off by default",
        ),
    }  # fmt: skip
    params = PointInTimeParams(**settings, **_rows_and_seed(source))
    _pick(run(params).n_labels)
    return params


def _rows_and_seed(source: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with st.expander("Feed delay, key, days, rows"):
        values["delay"] = controls.slider(
            D, "delay", "Feed delay",
            help="Simulated: from the event to the arrival of its row (created timestamp)",
        )  # fmt: skip
        if source == "planes":
            values["plane"] = controls.selectbox(
                D,
                "plane",
                "Plane",
                options=planes(),
                help="One of the twelve planes with most landings",
            )
        else:
            values["airport"] = controls.selectbox(
                D, "airport", "Airport", help="Origin of the flights"
            )
        values["first_day"] = controls.day_slider(D, "first_day", "First day", help="UTC")
        values["n_rows"] = controls.slider(
            D, "n_rows", "Feature rows", help="Consecutive rows of this key"
        )
        values["n_labels"] = controls.slider(
            D, "n_labels", "Labels", help="Flights in these days, evenly sampled"
        )
        values["seed"] = controls.slider(D, "seed", "Seed", help="For the late corrections")
    return values


def _clicked(chart: str) -> None:
    """Copy the clicked label into its control, which the whole page then draws again."""
    selected = lab.clicked(chart)
    custom = selected[0].get("customdata") if selected else None
    if isinstance(custom, list | tuple):  # of a label or a cell; feature rows carry a text
        st.session_state["point_in_time_label"] = int(custom[0])
        st.session_state["point_in_time_clicked"] = True


def _pick(n: int) -> None:
    """Draw the control that picks one of ``n`` labels (an int field breaks on infinity in a
    link).
    """
    key, first = "point_in_time_label", min(6, n - 1)
    if n < 2:
        return
    if not 0 <= int(st.session_state.get(key, first)) < n:
        st.session_state[key] = first
    help = "Arrow keys, or click a label in a chart"
    st.slider("Label", 0, n - 1, first, key=key, help=help, **controls.BOUND)


def _picked(n: int) -> int:
    """Return the number of the picked label."""
    return min(n - 1, int(st.session_state.get("point_in_time_label", 6)))


def _badge(result: PointInTimeResult) -> None:
    check = result.check
    if check is None:
        st.badge("Feast is still running", icon=":material/hourglass_empty:", color="gray")
    elif check.n_disagreements:
        st.badge(check.badge, icon=":material/error:", color="red")
    else:
        st.badge(
            f"{check.badge} ({format_seconds(check.seconds)})",
            icon=":material/check_circle:",
            color="green",
        )


def _candidates(result: PointInTimeResult, label: int) -> None:
    """Draw every candidate row of a label, the winner on top."""
    table = result.candidate_table(label)
    n = len(result.explanation.candidates(label)[0])
    which = f"All {n:,}" if n == table.num_rows else f"The nearest {table.num_rows:,} of {n:,}"
    st.caption(f"{which} candidates of label {label}, the winner first, each with the reason.")
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
        alt=f"Every candidate row of label {label} with the reason",
    )


def _show(result: PointInTimeResult) -> None:
    if st.session_state.pop("point_in_time_clicked", False):
        st.rerun()  # the control is outside of what is drawn again here
    label = _picked(result.n_labels)
    with lab.screen("feature_store", "point_in_time", result) as screen:
        place = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            view = controls.view("point_in_time_view", VIEWS)
            arrival = st.toggle(
                "Arrival times",
                key="point_in_time_arrival",
                help="Event time across, arrival time up",
                **controls.BOUND,
            )
            _badge(result)
        with place:
            screen.answer(
                figures.life(result, label=label, arrival=bool(arrival)),
                "point_in_time_life",
                "Feature rows over time, with an arrow from each label to the row that it gets",
                on_click=lambda: _clicked("point_in_time_life"),
            )
        if view == "Three joins":
            lab.chart(
                figures.cells(result, lab.pinned("point_in_time"), label=label),
                "point_in_time_cells",
                "The value that each join gives each label",
                on_click=lambda: _clicked("point_in_time_cells"),
            )
        elif not state.presenting():
            _candidates(result, label)


def _output(params: PointInTimeParams) -> None:
    work.run("point_in_time", params, steps, _show, first=run(params))


show = replace_by_own(
    lab.tab("feature_store", "point_in_time", _params, _output),
    "own_viewer",
    viewer.steps,
    own_viewer.draw,
)
