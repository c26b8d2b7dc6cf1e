"""Point in time: why each joined cell has its value, with the real Feast behind it to confirm."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.feature_store import point_in_time
from engine.feature_store.own import viewer
from engine.feature_store.point_in_time import (
    AIRPORTS,
    DELAYS,
    SOURCES,
    STORES,
    TTLS,
    PointInTimeParams,
    PointInTimeResult,
    run,
    steps,
)
from engine.feature_store.point_in_time import figure as figures
from engine.units import human_seconds
from pages.shell import lab, state, work
from pages.tabs.feature_store import own
from pages.tabs.feature_store.own import viewer as feature_store_own_viewer

D = PointInTimeParams()
BOUND: dict[str, Any] = {"bind": "query-params"}


def preview() -> go.Figure:
    """Return the chart of the default run."""
    return figures.life(run(D), label=6)


def _params() -> PointInTimeParams:
    source = st.segmented_control(
        "Features", SOURCES, default=D.source, required=True, key="point_in_time_source",
        help="Hourly weather of the airport, or the mean delay of the plane's last five landings", **BOUND,
    )  # fmt: skip
    settings: dict[str, Any] = {
        "source": source,
        "ttl": st.select_slider(
            "TTL", TTLS, D.ttl, key="point_in_time_ttl",
            help="How old a value may be at the label's moment; 0 never expires", **BOUND,
        ),
        "offset": st.select_slider(
            "Labels ask before departure", DELAYS, D.offset, key="point_in_time_offset",
            help="When the prediction is made: the label's event timestamp", **BOUND,
        ),
        "delay": st.select_slider(
            "Feed delay", DELAYS, D.delay, key="point_in_time_delay",
            help="From the event to the arrival of its row (created timestamp); made up", **BOUND,
        ),
        "correct": st.toggle(
            "Late corrections", D.correct, key="point_in_time_correct",
            help="One row in six arrives again 3–12 h later with another value; made up", **BOUND,
        ),
        "store": st.segmented_control(
            "Offline store", STORES, default=D.store, required=True, key="point_in_time_store",
            help="Which of Feast's stores joins", **BOUND,
        ),
        "filter_by_created": st.toggle(
            "filter_by_created_timestamp", D.filter_by_created, key="point_in_time_filter_by_created",
            help="Feast 0.67 can leave out rows that arrived after the label's moment; off by default", **BOUND,
        ),
    }  # fmt: skip
    return PointInTimeParams(**settings, **_more(source))


def _more(source: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with st.expander("Whose life, days, rows, seed"):
        if source == "planes":
            names = point_in_time.planes()
            values["plane"] = st.selectbox(
                "Plane",
                names,
                names.index(D.plane),
                key="point_in_time_plane",
                help="One of the twelve that land most",
                **BOUND,
            )
        else:
            values["airport"] = st.selectbox(
                "Airport",
                AIRPORTS,
                AIRPORTS.index(D.airport),
                key="point_in_time_airport",
                help="Origin of the flights",
                **BOUND,
            )
        values["first_day"] = st.slider(
            "First day of 2013",
            1,
            360,
            D.first_day,
            key="point_in_time_first_day",
            help="1 is 1 January, UTC",
            **BOUND,
        )
        values["n_rows"] = st.select_slider(
            "Feature rows", (12, 24, 48, 96, 200, 500, 1_000, 2_000, 5_000), D.n_rows,
            key="point_in_time_n_rows", help="Consecutive rows of this key", **BOUND,
        )  # fmt: skip
        values["n_labels"] = st.select_slider(
            "Labels", (1, 4, 8, 12, 16, 24, 50, 100, 200, 500), D.n_labels, key="point_in_time_n_labels",
            help="Flights in these days, evenly taken", **BOUND,
        )  # fmt: skip
        values["seed"] = st.slider(
            "Seed", 0, 99, D.seed, key="point_in_time_seed", help="Of the corrections", **BOUND
        )
    return values


def _clicked(chart: str) -> None:
    """Copy the clicked label into the control, which is the truth."""
    selected = st.session_state[chart]["selection"]["points"]
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
            **BOUND,
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
            f"{check.badge} ({human_seconds(check.seconds)})",
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
        **BOUND,
    )
    figure = figures.life(result, label=label, arrival=bool(arrival))
    with chart:
        lab.chart(
            figure, "point_in_time_life", "Feature rows over time with each label's arrow to its row",
            on_select=lambda: _clicked("point_in_time_life"),
        )  # fmt: skip
    lab.chart(
        figures.cells(result, lab.pinned("point_in_time"), label=label), "point_in_time_cells", "What each join gives",
        on_select=lambda: _clicked("point_in_time_cells"),
    )  # fmt: skip
    if not state.presenting():
        _candidates(result, label)
    lab.report("feature_store", "point_in_time", result, figure)


@lab.experiment("point_in_time")
def show() -> None:
    if own.shown("own_viewer", viewer.steps, feature_store_own_viewer.draw):
        return
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("feature_store", "point_in_time")
    with output:
        work.run("point_in_time", params, steps, _show, first=run(params))
