"""When do you know it? The moment of prediction, the columns that come after it, and five leaks
found in these flights.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from engine.leakage import availability
from engine.leakage.availability import (
    N_ROWS,
    AvailabilityParams,
    AvailabilityResult,
    cases,
    figure,
)
from engine.leakage.availability.cases import CASES, CaseParams, CaseResult
from engine.leakage.flights import GROUPS, MOMENTS
from pages.shell import lab, work

D = AvailabilityParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Score by moment", *CASES)


def _params() -> AvailabilityParams:
    moment = st.select_slider(
        "The prediction is due at",
        MOMENTS,
        D.moment,
        key="availability_moment",
        help="Later columns turn vermilion",
        **BOUND,
    )
    columns = st.multiselect(
        "Columns in the model",
        GROUPS,
        D.columns,
        key="availability_columns",
        help="Arrival time is the answer in other words: try it",
        **BOUND,
    )
    with st.expander("Rows, draws, seed"):
        n_rows = st.select_slider(
            "Rows to train on", N_ROWS, D.n_rows, key="availability_n_rows",
            help="And as many to test on", **BOUND
        )  # fmt: skip
        n_seeds = st.slider(
            "Draws",
            2,
            10,
            D.n_seeds,
            key="availability_n_seeds",
            help="Each draws its own rows",
            **BOUND,
        )
        seed = st.slider(
            "First seed",
            0,
            99,
            D.seed,
            key="availability_seed",
            help="Of the draws and the models",
            **BOUND,
        )
    return AvailabilityParams(
        moment=moment, columns=tuple(columns), n_rows=n_rows, n_seeds=n_seeds, seed=seed
    )


def _show_case(result: CaseResult) -> None:
    st.markdown(result.verdict)
    lab.chart(figure.case(result), "availability_case", "AUC of each way of making the columns")
    st.markdown("\n".join(f"- {fact}" for fact in result.facts))


def _show_moments(result: AvailabilityResult) -> None:
    st.markdown(result.verdict)
    lab.chart(
        figure.moments(result, lab.pinned("availability")),
        "availability_moments",
        "AUC reported, served and honest by the moment at which the prediction is due",
    )


@lab.experiment("availability")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("leakage", "availability")
    with output:
        timeline = figure.timeline(params)
        lab.chart(timeline, "availability_timeline", "The moment from which each column is known")
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="availability_view",
            label_visibility="collapsed",
            **BOUND,
        )
        if view in CASES:
            asked = CaseParams(
                case=view, n_rows=params.n_rows, n_seeds=params.n_seeds, seed=params.seed
            )
            work.run("availability_case", asked, cases.steps, _show_case)

        def filled_in(result: AvailabilityResult) -> None:
            here = replace(result, params=params)
            if view not in CASES:
                _show_moments(here)
            if params.moment in here.by_moment:
                lab.report("leakage", "availability", here, timeline)

        work.run("availability", availability.base(params), availability.steps, filled_in)
