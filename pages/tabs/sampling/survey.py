"""Survey arena: many samples from a population that is known, by every scheme, good and bad."""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.sampling import survey
from engine.sampling.survey import SurveyParams, SurveyResult
from engine.sampling.survey import figure as figures
from pages.shell import controls, lab, work

D = SurveyParams()
VIEWS = ("Schemes in numbers", "Mitigation", "In time")


def _params() -> SurveyParams:
    measure = controls.segmented(D, "measure", "Mean of", help="Minutes, of flown flights")
    n = controls.slider(D, "n", "Sample size n", help="Flights in each sample")
    strata = controls.segmented(D, "strata", "Strata", help="Also the shares that quotas fill")
    every_days = controls.slider(
        D, "every_days", "In time: every … days", help="Of the systematic sample of days"
    )
    with st.expander("Samples, seed"):
        n_samples = controls.slider(
            D, "n_samples", "Samples a scheme", help="Each gives one estimate"
        )
        seed = controls.slider(D, "seed", "Seed", help="Of every draw")
    return SurveyParams(
        measure=measure,
        n=n,
        strata=strata,
        every_days=every_days,
        n_samples=n_samples,
        seed=seed,
    )


def _show(result: SurveyResult) -> None:
    pinned = lab.pinned("survey")
    st.markdown(result.verdict)
    figure = figures.estimates(result, pinned)
    lab.chart(figure, "survey_estimates", "Estimates of every scheme around the true mean")
    views, below = lab.places(1)[0]
    with views:
        view = controls.view("survey_view", VIEWS)
    with below:
        _closer(result, view, pinned)
    if result.tallies:
        lab.report("sampling", "survey", result, figure)


def _closer(result: SurveyResult, view: str, pinned: SurveyResult | None) -> None:
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


show = lab.tab(
    "sampling", "survey", _params, partial(work.run, "survey", steps=survey.steps, show=_show)
)
