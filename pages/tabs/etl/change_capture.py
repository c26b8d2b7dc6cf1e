"""Batch, incremental, CDC: four ways to follow one changing table, what each moves, shows and
forgets.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.etl import change_capture
from engine.etl.change_capture import (
    APPLIES,
    BATCHES,
    MAX_FLIGHTS,
    POLLS,
    ChangeCaptureParams,
    ChangeCaptureResult,
)
from engine.etl.change_capture import figure as figures
from pages.shell import lab

D = ChangeCaptureParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Wrong rows over the day", "One flight's history")
run = st.cache_resource(max_entries=64, show_spinner=False)(change_capture.run)


def _params() -> ChangeCaptureParams:
    poll = st.select_slider(
        "Full reload and cursor run every, minutes", POLLS, D.poll_minutes, key="change_capture_poll_minutes",
        help="Batch and incremental: they read the source table", **BOUND
    )  # fmt: skip
    batch = st.select_slider(
        "Micro-batch, minutes", BATCHES, D.batch_minutes, key="change_capture_batch_minutes",
        help="What the log delivers in so many minutes is loaded with one MERGE", **BOUND
    )  # fmt: skip
    reorder = st.slider(
        "The log delivers up to so many minutes later", 0, 240, D.reorder_minutes, 5, key="change_capture_reorder_minutes",
        help="Each change by a time of its own (simulated), so they overtake each other", **BOUND
    )  # fmt: skip
    duplicates = st.slider(
        "Changes delivered twice, share", 0.0, 0.5, D.duplicate_share, 0.05, key="change_capture_duplicate_share",
        help="At-least-once delivery (simulated): the copy comes up to six hours later", **BOUND
    )  # fmt: skip
    apply = st.segmented_control(
        "Changes are applied", APPLIES, default=D.apply, required=True, key="change_capture_apply",
        help="By log position: never an older change over a newer one. As they arrive: the last to come wins", **BOUND
    )  # fmt: skip
    return ChangeCaptureParams(
        poll_minutes=poll,
        batch_minutes=batch,
        reorder_minutes=reorder,
        duplicate_share=duplicates,
        apply=apply,
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("Day, flights, estimates, seed"):
        day = st.slider(
            "Day of 2013",
            1,
            365,
            D.day,
            key="change_capture_day",
            help="39 is the blizzard of 8 February",
            **BOUND,
        )
        n_flights = st.slider(
            "Flights at most",
            20,
            MAX_FLIGHTS,
            D.n_flights,
            20,
            key="change_capture_n_flights",
            help="Spread over the day",
            **BOUND,
        )
        n_revisions = st.slider(
            "Estimates of each delay", 0, 5, D.n_revisions, key="change_capture_n_revisions",
            help="Updates before a flight leaves (simulated)", **BOUND
        )  # fmt: skip
        seed = st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="change_capture_seed",
            help="Of estimates and deliveries",
            **BOUND,
        )
    return {"day": day, "n_flights": n_flights, "n_revisions": n_revisions, "seed": seed}


def _history(result: ChangeCaptureResult) -> None:
    look = st.number_input(
        "Flight (0: the most telling one)", 0, MAX_FLIGHTS, 0, key="change_capture_look", width=260,
        help="In order of the schedule", **BOUND
    )  # fmt: skip
    key = min(look, result.stream.n_flights) - 1 if look else result.telling()
    lab.chart(
        figures.history(result, key),
        "change_capture_history",
        "Versions of one flight in the source and each target",
    )
    st.caption(
        "Numbers: departure delay in minutes. One colour a version, as the source made them."
    )


@lab.experiment("change_capture")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("etl", "change_capture")
    with output:
        result = run(params)
        st.markdown(result.verdict)
        figure = figures.race(result, lab.pinned("change_capture"))
        lab.chart(
            figure,
            "change_capture_race",
            "Rows moved, minutes until visible and wrong rows at the end, by strategy",
        )
        view = st.segmented_control(
            "Look closer", VIEWS, default=VIEWS[0], required=True, key="change_capture_view", label_visibility="collapsed",
            **BOUND
        )  # fmt: skip
        if view == VIEWS[1]:
            _history(result)
        else:
            lab.chart(
                figures.wrong_rows(result),
                "change_capture_wrong",
                "Flights that differ from the source over the day",
            )
        st.table(
            result.rows(),
            hide_index=True,
            border="horizontal",
            alt="What each strategy moved, showed and kept",
        )
        lab.report("etl", "change_capture", result, figure)
