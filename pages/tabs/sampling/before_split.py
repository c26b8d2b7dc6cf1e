"""The before-split trap: SMOTE before and after the split, and what inflates the score."""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.sampling import before_split, flight_rows
from engine.sampling.before_split import N_ROWS, BeforeSplitParams, BeforeSplitResult
from engine.sampling.before_split import figure as figures
from pages.shell import controls, lab, work

D = BeforeSplitParams()
preview = st.cache_resource(max_entries=16, show_spinner=False)(before_split.preview)


def _params() -> BeforeSplitParams:
    model = controls.segmented(D, "model", "Model", help="Trained with both orders")
    target = controls.segmented(D, "target", "Positives", help="Flights to predict")
    positives = controls.segmented(
        D, "positives", "Positive rate",
        help="As in the data, or positives dropped at random until 0.1% are left (10,000 rows at"
        " least)",
    )  # fmt: skip
    ratio = controls.slider(D, "ratio", "Ratio after SMOTE", help="Positives per negative")
    with st.expander("Rows, neighbours, repeats, seed"):
        # 0.1% of too few rows would be no positives at all
        sizes = flight_rows.sizes(N_ROWS, positives)
        n_rows = controls.slider(
            D, "n_rows", "Rows", options=sizes, help="Flights, drawn at random"
        )
        k_neighbors = controls.slider(
            D, "k_neighbors", "Neighbours k", help="Nearest rows that SMOTE uses"
        )
        repeats = controls.slider(D, "repeats", "Repeats", help="Each draws its own rows")
        seed = controls.slider(D, "seed", "Seed", help="Of rows, SMOTE, split and model")
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


def _show(params: BeforeSplitParams, result: BeforeSplitResult) -> None:
    with lab.screen("sampling", "before_split", result) as screen:
        place = st.container()
        score = controls.view("before_split_score", list(figures.SCORES), "Score")
        screen.verdict = result.summary(figures.SCORES[score])
        if result.params != params:
            rows = f"{result.params.n_rows:,} rows"
            screen.verdict = f"Not measured yet. With one repeat on {rows}: {screen.verdict}"
        with place:
            screen.answer(
                figures.chart(result, score, lab.pinned("before_split")),
                "before_split_chart",
                "Score of both ways and of parts of the leaky test rows",
            )


def _output(params: BeforeSplitParams) -> None:
    work.run(
        "before_split",
        params,
        before_split.steps,
        partial(_show, params),
        first=lambda: preview(params),
    )


show = lab.tab("sampling", "before_split", _params, _output)
