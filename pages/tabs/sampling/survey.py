"""Survey arena: many samples from a population that is known, by every scheme, good and bad."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.sampling import survey
from engine.sampling.survey import MEASURES, SIZES, STRATA, SurveyParams, SurveyResult
from engine.sampling.survey import figure as figures
from pages.shell import lab, work

D = SurveyParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Schemes in numbers", "Mitigation", "In time")


def _params() -> SurveyParams:
    measure = st.segmented_control(
        "Mean of",
        MEASURES,
        default=D.measure,
        required=True,
        key="survey_measure",
        help="Minutes, of flown flights",
        **BOUND,
    )
    n = st.select_slider(
        "Sample size n",
        SIZES,
        D.n,
        format_func="{:,}".format,
        key="survey_n",
        help="Flights in each sample",
        **BOUND,
    )
    strata = st.segmented_control(
        "Strata",
        STRATA,
        default=D.strata,
        required=True,
        key="survey_strata",
        help="Also the shares that quotas fill",
        **BOUND,
    )
    every = st.slider(
        "In time: every … days",
        2,
        30,
        D.every_days,
        key="survey_every_days",
        help="Of the systematic sample of days",
        **BOUND,
    )
    with st.expander("Samples, seed"):
        n_samples = st.slider(
            "Samples a scheme",
            100,
            1_000,
            D.n_samples,
            100,
            key="survey_n_samples",
            help="Each gives one estimate",
            **BOUND,
        )
        seed = st.slider("Seed", 0, 99, D.seed, key="survey_seed", help="Of every draw", **BOUND)
    return SurveyParams(
        measure=measure, n=n, strata=strata, every_days=every, n_samples=n_samples, seed=seed
    )


def _show(result: SurveyResult) -> None:
    pinned = lab.pinned("survey")
    st.markdown(result.verdict)
    figure = figures.estimates(result, pinned)
    lab.chart(figure, "survey_estimates", "Estimates of every scheme around the true mean")
    controls, below = lab.places(1)[0]
    view = controls.segmented_control(
        "Look closer",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="survey_view",
        label_visibility="collapsed",
        **BOUND,
    )
    with below:
        _closer(result, view, pinned)
    if result.tallies:
        lab.report("sampling", "survey", result, figure)


def _closer(result: SurveyResult, view: str | None, pinned: SurveyResult | None) -> None:
    if view == "Mitigation" and result.mitigations:
        lab.chart(
            figures.mitigations(result, pinned),
            "survey_mitigations",
            "Biased samples before and after weighing",
        )
    elif view == "In time" and result.series:
        lab.chart(
            figures.in_time(result, pinned),
            "survey_time",
            "Misses of level, weekday profile and trend by temporal scheme",
        )
    else:
        st.table(
            result.rows(result.tallies),
            hide_index=True,
            border="horizontal",
            alt="Schemes in numbers",
        )


@lab.experiment("survey")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("sampling", "survey")
    with output:
        work.run("survey", params, survey.steps, _show)
