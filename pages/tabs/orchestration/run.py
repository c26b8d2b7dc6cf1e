"""Above the run monitor's charts: which server this is, which run is shown, and the buttons that
start, pause and end runs.
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
    """Do what a button asks for, then draw the page; what the engine refuses is said there."""
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


def choose(params: MonitorParams) -> Run:
    """Draw the list of runs and return the one to show: the one picked, while the settings are its
    own, else the latest.
    """
    live = [run for run in map(monitor.find, reversed(LAUNCHER.active())) if run is not None]
    listed = {run.id: run for run in [*live, *runs()[:N_LISTED]]}
    picked = listed.get(st.session_state.get("monitor_shown", LATEST))
    if picked is None or picked.params != params:
        st.session_state["monitor_shown"] = LATEST
    shown = st.selectbox(
        "Run",
        [LATEST, *listed],
        key="monitor_shown",
        format_func=lambda run_id: _label(listed[run_id]) if run_id in listed else LATEST,
        help=(
            "Every run, live and recorded; picking one brings its settings back, so that it can be"
            " run again or changed"
        ),
        on_change=_picked,
        width=380,
        **BOUND,
    )
    return listed[shown] if shown in listed else monitor.latest(params)


def copies() -> int:
    """Draw the number of runs to submit at once."""
    return int(
        st.selectbox(
            "How many",
            COPIES,
            key="monitor_copies",
            help="Submitted at once, each with the next seed",
            width=110,
            **BOUND,
        )
    )


@st.fragment  # of its own: what stands around it polls
def buttons(params: MonitorParams, run: Run, n_copies: int) -> None:
    """Draw what starts a run, and what pauses and ends the one that is shown."""
    ready = SERVER.state.ready
    st.button(
        "Run" if run.foretold else "Run again",
        key="monitor_start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not ready,
        help=(
            "Have Prefect run the settings on screen"
            if ready
            else "Prefect's server is not ready yet"
        ),
        on_click=state.once(_press),
        args=(_submit, params, n_copies),
    )
    if not run.ended:
        paused = run.state == "paused"
        st.button(
            "Resume" if paused else "Pause",
            key="monitor_pause",
            disabled=run.state not in ("running", "paused"),
            help="What runs goes on to its end, nothing new starts",
            on_click=state.once(_press),
            args=(LAUNCHER.resume if paused else LAUNCHER.pause, run.id),
        )
        st.button(
            "End it",
            key="monitor_end",
            help="Cancel this run: its process is ended, no other run is touched",
            on_click=state.once(_press),
            args=(LAUNCHER.cancel, run.id, False),
        )


def server() -> None:
    """Say which server this is, and how it is."""
    now = SERVER.state
    if now.stage == "unreachable":
        st.warning(now.message, icon=":material/cloud_off:")
    else:
        link = f" [Prefect's own pages]({now.ui_url})" if now.ready else ""
        st.caption(now.message + link)
    if refused := st.session_state.pop("monitor_refused", ""):
        st.warning(refused, icon=":material/error:")
