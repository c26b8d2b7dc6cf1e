"""Arena: what resampling, weights and losses buy, against doing nothing and moving the threshold."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.sampling import arena, flight_rows
from engine.sampling.arena import MODELS, N_ROWS, STRATEGIES, ArenaParams, ArenaResult
from engine.sampling.arena import figure as figures
from engine.sampling.flight_rows import POSITIVES, SPLITS, TARGETS
from pages.shell import lab, work

D = ArenaParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Precision and recall", "ROC", "Cost", "Reliability", "Boundaries")


def _params() -> ArenaParams:
    strategies = st.multiselect(
        "Strategies",
        STRATEGIES,
        default=list(D.strategies),
        key="arena_strategies",
        help="“nothing” always takes part, as it is and with its threshold moved",
        **BOUND,
    )
    model = st.segmented_control(
        "Model",
        MODELS,
        default=D.model,
        required=True,
        key="arena_model",
        help="Trained with every strategy",
        **BOUND,
    )
    target = st.segmented_control(
        "Positives",
        TARGETS,
        default=D.target,
        required=True,
        key="arena_target",
        help="Flights to find beforehand",
        **BOUND,
    )
    positives = st.segmented_control(
        "How many",
        POSITIVES,
        default=D.positives,
        required=True,
        key="arena_positives",
        help="Thinned: positives dropped at random until 0.1 % are left; takes 10,000 rows or more",
        **BOUND,
    )
    return ArenaParams(
        strategies=tuple(strategies),
        model=model,
        target=target,
        positives=positives,
        **_more(positives),
    )


def _more(positives: Any) -> dict[str, Any]:
    with st.expander("Split, rows, samplers, seed"):
        split = st.segmented_control(
            "Split",
            SPLITS,
            default=D.split,
            required=True,
            key="arena_split",
            help="Which rows are tested",
            **BOUND,
        )
        sizes = flight_rows.sizes(
            N_ROWS, positives
        )  # 0.1 % of too few rows would be no positives at all
        if st.session_state.get("arena_n_rows", D.n_rows) not in sizes:
            st.session_state["arena_n_rows"] = sizes[0]
        n_rows = st.select_slider(
            "Rows",
            sizes,
            D.n_rows if D.n_rows in sizes else sizes[0],
            format_func="{:,}".format,
            key="arena_n_rows",
            help="Flights drawn",
            **BOUND,
        )
        ratio = st.slider(
            "Ratio after resampling",
            0.1,
            1.0,
            D.ratio,
            0.1,
            key="arena_ratio",
            help="Positives by negatives",
            **BOUND,
        )
        k = st.slider(
            "Neighbours k",
            1,
            20,
            D.k_neighbors,
            key="arena_k_neighbors",
            help="Of the samplers",
            **BOUND,
        )
        repeats = st.slider(
            "Splits", 2, 10, D.repeats, key="arena_repeats", help="Seeds, or cuts in time", **BOUND
        )
        seed = st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="arena_seed",
            help="Of rows, splits, samplers, models",
            **BOUND,
        )
    return {
        "split": split,
        "n_rows": n_rows,
        "ratio": ratio,
        "k_neighbors": k,
        "repeats": repeats,
        "seed": seed,
    }


def _show(result: ArenaResult) -> None:
    st.markdown(result.verdict)
    figure = figures.lanes(result, lab.pinned("arena"))
    lab.chart(figure, "arena_lanes", "Average precision of every strategy on every split")
    if not result.outcomes:
        return
    controls, below = lab.places(1)[0]
    left, middle, right = controls.columns(3)
    threshold = left.slider(
        "Threshold",
        0.0,
        1.0,
        0.5,
        0.01,
        key="arena_threshold",
        help="Chance that makes an alarm",
        **BOUND,
    )
    missed = middle.slider(
        "A miss costs",
        0.0,
        100.0,
        10.0,
        1.0,
        key="arena_cost_missed",
        help="Your cost matrix",
        **BOUND,
    )
    alarm = right.slider(
        "A false alarm costs",
        0.0,
        20.0,
        1.0,
        0.5,
        key="arena_cost_alarm",
        help="Your cost matrix",
        **BOUND,
    )
    view = controls.segmented_control(
        "Look closer",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="arena_view",
        label_visibility="collapsed",
        **BOUND,
    )
    with below:
        _closer(result, view, threshold, missed, alarm)
    rows = result.rows(threshold, missed, alarm)
    st.table(
        rows,
        hide_index=True,
        border="horizontal",
        alt="Confusion matrix and cost of every strategy at the threshold",
    )
    lab.report("sampling", "arena", result, figure)


def _closer(
    result: ArenaResult, view: str | None, threshold: float, missed: float, alarm: float
) -> None:
    if view == "ROC":
        lab.chart(
            figures.roc(result, threshold, missed, alarm), "arena_roc", "Right against false alarms"
        )
    elif view == "Cost":
        lab.chart(
            figures.costs(result, threshold, missed, alarm),
            "arena_costs",
            "Cost of each strategy by threshold",
        )
    elif view == "Reliability":
        lab.chart(
            figures.calibration(result, threshold),
            "arena_reliability",
            "Share of positives by chance said",
        )
    elif view == "Boundaries" and result.planes:
        lab.chart(
            figures.boundaries(result, threshold),
            "arena_boundaries",
            "Where each strategy raises an alarm",
        )
    else:
        lab.chart(
            figures.precision_recall(result, threshold, missed, alarm),
            "arena_precision_recall",
            "Precision against recall",
        )


@lab.experiment("arena")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("sampling", "arena")
    with output:
        work.run("arena", params, arena.steps, _show)
