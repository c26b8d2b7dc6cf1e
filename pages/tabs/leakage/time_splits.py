"""Time splits: which days train and which test, what each scheme estimates, and what distance in
time costs.
"""

from __future__ import annotations

import streamlit as st

from engine.leakage import time_splits
from engine.leakage.time_splits import Distance, Scores, TimeSplitsParams
from engine.leakage.time_splits import figure as figures
from pages.shell import controls, lab, texts, work

D = TimeSplitsParams()
VIEWS = ("Scores", "Distance in time")
run = st.cache_resource(max_entries=64, show_spinner=False)(time_splits.run)


def _params() -> TimeSplitsParams:
    scheme = controls.selectbox(
        D, "scheme", "Scheme", help="The scheme in bold, which the title describes"
    )
    columns = controls.selectbox(D, "columns", "Columns", help="All known before departure")
    n_splits = controls.slider(D, "n_splits", "Folds", help="For every scheme")
    gap = controls.slider(
        D, "gap_days", "Gap, days", help="Left out before each test part of “time series, gap”"
    )
    embargo = controls.slider(
        D, "embargo_days", "Embargo, days", help="Left out after each purged test part"
    )
    with st.expander("Rows, seed"):
        n_rows = controls.slider(D, "n_rows", "Rows", help="From the first three quarters of 2013")
        seed = controls.slider(D, "seed", "Seed", help="For the rows, the shuffles, the model")
    return TimeSplitsParams(
        scheme=scheme,
        columns=columns,
        n_splits=n_splits,
        gap_days=gap,
        embargo_days=embargo,
        n_rows=n_rows,
        seed=seed,
    )


def _show_scores(scores: Scores) -> None:
    if not scores.by_scheme:
        return
    lab.chart(
        figures.scheme_scores(scores),
        "time_splits_scores",
        f"AUC of every fold under each scheme. {scores.verdict}",
    )
    texts.note(scores.verdict)
    texts.table(scores.rows(), "Scores of each scheme")


def _show_distance(curve: Distance) -> None:
    if not curve.aucs:
        return
    lab.chart(
        figures.distance(curve),
        "time_splits_distance",
        f"AUC by the days between test and training. {curve.verdict}",
    )
    texts.note(curve.verdict)


def _output(params: TimeSplitsParams) -> None:
    result = run(params)
    with lab.screen("leakage", "time_splits", result) as screen:
        screen.answer(
            figures.days(result),
            "time_splits_days",
            "What each day holds in one fold of every scheme",
        )
        pinned = lab.pinned("time_splits")
        if pinned is not None:
            alt = "The days of the pinned run A"
            lab.chart(figures.days(pinned), "time_splits_days_pinned", alt)
        if controls.view("time_splits_view", VIEWS) == "Scores":
            steps, draw = time_splits.score_steps, _show_scores
        else:
            steps, draw = time_splits.distance_steps, _show_distance
        work.run("time_splits", time_splits.shared(params), steps, draw)


show = lab.tab("leakage", "time_splits", _params, _output)
