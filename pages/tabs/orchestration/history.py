"""History: every run task by task, durations, tasks in numbers, two runs compared, critical path
and what-if, replay.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.orchestration import history
from engine.orchestration.flows import FLOWS
from engine.orchestration.history import LAST, SOURCES, HistoryParams, HistoryResult
from engine.orchestration.history import figure as figures
from pages.shell import lab

D = HistoryParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Critical path", "Compare", "Durations", "Tasks", "Replay")


def _params() -> HistoryParams:
    flow = st.selectbox(
        "Flow", FLOWS, FLOWS.index(D.flow), key="history_flow", help="Whose runs", **BOUND
    )
    source = st.segmented_control(
        "Runs",
        SOURCES,
        default=D.source,
        required=True,
        key="history_source",
        help=(
            "Recorded by Prefect; foretold ones are the same every time and stand in where nothing"
            " is recorded"
        ),
        **BOUND,
    )
    last = st.select_slider(
        "Latest", LAST, D.last, key="history_last", help="So many runs at most", **BOUND
    )
    most = max(len(history.run(HistoryParams(source=source, flow=flow, last=last)).runs), 2)
    for key in ("history_run", "history_other"):  # another list may be shorter
        if st.session_state.get(key, 1) > most:
            st.session_state[key] = most
    place = st.slider(
        "Run A", 1, most, D.run, key="history_run", help="Is looked at; 1: the latest", **BOUND
    )
    other = st.slider(
        "Run B", 1, most, D.other, key="history_other", help="Is compared with A", **BOUND
    )
    base = HistoryParams(source=source, flow=flow, last=last, run=place, other=other)
    tasks = ["", *history.run(base).spans]
    if st.session_state.get("history_faster", "") not in tasks:  # another run, other tasks
        st.session_state["history_faster"] = ""
    faster = st.selectbox(
        "What if this task",
        tasks,
        0,
        format_func=lambda task: task or "(longest of the critical path)",
        key="history_faster",
        help="Of run A",
        **BOUND,
    )
    factor = st.slider(
        "were faster by",
        1.0,
        10.0,
        D.factor,
        0.5,
        format="%g ×",
        key="history_factor",
        help="Its time is divided by it",
        **BOUND,
    )
    return HistoryParams(
        source=source,
        flow=flow,
        last=last,
        run=place,
        other=other,
        faster=faster or "",
        factor=factor,
    )


def _choose() -> None:
    rows = st.session_state["history_runs"]["selection"]["rows"]
    if rows:
        st.session_state["history_run"] = rows[0] + 1


def _closer(result: HistoryResult, view: str | None) -> None:
    if view == "Compare":
        lab.chart(figures.compared(result), "history_compared", "Both runs task by task")
        st.dataframe(
            result.compared,
            hide_index=True,
            height=260,
            key="history_pairs",
            alt="Both runs task by task, in numbers",
        )
    elif view == "Durations":
        lab.chart(figures.durations(result), "history_durations", "How long each run took")
        st.caption("Choose a row with the mouse or the keyboard: it becomes run A.")
        st.dataframe(
            result.table().to_pandas(),
            hide_index=True,
            height=260,
            key="history_runs",
            on_select=_choose,
            selection_mode="single-row",
            alt="Every run in numbers",
        )
    elif view == "Tasks":
        lab.chart(
            figures.tasks(result), "history_tasks", "Slowest tasks, and how often each stumbles"
        )
        st.caption("Lines: 95 % intervals (order statistics for medians, Wilson for shares).")
    elif view == "Replay":
        lab.chart(
            figures.replay(result), "history_replay", "The run as it came to be, with a scrubber"
        )
    else:
        lab.chart(
            figures.path(result),
            "history_path",
            "The run, its critical path, and the run as it would have been",
        )


@lab.experiment("history")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("orchestration", "history")
    with output:
        result = history.run(params)
        if result.foretold and params.source == "recorded":
            st.info(
                f"No run of *{params.flow}* is recorded yet: foretold ones stand in until *Run"
                " monitor* has run it."
            )
        st.markdown(result.verdict)
        figure = figures.grid(result)
        lab.chart(figure, "history_grid", "What became of each task in each run")
        pinned = lab.pinned("history")
        if pinned is not None:
            lab.chart(figures.path(pinned), "history_pinned", "The run of A that is pinned")
        place, below = lab.places(1)[0]
        view = place.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="history_view",
            label_visibility="collapsed",
            **BOUND,
        )
        with below:
            _closer(result, view)
        lab.report("orchestration", "history", result, figure)
