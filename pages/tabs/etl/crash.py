"""Crash lab: a daily run crashes after a step and runs again; a flaky source; four kinds of bad
input.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from engine.etl import crash
from engine.etl.crash import SAFEGUARDS, CrashParams, CrashResult, bad_input, expected, flaky
from engine.etl.crash import figure as figures
from engine.etl.crash.flaky import FlakyParams, FlakyResult
from engine.etl.warehouse import STRATEGIES
from engine.units import format_day
from pages.shell import controls, lab, texts, work

D, F = CrashParams(), FlakyParams()
VIEWS = ("Step by step", "Row by row", "Flaky source", "Bad input")
GUARDS = tuple(safeguard.name for safeguard in SAFEGUARDS)
MAX_DIFF_ROWS = 200
SHARE: dict[str, Any] = {"percent": True, "width": 150}


def _params() -> CrashParams:
    return CrashParams(
        crash_at=controls.slider(
            D,
            "crash_at",
            "Crash after",
            help="“in load” is half-way through it. Without staging the steps run page by page and"
            " the crash is at the middle page",
            format_func=str,
        ),
        ending=controls.segmented(
            D, "ending", "Kind of crash", help="SIGKILL to the process group, or an exception"
        ),
        n_crashes=controls.slider(D, "n_crashes", "Number of crashes", help="In a row"),
        before=controls.segmented(
            D,
            "before",
            "Table before the run",
            help="Empty, or the day as of midnight: late flights are stale and flights cancelled"
            " since are still there",
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
                F, "error_share", "500 errors", help="Share of calls", key="crash_errors", **SHARE
            ),
            timeout_share=controls.slider(
                F, "timeout_share", "Timeouts", help="Share of calls", key="crash_late", **SHARE
            ),
            calls_per_window=controls.slider(
                F,
                "calls_per_window",
                "Rate limit per 0.1 s",
                help="More calls get 429; 0: no limit",
                key="crash_limit",
                width=150,
            ),
            clients=controls.slider(
                F,
                "clients",
                "Clients",
                help="In parallel, one day each",
                key="crash_clients",
                width=150,
            ),
            attempts=controls.slider(
                F, "attempts", "Attempts", help="Per page", key="crash_attempts", width=150
            ),
            poisoned=controls.toggle(
                F,
                "poisoned",
                "One page always fails",
                help="The third of each day",
                key="crash_poisoned",
            ),
        )


def _show_flaky(result: FlakyResult) -> None:
    lab.chart(
        figures.calls(result),
        "crash_calls",
        "Every call of every retry policy over time, by its outcome",
    )
    texts.say(result.verdict)
    texts.table(result.rows(), "What each retry policy costs")
    dead = [
        {"policy": lane.policy, "day": flaky.day_name(day), "what": what, "reason": reason}
        for lane in result.lanes
        for day, what, reason in lane.dead
    ]
    texts.note(
        f"The dead-letter table has {len(dead)} pages; “fetched later” is after the source has"
        " recovered. One run per policy; times differ from run to run."
    )
    st.dataframe(dead, hide_index=True, height=180, alt="The dead-letter table")


def _show_bad(cases: tuple[bad_input.Case, ...]) -> None:
    rows = [
        {
            "problem": case.name,
            "error message": case.sentence,
            "state before": case.before,
            "state after": case.after,
            "warehouse": "unchanged" if case.whole else "changed",
        }
        for case in cases
    ]
    texts.table(rows, "Four problems, and the warehouse before and after each")


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
        texts.note(
            f"After the crash: {lane.crashed.verdict}. After the rerun: {lane.rerun.verdict}."
            " The table lists the rows after the crash."
        )
        st.dataframe(
            diff,
            hide_index=True,
            height=320,
            alt="Rows that differ from the source after the crash",
        )
    else:
        lab.chart(figures.timeline(lane), "crash_timeline", "Time of each step in each attempt")


def _show(result: CrashResult) -> None:
    with lab.screen("etl", "crash", result) as screen:
        screen.answer(
            figures.matrix(result, lab.pinned("crash")),
            "crash_matrix",
            "Every strategy's table after the crash and after the rerun, by safeguards",
        )
        view = controls.view("crash_view", VIEWS)
        if view == "Flaky source":
            work.run("crash_flaky", _flaky_params(), flaky.steps, _show_flaky)
        elif view == "Bad input":
            work.run("crash_bad", bad_input.DAY, bad_input.steps, _show_bad)
        elif result.complete or view == "Row by row":
            _cell(result, view)


def _output(params: CrashParams) -> None:
    work.run("crash", params, crash.steps, _show, first=lambda: expected.run(params))


show = lab.tab("etl", "crash", _params, _output)
