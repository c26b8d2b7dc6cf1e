"""Row tracer: one served flight from its line in the file to its outcome."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from engine.pipeline import choice, tracer
from engine.pipeline.tracer import TracerParams
from engine.pipeline.tracer import figure as figures
from engine.pipeline.tracer.result import TracerResult
from pages.shell import controls, lab, texts
from pages.tabs.pipeline import runs

D = TracerParams()
VIEWS = ("Line and hops", "Features", "Reasons")
MOST_SHOWN = 900  # flights on the slider until there is a run


def preview() -> go.Figure:
    """Return the chart of the default flight."""
    return figures.timeline(tracer.run(D))


@st.cache_data(max_entries=16)
def _n_flights(run_id: str) -> int:
    return len(tracer.served(choice.find(run_id)))


@st.cache_resource(max_entries=64)
def _trace(params: TracerParams, run_id: str) -> TracerResult:
    """Trace a flight; ``run_id`` is the run that ``params`` mean just now."""
    return tracer.run(params)


def _params() -> TracerParams:
    run_id = runs.choose(D)
    first = choice.latest()
    known = run_id or (first.id if first else "")
    return TracerParams(
        run=run_id,
        flight=controls.slider(
            D,
            "flight",
            "Flight, by probability",
            help="1 is the flight with the highest probability to be late",
            most=_n_flights(known) if known else MOST_SHOWN,
        ),
    )


def _closer(result: TracerResult) -> None:
    view = controls.view("tracer_view", VIEWS)
    if view == "Features":
        st.dataframe(
            result.features(), hide_index=True, height=390, alt="Rows that won, value by value"
        )
    elif view == "Reasons":
        lab.chart(figures.effects(result), "tracer_effects", "Change of the probability")
        texts.note(
            "Each bar: the probability less the one with this feature alone set to its median over"
            " the learned days (a text: to the most frequent value)."
        )
    else:
        st.code(result.raw.text, language=None, wrap_lines=True)
        texts.table(result.hops(), "Each hop of the flight")
        with st.expander("The bytes of the line: offset in the file, bytes, text"):
            st.code(result.raw.dump, language=None)


def _show(params: TracerParams) -> None:
    result = _trace(params, choice.find(params.run).id)
    with lab.screen("pipeline", "tracer", result) as screen:
        screen.answer(
            figures.timeline(result),
            "tracer_timeline",
            "When the rows behind the features happened and arrived, around the prediction",
        )
        _closer(result)


def _output(params: TracerParams) -> None:
    runs.look_into("tracer", params, params.run, _show)


show = lab.tab("pipeline", "tracer", _params, _output)
