"""Time splits: which days train and which are tested, what each scheme promises, and what distance
in time is worth.
"""

from __future__ import annotations

import streamlit as st

from engine.leakage import time_splits
from engine.leakage.time_splits import Distance, Scores, TimeSplitsParams
from engine.leakage.time_splits import figure as figures
from pages.shell import controls, lab, work

D = TimeSplitsParams()
VIEWS = ("Scores", "Distance in time")
run = st.cache_resource(max_entries=64, show_spinner=False)(time_splits.run)


def _params() -> TimeSplitsParams:
    scheme = controls.selectbox(D, "scheme", "Scheme", help="Told in numbers; all are drawn")
    columns = controls.selectbox(D, "columns", "Columns", help="All known before departure")
    n_splits = controls.slider(D, "n_splits", "Folds", help="Of every scheme")
    gap = controls.slider(
        D, "gap_days", "Gap, days", help="Before each test part of “time series, gap”"
    )
    embargo = controls.slider(
        D, "embargo_days", "Embargo, days", help="After each purged test part"
    )
    n_rows = controls.slider(
        D, "n_rows", "Rows", help="Of the first three quarters", format_func=str
    )
    seed = controls.slider(D, "seed", "Seed", help="Of the rows, the shuffles, the model")
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


def _output(params: TimeSplitsParams) -> None:
    result = run(params)
    st.markdown(result.verdict)
    figure = figures.days(result)
    lab.chart(figure, "time_splits_days", "What each day holds in one fold of every scheme")
    pinned = lab.pinned("time_splits")
    if pinned is not None:
        lab.chart(figures.days(pinned), "time_splits_days_pinned", "The days of the pinned run A")
    view = controls.view("time_splits_view", VIEWS)
    steps, draw = (time_splits.score_steps, _show_scores)
    if view == "Distance in time":
        steps, draw = (time_splits.distance_steps, _show_distance)
    work.run("time_splits", time_splits.shared(params), steps, draw)
    lab.report("leakage", "time_splits", result, figure)


show = lab.tab("leakage", "time_splits", _params, _output)
