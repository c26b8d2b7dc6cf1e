"""Backpressure: a source, a queue and a sink, simulated; then the first seconds in Prefect, under
its own limits.
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
from pages.shell import controls, lab, texts, work

D = BackpressureParams()
VIEWS = ("Waits", "Load", "Policies")


def _params() -> BackpressureParams:
    rate = controls.slider(D, "arrival_rate", "Items per second", help="From the source")
    service = controls.slider(D, "service_seconds", "Seconds per item", help="Mean, in the sink")
    workers = controls.slider(
        D, "workers", "Concurrency limit", help="Items that the work pool runs in parallel"
    )
    policy = controls.segmented(
        D,
        "policy",
        "When the buffer is full",
        help="Let it grow: no limit. Drop: the newest is lost. Block: the source waits",
    )
    buffer = controls.slider(
        D, "buffer", "Buffer, items", help="Queued items before the policy drops or blocks"
    )
    limit = controls.slider(
        D,
        "rate_limit",
        "Rate limit, starts/s",
        help="0: none. In Prefect: a global concurrency limit with slot decay",
    )
    urgent = controls.slider(
        D,
        "urgent_share",
        "High-priority share",
        help="Items in a work queue of higher priority",
        percent=True,
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
    with st.expander("More settings"):
        random = controls.toggle(
            D, "random", "Random times", help="Exponential gaps and durations; off: all equal"
        )
        seconds = controls.slider(D, "seconds", "Duration, s", help="Of the simulation")
        seed = controls.slider(D, "seed", "Seed", help="Of gaps, durations and priorities")
    return {"random": random, "seconds": seconds, "seed": seed}


def _start_button(params: BackpressureParams) -> None:
    """Draw the button that runs the items in Prefect."""
    realistic = backpressure.realistic(params)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        work.ask_button(
            "backpressure",
            params,
            f"Run {REAL_SECONDS:.0f} s of it in Prefect",
            icon=":material/play_arrow:",
            disabled=not realistic,
            help="The same items as flow runs, with a work pool, two queues and a rate limit",
        )
        st.caption(
            "The chart is simulated. A real run is added as dots."
            if realistic
            else f"More than {backpressure.REAL_RATE:g} items/s are too many for a real run."
        )


def _closer(result: BackpressureResult, view: str, pinned: BackpressureResult | None) -> None:
    if view == "Load":
        lab.chart(figures.knee(result, pinned), "backpressure_knee", "Mean wait by load")
    elif view == "Policies":
        texts.table(result.trades(), "Waits and losses of each policy, with these items")
    else:
        lab.chart(figures.waits(result), "backpressure_waits", "Wait of each item by its arrival")


def _show(result: BackpressureResult) -> None:
    pinned = lab.pinned("backpressure")
    with lab.screen("orchestration", "backpressure", result) as screen:
        if not work.is_asked("backpressure", result.params):
            _start_button(result.params)
        screen.answer(
            figures.depth(result, pinned),
            "backpressure_depth",
            "Queue over time under each policy, with Prefect's own counts",
        )
        if text := result.measured_text():
            st.caption(text)
        _closer(result, controls.view("backpressure_view", VIEWS), pinned)


def _output(params: Any) -> None:
    SERVER.start()
    result = backpressure.run(params)
    if work.is_asked("backpressure", params):
        work.run("backpressure", params, backpressure.steps, _show, first=result)
    else:
        _show(result)


show = lab.tab("orchestration", "backpressure", _params, _output)
