"""Lazy ledger: a chain of transformations, the jobs that each line ran (none), and what the action
sets off.
"""

from __future__ import annotations

import streamlit as st

from engine.spark import lazy, session
from engine.spark.lazy import LazyParams, LazyResult, figure
from engine.spark.lazy.chain import OPERATIONS, Foretold
from pages.shell import controls, lab, state, work

D = LazyParams()
VIEWS = ("Plan", "Cores", "AQE: before and after")


def _params() -> LazyParams:
    chain = controls.multiselect(
        D,
        "chain",
        "Chain, in the order chosen",
        options=OPERATIONS,
        help="Each adds a line to the plan",
    )
    action = controls.segmented(D, "action", "Action", help="Only this makes Spark work")
    partitions = controls.slider(
        D, "n_partitions", "Shuffle partitions", help="Asked for after each exchange"
    )
    adaptive = controls.toggle(
        D, "adaptive", "Adaptive (AQE)", help="May Spark change the plan as it goes"
    )
    broadcast = controls.toggle(D, "broadcast", "Broadcast small tables", help="Up to 10 MiB")
    return LazyParams(
        chain=chain,
        action=action,
        n_partitions=partitions,
        adaptive=adaptive,
        broadcast=broadcast,
    )


def _show(result: LazyResult | Foretold) -> None:
    st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
    st.markdown(result.verdict)
    ledger, between, picture = (st.container() for _ in range(3))
    with between:
        view = controls.view("lazy_view", VIEWS)
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


def _output(params: LazyParams) -> None:
    work.run("lazy", params, lazy.steps, _show, Foretold(params.chain, params.action))


show = lab.tab("spark", "lazy", _params, _output)
