"""Leak simulator: the gap between reported and production score as a leak gets stronger."""

from __future__ import annotations

from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.leakage import dose
from engine.leakage.dose import NAMES, DoseParams, DoseResult, Overview, verdicts
from engine.leakage.dose import figure as figures
from engine.leakage.dose.verdicts import Verdicts
from engine.leakage.dose.verdicts import figure as verdict_figures
from engine.leakage.pipeline import MECHANISMS
from pages.shell import controls, lab, texts, work

D = DoseParams()
VIEWS = ("Every leak", "Boosting", "Detectors")
run = st.cache_resource(max_entries=64, show_spinner=False)(dose.run)


def _params() -> DoseParams:
    focus = controls.selectbox(D, "focus", "Leak", help="The leak in the chart")
    strength = controls.slider(
        D, "dose", "Leak strength", percent=True, help="0%: clean pipeline; 100%: full leak"
    )
    signal = controls.slider(
        D, "signal", "True signal", help="How much the columns really say; 0: a coin flip"
    )
    n_rows = controls.slider(D, "n_rows", "Rows", help="Two thirds train, one third tests")
    seed = controls.slider(D, "seed", "First seed", help="Each seed is one simulated data set")
    return DoseParams(
        focus=focus, dose=strength, signal=signal, n_rows=n_rows, seed=seed, **_more(focus)
    )


def _more(focus: str) -> dict[str, Any]:
    with st.expander("Other leaks"):
        settings = {
            name: controls.slider(
                D, name, NAMES[name], percent=True,
                help="Strength; active together with the leak above",
                disabled=NAMES[name] == focus,
            )
            for name in MECHANISMS
        }  # fmt: skip
    with st.expander("Noise columns, repeats"):
        settings["n_noise"] = controls.slider(
            D, "n_noise", "Noise columns",
            help="Input of feature selection, which runs only where that leak is chosen or active",
        )  # fmt: skip
        settings["n_seeds"] = controls.slider(
            D, "n_seeds", "Repeats", help="Data sets; every number is a mean over them"
        )
    return settings


def preview() -> go.Figure:
    """Return the chart of the default run, for Home."""
    return figures.curve(run(D))


def _show_overview(overview: Overview) -> None:
    if overview.inflation:
        lab.chart(
            figures.leaks(overview), "dose_leaks", f"AUC that each leak adds. {overview.verdict}"
        )
        texts.note(overview.verdict)


def _show_boosting(logistic: DoseResult, found: DoseResult) -> None:
    """Draw the boosting model's curve beside the logistic one, which alone is there at first."""
    measured = found if found.model == "boosting" else None
    alt = "Reported and production AUC by leak strength, boosting and logistic model"
    lab.chart(figures.boosting(logistic, measured), "dose_boosting", alt)
    if measured:
        texts.note(f"Boosting, {len(found.here.values)} repeats. {found.verdict}")


def _show_verdicts(found: Verdicts) -> None:
    if found.shares:
        alt = f"Alarms of each audit detector by leak strength. {found.verdict}"
        lab.chart(verdict_figures.detectors(found), "dose_detectors", alt)
        texts.note(found.verdict)


def _output(params: DoseParams) -> None:
    result = run(params)
    with lab.screen("leakage", "dose", result) as screen:
        place = st.container()
        with st.container(horizontal=True):
            measure = controls.view("dose_measure", list(figures.MEASURES), "Score")
            view = controls.view("dose_view", VIEWS)
        with place:
            screen.answer(
                figures.curve(result, measure, lab.pinned("dose")),
                "dose_curve",
                "Reported and production score by leak strength",
            )
        job = partial(work.run, "dose")
        if view == "Boosting":
            job(params, dose.steps, partial(_show_boosting, result), first=result)
        elif view == "Detectors":
            job(verdicts.verdicts_of(params), verdicts.steps, _show_verdicts)
        else:
            job(dose.overview_of(params), dose.overview_steps, _show_overview)


show = lab.tab("leakage", "dose", _params, _output)
