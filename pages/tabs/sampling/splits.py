"""Splits for validation: folds as bands, what each scheme says about the same model, folds without
positives.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs import JOBS
from engine.sampling import splits
from engine.sampling.splits import MODELS, N_ROWS, RATES, SCHEMES, Scores, SplitsParams
from engine.sampling.splits import figure as figures
from pages.shell import lab, work

D = SplitsParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Scores", "Empty folds")
run = st.cache_resource(max_entries=64, show_spinner=False)(splits.run)


def _params() -> SplitsParams:
    scheme = st.selectbox(
        "Scheme",
        SCHEMES,
        SCHEMES.index(D.scheme),
        key="splits_scheme",
        help="How rows are dealt to the folds",
        **BOUND,
    )
    n_splits = st.slider(
        "Folds",
        2,
        10,
        D.n_splits,
        key="splits_n_splits",
        help="Each row is tested at most once",
        **BOUND,
    )
    horizon = st.slider(
        "The label looks ahead, hours", 1, 168, D.horizon_hours, key="splits_horizon_hours",
        help="Rows within it share answers", **BOUND
    )  # fmt: skip
    gap = st.slider(
        "Gap, days",
        0,
        30,
        D.gap_days,
        key="splits_gap_days",
        help="Left out before each test part of a time series",
        disabled=scheme != "time series",
        **BOUND,
    )
    embargo = st.slider(
        "Embargo, days",
        0,
        30,
        D.embargo_days,
        key="splits_embargo_days",
        help="Left out after each purged test part",
        disabled=scheme != "purged, embargo",
        **BOUND,
    )
    return SplitsParams(
        scheme=scheme, n_splits=n_splits, horizon_hours=horizon, gap_days=gap, embargo_days=embargo, **_more()
    )  # fmt: skip


def _more() -> dict[str, Any]:
    model = st.segmented_control(
        "Model",
        MODELS,
        default=D.model,
        required=True,
        key="splits_model",
        help="Scored under every scheme",
        **BOUND,
    )
    with st.expander("Rows, rare rate, seed"):
        n_rows = st.select_slider(
            "Rows",
            N_ROWS,
            D.n_rows,
            format_func="{:,}".format,
            key="splits_n_rows",
            help="Evenly over the year",
            **BOUND,
        )
        rate = st.select_slider(
            "Rare class", RATES, D.rate, format_func="{:.1%}".format, key="splits_rate",
            help="Of the question on empty folds", **BOUND
        )  # fmt: skip
        seed = st.slider(
            "Seed", 0, 99, D.seed, key="splits_seed", help="Of the shuffles and the model", **BOUND
        )
    return {"model": model, "n_rows": n_rows, "rate": rate, "seed": seed}


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


@lab.experiment("splits")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("sampling", "splits")
    with output:
        result = run(params)
        pinned = lab.pinned("splits")
        st.markdown(result.verdict)
        figure = figures.bands(result)
        lab.chart(figure, "splits_bands", "Folds as bands over the flights in time order")
        if pinned is not None:
            lab.chart(figures.bands(pinned), "splits_bands_pinned", "Folds of the pinned run A")
        controls, below = lab.places(1)[0]
        view = controls.segmented_control(
            "Look closer",
            VIEWS,
            default="Scores",
            required=True,
            key="splits_view",
            label_visibility="collapsed",
            **BOUND,
        )
        with below:
            if view == "Empty folds":
                lab.chart(
                    figures.empty_folds(result),
                    "splits_empty",
                    "Chance of a fold without positives by their number",
                )
            else:
                work.run("splits", params.scoring(), splits.score_steps, _show_scores)
        lab.report("sampling", "splits", result, figure)
