"""Skew injector: five mistakes by dose, each value in training and serving, what the same model
loses, what prevents it.
"""

from __future__ import annotations

import streamlit as st

from engine.feature_store import skew
from engine.feature_store.skew import SkewParams, real
from engine.feature_store.skew import figure as figures
from engine.feature_store.skew.real import Confirmation
from pages.shell import controls, lab, work

D = SkewParams()


def _params() -> SkewParams:
    stale = controls.slider(
        D, "stale_hours", "Stale: materialised every … hours", help="0: at once"
    )
    window = controls.slider(
        D, "window", "Transform: landings in the mean delay", help="Training takes the last five"
    )
    missing = controls.slider(
        D, "missing_hpa", "Default: a missing pressure is … hPa",
        help="Training takes 1,013, the standard atmosphere",
    )  # fmt: skip
    slip = controls.slider(
        D, "slip_hours", "Time zone: serving's clock ahead, hours",
        help="4: UTC taken for New York's summer time; 1: a forgotten clock change",
    )  # fmt: skip
    unit = controls.selectbox(D, "unit", "Unit", help="What serving's source holds")
    share = controls.slider(
        D, "share", "Share of requests", format="percent",
        help="That go through the faulty path: a canary, one of two data centres",
    )  # fmt: skip
    model = controls.segmented(D, "model", "Model", help="Trained once, on training's values")
    with st.expander("Seed"):
        seed = controls.slider(
            D, "seed", "Seed", help="Of flights, model, draws and faulty requests"
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


def _output(params: SkewParams) -> None:
    result = skew.run(params)
    st.markdown(result.verdict)
    figure = figures.values(result)
    lab.chart(figure, "skew_values", "Each input as served against training's value")

    def show_confirmation(found: Confirmation) -> None:
        """Draw the scores with what the job has added, and Feast's own word."""
        chart = figures.scores(result, found.logged, lab.pinned("skew"))
        lab.chart(chart, "skew_scores", "AUC of each way of serving, with intervals")
        st.markdown(found.verdict)
        if found.complete:
            st.table(
                found.fixes, hide_index=True, border="horizontal", alt="What prevents each mistake"
            )

    work.run("skew", params, real.steps, show_confirmation, first=Confirmation(params))
    lab.report("feature_store", "skew", result, figure)


show = lab.tab("feature_store", "skew", _params, _output)
