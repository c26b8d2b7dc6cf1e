"""The before-split trap: SMOTE before and after the split, and where the inflated score comes from."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.sampling import before_split, flight_rows
from engine.sampling.before_split import MODELS, N_ROWS, BeforeSplitParams, BeforeSplitResult
from engine.sampling.before_split import figure as figures
from engine.sampling.flight_rows import POSITIVES, TARGETS
from pages.shell import lab, work

D = BeforeSplitParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
SCORES: dict[str, Any] = {"AUC": "AUC", "average precision": "average precision"}


def _params() -> BeforeSplitParams:
    model = st.segmented_control(
        "Model",
        MODELS,
        default=D.model,
        required=True,
        key="before_split_model",
        help="Trained both ways",
        **BOUND,
    )
    target = st.segmented_control(
        "Positives",
        TARGETS,
        default=D.target,
        required=True,
        key="before_split_target",
        help="Flights to find",
        **BOUND,
    )
    positives = st.segmented_control(
        "How many",
        POSITIVES,
        default=D.positives,
        required=True,
        key="before_split_positives",
        help="Thinned: positives dropped at random until 0.1 % are left; takes 10,000 rows or more",
        **BOUND,
    )
    ratio = st.slider(
        "Ratio after SMOTE",
        0.1,
        1.0,
        D.ratio,
        0.1,
        key="before_split_ratio",
        help="Positives for each negative",
        **BOUND,
    )
    with st.expander("Rows, neighbours, seeds"):
        sizes = flight_rows.sizes(
            N_ROWS, positives
        )  # 0.1 % of too few rows would be no positives at all
        if st.session_state.get("before_split_n_rows", D.n_rows) not in sizes:
            st.session_state["before_split_n_rows"] = sizes[0]
        n_rows = st.select_slider(
            "Rows",
            sizes,
            D.n_rows if D.n_rows in sizes else sizes[0],
            format_func="{:,}".format,
            key="before_split_n_rows",
            help="Flights drawn",
            **BOUND,
        )
        k = st.slider(
            "Neighbours k",
            1,
            20,
            D.k_neighbors,
            key="before_split_k_neighbors",
            help="Of SMOTE",
            **BOUND,
        )
        repeats = st.slider(
            "Seeds",
            1,
            10,
            D.repeats,
            key="before_split_repeats",
            help="Each draws its own rows",
            **BOUND,
        )
        seed = st.slider(
            "First seed",
            0,
            99,
            D.seed,
            key="before_split_seed",
            help="Of rows, SMOTE, split, model",
            **BOUND,
        )
    return BeforeSplitParams(
        model=model,
        target=target,
        positives=positives,
        ratio=ratio,
        n_rows=n_rows,
        k_neighbors=k,
        repeats=repeats,
        seed=seed,
    )


def _show(result: BeforeSplitResult) -> None:
    st.markdown(result.verdict)
    controls, below = lab.places(1)[0]
    score = controls.segmented_control(
        "Score",
        list(SCORES),
        default="AUC",
        required=True,
        key="before_split_score",
        label_visibility="collapsed",
        **BOUND,
    )
    figure = figures.chart(result, SCORES[score or "AUC"], lab.pinned("before_split"))
    with below:
        lab.chart(
            figure,
            "before_split_chart",
            "Score of the two ways and of parts of the leaky test rows",
        )
    if result.trials:
        lab.report("sampling", "before_split", result, figure)


@lab.experiment("before_split")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("sampling", "before_split")
    with output:
        work.run("before_split", params, before_split.steps, _show)
