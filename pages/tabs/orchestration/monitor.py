"""Run monitor: the settings predict a run; *Run* has Prefect run it, and each attempt is a bar of
its own while it runs.
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
from pages.shell import controls, lab, state, texts
from pages.tabs.orchestration import run as orchestration_run

D = MonitorParams()
VIEWS = ("Graph", "Task", "Queue")
BOUND: dict[str, Any] = {"bind": "query-params"}
LIVE_SECONDS = 0.8


def preview() -> go.Figure:
    """Return the chart of the default run, for Home: the last real one, else the predicted one."""
    return figures.gantt(monitor.result_of(monitor.latest(D)))


def _params() -> MonitorParams:
    flow = controls.selectbox(
        D, "flow", "Flow", help=" · ".join((f"**{k}**: {v}" for k, v in ABOUT.items()))
    )
    tasks = controls.slider(
        D, "tasks", "Tasks", help="Size of the main part: candidates, items or steps"
    )
    width = controls.slider(
        D,
        "width",
        "Parallel branches",
        help="Months, sources, branches, subflows, or items per batch",
    )
    failure = controls.slider(
        D, "failure_probability", "Failure probability", help="Of each attempt", percent=True
    )
    retries = controls.slider(
        D, "retries", "Retries", help="Attempts of a task after its first one failed"
    )
    delay = controls.slider(D, "delay_seconds", "Retry delay, s", help="Wait before a retry")
    seed = controls.slider(
        D, "seed", "Seed", help="Decides which attempts fail and how long each one takes"
    )
    with st.expander("More settings"):
        rest = _more()
        orchestration_run.copies()
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
            D, "duration_seconds", "Task duration, s", help="Approximate; one in ten is slower"
        ),
        "backoff": controls.segmented(
            D, "backoff", "Backoff", help="How the delay grows with each retry"
        ),
        "jitter": controls.slider(
            D, "jitter", "Jitter", help="Prefect's `retry_jitter_factor`", percent=True
        ),
        "timeout_seconds": float(
            controls.slider(
                D,
                "timeout_seconds",
                "Timeout, s",
                help="A longer attempt is stopped and counts as failed",
                format_func=lambda s: f"{s:.0f}" if s else "none",
            )
        ),
        "concurrency": controls.slider(
            D, "concurrency", "Concurrent tasks", help="Threads of the task runner"
        ),
        "cache": controls.toggle(
            D,
            "cache",
            "Cache",
            help="Work that the run has already done comes from Prefect's cache",
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
            st.session_state["monitor_view"] = "Task"


def _task(result: MonitorResult) -> None:
    """Draw one task of the run: its inputs, its attempts and their logs."""
    names = [task.key for task in result.run.tasks]
    if st.session_state.get("monitor_task", names[0]) not in names:
        st.session_state["monitor_task"] = names[0]
    chosen = st.selectbox(
        "Task", names, key="monitor_task", help="Or click a bar in the chart", width=300, **BOUND
    )
    task = next(task for task in result.run.tasks if task.key == chosen)
    st.caption(
        "Inputs: "
        + (", ".join(task.upstream[:12]) or "none, it is a first task")
        + ("…" if len(task.upstream) > 12 else "")
    )
    if rows := result.rows(chosen):
        st.table(rows, hide_index=True, border="horizontal", alt=f"Attempts of {chosen}")
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
    elif result.run.predicted:
        st.caption("The log comes with the real run: press *Run*.")


def _waits() -> bool:
    """Whether something may change by itself: a run is not over, or the server is not where it
    should be.
    """
    return bool(LAUNCHER.active()) or SERVER.state.stage not in ("ready", "cold")


def _queue() -> None:
    """Draw the runs that have not ended."""
    if rows := monitor.under_way():
        texts.table(rows, "Runs that have not ended: two run, the others wait")
    else:
        st.caption("No run is active. Two runs can run at the same time, the others wait.")


def _show(params: MonitorParams) -> None:
    """Draw everything that changes with a run."""
    run = orchestration_run.chosen(params)
    result, chosen = monitor.result_of(run), str(st.session_state.get("monitor_task", ""))
    with lab.screen("orchestration", "monitor", result) as screen:
        orchestration_run.bar(params, run)
        screen.answer(
            figures.gantt(result, lab.pinned("monitor"), chosen),
            "monitor_gantt",
            "One bar per attempt of each task, over time",
            on_click=_chart_clicked,
        )
        view = controls.view("monitor_view", VIEWS)
        if view == "Graph":
            lab.chart(
                figures.graph(result, chosen),
                "monitor_graph",
                "Tasks and their dependencies, coloured by state",
                on_click=_chart_clicked,
            )
        elif view == "Queue":
            _queue()
        elif not state.presenting():
            _task(result)
        st.caption(orchestration_run.server_text())


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
