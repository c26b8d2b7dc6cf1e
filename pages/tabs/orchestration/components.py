"""Architecture, inside the tab *Schedules*: a scheduled run on its way through Prefect; beside it
Airflow with the same fault, the course's Prefect 2 words, deployment patterns.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.orchestration.components import (
    ComponentsParams,
    ComponentsResult,
    compare,
    predicted,
    steps,
)
from engine.orchestration.components import figure as figures
from engine.orchestration.server import SERVER
from pages.shell import controls, lab, texts, work
from pages.tabs.orchestration.parts import ARCHITECTURE, SCHEDULES

D = ComponentsParams()
VIEWS = ("Moments", "Airflow", "Prefect 2 words", "Patterns")


def _params() -> ComponentsParams:
    SCHEDULES.choose(ARCHITECTURE)
    return ComponentsParams(
        moment=controls.slider(
            D, "moment", "Moment", help="In order of time; the arrow keys step through them"
        ),
        fault=controls.selectbox(D, "fault", "Fault", help="What goes wrong in task train_a"),
    )


def _output(params: ComponentsParams) -> None:
    SERVER.start()

    def show(followed: ComponentsResult) -> None:
        """Draw the components that the moment passes, then the chosen view."""
        result = replace(followed, params=params)
        with lab.screen("orchestration", "components", result) as screen:
            screen.answer(
                figures.architecture(result),
                "components_architecture",
                "Prefect's components; those that the moment passes are lit",
            )
            if not result.predicted:
                texts.note(
                    "Times count from the moment that the run is due. The database's rows are"
                    " states, tasks and log lines of this run."
                )
            _closer(result, controls.view("components_view", VIEWS))

    if work.approved("components", params.job, "Run it"):
        work.run("components", params.job, steps, show, first=lambda: predicted(params))
    else:
        show(predicted(params))


def _closer(result: ComponentsResult, view: str) -> None:
    if view == "Airflow":
        texts.table(result.against_airflow(), "The same DAG and fault in Prefect and in Airflow")
        texts.table(compare.BEHAVIOR, "How the two behave otherwise")
        texts.note("Airflow is not installed here: its column is from its documentation, 3.2.")
    elif view == "Prefect 2 words":
        texts.table(compare.words(), "Words of Prefect 2 and what replaces them")
    elif view == "Patterns":
        texts.table(compare.PATTERNS, "Deployment patterns and their consequences")
    else:
        texts.table(result.moments(), "Each moment, its time and the components that it passes")
        if result.logs:
            lines = [f"{at:8.2f} s  {name:28} {text}" for at, name, text in result.logs]
            st.code("\n".join(lines), language=None, height=240)
            texts.note(
                "The run's log: seconds from the time that it was due, who wrote the line, and the"
                " line."
            )


show = lab.tab("orchestration", "components", _params, _output)
