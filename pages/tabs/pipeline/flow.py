"""Run: the whole pipeline for some weeks, each stage drawn as it ends; a click on a stage shows its
rows and opens its lab; two runs are compared.
"""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from engine.pipeline import choice, compare, events, flow, report
from engine.pipeline.flow import FlowParams, FlowResult, times, times_figure
from engine.pipeline.flow import figure as figures
from engine.pipeline.records import Run
from engine.pipeline.stages import STAGES
from engine.units import format_number
from pages.shell import controls, lab, texts, work
from pages.tabs.pipeline import labs, runs

D = FlowParams()
STAGE, TABLE, COMPARE, TIMES = VIEWS = (
    "One stage",
    "All stages",
    "Compare runs",
    "Time against size",
)
TITLES = [stage.title for stage in STAGES]
FIRST_TITLE = "Training set"


def preview() -> go.Figure:
    """Return the chart of the default run, of its stages where there is none yet."""
    return figures.graph(flow.expected(D))


def _params() -> FlowParams:
    first_day = controls.day_slider(
        D, "first_day", "First day", help="About 900 flights leave New York per day"
    )
    n_days = controls.slider(
        D,
        "n_days",
        "Days",
        help="In order of time: to learn, to calibrate, to compare; the last day is served",
    )
    lead_minutes = controls.slider(
        D,
        "lead_minutes",
        "Lead time, min",
        help="Prediction before departure: only what had arrived by then may be used",
    )
    model = controls.segmented(
        D, "model", "Model", help="Gradient boosting, or a logistic regression"
    )
    gate = controls.segmented(
        D,
        "gate",
        "Quality gate",
        help="Lenient: rows that break a range or name something unknown pass, and are counted",
    )
    with st.expander("Late weather, seed"):
        late_share = controls.slider(
            D,
            "late_share",
            "Late weather rows",
            help="Share of weather rows that arrive 1–12 h after the others",
            percent=True,
        )
        seed = controls.slider(D, "seed", "Seed", help="Of the late rows and of the model")
    return FlowParams(
        first_day=first_day,
        n_days=n_days,
        lead_minutes=lead_minutes,
        model=model,
        gate=gate,
        late_share=late_share,
        seed=seed,
    )


def _stage_clicked() -> None:
    """Show the stage that was clicked: the list of stages is the truth."""
    marks = lab.clicked("flow_graph")
    if marks and isinstance(place := marks[0].get("y"), int | float):
        st.session_state["flow_stage"] = TITLES[max(0, min(len(TITLES) - 1, round(place)))]
        st.session_state["flow_view"] = STAGE


def _one_stage(result: FlowResult) -> None:
    """Draw what a stage did with its rows, open its lab, and list what is known of it."""
    left, right = st.columns(2, vertical_alignment="bottom")
    title = left.selectbox(
        "Stage",
        TITLES,
        TITLES.index(FIRST_TITLE),
        key="flow_stage",
        help="Or click it in the chart",
        **controls.BOUND,
    )
    hop = next(hop for hop in result.hops if hop.title == title)
    if result.run is not None and choice.is_whole(result.run):
        with right:
            labs.draw(result.run, hop.name)
    lab.chart(figures.stage(hop), "flow_rows", "Rows of the stage: in, dropped and why, out")
    facts = result.facts(title)
    if facts:
        st.dataframe(facts, hide_index=True, height=320, alt="What is known of the stage")


def _all_stages(result: FlowResult) -> None:
    texts.table(result.table().to_pylist(), "Each stage of the run")
    if result.complete and result.run is not None:
        run = result.run
        with st.container(horizontal=True):
            for label, content, ending, mime, key in (
                ("Report of this run", lambda: report.render(run), "html", "text/html", "report"),
                (
                    "OpenLineage events",
                    lambda: events.write(run).read_bytes(),
                    "openlineage.jsonl",
                    "application/jsonl",
                    "events",
                ),
            ):
                st.download_button(
                    label,
                    content,
                    f"pipeline-{run.id}.{ending}",
                    mime,
                    key=f"flow_{key}",
                    icon=":material/download:",
                    on_click="ignore",
                )


def _differences(this: Run) -> None:
    """Draw what differs between this run and another one that is kept."""
    kept = [run for run in choice.whole_runs() if run.id != this.id]
    # one of other settings first: there is more to see
    others = {run.id: run for run in sorted(kept, key=lambda run: run.params == this.params)}
    if not others:
        texts.note("There is one run only. Change a control: the new run is compared with this.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Compare with",
            list(others),
            format_func=runs.label,
            key="flow_against",
            help="Another run that is kept",
        )
        everything = st.toggle(
            "Show what is the same", key="flow_everything", help="Off: only differences"
        )
    other = others[chosen]
    changed = compare.stages_that_differ(other, this)
    texts.say(
        f"**{len(STAGES) - len(changed)} of {len(STAGES)} stages** made the same content."
        + (f" The first that differs: {changed[0]}." if changed else "")
    )
    if compare.differences(other, this):
        lab.chart(figures.compared(other, this), "flow_compared", "Values that differ, by stage")
    rows = [
        {
            "stage": row["stage"],
            "what": row["what"],
            "other run": str(row["first"]),
            "this run": str(row["second"]),
        }
        for row in compare.differences(other, this, everything)
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height=320, alt="Values of the two runs")
    else:
        texts.note(compare.as_text([]))


def _times() -> None:
    kept = choice.whole_runs()
    lab.chart(times_figure.times(kept), "flow_times", "Seconds of each stage against flights in")
    texts.table(times.table(kept), "Each stage of the largest run")
    texts.note(
        f"Runs kept here: {format_number(len(kept))}. More days add a point. A larger year is made"
        " on the command line: python -m engine.pipeline run --scale 10"
    )


def _show(result: FlowResult) -> None:
    with lab.screen("pipeline", "flow", result) as screen:
        screen.answer(figures.graph(result), "flow_graph", runs.ALT, on_click=_stage_clicked)
        view = controls.view("flow_view", VIEWS)
        if view == STAGE:
            _one_stage(result)
        elif view == TABLE:
            _all_stages(result)
        elif view == TIMES:
            _times()
        elif result.complete and result.run is not None:
            _differences(result.run)
        else:
            texts.note("The run is under way: it is compared once it is done.")


def _output(params: FlowParams) -> None:
    runs.forget_gone(params)
    work.run("flow", params, flow.steps, _show, first=lambda: flow.expected(params))


show = lab.tab("pipeline", "flow", _params, _output)
