"""Known when? The moment of prediction, the columns that come after it, and five leaks found in
these flights.
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


def _params() -> tuple[str, AvailabilityParams]:
    view = st.selectbox(
        "Show", VIEWS, key="availability_view", bind="query-params",
        help="The score from each moment, or one of five leaks found in these flights",
    )  # fmt: skip
    in_case = view in CASES
    moment = controls.slider(
        D, "moment", "Moment of prediction", format_func=str, disabled=in_case,
        help="Columns known later are marked",
    )  # fmt: skip
    columns = controls.multiselect(
        D, "columns", "Columns in the model", disabled=in_case,
        help="Arrival time is the answer itself",
    )  # fmt: skip
    with st.expander("Rows, repeats, seed"):
        n_rows = controls.slider(D, "n_rows", "Training rows", help="As many rows test")
        n_seeds = controls.slider(D, "n_seeds", "Repeats", help="Each draws its own rows")
        seed = controls.slider(D, "seed", "First seed", help="For the rows and the models")
    return view, AvailabilityParams(
        moment=moment, columns=columns, n_rows=n_rows, n_seeds=n_seeds, seed=seed
    )


def _show_case(result: CaseResult) -> None:
    with lab.aside(result):
        if result.aucs:
            lab.chart(
                figure.case(result),
                "availability_case",
                "AUC of each variant of the columns",
                verdict=result.verdict,
            )
        else:
            st.skeleton(height=420)


def _show(result: AvailabilityResult) -> None:
    with lab.screen("leakage", "availability", result) as screen:
        screen.answer(
            figure.timeline(result.params),
            "availability_timeline",
            "The moment from which each column is known",
        )
        if result.by_moment:
            lab.chart(
                figure.moments(result, lab.pinned("availability")),
                "availability_moments",
                f"AUC by moment of prediction. {result.verdict}",
            )


def _output(asked: tuple[str, AvailabilityParams]) -> None:
    view, params = asked
    if view in CASES:
        case = CaseParams(case=view, n_rows=params.n_rows, n_seeds=params.n_seeds, seed=params.seed)
        work.run("availability_case", case, cases.steps, _show_case)
        return
    base = availability.base(params)

    def show_at_moment(result: AvailabilityResult) -> None:
        _show(replace(result, params=params))

    work.run(
        "availability",
        base,
        availability.steps,
        show_at_moment,
        first=AvailabilityResult(base, {}, {}),
    )


show = lab.tab("leakage", "availability", _params, _output)
