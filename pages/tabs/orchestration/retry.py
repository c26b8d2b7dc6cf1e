"""Retry lab: what retries gain and cost, and real task runs of Prefect on the same chart."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.errors import InputError
from engine.orchestration import retry
from engine.orchestration.launch import LAUNCHER
from engine.orchestration.retry import RetryParams, RetryResult, real
from engine.orchestration.retry import figure as figures
from engine.orchestration.server import SERVER
from pages.shell import controls, lab

D = RetryParams()
VIEWS = ("Flow of tasks", "Waits", "Thundering herd")
LIVE_SECONDS = 1.0


def _params() -> RetryParams:
    failure = controls.slider(
        D, "failure_probability", "Failure probability", help="Of each attempt", percent=True
    )
    retries = controls.slider(D, "retries", "Retries", help="Attempts after the first one failed")
    delay = controls.slider(D, "delay_seconds", "Retry delay, s", help="Before the first retry")
    backoff = controls.segmented(
        D,
        "backoff",
        "Backoff",
        help="Fixed: a number. Linear: a list. Exponential: `exponential_backoff`, it doubles",
    )
    jitter = controls.slider(
        D,
        "jitter",
        "Jitter",
        help="Prefect's `retry_jitter_factor`: how far a delay may exceed its mean",
        percent=True,
    )
    n_tasks = controls.slider(D, "n_tasks", "Tasks in the flow", help="All must complete")
    seed = controls.slider(D, "seed", "Seed", help="Of all random numbers")
    return RetryParams(
        failure_probability=failure,
        retries=retries,
        delay_seconds=delay,
        backoff=backoff,
        jitter=jitter,
        n_tasks=n_tasks,
        seed=seed,
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("More settings"):
        shape = controls.segmented(
            D, "shape", "Task order", help="Changes the time of a flow, not its success"
        )
        duration = controls.slider(
            D,
            "duration_seconds",
            "Attempt duration, s",
            help="Approximate: one in ten takes three times as long; a failed one takes half",
        )
        clients = controls.slider(D, "clients", "Herd: clients", help="All fail together")
        capacity = controls.slider(
            D, "capacity", "Herd: capacity/s", help="Requests that the service answers per second"
        )
    return {"shape": shape, "duration_seconds": duration, "clients": clients, "capacity": capacity}


def _start(params: RetryParams) -> None:
    try:
        real.start(params)
    except InputError as error:
        st.session_state["retry_error"] = str(error)


def _status(params: RetryParams, dots: list[real.Dot]) -> str:
    """Return how far the real runs of these settings are, or why there can be none."""
    longest, active = real.most_seconds(params), real.under_way(params)
    if longest > real.MOST_SECONDS:
        return f"Delays of up to {longest:,.0f} s are too long for a real run."
    if active:
        place = LAUNCHER.position(active[0])
        waiting = f", {place} before them" if place else ""
        return f":material/sync: {len(active)} runs are active{waiting}. Each task becomes a dot."
    if not SERVER.state.ready:
        return SERVER.state.message
    return "" if dots else "The chart is simulated. Real task runs are added as dots."


def _start_button(params: RetryParams, dots: list[real.Dot]) -> None:
    """Draw the button that starts real runs, and their status."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Run {real.N_RUNS * real.N_TASKS} tasks in Prefect",
            key="retry_run",
            icon=":material/play_arrow:",
            type="primary",
            disabled=(
                bool(real.under_way(params))
                or real.most_seconds(params) > real.MOST_SECONDS
                or not SERVER.state.ready
            ),
            on_click=_start,
            args=(params,),
            help=f"Two real runs of {real.N_TASKS} tasks. The run monitor lists them too",
        )
        if status := _status(params, dots):
            st.caption(status)
    if error := st.session_state.pop("retry_error", ""):
        st.error(error, icon=":material/error:")


def _closer(result: RetryResult, view: str, pinned: RetryResult | None) -> None:
    if view == "Waits":
        lab.chart(figures.waits(result), "retry_waits", "Delay before each retry, and its mean")
    elif view == "Thundering herd":
        lab.chart(
            figures.herd(result, pinned),
            "retry_herd",
            "Requests per second of the herd with and without jitter",
        )
    else:
        lab.chart(
            figures.flow(result, pinned),
            "retry_flow",
            "Share of flows that succeed, by number of tasks",
        )


def _show(params: RetryParams) -> None:
    result, pinned = retry.run(params), lab.pinned("retry")
    dots = real.dots(real.found(params))
    with lab.screen("orchestration", "retry", result) as screen:
        _start_button(params, dots)
        screen.answer(
            figures.outcomes(result, dots, pinned),
            "retry_outcomes",
            "Task runs by the attempt at which they complete, and their duration",
        )
        if dots:
            st.caption(real.summary(dots, params))
        _closer(result, controls.view("retry_view", VIEWS), pinned)


def _waits(params: RetryParams) -> bool:
    """Whether something may change by itself: a run of these settings is active, or the server
    starts.
    """
    return bool(real.under_way(params)) or SERVER.state.stage not in ("ready", "cold")


def _output(params: RetryParams) -> None:
    """Draw what polls while something may change by itself."""
    LAUNCHER.start()
    polled = _waits(params)

    @st.fragment(run_every=LIVE_SECONDS if polled else None)
    def live() -> None:
        with lab.errors_shown():
            _show(params)
        if _waits(params) != polled:
            st.rerun()  # a run has started, or the last one ended: polling starts or ends

    live()


show = lab.tab("orchestration", "retry", _params, _output)
