"""ETL or ELT: one job before and after loading, and which of the two can rebuild when the rule
changes.
"""

from __future__ import annotations

import streamlit as st

from engine.etl import elt
from engine.etl.elt import EltParams, Race
from engine.etl.elt import figure as figures
from pages.shell import controls, lab, work

D = EltParams()
VIEWS = ("Days left", "Time and bytes", "The rule as SQL")
run = st.cache_resource(max_entries=64, show_spinner=False)(elt.run)


def _params() -> EltParams:
    loads = controls.segmented(D, "loads", "ETL loads", help="What is left of a flight after it")
    late = controls.slider(D, "late_minutes", "Late is more than, minutes", help="First rule")
    rule = controls.selectbox(D, "rule", "The new rule", help="Asked once all is loaded")
    return EltParams(
        loads=loads,
        late_minutes=late,
        rule=rule,
        new_minutes=controls.slider(
            D,
            "new_minutes",
            "New limit, minutes",
            help="Late is now more than this",
            disabled=rule != "another limit",
        ),
        retention_days=controls.slider(
            D,
            "retention_days",
            "The source keeps, days",
            help="What ETL can fetch again once its own rows do not suffice",
        ),
        n_days=controls.slider(D, "n_days", "Days of flights", help="From 1 January 2013 on"),
    )


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


def _show(params: EltParams) -> None:
    result = run(params)
    st.markdown(result.verdict)
    figure = figures.matrix(result)
    lab.chart(
        figure,
        "elt_matrix",
        "Which new rule each warehouse can answer, and the bytes moved into it",
    )
    view = controls.view("elt_view", VIEWS)
    if view == "Time and bytes":
        work.run("elt", params.n_days, elt.race_steps, lambda race: _show_race(race, params))
    elif view == "The rule as SQL":
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


show = lab.tab("etl", "elt", _params, _show)
