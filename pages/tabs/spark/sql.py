"""Spark SQL: a fixed query beside the plan that Spark makes of it, and its rows, compared with
DuckDB's; a visitor's own query on DuckDB alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from engine import hosted
from engine.spark import session, sql
from engine.spark.sql import EXPLAINS, SqlParams, SqlResult, console, figure
from engine.spark.sql.console import Answer, OwnParams, OwnResult
from engine.spark.sql.queries import NAMES, ROWS
from pages.shell import controls, lab, work

D, V = SqlParams(), OwnParams()  # V: of a visitor's own query
OWN = "Your own"
PLAN, ANSWER = VIEWS = ("Plan", "Answer")
OLDER: dict[str, tuple[str, tuple[Any, ...]]] = {  # keys of before this was a tab, what they allow
    "apis_named": ("sql_name", (*NAMES, OWN)),
    "apis_explain": ("sql_explain", EXPLAINS),
    "apis_shown": ("sql_n_rows", ROWS),
    "apis_limit": ("sql_limit_seconds", tuple(range(1, console.MAX_SECONDS + 1))),
    "apis_query": ("sql_query", ()),
}


def _follow_older_links() -> None:
    """Put the settings of a link from before under the keys of now; what none allows is dropped."""
    links = st.query_params
    for key in [key for key in OLDER if key in links]:
        now, allowed = OLDER[key]
        value = links.pop(key)
        known = {str(one): one for one in allowed} if allowed else {value: value}
        if value in known and now not in links:
            st.session_state[now], links[now] = known[value], str(known[value])
    if "sql_query" in links and "sql_name" not in {*links, *st.session_state}:
        st.session_state["sql_name"] = OWN  # a link to a text is a link to one's own


def _edit(query: str) -> None:
    st.session_state["sql_name"], st.session_state["sql_query"] = OWN, query


def _params() -> SqlParams | OwnParams:
    """Draw the controls; a visitor's own text is asked for by ``_output``."""
    _follow_older_links()
    name = controls.selectbox(
        D, "name", "Query", options=(*NAMES, OWN), help=f"Over {', '.join(console.TABLES)}"
    )
    n_rows = controls.slider(D, "n_rows", "Rows shown", help="Of the answer", format_func=str)
    if name == OWN:
        limit = controls.slider(
            V, "limit_seconds", "Stop after, s", help="DuckDB's process is then ended"
        )
        return OwnParams(n_rows=n_rows, limit_seconds=limit)
    explain = controls.selectbox(D, "explain", "Plan as text", help="Modes of `EXPLAIN`")
    chosen = SqlParams(name=name, explain=explain, n_rows=n_rows)
    st.button(
        "Edit a copy",
        key="sql_edit",
        icon=":material/edit:",
        on_click=_edit,
        args=(chosen.query,),
    )
    return chosen


def _output(params: SqlParams | OwnParams) -> None:
    """Run a fixed query, or ask for a visitor's own and run it once approved."""
    if isinstance(params, SqlParams):
        work.run("sql", params, sql.steps, _show, SqlResult(params))
        return
    if note := hosted.off("sql"):
        st.info(note)
        return
    st.caption(console.WHY_DUCKDB)
    text = st.text_area(
        "SQL",
        V.query,
        key="sql_query",
        height=150,
        help=(
            "One query: SELECT, WITH, VALUES, TABLE, DESCRIBE, SHOW TABLES or EXPLAIN. Ctrl-Enter"
            " takes the text over"
        ),
        **controls.BOUND,
    )
    params = replace(params, query=text)
    if work.approved("sql_own", params, "Run this query"):
        work.run("sql_own", params, console.own_steps, _show_own)


def _show(result: SqlResult) -> None:
    with lab.screen("spark", "sql", result) as screen:
        place = st.container()
        view = controls.view("sql_view", VIEWS)
        with place:
            if view == ANSWER and result.answer is not None:
                alt = "The answer: its last number by its first columns"
                screen.answer(figure.answer(result, result.answer), "sql_answer", alt)
            else:
                alt = "The plan from scan to answer: which steps move rows"
                key = "sql_answer" if view == ANSWER else "sql_plan"
                screen.answer(figure.plan(result), key, alt)
        _query_and_plan(result)
        if result.answer is not None:
            _rows(result.answer)
        st.caption(session.ENGINE.status)  # here, for it changes while Spark starts


def _query_and_plan(result: SqlResult) -> None:
    """Draw the text of the query and, beside it, the plan as Spark writes it."""
    plan = result.answer.plan if result.answer is not None else ""
    left, right = st.columns((2, 3)) if plan else (st.container(), None)
    left.code(result.params.query, language="sql", wrap_lines=True)
    if right is not None:
        right.code(plan, language=None, wrap_lines=True)


def _show_own(result: OwnResult) -> None:
    st.markdown(result.verdict)
    _rows(result.answer)
    if result.answer.plan:
        st.caption("DuckDB's plan")
        st.code(result.answer.plan, language=None)  # drawn in boxes


def _rows(answer: Answer) -> None:
    if answer.columns:
        st.dataframe(
            answer.rows(),
            hide_index=True,
            height="content" if len(answer.values) <= 20 else 400,
            alt="Rows of the answer",
        )


show = lab.tab("spark", "sql", _params, _output)
