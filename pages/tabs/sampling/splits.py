"""Splits for validation: folds as bands, what each scheme says about the same model, folds without
positives.
"""

from __future__ import annotations

import streamlit as st

from engine.jobs import JOBS
from engine.sampling import splits
from engine.sampling.splits import Scores, SplitsParams, SplitsResult
from engine.sampling.splits import figure as figures
from engine.units import format_share
from pages.shell import controls, lab, work

D = SplitsParams()
VIEWS = ("Scores", "Empty folds")
run = st.cache_resource(max_entries=64, show_spinner=False)(splits.run)


def _params() -> SplitsParams:
    scheme = controls.selectbox(D, "scheme", "Scheme", help="How rows are dealt to the folds")
    n_splits = controls.slider(D, "n_splits", "Folds", help="Each row is tested at most once")
    horizon_hours = controls.slider(
        D, "horizon_hours", "The label looks ahead, hours", help="Rows within it share answers"
    )
    gap_days = controls.slider(
        D, "gap_days", "Gap, days", help="Left out before each test part of a time series",
        disabled=scheme != "time series",
    )  # fmt: skip
    embargo_days = controls.slider(
        D, "embargo_days", "Embargo, days", help="Left out after each purged test part",
        disabled=scheme != "purged, embargo",
    )  # fmt: skip
    model = controls.segmented(D, "model", "Model", help="Scored under every scheme")
    with st.expander("Rows, rare rate, seed"):
        n_rows = controls.slider(D, "n_rows", "Rows", help="Evenly over the year")
        rate = controls.slider(
            D, "rate", "Rare class", help="Of the question on empty folds",
            format_func=format_share,
        )  # fmt: skip
        seed = controls.slider(D, "seed", "Seed", help="Of the shuffles and the model")
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
    """Return what the schemes said under the settings of the pinned run, if they were scored."""
    pinned = lab.pinned("splits")
    job = JOBS.find((splits.score_steps, pinned.params.scoring())) if pinned is not None else None
    return job.latest if job is not None and job.latest is not None else None


def _show_scores(scores: Scores) -> None:
    st.markdown(scores.verdict)
    figure = figures.scheme_scores(scores, _pinned_scores())
    lab.chart(
        figure, "splits_scores", "AUC of every fold under each scheme against the later quarter"
    )
    st.table(scores.rows(), hide_index=True, border="horizontal", alt="Scores of each scheme")


def _closer(result: SplitsResult, view: str) -> None:
    if view == "Empty folds":
        lab.chart(
            figures.empty_folds(result),
            "splits_empty",
            "Chance of a fold without positives by their number",
        )
    else:
        work.run("splits", result.params.scoring(), splits.score_steps, _show_scores)


def _show(params: SplitsParams) -> None:
    result = run(params)
    pinned = lab.pinned("splits")
    st.markdown(result.verdict)
    figure = figures.bands(result)
    lab.chart(figure, "splits_bands", "Folds as bands over the flights in time order")
    if pinned is not None:
        lab.chart(figures.bands(pinned), "splits_bands_pinned", "Folds of the pinned run A")
    views, below = lab.places(1)[0]
    with views:
        view = controls.view("splits_view", VIEWS)
    with below:
        _closer(result, view)
    lab.report("sampling", "splits", result, figure)


show = lab.tab("sampling", "splits", _params, _show)
