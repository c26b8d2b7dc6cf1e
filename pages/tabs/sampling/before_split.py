"""The before-split trap: SMOTE before and after the split, and where the score comes from."""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.sampling import before_split, flight_rows
from engine.sampling.before_split import N_ROWS, BeforeSplitParams, BeforeSplitResult
from engine.sampling.before_split import figure as figures
from pages.shell import controls, lab, work

D = BeforeSplitParams()


def _params() -> BeforeSplitParams:
    model = controls.segmented(D, "model", "Model", help="Trained both ways")
    target = controls.segmented(D, "target", "Positives", help="Flights to find")
    positives = controls.segmented(
        D, "positives", "How many",
        help="Thinned: positives dropped at random until 0.1% are left; takes 10,000 rows or more",
    )  # fmt: skip
    ratio = controls.slider(D, "ratio", "Ratio after SMOTE", help="Positives for each negative")
    with st.expander("Rows, neighbours, seeds"):
        # 0.1% of too few rows would be no positives at all
        sizes = flight_rows.sizes(N_ROWS, positives)
        n_rows = controls.slider(D, "n_rows", "Rows", options=sizes, help="Flights drawn")
        k_neighbors = controls.slider(D, "k_neighbors", "Neighbours k", help="Of SMOTE")
        repeats = controls.slider(D, "repeats", "Seeds", help="Each draws its own rows")
        seed = controls.slider(D, "seed", "First seed", help="Of rows, SMOTE, split, model")
    return BeforeSplitParams(
        model=model,
        target=target,
        positives=positives,
        ratio=ratio,
        n_rows=n_rows,
        k_neighbors=k_neighbors,
        repeats=repeats,
        seed=seed,
    )


def _show(result: BeforeSplitResult) -> None:
    st.markdown(result.verdict)
    scores, below = lab.places(1)[0]
    with scores:
        score = controls.view("before_split_score", list(figures.SCORES), "Score")
    figure = figures.chart(result, score, lab.pinned("before_split"))
    with below:
        lab.chart(
            figure,
            "before_split_chart",
            "Score of the two ways and of parts of the leaky test rows",
        )
    if result.trials:
        lab.report("sampling", "before_split", result, figure)


show = lab.tab(
    "sampling",
    "before_split",
    _params,
    partial(work.run, "before_split", steps=before_split.steps, show=_show),
)
