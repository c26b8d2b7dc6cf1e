"""The SQL console of *APIs*: fixed queries on Spark and DuckDB, a visitor's own on DuckDB alone."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine import hosted
from engine.spark.apis import console, figure
from engine.spark.apis.console import NamedParams, NamedResult, OwnParams, OwnResult
from pages.shell import controls, lab, work
from pages.tabs.spark import aside

C, N = OwnParams(), NamedParams()
OWN = "Your own"


def _edit(query: str) -> None:
    st.session_state["apis_named"], st.session_state["apis_query"] = OWN, query


def params() -> NamedParams | OwnParams:
    """Draw the controls; a visitor's own text is asked for by ``output``."""
    if "apis_query" in st.query_params and "apis_named" not in {
        *st.query_params,
        *st.session_state,
    }:
        st.session_state["apis_named"] = OWN  # a link from before there was a choice
    name = controls.selectbox(
        N, "name", "Query",
        options=(*console.NAMES, OWN),
        help=f"Over {', '.join(console.TABLES)}",
        key="apis_named",
    )  # fmt: skip
    n_rows = controls.slider(
        C, "n_rows", "Rows shown", help="Of the answer", key="apis_shown", format_func=str
    )
    if name == OWN:
        limit = controls.slider(
            C, "limit_seconds", "Stop after, s", help="DuckDB's process is then ended",
            key="apis_limit",
        )  # fmt: skip
        return OwnParams(n_rows=n_rows, limit_seconds=limit)
    explain = controls.selectbox(N, "explain", "Spark's plan", help="Modes of `EXPLAIN`")
    chosen = NamedParams(name=name, explain=explain, n_rows=n_rows)
    st.button(
        "Edit a copy",
        key="apis_edit",
        icon=":material/edit:",
        on_click=_edit,
        args=(chosen.query,),
    )
    return chosen


def output(params: NamedParams | OwnParams) -> None:
    """Run a fixed query, or ask for a visitor's own and run it once approved."""
    if isinstance(params, NamedParams):
        work.run("apis_named_query", params, console.named_steps, _show_named)
        return
    if note := hosted.off("sql"):
        st.info(note)
        return
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
    params = replace(params, query=text)
    if work.approved("apis_own_query", params, "Run this query"):
        work.run("apis_own_query", params, console.own_steps, _show_own)


def _show_named(result: NamedResult) -> None:
    with aside.screen(result):
        alt = "The answer: its last number by its first columns"
        lab.chart(figure.answer(result), "apis_answer", alt, verdict=result.verdict)
        st.code(result.params.query, language="sql")
        _rows(result, "Spark")


def _show_own(result: OwnResult) -> None:
    st.markdown(result.verdict)
    _rows(result, "DuckDB")


def _rows(result: NamedResult | OwnResult, engine: str) -> None:
    answer = result.answer
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
