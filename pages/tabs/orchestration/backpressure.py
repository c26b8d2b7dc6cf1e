"""Backpressure: a source, a queue and a sink to drag; then the first seconds for real, under
Prefect's own limits.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.orchestration import backpressure
from engine.orchestration.backpressure import (
    REAL_SECONDS,
    BackpressureParams,
    BackpressureResult,
)
from engine.orchestration.backpressure import figure as figures
from engine.orchestration.server import SERVER
from pages.shell import controls, lab, state, work

D = BackpressureParams()
VIEWS = ("Waits", "Load")


def _params() -> BackpressureParams:
    rate = controls.slider(D, "arrival_rate", "Items a second", help="What the source makes")
    service = controls.slider(D, "service_seconds", "An item takes, s", help="On average")
    workers = controls.slider(
        D, "workers", "At once", help="The concurrency limit of the work pool"
    )
    policy = controls.segmented(
        D,
        "policy",
        "When the buffer is full",
        help="Let it grow: no bound. Drop: the newest is lost. Block: the source waits",
    )
    buffer = controls.slider(
        D, "buffer", "Buffer, items", help="May wait before the source is blocked or items drop"
    )
    limit = controls.slider(
        D,
        "rate_limit",
        "Rate limit, starts a second",
        help="0: none. In Prefect a global concurrency limit whose slot decays",
    )
    urgent = controls.slider(
        D,
        "urgent_share",
        "Urgent",
        help="Share of the items in a work queue of higher priority",
        format="percent",
    )
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
        random = controls.toggle(
            D, "random", "Random times", help="Exponential gaps and durations; else all alike"
        )
        seconds = controls.slider(D, "seconds", "Seconds", help="That are simulated")
        seed = controls.slider(D, "seed", "Seed", help="Of gaps, durations and urgency")
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
    views, below = lab.places(1)[0]
    with views:
        view = controls.view("backpressure_view", VIEWS)
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


def _output(params: Any) -> None:
    SERVER.start()
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


show = lab.tab("orchestration", "backpressure", _params, _output)
