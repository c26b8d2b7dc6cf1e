"""ETL or ELT: one job before and after loading, and which of the two can rebuild when the rule
changes.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.etl import elt
from engine.etl.elt import LOADS, N_DAYS, RULES, EltParams, Race
from engine.etl.elt import figure as figures
from pages.shell import lab, work

D = EltParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Days left", "Time and bytes", "The rule as SQL")
run = st.cache_resource(max_entries=64, show_spinner=False)(elt.run)


def _params() -> EltParams:
    loads = st.segmented_control(
        "ETL loads",
        LOADS,
        default=D.loads,
        required=True,
        key="elt_loads",
        help="What is left of a flight after it",
        **BOUND,
    )
    late = st.slider(
        "Late is more than, minutes",
        0,
        120,
        D.late_minutes,
        5,
        key="elt_late_minutes",
        help="First rule",
        **BOUND,
    )
    rule = st.selectbox(
        "The new rule",
        RULES,
        RULES.index(D.rule),
        key="elt_rule",
        help="Asked once all is loaded",
        **BOUND,
    )
    new = st.slider(
        "New limit, minutes", 0, 120, D.new_minutes, 5, key="elt_new_minutes", help="Late is now more than this",
        disabled=rule != "another limit", **BOUND
    )  # fmt: skip
    retention = st.slider(
        "The source keeps, days", 0, 365, D.retention_days, key="elt_retention_days",
        help="What ETL can fetch again once its own rows do not suffice", **BOUND
    )  # fmt: skip
    n_days = st.select_slider(
        "Days of flights",
        N_DAYS,
        D.n_days,
        key="elt_n_days",
        help="From 1 January 2013 on",
        **BOUND,
    )
    return EltParams(
        loads=loads, late_minutes=late, rule=rule, new_minutes=new, retention_days=retention, n_days=n_days
    )  # fmt: skip


@lab.experiment("elt")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("etl", "elt")
    with output:
        result = run(params)
        st.markdown(result.verdict)
        figure = figures.matrix(result)
        lab.chart(
            figure,
            "elt_matrix",
            "Which new rule each warehouse can answer, and the bytes moved into it",
        )
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="elt_view",
            label_visibility="collapsed",
            **BOUND,
        )
        if view == VIEWS[1]:
            work.run("elt", params.n_days, elt.race_steps, lambda race: _show_race(race, params))
        elif view == VIEWS[2]:
            st.markdown(
                f"**{params.rule}** on what {params.way} loaded ({result.outcome}):"
                f" {result.chosen.detail}"
            )
            st.code(result.chosen.sql, language="sql", wrap_lines=True)
        else:
            lab.chart(
                figures.days(result, lab.pinned("elt")),
                "elt_days",
                "Days for which ETL can give the new answer",
            )
        lab.report("etl", "elt", result, figure)


def _show_race(race: Race, params: EltParams) -> None:
    st.markdown(race.verdict(params.way))
    lab.chart(figures.race(race), "elt_race", "Median milliseconds of each way by step")
    if race.measured:
        st.table(
            race.rows(),
            hide_index=True,
            border="horizontal",
            alt="Median time of each step and size of each warehouse",
        )
