"""Lazy ledger: a chain of transformations, the jobs that each line ran (none), and what the action
sets off.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.spark import lazy, session
from engine.spark.lazy import LazyParams, LazyResult, figure
from engine.spark.lazy.chain import ACTIONS, OPERATIONS, Foretold
from pages.shell import lab, state, work

D = LazyParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Plan", "Cores", "AQE: before and after")


def _params() -> LazyParams:
    chain = st.multiselect(
        "Chain, in the order chosen",
        OPERATIONS,
        default=list(D.chain),
        key="lazy_chain",
        help="Each adds a line to the plan",
        **BOUND,
    )
    action = st.segmented_control(
        "Action",
        ACTIONS,
        default=D.action,
        required=True,
        key="lazy_action",
        help="Only this makes Spark work",
        **BOUND,
    )
    partitions = st.slider(
        "Shuffle partitions",
        1,
        200,
        D.n_partitions,
        key="lazy_n_partitions",
        help="Asked for after each exchange",
        **BOUND,
    )
    adaptive = st.toggle(
        "Adaptive (AQE)",
        D.adaptive,
        key="lazy_adaptive",
        help="May Spark change the plan as it goes",
        **BOUND,
    )
    broadcast = st.toggle(
        "Broadcast small tables", D.broadcast, key="lazy_broadcast", help="Up to 10 MB", **BOUND
    )
    return LazyParams(
        chain=tuple(chain),
        action=action,
        n_partitions=partitions,
        adaptive=adaptive,
        broadcast=broadcast,
    )


def _show(result: LazyResult | Foretold) -> None:
    st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
    st.markdown(result.verdict)
    ledger, between, picture = (st.container() for _ in range(3))
    view = between.segmented_control(
        "Look closer",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="lazy_view",
        label_visibility="collapsed",
        **BOUND,
    )
    if state.presenting() and view == VIEWS[0]:
        ledger, picture = picture, ledger  # a scene about the plan has it in sight
    ledger.table(
        result.rows(),
        hide_index=True,
        border="horizontal",
        alt="Every line with the jobs that Spark had run after it",
    )
    with picture:
        if isinstance(result, Foretold):
            lab.chart(
                figure.foretold(result), "lazy_plan", "The chain as written: which steps move rows"
            )
        else:
            _look_closer(result, view)
    if isinstance(result, LazyResult):
        lab.report("spark", "lazy", result, figure.plan(result))


def _look_closer(result: LazyResult, view: str) -> None:
    if view == "Cores":
        lab.chart(
            figure.cores(result, lab.pinned("lazy")),
            "lazy_cores",
            "Every task of the action by core over time",
        )
    else:
        lab.chart(figure.plan(result), "lazy_plan", "The executed plan from scan to answer")
    if view == VIEWS[2]:
        left, right = st.columns(2)
        left.caption("Before the action: what the optimizer asked for")
        left.code(result.initial_plan, language=None, wrap_lines=True)
        right.caption("After it: what AQE made of it, once sizes were known")
        right.code(result.final_plan, language=None, wrap_lines=True)


@lab.experiment("lazy")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("spark", "lazy")
    with output:
        work.run("lazy", params, lazy.steps, _show, Foretold(params.chain, params.action))
