"""Arena: what resampling, weights and losses add to the baseline and to a moved threshold."""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.sampling import arena, flight_rows
from engine.sampling.arena import N_ROWS, ArenaParams, ArenaResult
from engine.sampling.arena import figure as figures
from pages.shell import controls, lab, texts, work
from pages.shell.controls import BOUND
from pages.tabs.sampling.subjects import ARENA, STRATEGIES

D = ArenaParams()
VIEWS = ("Precision and recall", "ROC", "Cost", "Reliability", "Boundaries", "Table")
preview = st.cache_resource(max_entries=16, show_spinner=False)(arena.preview)


def _params() -> ArenaParams:
    ARENA.choose(STRATEGIES)
    strategies = controls.multiselect(
        D, "strategies", "Strategies",
        help="Compared with the baseline: no resampling, also with a moved threshold",
    )  # fmt: skip
    model = controls.segmented(D, "model", "Model", help="Trained with every strategy")
    target = controls.segmented(D, "target", "Positives", help="Flights to predict")
    positives = controls.segmented(
        D, "positives", "Positive rate",
        help="As in the data, or positives dropped at random until 0.1% are left (10,000 rows at"
        " least)",
    )  # fmt: skip
    with st.expander("Split, rows, samplers, repeats, seed"):
        split = controls.segmented(D, "split", "Split", help="How test rows are chosen")
        # 0.1% of too few rows would be no positives at all
        sizes = flight_rows.sizes(N_ROWS, positives)
        n_rows = controls.slider(
            D, "n_rows", "Rows", options=sizes, help="Flights, drawn at random"
        )
        ratio = controls.slider(D, "ratio", "Ratio after resampling", help="Positives per negative")
        k_neighbors = controls.slider(
            D, "k_neighbors", "Neighbours k", help="Nearest rows that the samplers use"
        )
        repeats = controls.slider(
            D, "repeats", "Repeats", help="Splits: another seed each, or growing training periods"
        )
        seed = controls.slider(D, "seed", "Seed", help="Of rows, splits, samplers and models")
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
        help="An alarm is a predicted probability from here on", **BOUND,
    )  # fmt: skip
    missed = columns[1].slider(
        "Cost of a miss", 0.0, 100.0, 10.0, 1.0, key="arena_cost_missed",
        help="A positive without an alarm", **BOUND,
    )  # fmt: skip
    alarm = columns[2].slider(
        "Cost of a false alarm", 0.0, 20.0, 1.0, 0.5, key="arena_cost_alarm",
        help="An alarm for a negative", **BOUND,
    )  # fmt: skip
    return threshold, missed, alarm


def _show(params: ArenaParams, result: ArenaResult) -> None:
    verdict = result.verdict
    if result.params != params:
        verdict = f"Not measured yet. With 2 splits of {result.params.n_rows:,} rows: {verdict}"
    with lab.screen("sampling", "arena", result, verdict) as screen:
        screen.answer(
            figures.lanes(result, lab.pinned("arena")),
            "arena_lanes",
            "Average precision of every strategy on every split",
        )
        view = controls.view("arena_view", VIEWS)
        _closer(result, view, *_threshold_and_costs())


def _closer(result: ArenaResult, view: str, threshold: float, missed: float, alarm: float) -> None:
    if view == "Table":
        texts.table(
            result.rows(threshold, missed, alarm),
            "Confusion matrix and cost of every strategy at the threshold",
        )
    elif view == "ROC":
        figure = figures.roc(result, threshold, missed, alarm)
        lab.chart(figure, "arena_roc", "Recall against false positive rate")
    elif view == "Cost":
        figure = figures.costs(result, threshold, missed, alarm)
        lab.chart(figure, "arena_costs", "Cost of each strategy by threshold")
    elif view == "Reliability":
        figure = figures.calibration(result, threshold)
        lab.chart(figure, "arena_reliability", "Share of positives by predicted probability")
    elif view == "Boundaries" and result.planes:
        figure = figures.boundaries(result, threshold)
        lab.chart(figure, "arena_boundaries", "Where each strategy raises an alarm")
    else:
        figure = figures.precision_recall(result, threshold, missed, alarm)
        lab.chart(figure, "arena_precision_recall", "Precision against recall")


def _output(params: ArenaParams) -> None:
    work.run("arena", params, arena.steps, partial(_show, params), first=lambda: preview(params))


show = lab.tab("sampling", "arena", _params, _output)
