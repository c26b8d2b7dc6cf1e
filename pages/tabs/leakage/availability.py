"""When do you know it? The moment of prediction, the columns that come after it, and five leaks
found in these flights.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.leakage import availability
from engine.leakage.availability import AvailabilityParams, AvailabilityResult, cases, figure
from engine.leakage.availability.cases import CaseParams, CaseResult
from engine.leakage.availability.ways import CASES
from pages.shell import controls, lab, work

D = AvailabilityParams()
VIEWS = ("Score by moment", *CASES)


def _params() -> AvailabilityParams:
    moment = controls.slider(
        D, "moment", "The prediction is due at", help="Later columns turn vermilion",
        format_func=str,
    )  # fmt: skip
    columns = controls.multiselect(
        D, "columns", "Columns in the model",
        help="Arrival time is the answer in other words: try it",
    )  # fmt: skip
    with st.expander("Rows, draws, seed"):
        n_rows = controls.slider(
            D, "n_rows", "Rows to train on", help="And as many to test on", format_func=str
        )
        n_seeds = controls.slider(D, "n_seeds", "Draws", help="Each draws its own rows")
        seed = controls.slider(D, "seed", "First seed", help="Of the draws and the models")
    return AvailabilityParams(
        moment=moment, columns=columns, n_rows=n_rows, n_seeds=n_seeds, seed=seed
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


def _output(params: AvailabilityParams) -> None:
    timeline = figure.timeline(params)
    lab.chart(timeline, "availability_timeline", "The moment from which each column is known")
    view = controls.view("availability_view", VIEWS)
    if view in CASES:
        asked = CaseParams(
            case=view, n_rows=params.n_rows, n_seeds=params.n_seeds, seed=params.seed
        )
        work.run("availability_case", asked, cases.steps, _show_case)

    def fill_in(result: AvailabilityResult) -> None:
        here = replace(result, params=params)
        if view not in CASES:
            _show_moments(here)
        if params.moment in here.by_moment:
            lab.report("leakage", "availability", here, timeline)

    work.run("availability", availability.base(params), availability.steps, fill_in)


show = lab.tab("leakage", "availability", _params, _output)
