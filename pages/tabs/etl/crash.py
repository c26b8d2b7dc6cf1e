"""Crash lab: a daily run dies after a step and is run again; a flaky source; and what must never
harm the warehouse.
"""

from __future__ import annotations

from datetime import date
from functools import partial

import streamlit as st

from engine.etl import crash
from engine.etl.crash import SAFEGUARDS, CrashParams, CrashResult, bad_input, flaky
from engine.etl.crash import figure as figures
from engine.etl.crash.flaky import FlakyParams, FlakyResult
from engine.etl.warehouse import STRATEGIES
from engine.units import format_day
from pages.shell import controls, lab, work

D, F = CrashParams(), FlakyParams()
VIEWS = ("Step by step", "Row by row", "Flaky source", "Bad input")
GUARDS = tuple(safeguard.name for safeguard in SAFEGUARDS)
MAX_DIFF_ROWS = 200


def _params() -> CrashParams:
    return CrashParams(
        crash_at=controls.slider(
            D,
            "crash_at",
            "Crash after",
            help="“in load” is half-way through it. Without staging the steps go page by page: the"
            " crash is at the middle one",
            format_func=str,
        ),
        ending=controls.segmented(
            D,
            "ending",
            "How it ends",
            help="SIGKILL to the worker's process group, or an exception that unwinds",
        ),
        n_crashes=controls.slider(
            D, "n_crashes", "Crashes before it is left alone", help="In a row"
        ),
        before=controls.segmented(
            D,
            "before",
            "The table held before",
            help="The day as of midnight: late flights are stale, flights cancelled since are"
            " ghosts",
        ),
        date=controls.slider(
            D,
            "date",
            "Day",
            help="About 900 flights; 24 June had thunderstorms",
            format_func=lambda text: format_day(date.fromisoformat(text)),
        ),
    )


def _flaky_params() -> FlakyParams:
    with st.container(horizontal=True):
        return FlakyParams(
            error_share=controls.slider(
                F, "error_share", "Answers 500", help="Share of calls", key="crash_errors"
            ),
            timeout_share=controls.slider(
                F, "timeout_share", "Answers too late", help="Share of calls", key="crash_late"
            ),
            calls_per_window=controls.slider(
                F,
                "calls_per_window",
                "Calls each 0.1 s",
                help="More get 429; 0: no limit",
                key="crash_limit",
            ),
            clients=controls.slider(
                F, "clients", "Clients", help="At once, a day each", key="crash_clients"
            ),
            attempts=controls.slider(
                F, "attempts", "Attempts", help="For one page", key="crash_attempts"
            ),
            poisoned=controls.toggle(
                F,
                "poisoned",
                "A page never works",
                help="The third of each day",
                key="crash_poisoned",
            ),
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
            bind="query-params",
        )
        guard = st.selectbox(
            "Safeguards",
            GUARDS,
            3,
            format_func=lambda name: figures.TITLES[name],
            key="crash_safeguard",
            label_visibility="collapsed",
            width=220,
            bind="query-params",
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
    view = controls.view("crash_view", VIEWS)
    if view == "Flaky source":
        work.run("crash_flaky", _flaky_params(), flaky.steps, _show_flaky)
    elif view == "Bad input":
        work.run("crash_bad", bad_input.DAY, bad_input.steps, _show_bad)
    else:
        _cell(result, view)
    lab.report("etl", "crash", result, figure)


show = lab.tab("etl", "crash", _params, partial(work.run, "crash", steps=crash.steps, show=_show))
