"""Dose and response: how far the reported score runs ahead of production as a leak is dosed."""

from __future__ import annotations

from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.leakage import dose, pipeline
from engine.leakage.dose import NAMES, DoseParams, DoseResult, Overview, verdicts
from engine.leakage.dose import figure as figures
from engine.leakage.dose.verdicts import Verdicts
from engine.leakage.dose.verdicts import figure as verdict_figures
from engine.leakage.pipeline import MECHANISMS
from pages.shell import controls, lab, work

D = DoseParams()
VIEWS = ("Every leak", "Boosting", "Detectors")
run = st.cache_resource(max_entries=64, show_spinner=False)(dose.run)


def _params() -> DoseParams:
    focus = controls.selectbox(D, "focus", "Leak", help="The one that is looked at closely")
    amount = controls.slider(D, "dose", "Dose", help="0: the clean pipeline; 1: the whole leak")
    signal = controls.slider(
        D, "signal", "True signal", help="0: nothing can be known, a coin flip is right"
    )
    n_rows = controls.slider(
        D, "n_rows", "Rows", help="Two thirds train, a third is tested", format_func=str
    )
    seed = controls.slider(D, "seed", "First seed", help="Each seed is a world of its own")
    return DoseParams(
        focus=focus, dose=amount, signal=signal, n_rows=n_rows, seed=seed, **_more(focus)
    )


def _more(focus: str) -> dict[str, Any]:
    with st.expander("Other leaks at once"):
        settings = {
            name: controls.slider(
                D, name, NAMES[name],
                help="Together with the leak above", disabled=NAMES[name] == focus,
            )
            for name in MECHANISMS
        }  # fmt: skip
    with st.expander("Noise columns, seeds"):
        settings["n_noise"] = controls.slider(
            D,
            "n_noise",
            "Noise columns",
            help="Offered to feature selection, which is in the pipeline only where it is dosed or"
            " looked at",
            format_func=str,
        )
        settings["n_seeds"] = controls.slider(
            D, "n_seeds", "Seeds", help="Worlds that every number is a mean of"
        )
    return settings


def preview() -> go.Figure:
    """Return the chart of the default run, for Home."""
    return figures.curve(run(D))


def _show_overview(overview: Overview) -> None:
    st.markdown(overview.verdict)
    lab.chart(figures.leaks(overview), "dose_leaks", "AUC that each leak alone adds at full dose")


def _show_boosting(result: DoseResult) -> None:
    st.markdown(f"Boosting, {len(result.here.values)} seeds. {result.verdict}")
    lab.chart(figures.curve(result), "dose_boosting", "The same curve for a boosting model")


def _show_verdicts(found: Verdicts) -> None:
    st.markdown(found.verdict)
    lab.chart(
        verdict_figures.detectors(found),
        "dose_detectors",
        "Alarms of every detector of the audit by dose",
    )


def _output(params: DoseParams) -> None:
    result = run(params)
    st.markdown(result.verdict)
    measure = controls.view("dose_measure", list(figures.MEASURES), "Score")
    figure = figures.curve(result, measure, lab.pinned("dose"))
    lab.chart(figure, "dose_curve", "Reported and production score over the dose of the leak")
    st.caption(pipeline.describe(params.mechanism, params.dose, result.n_test) + ".")
    view = controls.view("dose_view", VIEWS)
    job = partial(work.run, "dose")
    if view == "Boosting":
        job(params, dose.steps, _show_boosting)
    elif view == "Detectors":
        job(verdicts.verdicts_of(params), verdicts.steps, _show_verdicts)
    else:
        job(dose.overview_of(params), dose.overview_steps, _show_overview)
    lab.report("leakage", "dose", result, figure)


show = lab.tab("leakage", "dose", _params, _output)
