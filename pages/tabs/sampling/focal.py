"""Focal loss: a loss that gives easy rows less weight, and its effect on the probabilities."""

from __future__ import annotations

import streamlit as st

from engine.sampling import flight_rows, focal
from engine.sampling.focal import N_ROWS, FocalParams, FocalResult
from engine.sampling.focal import figure as figures
from pages.shell import controls, lab, texts

D = FocalParams()
VIEWS = ("Gradient share", "Calibration", "Boundary", "Table")
run = st.cache_resource(max_entries=64, show_spinner=False)(focal.run)


def _params() -> FocalParams:
    gamma = controls.slider(
        D, "gamma", "γ", help="How strongly easy rows lose weight; 0 is cross-entropy"
    )
    alpha = controls.slider(
        D, "alpha", "α", help="Weight of the rare class; 0.5 weighs both classes the same"
    )
    threshold = controls.slider(
        D, "threshold", "Threshold", help="An alarm is a predicted probability from here on"
    )
    target = controls.segmented(D, "target", "Positives", help="Flights to predict")
    positives = controls.segmented(
        D, "positives", "Positive rate",
        help="As in the data, or positives dropped at random until 0.1% are left (10,000 rows at"
        " least)",
    )  # fmt: skip
    with st.expander("Rows, split, seed"):
        sizes = flight_rows.sizes(
            N_ROWS, positives
        )  # 0.1% of too few rows would be no positives at all
        n_rows = controls.slider(
            D, "n_rows", "Rows", options=sizes, help="Flights, drawn at random"
        )
        split = controls.segmented(D, "split", "Split", help="How the 30% test rows are chosen")
        seed = controls.slider(D, "seed", "Seed", help="Of the rows and of the split")
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


def _closer(result: FocalResult, view: str, pinned: FocalResult | None) -> None:
    if view == "Calibration":
        lab.chart(
            figures.calibration(result, pinned),
            "focal_calibration",
            "Share of positives by predicted probability",
        )
    elif view == "Boundary":
        lab.chart(
            figures.boundaries(result),
            "focal_boundaries",
            "Where three models predict 50% between two classes",
        )
    elif view == "Table":
        texts.table(result.scores(), "Scores of the three models on test rows")
    else:
        lab.chart(
            figures.carriers(result, pinned),
            "focal_carriers",
            "Share of the gradient that the hardest rows make",
        )
        st.caption("The training flights with the largest gradients under focal loss:")
        texts.table(result.hardest(), "The hardest training flights")


def _show(params: FocalParams) -> None:
    result = run(params)
    pinned = lab.pinned("focal")
    with lab.screen("sampling", "focal", result) as screen:
        place = st.container()
        which = controls.view("focal_curve", list(figures.CURVES), "Curve")
        with place:
            screen.answer(
                figures.curve(result, which, pinned),
                "focal_loss",
                "Focal loss and cross-entropy by predicted probability of the true class",
            )
        _closer(result, controls.view("focal_view", VIEWS), pinned)


show = lab.tab("sampling", "focal", _params, _show)
