"""Skew injector: five mistakes, each value in training and serving, what the same model loses, and
what prevents it.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.feature_store import skew
from engine.feature_store.skew import SkewParams, real
from engine.feature_store.skew import figure as figures
from engine.feature_store.skew.real import Confirmation
from pages.shell import controls, lab, texts, work

D = SkewParams()
VIEWS = ("AUC", "What prevents it")


def _params() -> SkewParams:
    stale = controls.slider(
        D, "stale_hours", "Materialized every, h", help="Stale values: 0 is no delay"
    )
    window = controls.slider(
        D, "window", "Landings in mean", help="Transform: training uses the mean of the last five"
    )
    missing = controls.slider(
        D, "missing_hpa", "Default pressure, hPa", format="localized",
        help="Value for a missing pressure: training uses 1,013, the standard atmosphere",
    )  # fmt: skip
    slip = controls.slider(
        D, "slip_hours", "Clock ahead, h",
        help="Serving's local hour: 4 is UTC instead of New York summer time, 1 a forgotten clock"
        " change",
    )  # fmt: skip
    unit = controls.selectbox(D, "unit", "Unit", help="The unit of one column in serving's source")
    share = controls.slider(
        D, "share", "Faulty requests", format="percent",
        help="Share of requests on the faulty path: a canary, one of two data centers",
    )  # fmt: skip
    model = controls.segmented(D, "model", "Model", help="Trained once, on the training values")
    with st.expander("Seed"):
        seed = controls.slider(
            D, "seed", "Seed", help="For flights, model, bootstrap and faulty requests"
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
    pinned: Any = lab.pinned("skew")

    def show_confirmation(found: Confirmation) -> None:
        """Draw the scores with what the job has added, and what Feast confirms."""
        if view == "AUC":
            chart = figures.scores(result, found.logged, pinned)
            lab.chart(chart, "skew_scores", "AUC of each way of serving, with intervals")
        elif found.complete:
            texts.table(found.fixes, "What prevents each mistake")
        st.markdown(found.verdict)

    with lab.screen("feature_store", "skew", result) as screen:
        screen.answer(
            figures.values(result), "skew_values", "Each input as served against its training value"
        )
        view = controls.view("skew_view", VIEWS)
        work.run("skew", params, real.steps, show_confirmation, first=Confirmation(params))


show = lab.tab("feature_store", "skew", _params, _output)
