"""ETL or ELT: one job transformed before or after loading, and which can apply a new rule."""

from __future__ import annotations

import streamlit as st

from engine.etl import elt
from engine.etl.elt import EltParams, Race
from engine.etl.elt import figure as figures
from pages.shell import controls, lab, texts, work

D = EltParams()
VIEWS = ("Days left", "Time and bytes", "The rule as SQL")
run = st.cache_resource(max_entries=64, show_spinner=False)(elt.run)


def _params() -> EltParams:
    loads = controls.segmented(D, "loads", "ETL loads", help="What ETL keeps of each flight")
    late = controls.slider(D, "late_minutes", "Late after, min", help="First rule")
    rule = controls.selectbox(D, "rule", "New rule", help="Asked after everything is loaded")
    return EltParams(
        loads=loads,
        late_minutes=late,
        rule=rule,
        new_minutes=controls.slider(
            D,
            "new_minutes",
            "New limit, min",
            help="Late is now more than this",
            disabled=rule != "another limit",
        ),
        retention_days=controls.slider(
            D,
            "retention_days",
            "Source retention, days",
            help="Days that ETL can fetch again when its own rows do not suffice",
        ),
        n_days=controls.slider(D, "n_days", "Days of flights", help="From 1 January 2013"),
    )


def _show(params: EltParams) -> None:
    result = run(params)

    def show_race(race: Race) -> None:
        lab.chart(
            figures.race(race, result.moved_bytes), "elt_race", "Median time of each way by step"
        )
        texts.say(race.verdict(params.way))
        if race.measured:
            texts.table(race.rows(), "Median time of each step and size of each warehouse")

    with lab.screen("etl", "elt", result) as screen:
        screen.answer(
            figures.matrix(result),
            "elt_matrix",
            "Which new rule each warehouse can answer, and the bytes moved into it",
        )
        view = controls.view("elt_view", VIEWS)
        if view == "Time and bytes":
            work.run("elt", params.n_days, elt.race_steps, show_race, Race(params.n_days, {}, {}))
        elif view == "The rule as SQL":
            texts.say(
                f"**{params.rule}** on {params.way} ({result.outcome}): {result.chosen.detail}"
            )
            st.code(result.chosen.sql, language="sql", wrap_lines=True)
        else:
            lab.chart(
                figures.days(result, lab.pinned("elt")),
                "elt_days",
                "Days that ETL can rebuild with the new rule",
            )


show = lab.tab("etl", "elt", _params, _show)
