"""APIs: one job written five ways, timed, its plans side by side; accumulators, broadcast
variables, a SQL console.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.spark import apis, session
from engine.spark.apis import ApisParams, ApisResult, shared_variables
from engine.spark.apis import figure as figures
from engine.spark.apis.jobs import APIS, SQL
from engine.spark.apis.shared_variables import (
    AccumulatorParams,
    AccumulatorResult,
    BroadcastParams,
    BroadcastResult,
)
from pages.shell import controls, lab, state, work
from pages.tabs.spark import sql_console

D, A, B = ApisParams(), AccumulatorParams(), BroadcastParams()
VIEWS = ("Plans", "Accumulators", "Broadcast", "SQL console")


def _params() -> ApisParams:
    job = controls.selectbox(
        D, "workload", "Job", help="Written in five APIs; the answers are equal"
    )
    months = controls.slider(
        D, "months", "Months of flights", help="January first; about 28,000 each"
    )
    arrow = controls.toggle(
        D,
        "arrow_udf",
        "Python UDF by Arrow",
        help=(
            "Rows travel in columnar batches (Spark's default by now), not pickled; the function"
            " still sees one row"
        ),
    )
    once = controls.toggle(
        D,
        "once",
        "UDFs at most once a row",
        help="asNondeterministic(): Spark may not call them twice, nor move a filter below them",
    )
    repeats = controls.slider(D, "repeats", "Repeats", help="After one run that is not counted")
    return ApisParams(workload=job, months=months, arrow_udf=arrow, once=once, repeats=repeats)


def _plans(result: ApisResult) -> None:
    if not result.outcomes:
        return
    api = st.segmented_control(
        "Plan of",
        APIS,
        default=APIS[3],  # the Python UDF, whose plan leaves the JVM
        required=True,
        key="apis_plan_of",
        label_visibility="collapsed",
        **controls.BOUND,
    )
    lab.chart(
        figures.plans(result, api),
        "apis_plans",
        "The steps of every API from the scan to the answer",
    )
    with st.expander(f"The plan of {api} as Spark writes it"):
        outcome = result.outcome_of(api)
        if outcome is not None:
            doors = {step.name for step in outcome.operators if step.python}
            lines = [
                (
                    f"{line}   ◀ rows leave the JVM for Python"
                    if any(door in line for door in doors)
                    else line
                )
                for line in outcome.plan.splitlines()
            ]
            st.code("\n".join(lines), language=None, wrap_lines=True)
        if api == "SQL":
            st.code(SQL[result.params.workload], language="sql")


def _accumulators() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n_rows = controls.slider(A, "n_rows", "Rows to count", help="In an RDD", width=220)
        n_tasks = controls.slider(A, "n_tasks", "Tasks", help="Partitions of it", width=220)
        lost = controls.toggle(
            A,
            "lost_shuffle",
            "Lose a shuffle file too",
            help=(
                "In a second Spark, started for it (5 to 20 s), for the loss costs its cache as"
                " well"
            ),
        )
    params = AccumulatorParams(n_rows=n_rows, n_tasks=n_tasks, lost_shuffle=lost)
    work.run(
        "apis_accumulators",
        params,
        shared_variables.accumulator_steps,
        _show_counts,
        AccumulatorResult(params),
    )


def _show_counts(result: AccumulatorResult) -> None:
    st.markdown(result.verdict)
    lab.chart(
        figures.counts(result), "apis_counts", "What the accumulator says after each piece of code"
    )
    if result.counts:
        st.table(
            result.rows(),
            hide_index=True,
            border="horizontal",
            alt="Every way to count, and why it is right or wrong",
        )


def _broadcast() -> None:
    n_tasks = controls.slider(
        B, "n_tasks", "Tasks", help="Each looks the table up", key="apis_look_ups", width=320
    )
    params = BroadcastParams(n_tasks=n_tasks)
    work.run(
        "apis_broadcast",
        params,
        shared_variables.broadcast_steps,
        _show_shipments,
        BroadcastResult(params),
    )


def _show_shipments(result: BroadcastResult) -> None:
    st.markdown(result.verdict)
    lab.chart(
        figures.shipments(result),
        "apis_shipments",
        "Bytes unpickled in Python workers by the size of the table",
    )
    if result.shipments:
        st.table(
            result.rows(),
            hide_index=True,
            border="horizontal",
            alt="Every table, in the closure and as a broadcast",
        )


BY_THEMSELVES = {
    "Accumulators": _accumulators,
    "Broadcast": _broadcast,
    "SQL console": sql_console.draw,
}


def _show(result: ApisResult) -> None:
    st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
    st.markdown(result.verdict)
    figure = figures.race(result, lab.pinned("apis"))
    # On stage the chart of a scene may be one that is not there yet: until then this one holds its
    # place.
    key = "apis_race" if result.outcomes else st.session_state.get("stage_chart") or "apis_race"
    lab.chart(figure, key, "Seconds of each API, median and range")
    if not result.outcomes:
        return
    if state.presenting():
        _plans(result)
    st.table(
        result.rows(),
        hide_index=True,
        border="horizontal",
        alt="Every API in numbers, quickest first",
    )
    if result.complete and not state.presenting():
        BY_THEMSELVES.get(controls.view("apis_view", VIEWS), partial(_plans, result))()
    lab.report("spark", "apis", result, figure)


def _output(params: ApisParams) -> None:
    # on stage drawn first, though unseen there: else it would forget its value
    view = controls.view("apis_view", VIEWS) if state.presenting() else ""
    if view in BY_THEMSELVES:  # not about the race, so it waits for none
        st.caption(session.ENGINE.status)
        BY_THEMSELVES[view]()
    else:
        work.run("apis", params, apis.steps, _show, ApisResult(params, ()))


show = lab.tab("spark", "apis", _params, _output)
