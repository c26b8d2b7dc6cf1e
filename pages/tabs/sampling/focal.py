"""Focal loss: a loss that looks away from what is easy, whom it trains on, and what becomes of the
probabilities.
"""

from __future__ import annotations

import streamlit as st

from engine.sampling import flight_rows, focal
from engine.sampling.focal import N_ROWS, FocalParams, FocalResult
from engine.sampling.focal import figure as figures
from pages.shell import controls, lab

D = FocalParams()
VIEWS = ("Who trains", "Calibration", "Boundary")
run = st.cache_resource(max_entries=64, show_spinner=False)(focal.run)


def _params() -> FocalParams:
    gamma = controls.slider(D, "gamma", "γ", help="How fast easy examples are forgotten")
    alpha = controls.slider(
        D, "alpha", "α", help="Weight of the rare class; 0.5: both classes alike"
    )
    threshold = controls.slider(D, "threshold", "Threshold", help="Probability that makes an alarm")
    target = controls.segmented(D, "target", "Positives", help="Flights to find beforehand")
    positives = controls.segmented(
        D, "positives", "How many",
        help="Thinned: positives dropped at random until 0.1% are left; takes 10,000 rows or more",
    )  # fmt: skip
    with st.expander("Rows, split, seed"):
        sizes = flight_rows.sizes(
            N_ROWS, positives
        )  # 0.1% of too few rows would be no positives at all
        n_rows = controls.slider(D, "n_rows", "Rows", options=sizes, help="Flights drawn at random")
        split = controls.segmented(D, "split", "Split", help="Which 30% are held out")
        seed = controls.slider(D, "seed", "Seed", help="Of the rows drawn and of the split")
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
        lab.chart(
            figures.calibration(result, pinned),
            "focal_calibration",
            "Share of positives by probability said",
        )
    elif view == "Boundary":
        lab.chart(
            figures.boundaries(result),
            "focal_boundaries",
            "Where three models draw the line between two classes",
        )
    else:
        lab.chart(
            figures.carriers(result, pinned),
            "focal_carriers",
            "Part of the gradient that the hardest rows make",
        )
        st.caption("The training flights that pull hardest at the focal model:")
        st.table(
            result.hardest(),
            hide_index=True,
            border="horizontal",
            alt="The flights that carry the training",
        )


def _show(params: FocalParams) -> None:
    result = run(params)
    pinned = lab.pinned("focal")
    st.markdown(result.verdict)
    (curves, above), (views, below) = lab.places(2)
    with curves:
        which = controls.view("focal_curve", list(figures.CURVES), "Curve")
    figure = figures.curve(result, which, pinned)
    with above:
        lab.chart(
            figure,
            "focal_loss",
            "Focal loss and cross-entropy by the probability of the right class",
        )
    with views:
        view = controls.view("focal_view", VIEWS)
    with below:
        _closer(result, view, pinned)
    st.table(
        result.scores(),
        hide_index=True,
        border="horizontal",
        alt="Scores of the three models on unseen flights",
    )
    lab.report("sampling", "focal", result, figure)


show = lab.tab("sampling", "focal", _params, _show)
