"""Batch, incremental, CDC: four ways to follow one changing table, their cost, delay and errors."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.etl import change_capture
from engine.etl.change_capture import MAX_FLIGHTS, ChangeCaptureParams, ChangeCaptureResult
from engine.etl.change_capture import figure as figures
from pages.shell import controls, lab, texts

D = ChangeCaptureParams()
VIEWS = ("Wrong rows over the day", "One flight's history", "Numbers")
run = st.cache_resource(max_entries=64, show_spinner=False)(change_capture.run)


def _params() -> ChangeCaptureParams:
    return ChangeCaptureParams(
        poll_minutes=controls.slider(
            D, "poll_minutes", "Poll interval, min", help="Of full reload and cursor"
        ),
        batch_minutes=controls.slider(
            D,
            "batch_minutes",
            "Micro-batch, min",
            help="What the log delivers in this time is loaded with one MERGE",
        ),
        reorder_minutes=controls.slider(
            D,
            "reorder_minutes",
            "CDC delay, up to min",
            help="Delivery delay of each change (simulated); changes overtake each other",
        ),
        duplicate_share=controls.slider(
            D,
            "duplicate_share",
            "Delivered twice",
            help="At-least-once delivery (simulated): the copy comes up to 6 h later",
            percent=True,
        ),
        apply=controls.segmented(
            D,
            "apply",
            "Apply changes",
            help="By log position: never an older change over a newer one. As they arrive: the"
            " last one wins",
        ),
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("Day, flights, seed"):
        return {
            "day": controls.day_slider(D, "day", "Day", help="8 February had a blizzard"),
            "n_flights": controls.slider(
                D, "n_flights", "Most flights", help="Evenly spaced over the day"
            ),
            "n_revisions": controls.slider(
                D,
                "n_revisions",
                "Estimates per delay",
                help="Updates before a flight leaves (simulated)",
            ),
            "seed": controls.slider(D, "seed", "Seed", help="Of estimates and deliveries"),
        }


def _history(result: ChangeCaptureResult) -> None:
    look = st.number_input(
        "Flight (0: largest disagreement)",
        0,
        MAX_FLIGHTS,
        0,
        key="change_capture_look",
        width=260,
        help="In the order of the schedule",
        bind="query-params",
    )
    key = min(look, result.stream.n_flights) - 1 if look else result.most_divergent()
    lab.chart(
        figures.history(result, key),
        "change_capture_history",
        "Versions of one flight in the source and each target",
    )
    st.caption("Numbers: departure delay in minutes. One colour per version of the source.")


def _show(params: ChangeCaptureParams) -> None:
    result = run(params)
    with lab.screen("etl", "change_capture", result) as screen:
        screen.answer(
            figures.race(result, lab.pinned("change_capture")),
            "change_capture_race",
            "Rows moved, minutes until visible and wrong rows at the end, by strategy",
        )
        view = controls.view("change_capture_view", VIEWS)
        if view == "One flight's history":
            _history(result)
        elif view == "Numbers":
            texts.table(result.rows(), "Cost, delay and errors of each strategy")
        else:
            lab.chart(
                figures.wrong_rows(result),
                "change_capture_wrong",
                "Flights that differ from the source over the day",
            )


show = lab.tab("etl", "change_capture", _params, _show)
