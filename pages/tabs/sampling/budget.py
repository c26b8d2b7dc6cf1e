"""Budget, the first subject of the tab Arena: drag the alarms a day, watch what they find; and,
inside the same tab, the strategies.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.sampling import budget
from engine.sampling.budget.figure import fixed_threshold, precision, recall
from engine.sampling.budget.params import BudgetParams
from engine.sampling.budget.result import BudgetResult
from pages.shell import controls, lab, texts, work
from pages.tabs.sampling import arena
from pages.tabs.sampling.subjects import ALARMS, ARENA, STRATEGIES

D = BudgetParams()
VIEWS = ("Days", "Precision", "Table")
preview = st.cache_resource(max_entries=16, show_spinner=False)(budget.preview)


def _params() -> BudgetParams:
    ARENA.choose(ALARMS)
    per_day = controls.slider(
        D, "per_day", "Alarms a day", help="That somebody can look at; of about 920 flights a day"
    )
    model = controls.segmented(D, "model", "Model", help="Trained on January to September")
    target = controls.segmented(D, "target", "Positives", help="Flights to predict")
    positives = controls.segmented(
        D, "positives", "Positive rate",
        help="As in the data, or positives dropped at random until 0.1% are left",
    )  # fmt: skip
    with st.expander("Training rows, seed"):
        n_rows = controls.slider(
            D, "n_rows", "Training rows", help="Flights of January to September, drawn at random"
        )
        seed = controls.slider(D, "seed", "Seed", help="Of rows, samplers and models")
    return BudgetParams(
        per_day=per_day, model=model, target=target, positives=positives, n_rows=n_rows, seed=seed
    )


def _closer(result: BudgetResult) -> None:
    view = controls.view("budget_view", VIEWS)
    if view == "Table":
        texts.table(result.rows(), "What each strategy finds with the budget")
    elif view == "Precision":
        lab.chart(precision(result), "budget_precision", "Share of right alarms by alarms a day")
    else:
        lab.chart(
            fixed_threshold(result), "budget_days", "Alarms of a fixed threshold on each later day"
        )


def _output(params: BudgetParams) -> None:
    base = params.training()

    def show(measured: BudgetResult) -> None:
        result = replace(measured, params=replace(measured.params, per_day=params.per_day))
        verdict = result.verdict
        if result.params != params:
            verdict = f"Not measured yet. With the logistic model on fewer rows: {verdict}"
        with lab.screen("sampling", "budget", result, verdict) as screen:
            screen.answer(
                recall(result, lab.pinned("budget")),
                "budget_recall",
                "Share of the positives found by alarms a day",
            )
            _closer(result)

    work.run("budget", base, budget.steps, show, first=lambda: preview(base))


_alarms = lab.tab("sampling", "budget", _params, _output)


def show() -> None:
    """Draw the tab: the alarms a day, or the strategies."""
    (arena.show if ARENA.chosen() == STRATEGIES else _alarms)()
