"""APIs: one job written five ways, timed, its plans side by side; accumulators, broadcast
variables, a SQL console.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from engine.spark import apis, session
from engine.spark.apis import ApisParams, ApisResult, console, shared_variables
from engine.spark.apis import figure as figures
from engine.spark.apis.console import EXPLAINS, NamedParams, NamedResult, OwnParams, OwnResult
from engine.spark.apis.jobs import APIS, JOBS, SQL
from engine.spark.apis.shared_variables import (
    AccumulatorParams,
    AccumulatorResult,
    BroadcastParams,
    BroadcastResult,
)
from pages.shell import lab, state, work

D, A, B, C = ApisParams(), AccumulatorParams(), BroadcastParams(), OwnParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Plans", "Accumulators", "Broadcast", "SQL console")
ROWS = (1_000, 10_000, 100_000)
OWN = "Your own"


def _params() -> ApisParams:
    job = st.selectbox(
        "Job",
        JOBS,
        JOBS.index(D.workload),
        key="apis_workload",
        help="Written in five APIs; the answers are equal",
        **BOUND,
    )
    months = st.slider(
        "Months of flights",
        1,
        12,
        D.months,
        key="apis_months",
        help="January first; about 28,000 each",
        **BOUND,
    )
    arrow = st.toggle(
        "Python UDF by Arrow", D.arrow_udf, key="apis_arrow_udf",
        help="Rows travel in columnar batches (Spark's default by now), not pickled; the function still sees one row", **BOUND
    )  # fmt: skip
    once = st.toggle(
        "UDFs at most once a row", D.once, key="apis_once",
        help="asNondeterministic(): Spark may not call them twice, nor move a filter below them", **BOUND
    )  # fmt: skip
    repeats = st.slider(
        "Repeats",
        1,
        15,
        D.repeats,
        key="apis_repeats",
        help="After one run that is not counted",
        **BOUND,
    )
    return ApisParams(workload=job, months=months, arrow_udf=arrow, once=once, repeats=repeats)


def _plans(result: ApisResult) -> None:
    if not result.outcomes:
        return
    api = st.segmented_control(
        "Plan of",
        APIS,
        default=APIS[3],
        required=True,
        key="apis_plan_of",
        label_visibility="collapsed",
        **BOUND,
    )
    lab.chart(
        figures.plans(result, api),
        "apis_plans",
        "The steps of every API from the scan to the answer",
    )
    with st.expander(f"The plan of {api} as Spark writes it"):
        outcome = result.of(api)
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
        n_rows = st.select_slider(
            "Rows to count",
            ROWS,
            A.n_rows,
            format_func="{:,}".format,
            key="apis_n_rows",
            help="In an RDD",
            width=220,
            **BOUND,
        )
        n_tasks = st.slider(
            "Tasks",
            1,
            16,
            A.n_tasks,
            key="apis_n_tasks",
            help="Partitions of it",
            width=220,
            **BOUND,
        )
        lost = st.toggle(
            "Lose a shuffle file too", A.lost_shuffle, key="apis_lost_shuffle",
            help="In a second Spark, started for it (5 to 20 s), for the loss costs its cache as well", **BOUND
        )  # fmt: skip
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
    n_tasks = st.slider(
        "Tasks",
        2,
        64,
        B.n_tasks,
        key="apis_look_ups",
        help="Each looks the table up",
        width=320,
        **BOUND,
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


def _edit(query: str) -> None:
    st.session_state["apis_named"], st.session_state["apis_query"] = OWN, query


def _console() -> None:
    if "apis_query" in st.query_params and "apis_named" not in {
        *st.query_params,
        *st.session_state,
    }:
        st.session_state["apis_named"] = OWN  # a link from before there was a choice
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Query",
            (*console.NAMES, OWN),
            key="apis_named",
            help=f"Over {', '.join(console.TABLES)}",
            width=320,
            **BOUND,
        )
        n_rows = st.select_slider(
            "Rows shown",
            (10, 20, 100, 1_000),
            C.n_rows,
            key="apis_shown",
            help="Of the answer",
            width=220,
            **BOUND,
        )
        if name == OWN:
            limit = st.slider(
                "Stop after, s", 1, 60, C.limit_seconds, key="apis_limit", help="DuckDB's process is then ended", width=220,
                **BOUND,
            )  # fmt: skip
        else:
            explain = st.selectbox(
                "Spark's plan",
                EXPLAINS,
                key="apis_explain",
                help="EXPLAIN's modes",
                width=220,
                **BOUND,
            )
    with lab.errors_shown():
        if name == OWN:
            _own(n_rows, limit)
            return
        params = NamedParams(name=name, explain=explain, n_rows=n_rows)
        st.code(params.query, language="sql")
        st.button(
            "Edit a copy",
            key="apis_edit",
            icon=":material/edit:",
            on_click=_edit,
            args=(params.query,),
        )
        work.run("apis_named_query", params, console.named_steps, _show_answer)


def _own(n_rows: int, limit: int) -> None:
    st.caption(console.WHY_DUCKDB)
    text = st.text_area(
        "SQL", C.query, key="apis_query", height=150,
        help="One query: SELECT, WITH, VALUES, TABLE, DESCRIBE, SHOW TABLES or EXPLAIN. Ctrl-Enter takes the text over", **BOUND
    )  # fmt: skip
    params = OwnParams(query=text, n_rows=n_rows, limit_seconds=limit)
    if work.approved("apis_own_query", params, "Run this query"):
        work.run("apis_own_query", params, console.own_steps, _show_answer)


def _show_answer(result: NamedResult | OwnResult) -> None:
    st.markdown(result.verdict)
    answer, engine = result.answer, "DuckDB" if isinstance(result, OwnResult) else "Spark"
    if answer.columns:
        st.dataframe(
            answer.rows(),
            hide_index=True,
            height="content" if len(answer.values) <= 20 else 400,
            alt="Rows of the answer",
        )
    if answer.plan:
        st.caption(f"{engine}'s plan")
        st.code(
            answer.plan, language=None, wrap_lines=engine == "Spark"
        )  # DuckDB draws its plan in boxes


def _view() -> str:
    return st.segmented_control(
        "Look closer",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="apis_view",
        label_visibility="collapsed",
        **BOUND,
    )


BY_THEMSELVES = {"Accumulators": _accumulators, "Broadcast": _broadcast, "SQL console": _console}


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
        BY_THEMSELVES.get(_view(), partial(_plans, result))()
    lab.report("spark", "apis", result, figure)


@lab.experiment("apis")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("spark", "apis")
    with output:
        view = (
            _view() if state.presenting() else None
        )  # drawn, though unseen there: else it would forget its value
        if view in BY_THEMSELVES:  # not about the race, so it waits for none
            st.caption(session.ENGINE.status)
            BY_THEMSELVES[view]()
        else:
            work.run("apis", params, apis.steps, _show, ApisResult(params, ()))
