"""Crash lab: a daily run dies after a step and is run again; a flaky source; and what must never
harm the warehouse.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from engine.etl import crash
from engine.etl.crash import (
    BEFORE,
    CRASH_POINTS,
    ENDINGS,
    SAFEGUARDS,
    CrashParams,
    CrashResult,
    bad_input,
    flaky,
)
from engine.etl.crash import figure as figures
from engine.etl.crash.flaky import FlakyParams, FlakyResult
from engine.etl.loads import DATES
from engine.etl.warehouse import STRATEGIES
from pages.shell import lab, work

D, F = CrashParams(), FlakyParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Step by step", "Row by row", "Flaky source", "Bad input")
GUARDS = tuple(safeguard.name for safeguard in SAFEGUARDS)
MAX_DIFF_ROWS = 200


def _params() -> CrashParams:
    crash_at = st.select_slider(
        "Crash after",
        CRASH_POINTS,
        D.crash_at,
        key="crash_crash_at",
        help=(
            "“in load” is half-way through it. Without staging the steps go page by page: the crash"
            " is at the middle one"
        ),
        **BOUND,
    )
    ending = st.segmented_control(
        "How it ends",
        ENDINGS,
        default=D.ending,
        required=True,
        key="crash_ending",
        help="SIGKILL to the worker's process group, or an exception that unwinds",
        **BOUND,
    )
    n_crashes = st.slider(
        "Crashes before it is left alone",
        1,
        3,
        D.n_crashes,
        key="crash_n_crashes",
        help="In a row",
        **BOUND,
    )
    before = st.segmented_control(
        "The table held before",
        BEFORE,
        default=D.before,
        required=True,
        key="crash_before",
        help="The day as of midnight: late flights are stale, flights cancelled since are ghosts",
        **BOUND,
    )
    day = st.select_slider(
        "Day",
        DATES,
        D.date,
        format_func=lambda text: f"{date.fromisoformat(text):%d %b %Y}",
        key="crash_date",
        help="About 900 flights; 24 June had thunderstorms",
        **BOUND,
    )
    return CrashParams(
        crash_at=crash_at, ending=ending, n_crashes=n_crashes, before=before, date=day
    )


def _flaky_params() -> FlakyParams:
    with st.container(horizontal=True):
        errors = st.slider(
            "Answers 500",
            0.0,
            0.5,
            F.error_share,
            0.05,
            key="crash_errors",
            help="Share of calls",
            **BOUND,
        )
        late = st.slider(
            "Answers too late",
            0.0,
            0.5,
            F.timeout_share,
            0.05,
            key="crash_late",
            help="Share of calls",
            **BOUND,
        )
        limit = st.slider(
            "Calls each 0.1 s",
            0,
            20,
            F.calls_per_window,
            key="crash_limit",
            help="More get 429; 0: no limit",
            **BOUND,
        )
        clients = st.slider(
            "Clients", 1, 12, F.clients, key="crash_clients", help="At once, a day each", **BOUND
        )
        attempts = st.slider(
            "Attempts", 1, 8, F.attempts, key="crash_attempts", help="For one page", **BOUND
        )
        poisoned = st.toggle(
            "A page never works",
            F.poisoned,
            key="crash_poisoned",
            help="The third of each day",
            **BOUND,
        )
    return FlakyParams(
        error_share=errors,
        timeout_share=late,
        calls_per_window=limit,
        clients=clients,
        attempts=attempts,
        poisoned=poisoned,
    )


def _show_flaky(result: FlakyResult) -> None:
    st.markdown(result.verdict)
    lab.chart(
        figures.calls(result),
        "crash_calls",
        "Every call of every retry policy over time, by what came of it",
    )
    st.table(
        result.rows(), hide_index=True, border="horizontal", alt="What each retry policy costs"
    )
    dead = [
        {"policy": lane.policy, "day": flaky.day_name(day), "what": what, "reason": reason}
        for lane in result.lanes
        for day, what, reason in lane.dead
    ]
    st.caption(
        f"The dead-letter table holds {len(dead)} pages; “mended later” were fetched from it once"
        " the source was well. One run of each policy; times differ from run to run."
    )
    st.dataframe(dead, hide_index=True, height=180, alt="The dead-letter table")


def _show_bad(cases: tuple[bad_input.Case, ...]) -> None:
    rows = [
        {
            "what went wrong": case.name,
            "what a person reads": case.sentence,
            "state before": case.before,
            "state after": case.after,
            "warehouse": "whole" if case.whole else "changed",
        }
        for case in cases
    ]
    st.table(
        rows,
        hide_index=True,
        border="horizontal",
        alt="Four things that go wrong, and the warehouse before and after",
    )


def _cell(result: CrashResult, view: str) -> None:
    with st.container(horizontal=True):
        strategy = st.selectbox(
            "Strategy",
            STRATEGIES,
            1,
            key="crash_strategy",
            label_visibility="collapsed",
            width=220,
            **BOUND,
        )
        guard = st.selectbox(
            "Safeguards",
            GUARDS,
            3,
            format_func=lambda name: figures.TITLES[name],
            key="crash_safeguard",
            label_visibility="collapsed",
            width=220,
            **BOUND,
        )
    lane = result.lane(strategy, guard)
    if view == "Row by row":
        diff = lane.crashed.diff(MAX_DIFF_ROWS)
        st.caption(
            f"After the crash: {lane.crashed.verdict}. After the rerun: {lane.rerun.verdict}."
            " Below, the former."
        )
        st.dataframe(
            diff,
            hide_index=True,
            height=320,
            alt="Rows in which the table differed from its source after the crash",
        )
    else:
        lab.chart(
            figures.timeline(lane), "crash_timeline", "Milliseconds of each step in each attempt"
        )


def _show(result: CrashResult) -> None:
    st.markdown(result.verdict)
    figure = figures.matrix(result, lab.pinned("crash"))
    lab.chart(
        figure,
        "crash_matrix",
        "Every strategy's table after the crash and after the rerun, by safeguards",
    )
    view = st.segmented_control(
        "Look closer",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="crash_view",
        label_visibility="collapsed",
        **BOUND,
    )
    if view == "Flaky source":
        work.run("crash_flaky", _flaky_params(), flaky.steps, _show_flaky)
    elif view == "Bad input":
        work.run("crash_bad", bad_input.DAY, bad_input.steps, _show_bad)
    else:
        _cell(result, view or VIEWS[0])
    lab.report("etl", "crash", result, figure)


@lab.experiment("crash")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("etl", "crash")
    with output:
        work.run("crash", params, crash.steps, _show)
