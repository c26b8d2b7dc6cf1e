"""Run: the whole pipeline for some weeks, each stage drawn as it ends."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from engine.pipeline import choice, compare, flow
from engine.pipeline.flow import FlowParams, FlowResult
from engine.pipeline.flow import figure as figures
from pages.shell import controls, lab, texts, work
from pages.tabs.pipeline import runs

D = FlowParams()
VIEWS = ("Stages", "Compare runs")


def preview() -> go.Figure:
    """Return the chart of the default run, of its stages where there is none yet."""
    return figures.graph(flow.expected(D))


def _params() -> FlowParams:
    return FlowParams(
        first_day=controls.day_slider(
            D, "first_day", "First day", help="About 900 flights leave New York per day"
        ),
        n_days=controls.slider(
            D,
            "n_days",
            "Days",
            help="In order of time: to learn, to calibrate, to compare; the last day is served",
        ),
        lead_minutes=controls.slider(
            D,
            "lead_minutes",
            "Prediction before departure, min",
            help="The moment of prediction: only what had arrived by then may be used",
        ),
        model=controls.segmented(
            D, "model", "Model", help="Gradient boosting, or a logistic regression"
        ),
        gate=controls.segmented(
            D,
            "gate",
            "Quality gate",
            help="Lenient: rows that break a range or name something unknown pass, and are counted",
        ),
        late_share=controls.slider(
            D,
            "late_share",
            "Late weather rows",
            help="Share of weather rows that arrive 1–12 h after the others",
            percent=True,
        ),
        seed=controls.slider(D, "seed", "Seed", help="Of the late rows and of the model"),
    )


def _differences(result: FlowResult) -> None:
    """Draw what differs between this run and another one that is kept."""
    others = [run for run in choice.whole_runs() if result.run and run.id != result.run.id]
    if not others or result.run is None:
        texts.note("There is one run only. Change a control: the new run is compared with this.")
        return
    labels = {run.id: runs.label(run.id) for run in others}
    chosen = st.selectbox(
        "Compare with",
        list(labels),
        format_func=labels.__getitem__,
        key="flow_against",
        help="Another run that is kept",
    )
    other = next(run for run in others if run.id == chosen)
    rows = compare.differences(other, result.run)
    if not rows:
        texts.note(compare.as_text(rows))
        return
    shown = [
        {
            "stage": row["stage"],
            "what": row["what"],
            "other run": str(row["first"]),
            "this run": str(row["second"]),
        }
        for row in rows
    ]
    st.dataframe(shown, hide_index=True, height=320, alt="What differs between the two runs")


def _show(result: FlowResult) -> None:
    with lab.screen("pipeline", "flow", result) as screen:
        screen.answer(
            figures.graph(result),
            "flow_graph",
            "Stages of the pipeline with rows in and out, bytes, seconds and content hash",
        )
        if result.complete:
            view = controls.view("flow_view", VIEWS)
            if view == "Stages":
                texts.table(result.table().to_pylist(), "Each stage of the run")
            else:
                _differences(result)


def _output(params: FlowParams) -> None:
    work.run("flow", params, flow.steps, _show, first=lambda: flow.expected(params))


show = lab.tab("pipeline", "flow", _params, _output)
