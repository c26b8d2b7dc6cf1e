"""Arena: what resampling, weights and losses buy, against nothing and a moved threshold."""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.sampling import arena, flight_rows
from engine.sampling.arena import N_ROWS, ArenaParams, ArenaResult
from engine.sampling.arena import figure as figures
from pages.shell import controls, lab, work
from pages.shell.controls import BOUND

D = ArenaParams()
VIEWS = ("Precision and recall", "ROC", "Cost", "Reliability", "Boundaries")


def _params() -> ArenaParams:
    strategies = controls.multiselect(
        D, "strategies", "Strategies",
        help="“nothing” always takes part, as it is and with its threshold moved",
    )  # fmt: skip
    model = controls.segmented(D, "model", "Model", help="Trained with every strategy")
    target = controls.segmented(D, "target", "Positives", help="Flights to find beforehand")
    positives = controls.segmented(
        D, "positives", "How many",
        help="Thinned: positives dropped at random until 0.1% are left; takes 10,000 rows or more",
    )  # fmt: skip
    with st.expander("Split, rows, samplers, seed"):
        split = controls.segmented(D, "split", "Split", help="Which rows are tested")
        # 0.1% of too few rows would be no positives at all
        sizes = flight_rows.sizes(N_ROWS, positives)
        n_rows = controls.slider(D, "n_rows", "Rows", options=sizes, help="Flights drawn")
        ratio = controls.slider(D, "ratio", "Ratio after resampling", help="Positives by negatives")
        k_neighbors = controls.slider(D, "k_neighbors", "Neighbours k", help="Of the samplers")
        repeats = controls.slider(D, "repeats", "Splits", help="Seeds, or cuts in time")
        seed = controls.slider(D, "seed", "Seed", help="Of rows, splits, samplers, models")
    return ArenaParams(
        strategies=strategies,
        model=model,
        target=target,
        positives=positives,
        split=split,
        n_rows=n_rows,
        ratio=ratio,
        k_neighbors=k_neighbors,
        repeats=repeats,
        seed=seed,
    )


def _threshold_and_costs() -> tuple[float, float, float]:
    """Return the threshold, and what a miss and a false alarm cost: of the view, not of the run."""
    columns = st.columns(3)
    threshold = columns[0].slider(
        "Threshold", 0.0, 1.0, 0.5, 0.01, key="arena_threshold",
        help="Chance that makes an alarm", **BOUND,
    )  # fmt: skip
    missed = columns[1].slider(
        "A miss costs", 0.0, 100.0, 10.0, 1.0, key="arena_cost_missed",
        help="Your cost matrix", **BOUND,
    )  # fmt: skip
    alarm = columns[2].slider(
        "A false alarm costs", 0.0, 20.0, 1.0, 0.5, key="arena_cost_alarm",
        help="Your cost matrix", **BOUND,
    )  # fmt: skip
    return threshold, missed, alarm


def _show(result: ArenaResult) -> None:
    st.markdown(result.verdict)
    figure = figures.lanes(result, lab.pinned("arena"))
    lab.chart(figure, "arena_lanes", "Average precision of every strategy on every split")
    if not result.outcomes:
        return
    views, below = lab.places(1)[0]
    with views:
        bill = _threshold_and_costs()
        view = controls.view("arena_view", VIEWS)
    with below:
        _closer(result, view, *bill)
    st.table(
        result.rows(*bill),
        hide_index=True,
        border="horizontal",
        alt="Confusion matrix and cost of every strategy at the threshold",
    )
    lab.report("sampling", "arena", result, figure)


def _closer(result: ArenaResult, view: str, threshold: float, missed: float, alarm: float) -> None:
    if view == "ROC":
        figure = figures.roc(result, threshold, missed, alarm)
        lab.chart(figure, "arena_roc", "Right against false alarms")
    elif view == "Cost":
        figure = figures.costs(result, threshold, missed, alarm)
        lab.chart(figure, "arena_costs", "Cost of each strategy by threshold")
    elif view == "Reliability":
        figure = figures.calibration(result, threshold)
        lab.chart(figure, "arena_reliability", "Share of positives by chance said")
    elif view == "Boundaries" and result.planes:
        figure = figures.boundaries(result, threshold)
        lab.chart(figure, "arena_boundaries", "Where each strategy raises an alarm")
    else:
        figure = figures.precision_recall(result, threshold, missed, alarm)
        lab.chart(figure, "arena_precision_recall", "Precision against recall")


show = lab.tab(
    "sampling", "arena", _params, partial(work.run, "arena", steps=arena.steps, show=_show)
)
