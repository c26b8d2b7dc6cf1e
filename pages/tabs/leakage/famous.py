"""Famous leaks, inside the tab Audit: five published ones; switch the audit on and see which check
finds which.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.leakage import famous
from engine.leakage.famous import figure as figures
from engine.leakage.famous.params import FamousParams
from engine.leakage.famous.result import FamousResult
from pages.shell import controls, lab, texts, work
from pages.tabs.leakage.subjects import AUDIT, FAMOUS

D = FamousParams()
VIEWS = ("Checks", "Sources")
preview = st.cache_resource(max_entries=16, show_spinner=False)(famous.preview)


def _params() -> FamousParams:
    AUDIT.choose(FAMOUS)
    audit = controls.toggle(D, "audit", "Audit", help="Show which check finds which leak")
    named = controls.toggle(
        D, "named", "Name the group", help="Tell the audit that the hospital is the group",
        disabled=not audit,
    )  # fmt: skip
    repeats = controls.slider(
        D, "repeats", "Repeats", help="Tables of each leak; found means in every one"
    )
    seed = controls.slider(D, "seed", "Seed", help="Of the recreated rows")
    return FamousParams(audit=audit, named=named, repeats=repeats, seed=seed)


def _output(params: FamousParams) -> None:
    base = params.measuring()

    def show(measured: FamousResult) -> None:
        result = replace(measured, params=params)
        with lab.screen("leakage", "famous", result) as screen:
            screen.answer(
                figures.scores(result), "famous_scores", "AUC of each leak, reported and real"
            )
            view = controls.view("famous_view", VIEWS)
            if view == "Sources":
                texts.table(result.rows(), "What was published about each leak")
            elif params.audit and result.audited:
                lab.chart(figures.checks(result), "famous_checks", "Which check finds which leak")
            else:
                st.caption("*Audit* shows which check finds which leak.")

    work.run("famous", base, famous.steps, show, first=lambda: preview(base))


show = lab.tab("leakage", "famous", _params, _output)
