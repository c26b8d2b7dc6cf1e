"""The runs in *Monitoring*: every run task by task, critical path and what-if, two runs compared,
durations, tasks, replay.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.orchestration import history
from engine.orchestration.history import HistoryParams, HistoryResult, replay_figure
from engine.orchestration.history import figure as figures
from pages.shell import controls, lab
from pages.tabs.orchestration import parts

D = HistoryParams()
VIEWS = ("Critical path", "Compare", "Durations", "Tasks", "Replay")


def _params() -> HistoryParams:
    parts.MONITORING.choose(parts.RUNS)
    flow = controls.selectbox(D, "flow", "Flow", help="Whose runs are shown")
    source = controls.segmented(D, "source", "Runs from", help=parts.SOURCE_HELP)
    last = controls.slider(D, "last", "Latest runs", help="Runs at most")
    most = max(len(history.run(HistoryParams(source=source, flow=flow, last=last)).runs), 2)
    for key in ("history_run", "history_other"):  # another list may be shorter
        if st.session_state.get(key, 1) > most:
            st.session_state[key] = most
    place = controls.slider(D, "run", "Run A", most=most, help="1: the latest")
    other = controls.slider(D, "other", "Run B", most=most, help="In the view *Compare*")
    base = HistoryParams(source=source, flow=flow, last=last, run=place, other=other)
    tasks = ["", *history.run(base).spans]
    if st.session_state.get("history_faster", "") not in tasks:  # another run, other tasks
        st.session_state["history_faster"] = ""
    faster = controls.selectbox(
        D,
        "faster",
        "What if: task",
        options=tasks,
        format_func=lambda task: task or "longest of critical path",
        help="Of run A; its time is divided by the speed-up",
    )
    factor = controls.slider(D, "factor", "Speed-up", help="Of that task", format="%g×")
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


def _durations(result: HistoryResult) -> None:
    lab.chart(figures.durations(result), "history_durations", "Duration of each run by its outcome")
    st.caption("A selected row becomes run A.")
    st.dataframe(
        result.table().to_pandas(),
        hide_index=True,
        height=260,
        key="history_runs",
        on_select=_choose,
        selection_mode="single-row",
        alt="Every run in numbers",
    )


def _compare(result: HistoryResult) -> None:
    lab.chart(figures.compared(result), "history_compared", "Time of each task in both runs")
    st.dataframe(
        result.compared,
        hide_index=True,
        height=260,
        key="history_pairs",
        alt="Both runs task by task, in numbers",
    )


def _closer(result: HistoryResult, view: str) -> None:
    if view == "Compare":
        _compare(result)
    elif view == "Durations":
        _durations(result)
    elif view == "Tasks":
        lab.chart(
            figures.tasks(result), "history_tasks", "Slowest tasks, and how often an attempt fails"
        )
        st.caption("Lines: 95% intervals (order statistics for medians, Wilson for shares).")
    elif view == "Replay":
        lab.chart(replay_figure.replay(result), "history_replay", "The run, with a time slider")
    else:
        lab.chart(
            figures.path(result),
            "history_path",
            "The run, its critical path, and the run with the faster task",
        )


def _output(params: Any) -> None:
    result = history.run(params)
    with lab.screen("orchestration", "history", result) as screen:
        screen.answer(figures.grid(result), "history_grid", "Outcome of each task in each run")
        parts.note(result.simulated, params.source)
        _closer(result, controls.view("history_view", VIEWS))
        pinned = lab.pinned("history")
        if pinned is not None:
            lab.chart(figures.path(pinned), "history_pinned", "The pinned run A")


show = lab.tab("orchestration", "history", _params, _output)
