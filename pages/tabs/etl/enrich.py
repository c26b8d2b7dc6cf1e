"""Enrich, inside the tab Quality gate: clean a batch, join three sources, count what is left."""

from __future__ import annotations

import streamlit as st

from engine.etl import enrich
from engine.etl.enrich import EnrichResult, figure
from engine.etl.enrich.params import EnrichParams
from pages.shell import controls, lab, texts
from pages.tabs.etl.subjects import ENRICH, QUALITY

D = EnrichParams()
VIEWS = ("Cleaning", "Before and after", "Joins")
run = st.cache_resource(max_entries=32, show_spinner=False)(enrich.run)


def _params() -> EnrichParams:
    QUALITY.choose(ENRICH)
    fault_share = controls.slider(
        D, "fault_share", "Faulty cells", help="Of each column of the flights' file", percent=True
    )
    join = controls.segmented(
        D, "join", "Join", help="Left keeps a flight without a partner, inner drops it"
    )
    clock = controls.segmented(
        D, "clock", "Departures are in", help="As which the key of the weather reads them"
    )
    first_day = controls.day_slider(D, "first_day", "First day", help="Of the batch of flights")
    n_days = controls.slider(D, "n_days", "Days", help="About 920 flights each")
    seed = controls.slider(D, "seed", "Seed", help="Of the faults")
    return EnrichParams(
        fault_share=fault_share,
        join=join,
        clock=clock,
        first_day=first_day,
        n_days=n_days,
        seed=seed,
    )


def _closer(result: EnrichResult) -> None:
    view = controls.view("enrich_view", VIEWS)
    if view == "Before and after":
        texts.table(result.cleaning_rows(), "Cells of each column before and after cleaning")
    elif view == "Joins":
        texts.table(result.join_rows(), "Rows with and without a partner in each join")
    else:
        lab.chart(
            figure.cleaning(result), "enrich_cleaning", "Cells of each column that were put right"
        )


def _output(params: EnrichParams) -> None:
    result = run(params)
    with lab.screen("etl", "enrich", result) as screen:
        screen.answer(
            figure.joins(result),
            "enrich_joins",
            "Rows with and without a partner in airlines, planes and weather",
        )
        _closer(result)


show = lab.tab("etl", "enrich", _params, _output)
