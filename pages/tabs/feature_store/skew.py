"""Skew injector: five mistakes by dose, each value in training and serving, what the same model
loses, what prevents it.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.feature_store import skew
from engine.feature_store.skew import MODELS, STALE_HOURS, UNITS, SkewParams, SkewResult, real
from engine.feature_store.skew import figure as figures
from engine.feature_store.skew.real import Confirmation
from pages.shell import lab, work

D = SkewParams()
BOUND: dict[str, Any] = {"bind": "query-params"}


def _params() -> SkewParams:
    stale = st.select_slider(
        "Stale: materialised every … hours",
        STALE_HOURS,
        D.stale_hours,
        key="skew_stale_hours",
        help="0: at once",
        **BOUND,
    )
    window = st.slider(
        "Transform: landings in the mean delay",
        1,
        20,
        D.window,
        key="skew_window",
        help="Training takes the last five",
        **BOUND,
    )
    missing = st.slider(
        "Default: a missing pressure is … hPa", 0, 1100, D.missing_hpa, key="skew_missing_hpa",
        help="Training takes 1,013, the standard atmosphere", **BOUND
    )  # fmt: skip
    slip = st.slider(
        "Time zone: serving's clock ahead, hours", 0, 12, D.slip_hours, key="skew_slip_hours",
        help="4: UTC taken for New York's summer time; 1: a forgotten clock change", **BOUND
    )  # fmt: skip
    unit = st.selectbox(
        "Unit",
        UNITS,
        UNITS.index(D.unit),
        key="skew_unit",
        help="What serving's source holds",
        **BOUND,
    )
    share = st.slider(
        "Share of requests", 0.0, 1.0, D.share, 0.05, format="percent", key="skew_share",
        help="That go through the faulty path: a canary, one of two data centres", **BOUND
    )  # fmt: skip
    model = st.segmented_control(
        "Model",
        MODELS,
        default=D.model,
        required=True,
        key="skew_model",
        help="Trained once, on training's values",
        **BOUND,
    )
    with st.expander("Seed"):
        seed = st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="skew_seed",
            help="Of flights, model, draws and faulty requests",
            **BOUND,
        )
    return SkewParams(
        stale_hours=stale,
        window=window,
        missing_hpa=missing,
        slip_hours=slip,
        unit=unit,
        share=share,
        model=model,
        seed=seed,
    )


def _show(result: SkewResult) -> None:
    st.markdown(result.verdict)
    figure = figures.values(result)
    lab.chart(figure, "skew_values", "Each input as served against training's value")

    def confirmed(found: Confirmation) -> None:
        """Draw the scores with what the job has added, and Feast's own word."""
        chart = figures.scores(result, found.logged, lab.pinned("skew"))
        lab.chart(chart, "skew_scores", "AUC of each way of serving, with intervals")
        st.markdown(found.verdict)
        if found.complete:
            st.table(
                found.fixes, hide_index=True, border="horizontal", alt="What prevents each mistake"
            )

    work.run("skew", result.params, real.steps, confirmed, first=Confirmation(result.params))
    lab.report("feature_store", "skew", result, figure)


@lab.experiment("skew")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("feature_store", "skew")
    with output:
        _show(skew.run(params))
