"""Batch, incremental, CDC: four ways to follow one changing table, what each moves, shows and
forgets.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.etl import change_capture
from engine.etl.change_capture import MAX_FLIGHTS, ChangeCaptureParams, ChangeCaptureResult
from engine.etl.change_capture import figure as figures
from pages.shell import controls, lab

D = ChangeCaptureParams()
VIEWS = ("Wrong rows over the day", "One flight's history")
run = st.cache_resource(max_entries=64, show_spinner=False)(change_capture.run)


def _params() -> ChangeCaptureParams:
    return ChangeCaptureParams(
        poll_minutes=controls.slider(
            D,
            "poll_minutes",
            "Full reload and cursor run every, minutes",
            help="Batch and incremental: they read the source table",
        ),
        batch_minutes=controls.slider(
            D,
            "batch_minutes",
            "Micro-batch, minutes",
            help="What the log delivers in so many minutes is loaded with one MERGE",
        ),
        reorder_minutes=controls.slider(
            D,
            "reorder_minutes",
            "The log delivers up to so many minutes later",
            help="Each change by a time of its own (simulated), so they overtake each other",
        ),
        duplicate_share=controls.slider(
            D,
            "duplicate_share",
            "Changes delivered twice, share",
            help="At-least-once delivery (simulated): the copy comes up to six hours later",
        ),
        apply=controls.segmented(
            D,
            "apply",
            "Changes are applied",
            help="By log position: never an older change over a newer one. As they arrive: the"
            " last to come wins",
        ),
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("Day, flights, estimates, seed"):
        return {
            "day": controls.slider(
                D, "day", "Day of 2013", help="39 is the blizzard of 8 February"
            ),
            "n_flights": controls.slider(
                D, "n_flights", "Flights at most", help="Spread over the day"
            ),
            "n_revisions": controls.slider(
                D,
                "n_revisions",
                "Estimates of each delay",
                help="Updates before a flight leaves (simulated)",
            ),
            "seed": controls.slider(D, "seed", "Seed", help="Of estimates and deliveries"),
        }


def _history(result: ChangeCaptureResult) -> None:
    look = st.number_input(
        "Flight (0: the most telling one)",
        0,
        MAX_FLIGHTS,
        0,
        key="change_capture_look",
        width=260,
        help="In order of the schedule",
        bind="query-params",
    )
    key = min(look, result.stream.n_flights) - 1 if look else result.telling()
    lab.chart(
        figures.history(result, key),
        "change_capture_history",
        "Versions of one flight in the source and each target",
    )
    st.caption(
        "Numbers: departure delay in minutes. One colour a version, as the source made them."
    )


def _show(params: ChangeCaptureParams) -> None:
    result = run(params)
    st.markdown(result.verdict)
    figure = figures.race(result, lab.pinned("change_capture"))
    lab.chart(
        figure,
        "change_capture_race",
        "Rows moved, minutes until visible and wrong rows at the end, by strategy",
    )
    if controls.view("change_capture_view", VIEWS) == VIEWS[1]:
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


show = lab.tab("etl", "change_capture", _params, _show)
