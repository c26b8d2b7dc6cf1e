"""Focal loss: a loss that looks away from what is easy, whom it trains on, and what becomes of the probabilities."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.sampling import flight_rows, focal
from engine.sampling.flight_rows import POSITIVES, SPLITS, TARGETS
from engine.sampling.focal import N_ROWS, FocalParams, FocalResult
from engine.sampling.focal import figure as figures
from pages.shell import lab

D = FocalParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Who trains", "Calibration", "Boundary")
run = st.cache_resource(max_entries=64, show_spinner=False)(focal.run)


def _params() -> FocalParams:
    gamma = st.slider("γ", 0.0, 5.0, D.gamma, 0.1, key="focal_gamma", help="How fast easy examples are forgotten", **BOUND)
    alpha = st.slider(
        "α", 0.01, 0.99, D.alpha, 0.01, key="focal_alpha", help="Weight of the rare class; 0.5: both classes alike", **BOUND
    )
    threshold = st.slider(
        "Threshold", 0.0, 1.0, D.threshold, 0.01, key="focal_threshold", help="Probability that makes an alarm", **BOUND
    )
    target = st.segmented_control(
        "Positives", TARGETS, default=D.target, required=True, key="focal_target", help="Flights to find beforehand", **BOUND
    )
    positives = st.segmented_control(
        "How many",
        POSITIVES,
        default=D.positives,
        required=True,
        key="focal_positives",
        help="Thinned: positives dropped at random until 0.1 % are left; takes 10,000 rows or more",
        **BOUND,
    )
    with st.expander("Rows, split, seed"):
        sizes = flight_rows.sizes(N_ROWS, positives)  # 0.1 % of too few rows would be no positives at all
        if st.session_state.get("focal_n_rows", D.n_rows) not in sizes:
            st.session_state["focal_n_rows"] = sizes[0]
        n_rows = st.select_slider(
            "Rows",
            sizes,
            D.n_rows if D.n_rows in sizes else sizes[0],
            format_func="{:,}".format,
            key="focal_n_rows",
            help="Flights drawn at random",
            **BOUND,
        )
        split = st.segmented_control(
            "Split", SPLITS, default=D.split, required=True, key="focal_split", help="Which 30 % are held out", **BOUND
        )
        seed = st.slider("Seed", 0, 99, D.seed, key="focal_seed", help="Of the rows drawn and of the split", **BOUND)
    return FocalParams(
        gamma=gamma,
        alpha=alpha,
        threshold=threshold,
        target=target,
        positives=positives,
        n_rows=n_rows,
        split=split,
        seed=seed,
    )


def _closer(result: FocalResult, view: str | None, pinned: FocalResult | None) -> None:
    if view == "Calibration":
        lab.chart(figures.calibration(result, pinned), "focal_calibration", "Share of positives by probability said")
    elif view == "Boundary":
        lab.chart(figures.boundaries(result), "focal_boundaries", "Where three models draw the line between two classes")
    else:
        lab.chart(figures.carriers(result, pinned), "focal_carriers", "Part of the gradient that the hardest rows make")
        st.caption("The training flights that pull hardest at the focal model:")
        st.table(result.hardest(), hide_index=True, border="horizontal", alt="The flights that carry the training")


@lab.experiment("focal")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("sampling", "focal")
    with output:
        result = run(params)
        pinned = lab.pinned("focal")
        st.markdown(result.verdict)
        (controls, above), (more_controls, below) = lab.places(2)
        which = controls.segmented_control(
            "Curve",
            list(figures.CURVES),
            default="loss",
            required=True,
            key="focal_curve",
            label_visibility="collapsed",
            **BOUND,
        )
        figure = figures.curve(result, which or "loss", pinned)
        with above:
            lab.chart(figure, "focal_loss", "Focal loss and cross-entropy by the probability of the right class")
        view = more_controls.segmented_control(
            "Look closer", VIEWS, default="Who trains", required=True, key="focal_view", label_visibility="collapsed", **BOUND
        )
        with below:
            _closer(result, view, pinned)
        st.table(result.scores(), hide_index=True, border="horizontal", alt="Scores of the three models on unseen flights")
        lab.report("sampling", "focal", result, figure)
