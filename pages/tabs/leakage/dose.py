"""Dose and response: how far the reported score runs ahead of production as a leak is dosed."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.leakage import dose, pipeline
from engine.leakage.dose import (
    FOCI,
    N_NOISE,
    N_ROWS,
    NAMES,
    DoseParams,
    DoseResult,
    Overview,
    verdicts,
)
from engine.leakage.dose import figure as figures
from engine.leakage.dose.verdicts import Verdicts
from engine.leakage.dose.verdicts import figure as verdict_figures
from engine.leakage.pipeline import MECHANISMS
from pages.shell import lab, work

D = DoseParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Every leak", "Boosting", "Detectors")
run = st.cache_resource(max_entries=64, show_spinner=False)(dose.run)


def _params() -> DoseParams:
    focus = st.selectbox(
        "Leak",
        FOCI,
        FOCI.index(D.focus),
        key="dose_focus",
        help="The one that is looked at closely",
        **BOUND,
    )
    amount = st.slider(
        "Dose",
        0.0,
        1.0,
        D.dose,
        0.05,
        key="dose_dose",
        help="0: the clean pipeline; 1: the whole leak",
        **BOUND,
    )
    signal = st.slider(
        "True signal",
        0.0,
        1.5,
        D.signal,
        0.1,
        key="dose_signal",
        help="0: nothing can be known, a coin flip is right",
        **BOUND,
    )
    n_rows = st.select_slider(
        "Rows",
        N_ROWS,
        D.n_rows,
        key="dose_n_rows",
        help="Two thirds train, a third is tested",
        **BOUND,
    )
    seed = st.slider(
        "First seed",
        0,
        99,
        D.seed,
        key="dose_seed",
        help="Each seed is a world of its own",
        **BOUND,
    )
    return DoseParams(
        focus=focus, dose=amount, signal=signal, n_rows=n_rows, seed=seed, **_more(focus)
    )


def _more(focus: str) -> dict[str, Any]:
    with st.expander("Other leaks at once"):
        others = {
            name: st.slider(
                NAMES[name], 0.0, 1.0, 0.0, 0.05, key=f"dose_{name}", help="Together with the leak above",
                disabled=NAMES[name] == focus, **BOUND
            )
            for name in MECHANISMS
        }  # fmt: skip
    with st.expander("Noise columns, seeds"):
        n_noise = st.select_slider(
            "Noise columns", N_NOISE, D.n_noise, key="dose_n_noise",
            help="Offered to feature selection, which is in the pipeline only where it is dosed or looked at", **BOUND
        )  # fmt: skip
        n_seeds = st.slider(
            "Seeds",
            2,
            20,
            D.n_seeds,
            key="dose_n_seeds",
            help="Worlds that every number is a mean of",
            **BOUND,
        )
    return {**others, "n_noise": n_noise, "n_seeds": n_seeds}


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


@lab.experiment("dose")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("leakage", "dose")
    with output:
        result = run(params)
        st.markdown(result.verdict)
        measure = st.segmented_control(
            "Score",
            list(figures.MEASURES),
            default="AUC",
            required=True,
            key="dose_measure",
            label_visibility="collapsed",
            **BOUND,
        )
        figure = figures.curve(result, measure or "AUC", lab.pinned("dose"))
        lab.chart(figure, "dose_curve", "Reported and production score over the dose of the leak")
        st.caption(pipeline.told(params.mechanism, params.dose, result.n_test) + ".")
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="dose_view",
            label_visibility="collapsed",
            **BOUND,
        )
        if view == "Boosting":
            work.run("dose", params, dose.steps, _show_boosting)
        elif view == "Detectors":
            work.run("dose", verdicts.verdicts_of(params), verdicts.steps, _show_verdicts)
        else:
            work.run("dose", dose.overview_of(params), dose.overview_steps, _show_overview)
        lab.report("leakage", "dose", result, figure)
