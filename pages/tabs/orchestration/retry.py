"""Retry lab: what retries buy and cost at once as the controls move, and real runs of Prefect that
fall onto it.
"""

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
    failure = controls.slider(D, "failure_probability", "Failure probability", help="Of each try")
    retries = controls.slider(D, "retries", "Retries", help="Further tries after the first")
    delay = controls.slider(D, "delay_seconds", "Delay, s", help="Before the first retry")
    backoff = controls.segmented(
        D,
        "backoff",
        "Backoff",
        help=(
            "How the delay grows: not at all (a number), by itself each time (a list), doubling"
            " (exponential_backoff)"
        ),
    )
    jitter = controls.slider(
        D,
        "jitter",
        "Jitter",
        help="Prefect's retry_jitter_factor: how far a delay may exceed its mean",
    )
    n_tasks = controls.slider(D, "n_tasks", "Tasks in the flow", help="All of them must complete")
    seed = controls.slider(D, "seed", "Seed", help="Of everything that is drawn")
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
    with st.expander("Shape, duration, herd"):
        shape = controls.segmented(
            D, "shape", "Tasks run", help="Decides the time, not the success"
        )
        duration = controls.slider(
            D,
            "duration_seconds",
            "Duration of a try, s",
            help="About: one in ten takes three times as long; a try that fails does so half way",
        )
        clients = controls.slider(D, "clients", "Herd, clients", help="They fail at once")
        capacity = controls.slider(
            D, "capacity", "Herd, capacity a second", help="Requests that the service answers"
        )
    return {"shape": shape, "duration_seconds": duration, "clients": clients, "capacity": capacity}


def _start(params: RetryParams) -> None:
    try:
        real.start(params)
    except InputError as error:
        st.session_state["retry_error"] = str(error)


def _real(params: RetryParams, result: RetryResult) -> list[real.Dot]:
    """Draw the button, and say what the real runs of these settings say; return them."""
    dots = real.dots(real.found(params))
    active = real.under_way(params)
    longest = real.most_seconds(params)
    too_long = longest > real.MOST_SECONDS
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Run {real.N_RUNS * real.N_TASKS} tasks in Prefect",
            key="retry_run",
            icon=":material/play_arrow:",
            type="primary",
            disabled=bool(active) or too_long or not SERVER.state.ready,
            on_click=_start,
            args=(params,),
            help=(
                f"Two real runs of {real.N_TASKS} tasks each; every task becomes a dot. They also"
                " stand in the history"
            ),
        )
        if too_long:
            st.caption(
                f"Not for real: its delays may add up to {longest:,.0f} s, more than"
                f" {real.MOST_SECONDS:.0f}."
            )
        elif active:
            place = LAUNCHER.position(active[0])
            waiting = f", {place} before them" if place else ""
            st.caption(
                f":material/sync: {len(active)} under way{waiting}; each task's dot falls as it"
                " ends."
            )
        elif not SERVER.state.ready:
            st.caption(SERVER.state.message)
        elif not dots:
            st.caption("What is drawn is simulated; real runs fall onto it.")
    if error := st.session_state.pop("retry_error", ""):
        st.error(error, icon=":material/error:")
    if dots:
        st.markdown(real.summary(dots, params))
    return dots


def _show(params: RetryParams) -> None:
    result, pinned = retry.run(params), lab.pinned("retry")
    st.markdown(result.verdict)
    dots = _real(params, result)
    figure = figures.outcomes(result, dots, pinned)
    lab.chart(
        figure,
        "retry_outcomes",
        "Outcome of a task run by the try at which it completes, and its duration",
    )
    views, below = lab.places(1)[0]
    with views:
        view = controls.view("retry_view", VIEWS)
    with below:
        if view == "Waits":
            lab.chart(
                figures.waits(result),
                "retry_waits",
                "Delay before each retry, and what it costs on average",
            )
        elif view == "Thundering herd":
            lab.chart(
                figures.herd(result, pinned),
                "retry_herd",
                "Requests a second of a herd with and without jitter",
            )
        else:
            lab.chart(
                figures.flow(result, pinned),
                "retry_flow",
                "Chance that a flow succeeds by its number of tasks",
            )
    lab.report("orchestration", "retry", result, figure)


def _waits(params: RetryParams) -> bool:
    """Whether something may change by itself: a run of these settings is not over, or the server is
    not there yet.
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
            st.rerun()  # a run has begun, or the last one is over: polling begins or ends

    live()


show = lab.tab("orchestration", "retry", _params, _output)
