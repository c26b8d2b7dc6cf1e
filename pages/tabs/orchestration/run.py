"""Above the run monitor's chart: the buttons that start, pause and cancel runs, and which run is
shown.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import streamlit as st

from engine.errors import InputError
from engine.orchestration import monitor
from engine.orchestration.launch import LAUNCHER
from engine.orchestration.monitor import SERVER, MonitorParams
from engine.orchestration.records import Run, runs
from engine.units import format_seconds
from pages.shell import state

BOUND: dict[str, Any] = {"bind": "query-params"}
LATEST = "latest of these settings"
N_LISTED = 30
COPIES = (1, 2, 3, 6, 20)
PRESS_SECONDS = 6.0  # how long a press on Run waits for a busy server before it says so


def _press(call: Any, *arguments: Any) -> None:
    """Do what a button asks for, then draw the page, with the reason if the engine refuses."""
    try:
        call(*arguments)
    except InputError as error:
        st.session_state["monitor_refused"] = str(error)
    st.rerun()


def _submit(params: MonitorParams, n_copies: int) -> None:
    st.session_state["monitor_shown"] = LATEST
    for k in reversed(range(n_copies)):  # the one on screen last: it is the latest
        LAUNCHER.submit(replace(params, seed=params.seed + k), patience=PRESS_SECONDS)


def _picked() -> None:
    """Another run was picked: its settings become those on screen."""
    run = monitor.find(str(st.session_state["monitor_shown"]))
    if run is not None:
        for field, value in asdict(run.params).items():
            st.session_state[f"monitor_{field}"] = value


def _label(run: Run) -> str:
    seconds = f" · {format_seconds(run.seconds)}" if run.ended else ""
    return f"{run.name} · {run.params.flow} · {run.state}{seconds}"


def _listed() -> dict[str, Run]:
    """Return the runs to choose from by id, live ones first."""
    live = [run for run in map(monitor.find, reversed(LAUNCHER.active())) if run is not None]
    return {run.id: run for run in [*live, *runs()[:N_LISTED]]}


def chosen(params: MonitorParams) -> Run:
    """Return the run to show: the one picked, while the settings are its own, else the latest of
    these settings.
    """
    picked = _listed().get(st.session_state.get("monitor_shown", LATEST))
    if picked is None or picked.params != params:
        st.session_state["monitor_shown"] = LATEST
        return monitor.latest(params)
    return picked


def copies() -> None:
    """Draw the number of runs that *Run* starts."""
    st.selectbox(
        "Runs to start", COPIES, key="monitor_copies", help="Each with the next seed", **BOUND
    )


def bar(params: MonitorParams, run: Run) -> None:
    """Draw, in one line, what starts a run, pauses and cancels it, and the list of runs."""
    if SERVER.state.stage == "unreachable":
        st.warning(SERVER.state.message, icon=":material/cloud_off:")
    if refused := st.session_state.pop("monitor_refused", ""):
        st.warning(refused, icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        place = st.container(horizontal=True, width="content", gap="small")
        listed = _listed()
        st.selectbox(
            "Run",
            [LATEST, *listed],
            key="monitor_shown",
            format_func=lambda run_id: _label(listed[run_id]) if run_id in listed else LATEST,
            help="Picking a run also sets its settings",
            on_change=_picked,
            label_visibility="collapsed",
            width=300,
            **BOUND,
        )
    with place:
        _buttons(params, run, int(st.session_state.get("monitor_copies", 1)))


@st.fragment  # of its own: what is around it polls
def _buttons(params: MonitorParams, run: Run, n_copies: int) -> None:
    """Draw what starts a run, and what pauses and cancels the one that is shown."""
    ready = SERVER.state.ready
    st.button(
        "Run" if run.predicted else "Run again",
        key="monitor_start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not ready,
        help=("Prefect runs these settings" if ready else "Prefect's server is not ready yet"),
        on_click=state.once(_press),
        args=(_submit, params, n_copies),
    )
    if not run.ended:
        paused = run.state == "paused"
        st.button(
            "Resume" if paused else "Pause",
            key="monitor_pause",
            disabled=run.state not in ("running", "paused"),
            help="Running tasks finish, no new task starts",
            on_click=state.once(_press),
            args=(LAUNCHER.resume if paused else LAUNCHER.pause, run.id),
        )
        st.button(
            "Cancel run",
            key="monitor_end",
            help="Ends the process of this run only",
            on_click=state.once(_press),
            args=(LAUNCHER.cancel, run.id, False),
        )


def server_text() -> str:
    """Return which server this is, and a link to Prefect's own pages."""
    return SERVER.state.sentence
