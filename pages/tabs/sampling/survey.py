"""Survey: many samples from a population that is known, by every scheme, good and bad; and, inside
the same tab, how many rows are enough.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.sampling import survey
from engine.sampling.survey import SurveyParams, SurveyResult
from engine.sampling.survey import figure as figures
from pages.shell import controls, lab, texts, work
from pages.tabs.sampling import precision
from pages.tabs.sampling.subjects import PRECISION, SCHEMES, SURVEY

D = SurveyParams()
VIEWS = ("Table", "Mitigation", "In time")
preview = st.cache_resource(max_entries=16, show_spinner=False)(survey.preview)


def _params() -> SurveyParams:
    SURVEY.choose(SCHEMES)
    measure = controls.segmented(
        D, "measure", "Mean to estimate", help="In minutes, over all flights that flew"
    )
    n = controls.slider(D, "n", "Sample size n", help="Flights in each sample")
    strata = controls.segmented(
        D, "strata", "Strata", help="Of stratified samples; quota samples fill the same shares"
    )
    every_days = controls.slider(
        D, "every_days", "Sample every N days", help="Systematic sample of days, in view In time"
    )
    with st.expander("Repeats, seed"):
        n_samples = controls.slider(
            D, "n_samples", "Repeats", help="Samples per scheme; each gives one estimate"
        )
        seed = controls.slider(D, "seed", "Seed", help="Of every random draw")
    return SurveyParams(
        measure=measure,
        n=n,
        strata=strata,
        every_days=every_days,
        n_samples=n_samples,
        seed=seed,
    )


def _show(params: SurveyParams, result: SurveyResult) -> None:
    pinned = lab.pinned("survey")
    verdict = result.verdict
    if result.params != params:
        verdict = f"Not measured yet. With {survey.N_PREVIEW} samples per scheme: {verdict}"
    with lab.screen("sampling", "survey", result, verdict) as screen:
        screen.answer(
            figures.estimates(result, pinned),
            "survey_estimates",
            "Estimates of every scheme around the true mean",
        )
        _closer(result, controls.view("survey_view", VIEWS), pinned)


def _closer(result: SurveyResult, view: str, pinned: SurveyResult | None) -> None:
    if view == "Mitigation":
        lab.chart(
            figures.mitigations(result, pinned),
            "survey_mitigations",
            "Biased samples before and after weighting",
        )
    elif view == "In time":
        lab.chart(
            figures.in_time(result, pinned),
            "survey_time",
            "Error of level, weekday profile and trend by temporal scheme",
        )
    else:
        texts.table(result.rows(result.tallies), "Bias, error and coverage of each scheme")


def _output(params: SurveyParams) -> None:
    work.run(
        "survey",
        params,
        survey.steps,
        partial(_show, params),
        first=lambda: preview(params),
    )


_schemes = lab.tab("sampling", "survey", _params, _output)


def show() -> None:
    """Draw the tab: the schemes, or how many rows are enough."""
    (precision.show if SURVEY.chosen() == PRECISION else _schemes)()
