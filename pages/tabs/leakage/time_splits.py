"""Time splits: which days train and which are tested, what each scheme promises, and what distance
in time is worth.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.leakage import time_splits
from engine.leakage.time_splits import COLUMNS, N_ROWS, Distance, Scores, TimeSplitsParams
from engine.leakage.time_splits import figure as figures
from engine.leakage.time_splits.splits import SCHEMES
from pages.shell import lab, work

D = TimeSplitsParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Scores", "Distance in time")
run = st.cache_resource(max_entries=64, show_spinner=False)(time_splits.run)


def _params() -> TimeSplitsParams:
    scheme = st.selectbox(
        "Scheme",
        SCHEMES,
        SCHEMES.index(D.scheme),
        key="time_splits_scheme",
        help="Told in numbers; all are drawn",
        **BOUND,
    )
    columns = st.selectbox(
        "Columns",
        COLUMNS,
        COLUMNS.index(D.columns),
        key="time_splits_columns",
        help="All known before departure",
        **BOUND,
    )
    n_splits = st.slider(
        "Folds", 2, 10, D.n_splits, key="time_splits_n_splits", help="Of every scheme", **BOUND
    )
    gap = st.slider(
        "Gap, days",
        0,
        60,
        D.gap_days,
        key="time_splits_gap_days",
        help="Before each test part of “time series, gap”",
        **BOUND,
    )
    embargo = st.slider(
        "Embargo, days",
        0,
        60,
        D.embargo_days,
        key="time_splits_embargo_days",
        help="After each purged test part",
        **BOUND,
    )
    n_rows = st.select_slider(
        "Rows",
        N_ROWS,
        D.n_rows,
        key="time_splits_n_rows",
        help="Of the first three quarters",
        **BOUND,
    )
    seed = st.slider(
        "Seed",
        0,
        99,
        D.seed,
        key="time_splits_seed",
        help="Of the rows, the shuffles, the model",
        **BOUND,
    )
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
    st.markdown(scores.verdict)
    lab.chart(
        figures.scheme_scores(scores),
        "time_splits_scores",
        "AUC of every fold under each scheme against the last quarter",
    )
    st.table(scores.rows(), hide_index=True, border="horizontal", alt="Scores of each scheme")


def _show_distance(curve: Distance) -> None:
    st.markdown(curve.verdict)
    lab.chart(
        figures.distance(curve),
        "time_splits_distance",
        "AUC by the days between test days and training",
    )


@lab.experiment("time_splits")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("leakage", "time_splits")
    with output:
        result = run(params)
        st.markdown(result.verdict)
        figure = figures.days(result)
        lab.chart(figure, "time_splits_days", "What each day holds in one fold of every scheme")
        pinned = lab.pinned("time_splits")
        if pinned is not None:
            lab.chart(
                figures.days(pinned), "time_splits_days_pinned", "The days of the pinned run A"
            )
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="time_splits_view",
            label_visibility="collapsed",
            **BOUND,
        )
        if view == VIEWS[1]:
            work.run(
                "time_splits",
                time_splits.shared(params),
                time_splits.distance_steps,
                _show_distance,
            )
        else:
            work.run(
                "time_splits", time_splits.shared(params), time_splits.score_steps, _show_scores
            )
        lab.report("leakage", "time_splits", result, figure)
