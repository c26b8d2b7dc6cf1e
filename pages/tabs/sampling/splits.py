"""Splits for validation: folds as bands, the score that each scheme estimates, folds without
positives.
"""

from __future__ import annotations

import streamlit as st

from engine.jobs import JOBS
from engine.sampling import splits
from engine.sampling.splits import Scores, SplitsParams, SplitsResult
from engine.sampling.splits import figure as figures
from engine.units import format_share
from pages.shell import controls, lab, texts, work

D = SplitsParams()
VIEWS = ("Scores", "Empty folds")
run = st.cache_resource(max_entries=64, show_spinner=False)(splits.run)
preview = st.cache_resource(max_entries=16, show_spinner=False)(splits.preview)


def _params() -> SplitsParams:
    scheme = controls.selectbox(D, "scheme", "Scheme", help="How rows are assigned to the folds")
    n_splits = controls.slider(D, "n_splits", "Folds", help="Each row is in at most one test part")
    horizon_hours = controls.slider(
        D, "horizon_hours", "Label horizon, h", help="Hours that the label looks ahead"
    )
    gap_days = controls.slider(
        D, "gap_days", "Gap, days", help="Left out before each test part, time series only"
    )  # fmt: skip
    embargo_days = controls.slider(
        D, "embargo_days", "Embargo, days", help="Left out after each test part, purged only"
    )  # fmt: skip
    model = controls.segmented(D, "model", "Model", help="Scored with every scheme")
    with st.expander("Rows, positive rate, seed"):
        n_rows = controls.slider(D, "n_rows", "Rows", help="Flights, evenly spaced over the year")
        rate = controls.slider(
            D, "rate", "Positive rate", help="In the view Empty folds",
            format_func=format_share,
        )  # fmt: skip
        seed = controls.slider(D, "seed", "Seed", help="Of the shuffles and of the model")
    return SplitsParams(
        scheme=scheme,
        n_splits=n_splits,
        horizon_hours=horizon_hours,
        gap_days=gap_days,
        embargo_days=embargo_days,
        model=model,
        n_rows=n_rows,
        rate=rate,
        seed=seed,
    )


def _pinned_scores() -> Scores | None:
    """Return the scores under the settings of the pinned run, if they are measured."""
    pinned = lab.pinned("splits")
    job = JOBS.find((splits.score_steps, pinned.params.scoring())) if pinned is not None else None
    return job.latest if job is not None and job.latest is not None else None


def _show_scores(scores: Scores) -> None:
    lab.chart(
        figures.scheme_scores(scores, _pinned_scores()),
        "splits_scores",
        "AUC of every fold with each scheme against the last quarter",
    )
    state = "" if scores.complete else "So far: "
    if scores.is_preview:
        state = f"Not measured yet. With the logistic model on {splits.N_ROWS[0]:,} rows: "
    texts.say(state + scores.verdict)
    texts.table(scores.rows(), "Scores of each scheme")


def _closer(result: SplitsResult, view: str) -> None:
    if view == "Empty folds":
        lab.chart(
            figures.empty_folds(result),
            "splits_empty",
            "Share of splits with a fold without positives, by their number",
        )
        return
    scoring = result.params.scoring()
    work.run("splits", scoring, splits.score_steps, _show_scores, first=lambda: preview(scoring))


def _show(params: SplitsParams) -> None:
    result = run(params)
    pinned = lab.pinned("splits")
    with lab.screen("sampling", "splits", result) as screen:
        screen.answer(
            figures.bands(result), "splits_bands", "Folds as bands over the flights in time order"
        )
        if pinned is not None:
            lab.chart(figures.bands(pinned), "splits_bands_pinned", "Folds of run A")
        _closer(result, controls.view("splits_view", VIEWS))


show = lab.tab("sampling", "splits", _params, _show)
