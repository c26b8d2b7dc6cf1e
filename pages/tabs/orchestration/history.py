"""History: every run task by task, durations, tasks in numbers, two runs compared, critical path
and what-if, replay.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.orchestration import history
from engine.orchestration.history import HistoryParams, HistoryResult, replay_figure
from engine.orchestration.history import figure as figures
from pages.shell import controls, lab

D = HistoryParams()
VIEWS = ("Critical path", "Compare", "Durations", "Tasks", "Replay")


def _params() -> HistoryParams:
    flow = controls.selectbox(D, "flow", "Flow", help="Whose runs")
    source = controls.segmented(
        D,
        "source",
        "Runs",
        help=(
            "Recorded by Prefect; foretold ones are the same every time and stand in where nothing"
            " is recorded"
        ),
    )
    last = controls.slider(D, "last", "Latest", help="So many runs at most")
    most = max(len(history.run(HistoryParams(source=source, flow=flow, last=last)).runs), 2)
    for key in ("history_run", "history_other"):  # another list may be shorter
        if st.session_state.get(key, 1) > most:
            st.session_state[key] = most
    place = controls.slider(D, "run", "Run A", most=most, help="Is looked at; 1: the latest")
    other = controls.slider(D, "other", "Run B", most=most, help="Is compared with A")
    base = HistoryParams(source=source, flow=flow, last=last, run=place, other=other)
    tasks = ["", *history.run(base).spans]
    if st.session_state.get("history_faster", "") not in tasks:  # another run, other tasks
        st.session_state["history_faster"] = ""
    faster = controls.selectbox(
        D,
        "faster",
        "What if this task",
        options=tasks,
        format_func=lambda task: task or "(longest of the critical path)",
        help="Of run A",
    )
    factor = controls.slider(
        D, "factor", "were faster by", help="Its time is divided by it", format="%g×"
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
        st.caption("Lines: 95% intervals (order statistics for medians, Wilson for shares).")
    elif view == "Replay":
        lab.chart(
            replay_figure.replay(result),
            "history_replay",
            "The run as it came to be, with a scrubber",
        )
    else:
        lab.chart(
            figures.path(result),
            "history_path",
            "The run, its critical path, and the run as it would have been",
        )


def _output(params: Any) -> None:
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
    with place:
        view = controls.view("history_view", VIEWS)
    with below:
        _closer(result, view)
    lab.report("orchestration", "history", result, figure)


show = lab.tab("orchestration", "history", _params, _output)
