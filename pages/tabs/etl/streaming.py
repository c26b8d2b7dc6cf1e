"""Streaming, inside the tab Late data: step through the files that arrive, watch the watermark, and
have Spark Structured Streaming run them.
"""

from __future__ import annotations

import streamlit as st

from engine.etl import streaming
from engine.etl.streaming import StreamingParams, StreamingResult, figure, real
from engine.etl.streaming.result import ALL, clock
from engine.etl.streaming.source import FIRST_HOUR
from engine.jobs import JOBS
from engine.spark import session
from pages.shell import controls, lab, texts, work
from pages.tabs.etl.subjects import LATE, STREAM

D = StreamingParams()
VIEWS = ("Late flights", "State", "Batches")
HOURS = range(FIRST_HOUR + 1, ALL + 1)
run = st.cache_resource(max_entries=64, show_spinner=False)(streaming.run)


def _time(hour: int) -> str:
    return clock(60 * hour)


def _params() -> StreamingParams:
    LATE.choose(STREAM)
    st.select_slider(
        "Clock",
        HOURS,
        ALL,
        format_func=_time,
        key="streaming_clock",
        help="Files of the hours before have arrived. It only draws: nothing is computed again",
        **controls.BOUND,
    )
    next_file = st.empty()
    params = StreamingParams(
        delay_minutes=controls.slider(
            D, "delay_minutes", "Watermark delay, min",
            help="How far the watermark is behind the newest event time",
        ),
        window_minutes=controls.slider(
            D, "window_minutes", "Window, min", help="Flights are counted by window of event time"
        ),
        mode=controls.segmented(
            D, "mode", "Output mode",
            help="Append: a window once, when it is closed. Update: each time that it changes."
            " Complete: all windows each time",
        ),
        **_more(),
    )  # fmt: skip
    next_file.button(
        "Next file",
        key="streaming_next",
        icon=":material/skip_next:",
        on_click=_step,
        args=(params,),
        help="The clock goes on to the next file; after the last one to the first",
    )
    return params


def _more() -> dict[str, object]:
    with st.expander("Airport, day"):
        return {
            "origin": controls.segmented(D, "origin", "Airport", help="Of departure"),
            "day": controls.day_slider(D, "day", "Day", help="10 July had thunderstorms"),
        }


def _step(params: StreamingParams) -> None:
    """Move the clock past the next file."""
    ends = [file.hour + 1 for file in run(params).files]
    now = st.session_state["streaming_clock"]
    st.session_state["streaming_clock"] = next((end for end in ends if end > now), ends[0])


def _say_spark(result: StreamingResult) -> None:
    """Whose numbers these are, and the button that asks for Spark's."""
    n, p = len(result.measured), result.params
    if not n and not work.is_asked("streaming", p):
        st.caption(f"Expected from the definition of the watermark. {session.ENGINE.status}")
        work.ask_button("streaming", p, "Run on Spark", icon=":material/bolt:")
        return
    other = result.differing()
    batches = sum(len(file.batches) for file in result.measured)
    found = (
        f"**{len(other):,} of them differ** from what was expected: files of "
        + ", ".join(_time(file.hour) for file in other)
        if other
        else "each as expected: watermark, dropped rows, state, windows out"
    )
    if n:
        texts.say(
            f"Measured by Spark: {n:,} file{'s' * (n > 1)} in {batches:,} micro-batches, {found}."
        )


def _closer(result: StreamingResult, until: int) -> None:
    view = controls.view("streaming_view", VIEWS)
    if view == "State":
        lab.chart(figure.state(result, until), "streaming_state", "Windows in state by file")
    elif view == "Batches":
        texts.table(result.batch_rows(until), "What each micro-batch reports, the newest first")
    elif rows := result.late_rows(until):
        st.dataframe(rows, hide_index=True, key="streaming_late", alt="Late flights, newest first")
    else:
        st.caption("No flight has come behind the watermark yet.")


def _show(result: StreamingResult) -> None:
    until = st.session_state["streaming_clock"]
    if result.measured and not result.complete:  # files arrive while Spark runs
        until = min(until, result.measured[-1].hour + 1)
    with lab.screen("etl", "streaming", result, result.verdict_at(until)) as screen:
        screen.answer(
            figure.arrivals(result, until, lab.pinned("streaming")),
            "streaming_arrivals",
            "Event time of each flight against its arrival, with the watermark",
        )
        _say_spark(result)
        _closer(result, until)


def _output(params: StreamingParams) -> None:
    first = run(params)
    job = JOBS.find((real.steps, params))
    if job is None and not work.is_asked("streaming", params):
        _show(first)
        return
    work.run("streaming", params, real.steps, _show, first)


show = lab.tab("etl", "streaming", _params, _output)
