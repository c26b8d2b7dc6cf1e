"""Precision, inside the tab Survey: drag the rows read, watch the error and its price."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.sampling import precision
from engine.sampling.precision import PrecisionParams, PrecisionResult
from engine.sampling.precision import figure as figures
from pages.shell import controls, lab, texts, work
from pages.tabs.sampling.subjects import PRECISION, SURVEY

D = PrecisionParams()
VIEWS = ("Seconds", "Table")
preview = st.cache_resource(max_entries=16, show_spinner=False)(precision.preview)


def _params() -> PrecisionParams:
    SURVEY.choose(PRECISION)
    n_rows = controls.slider(D, "n_rows", "Rows read", help="The first rows of a shuffled file")
    measure = controls.segmented(
        D, "measure", "Mean to estimate", help="In minutes, over all flights that flew"
    )
    with st.expander("Repeats, seed"):
        repeats = controls.slider(
            D, "repeats", "Repeats", help="Random orders of the file; each gives one estimate"
        )
        seed = controls.slider(D, "seed", "Seed", help="Of the random orders")
    return PrecisionParams(n_rows=n_rows, measure=measure, repeats=repeats, seed=seed)


def _output(params: PrecisionParams) -> None:
    def show(measured: PrecisionResult) -> None:
        result = replace(measured, params=params)
        with lab.screen("sampling", "precision", result) as screen:
            screen.answer(
                figures.by_rows(result, lab.pinned("precision")),
                "precision_rows",
                "Error of the mean by rows read, against the theory",
            )
            if controls.view("precision_view", VIEWS) == "Table":
                texts.table(result.rows(), "Error and seconds of each number of rows")
            elif len(result.seconds):
                lab.chart(
                    figures.by_seconds(result),
                    "precision_seconds",
                    "Error of the mean by seconds of reading",
                )
            else:
                st.caption("Not timed yet: the samples come first.")

    base = params.measuring()
    work.run("precision", base, precision.steps, show, first=lambda: preview(base))


show = lab.tab("sampling", "precision", _params, _output)
