"""The SQL console below *APIs*: fixed queries on Spark and DuckDB, a visitor's on DuckDB alone."""

from __future__ import annotations

import streamlit as st

from engine.spark.apis import console
from engine.spark.apis.console import NamedParams, NamedResult, OwnParams, OwnResult
from pages.shell import controls, lab, work

C, N = OwnParams(), NamedParams()
OWN = "Your own"


def _edit(query: str) -> None:
    st.session_state["apis_named"], st.session_state["apis_query"] = OWN, query


def draw() -> None:
    if "apis_query" in st.query_params and "apis_named" not in {
        *st.query_params,
        *st.session_state,
    }:
        st.session_state["apis_named"] = OWN  # a link from before there was a choice
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = controls.selectbox(
            N,
            "name",
            "Query",
            options=(*console.NAMES, OWN),
            help=f"Over {', '.join(console.TABLES)}",
            key="apis_named",
            width=320,
        )
        n_rows = controls.slider(
            C,
            "n_rows",
            "Rows shown",
            help="Of the answer",
            key="apis_shown",
            format_func=str,
            width=220,
        )
        if name == OWN:
            limit = controls.slider(
                C,
                "limit_seconds",
                "Stop after, s",
                help="DuckDB's process is then ended",
                key="apis_limit",
                width=220,
            )
        else:
            explain = controls.selectbox(
                N, "explain", "Spark's plan", help="EXPLAIN's modes", width=220
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
        "SQL",
        C.query,
        key="apis_query",
        height=150,
        help=(
            "One query: SELECT, WITH, VALUES, TABLE, DESCRIBE, SHOW TABLES or EXPLAIN. Ctrl-Enter"
            " takes the text over"
        ),
        **controls.BOUND,
    )
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
