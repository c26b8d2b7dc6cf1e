"""APIs: one workload written five ways, timed, with its plans; and, each a view of its own,
accumulators and broadcast variables.
"""

from __future__ import annotations

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
from pages.shell import controls, lab, texts, work
from pages.tabs.spark import aside

Settings = ApisParams | AccumulatorParams | BroadcastParams
D, A, B = ApisParams(), AccumulatorParams(), BroadcastParams()
FIVE, ACCUMULATORS, BROADCAST = VIEWS = ("Five APIs", "Accumulators", "Broadcast")


def _params() -> Settings:
    view = controls.view("apis_view", VIEWS)
    if view == ACCUMULATORS:
        return _accumulators()
    if view == BROADCAST:
        return BroadcastParams(
            n_tasks=controls.slider(
                B, "n_tasks", "Tasks", help="Each looks the table up", key="apis_look_ups"
            )
        )
    return _five()


def _five() -> ApisParams:
    return ApisParams(
        workload=controls.selectbox(
            D, "workload", "Workload", help="Written in five APIs; the answers are compared"
        ),
        months=controls.slider(
            D, "months", "Months of flights", help="From January; about 28,000 flights each"
        ),
        arrow_udf=controls.toggle(
            D, "arrow_udf", "Arrow-optimized UDF",
            help="Rows travel in columnar batches, not pickled; the function still sees one row."
            " Spark 4.3 does this by default: here it is off, to show the difference",
        ),
        once=controls.toggle(
            D, "once", "Nondeterministic UDFs",
            help="`asNondeterministic()`: Spark may not call it twice, nor move a filter below it",
        ),
        repeats=controls.slider(
            D, "repeats", "Repeats", help="Timed runs, after a warm-up run (not timed)"
        ),
    )  # fmt: skip


def _accumulators() -> AccumulatorParams:
    return AccumulatorParams(
        n_rows=controls.slider(A, "n_rows", "Rows to count", help="In an RDD"),
        n_tasks=controls.slider(A, "n_tasks", "Tasks", help="Partitions of the RDD"),
        lost_shuffle=controls.toggle(
            A, "lost_shuffle", "Lose a shuffle file",
            help="In a second Spark, started for it (5 to 20 s): the loss also empties its cache",
        ),
    )  # fmt: skip


def _show_counts(result: AccumulatorResult) -> None:
    with aside.screen(result):
        alt = "What the accumulator counts after each piece of code"
        lab.chart(figures.counts(result), "apis_counts", alt, verdict=result.verdict)
        if result.counts:
            texts.table(result.rows(), "Every way to count, and why it is right or wrong")


def _show_shipments(result: BroadcastResult) -> None:
    with aside.screen(result):
        alt = "Bytes unpickled in Python workers by the size of the table"
        lab.chart(figures.shipments(result), "apis_shipments", alt, verdict=result.verdict)
        if result.shipments:
            texts.table(result.rows(), "Every table, in the closure and as a broadcast")


def _plans(result: ApisResult) -> None:
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
    outcome = result.outcome_of(api)
    with st.expander(f"The plan of {api} as Spark writes it"):
        if outcome is not None:
            doors = {step.name for step in outcome.operators if step.python}
            lines = [
                line + "   ◀ rows go to Python" * any(door in line for door in doors)
                for line in outcome.plan.splitlines()
            ]
            st.code("\n".join(lines), language=None, wrap_lines=True)
        if api == "SQL":
            st.code(SQL[result.params.workload], language="sql")


def _show(result: ApisResult) -> None:
    # On stage the chart of a scene may be one that is not there yet: until then this one is shown.
    key = "apis_race" if result.outcomes else st.session_state.get("stage_chart") or "apis_race"
    with lab.screen("spark", "apis", result) as screen:
        screen.answer(
            figures.race(result, lab.pinned("apis")), key, "Seconds of each API, median and range"
        )
        if result.outcomes:
            _plans(result)
            texts.table(result.rows(), "Every API in numbers, fastest first")
        st.caption(session.ENGINE.status)  # here, for it changes while Spark starts


def _output(params: Settings) -> None:
    if isinstance(params, AccumulatorParams):
        steps, first = shared_variables.accumulator_steps, AccumulatorResult(params)
        work.run("apis_accumulators", params, steps, _show_counts, first)
    elif isinstance(params, BroadcastParams):
        work.run(
            "apis_broadcast",
            params,
            shared_variables.broadcast_steps,
            _show_shipments,
            BroadcastResult(params),
        )
    else:
        work.run("apis", params, apis.steps, _show, ApisResult(params, ()))


show = lab.tab("spark", "apis", _params, _output)
