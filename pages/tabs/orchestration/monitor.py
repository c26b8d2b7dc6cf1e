"""Run monitor: settings predict a run at once; *Run* has Prefect run it, and every attempt is its
own bar while it does.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.orchestration import monitor
from engine.orchestration.flows import ABOUT
from engine.orchestration.launch import LAUNCHER
from engine.orchestration.monitor import SERVER, MonitorParams, MonitorResult
from engine.orchestration.monitor import figure as figures
from pages.shell import controls, lab, state
from pages.tabs.orchestration import run as orchestration_run

D = MonitorParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
LIVE_SECONDS = 0.8


def preview() -> go.Figure:
    """Return the chart of the default run, for Home: the last real one, or the one foretold."""
    return figures.gantt(monitor.result_of(monitor.latest(D)))


def _params() -> MonitorParams:
    flow = controls.selectbox(
        D, "flow", "Flow", help=" · ".join((f"**{k}**: {v}" for k, v in ABOUT.items()))
    )
    st.caption(f"{ABOUT[flow]}.")
    tasks = controls.slider(
        D, "tasks", "Tasks", help="Length of the main part: candidates, items, steps"
    )
    width = controls.slider(
        D, "width", "Width", help="Months, sources, branches, subflows, items a batch"
    )
    failure = controls.slider(D, "failure_probability", "Failure probability", help="Of each try")
    retries = controls.slider(D, "retries", "Retries", help="Further tries that each task has")
    delay = controls.slider(D, "delay_seconds", "Delay, s", help="Before a retry")
    seed = controls.slider(
        D, "seed", "Seed", help="Decides which tries fail and how long each lasts"
    )
    with st.expander("Duration, backoff, jitter, timeout, concurrency, cache"):
        rest = _more()
    return MonitorParams(
        flow=flow,
        tasks=tasks,
        width=width,
        failure_probability=failure,
        retries=retries,
        delay_seconds=delay,
        seed=seed,
        **rest,
    )


def _more() -> dict[str, Any]:
    return {
        "duration_seconds": controls.slider(
            D, "duration_seconds", "Duration, s", help="Of a task, about"
        ),
        "backoff": controls.segmented(
            D, "backoff", "Backoff", help="Exponential: the delay doubles with every retry"
        ),
        "jitter": controls.slider(D, "jitter", "Jitter", help="Prefect's retry_jitter_factor"),
        "timeout_seconds": float(
            controls.slider(
                D,
                "timeout_seconds",
                "Timeout, s",
                help="A try that takes longer is ended, and counts as failed",
                format_func=lambda s: f"{s:.0f}" if s else "none",
            )
        ),
        "concurrency": controls.slider(
            D, "concurrency", "Tasks at once", help="Threads of the task runner"
        ),
        "cache": controls.toggle(
            D,
            "cache",
            "Cache",
            help="Work that the run has done already is taken from Prefect's cache",
        ),
    }


def _chart_clicked() -> None:
    for key in ("monitor_gantt", "monitor_graph"):
        points = lab.clicked(key)
        if points:
            data = points[0].get("customdata")
            st.session_state["monitor_task"] = (
                data["0"] if isinstance(data, dict) else data[0] if isinstance(data, list) else data
            )


def _task(result: MonitorResult) -> None:
    """Draw one task of the run: its inputs, its tries, the log of each."""
    names = [task.key for task in result.run.tasks]
    if st.session_state.get("monitor_task", names[0]) not in names:
        st.session_state["monitor_task"] = names[0]
    chosen = st.selectbox(
        "Task", names, key="monitor_task", help="Or click a bar or a node", width=300, **BOUND
    )
    task = next(task for task in result.run.tasks if task.key == chosen)
    st.caption(
        "Inputs: "
        + (", ".join(task.upstream[:12]) or "none, it starts the run")
        + ("…" if len(task.upstream) > 12 else "")
    )
    if rows := result.rows(chosen):
        st.table(rows, hide_index=True, border="horizontal", alt=f"Every try of {chosen}")
    for attempt in result.run.attempts:
        if (
            attempt.task == chosen
            and attempt.message
            and attempt.outcome in ("failed", "timed out", "not run", "crashed")
        ):
            st.markdown(
                f":material/error: Attempt {attempt.attempt or '–'}: `{attempt.message[:300]}`"
            )
    lines = monitor.log_of(result, chosen)
    text = "\n".join(
        f"{line.at_seconds:7.2f} s  attempt {number}  {line.level:7} "
        f" {line.message.splitlines()[0] if line.message else ''}"
        for number in sorted(lines)
        for line in lines[number]
    )
    if text:
        st.code(text, language=None, height=220 if text.count("\n") > 8 else "content")
    elif result.run.foretold:
        st.caption("The log comes with the real run.")


def _waits() -> bool:
    """Whether something may change by itself: a run is not over, or the server is not where it
    should be.
    """
    return bool(LAUNCHER.active()) or SERVER.state.stage not in ("ready", "cold")


def _show(params: MonitorParams) -> None:
    """Draw everything that a run causes."""
    orchestration_run.server()
    row = st.container(horizontal=True, vertical_alignment="bottom")
    # A list that the stage hides would keep its room in the row.
    aside = st.container(horizontal=True) if state.presenting() else row
    with aside:
        run = orchestration_run.choose(params)
        copies = orchestration_run.copies()
    with row:
        orchestration_run.buttons(params, run, copies)
    queue = monitor.under_way()
    if len(queue) > 1:
        st.table(
            queue,
            hide_index=True,
            border="horizontal",
            alt="Runs that are not over: two run, the others wait",
        )
    result = monitor.result_of(run)
    st.markdown(result.verdict)
    chosen = str(st.session_state.get("monitor_task", ""))
    figure = figures.gantt(result, lab.pinned("monitor"), chosen)
    lab.chart(
        figure, "monitor_gantt", "Every attempt of every task over time", on_click=_chart_clicked
    )
    lab.chart(
        figures.graph(result, chosen),
        "monitor_graph",
        "The graph of tasks by state",
        on_click=_chart_clicked,
    )
    if not state.presenting():
        _task(result)
    lab.report("orchestration", "monitor", result, figure)


def _output(params: MonitorParams) -> None:
    """Draw what polls while something may change by itself."""
    SERVER.start()
    LAUNCHER.start()
    polled = _waits()

    @st.fragment(run_every=LIVE_SECONDS if polled else None)
    def live() -> None:
        with lab.errors_shown():
            _show(params)
        if _waits() != polled:
            st.rerun()  # a run has begun, or nothing is left to wait for: polling begins or ends

    live()


show = lab.tab("orchestration", "monitor", _params, _output)
