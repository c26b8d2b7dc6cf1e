"""Backpressure: a source, a queue and a sink to drag; then the first seconds for real, under
Prefect's own limits.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.orchestration import backpressure
from engine.orchestration.backpressure import (
    POLICIES,
    REAL_SECONDS,
    BackpressureParams,
    BackpressureResult,
)
from engine.orchestration.backpressure import figure as figures
from engine.orchestration.server import SERVER
from pages.shell import lab, state, work

D = BackpressureParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Waits", "Load")


def _params() -> BackpressureParams:
    rate = st.slider(
        "Items a second",
        0.2,
        10.0,
        D.arrival_rate,
        0.2,
        key="backpressure_arrival_rate",
        help="What the source makes",
        **BOUND,
    )
    service = st.slider(
        "An item takes, s",
        0.1,
        5.0,
        D.service_seconds,
        0.1,
        key="backpressure_service_seconds",
        help="On average",
        **BOUND,
    )
    workers = st.slider(
        "At once",
        1,
        10,
        D.workers,
        key="backpressure_workers",
        help="The concurrency limit of the work pool",
        **BOUND,
    )
    policy = st.segmented_control(
        "When the buffer is full", POLICIES, default=D.policy, required=True, key="backpressure_policy",
        help="Let it grow: no bound. Drop: the newest is lost. Block: the source waits", **BOUND
    )  # fmt: skip
    buffer = st.slider(
        "Buffer, items", 1, 100, D.buffer, key="backpressure_buffer",
        help="May wait before the source is blocked or items drop", **BOUND
    )  # fmt: skip
    limit = st.slider(
        "Rate limit, starts a second", 0.0, 10.0, D.rate_limit, 0.5, key="backpressure_rate_limit",
        help="0: none. In Prefect a global concurrency limit whose slot decays", **BOUND
    )  # fmt: skip
    urgent = st.slider(
        "Urgent", 0.0, 1.0, D.urgent_share, 0.05, key="backpressure_urgent_share", format="percent",
        help="Share of the items in a work queue of higher priority", **BOUND
    )  # fmt: skip
    return BackpressureParams(
        arrival_rate=rate,
        service_seconds=service,
        workers=workers,
        policy=policy,
        buffer=buffer,
        rate_limit=limit,
        urgent_share=urgent,
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("Random times, length, seed"):
        random = st.toggle(
            "Random times",
            D.random,
            key="backpressure_random",
            help="Exponential gaps and durations; else all alike",
            **BOUND,
        )
        seconds = st.slider(
            "Seconds",
            20,
            200,
            D.seconds,
            10,
            key="backpressure_seconds",
            help="That are simulated",
            **BOUND,
        )
        seed = st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="backpressure_seed",
            help="Of gaps, durations and urgency",
            **BOUND,
        )
    return {"random": random, "seconds": seconds, "seed": seed}


def _ask(params: BackpressureParams) -> None:
    st.session_state["backpressure_asked"] = params


def _show(result: BackpressureResult) -> None:
    pinned = lab.pinned("backpressure")
    st.markdown(result.verdict)
    if result.measured is not None:
        st.markdown(result.told_measured())
    figure = figures.depth(result, pinned)
    lab.chart(
        figure,
        "backpressure_depth",
        "Items waiting over time under each policy, with Prefect's own counts",
    )
    if not state.presenting():
        st.table(
            result.trades(),
            hide_index=True,
            border="horizontal",
            alt="What each policy trades, with these items",
        )
    controls, below = lab.places(1)[0]
    with controls:
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="backpressure_view",
            label_visibility="collapsed",
            **BOUND,
        )
    with below:
        if view == "Load":
            lab.chart(
                figures.knee(result, pinned),
                "backpressure_knee",
                "Mean wait by how busy the sink is",
            )
        else:
            lab.chart(
                figures.waits(result),
                "backpressure_waits",
                "Each item at its arrival by the time it waited",
            )
    lab.report("orchestration", "backpressure", result, figure)


@lab.experiment("backpressure")
def show() -> None:
    SERVER.start()
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("orchestration", "backpressure")
    with output:
        result = backpressure.run(params)
        if st.session_state.get("backpressure_asked") == params:
            work.run("backpressure", params, backpressure.steps, _show, first=result)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            realistic = backpressure.realistic(params)
            st.button(
                f"Run {REAL_SECONDS:.0f} s of it in Prefect",
                key="backpressure_run",
                icon=":material/play_arrow:",
                type="primary",
                disabled=not realistic,
                on_click=_ask,
                args=(params,),
                help=(
                    "The same items as real flow runs, under a work pool's limit, its queue"
                    " priorities and a rate limit"
                ),
            )
            if not realistic:
                st.caption(
                    f"Not for real: more than {backpressure.REAL_RATE:g} items a second are too"
                    " many for one SQLite file."
                )
            else:
                st.caption("What is drawn is simulated; the real queue is drawn over it.")
        _show(result)
