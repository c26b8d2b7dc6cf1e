"""A real deployment with a schedule, a view of *Schedules*: create it, watch its runs, pause it,
delete it.
"""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from engine.orchestration.schedule import ScheduleParams, figure
from engine.orchestration.schedule import deployment as schedule_live
from engine.orchestration.schedule.deployment import BOARD, DATAS, FIRES
from engine.orchestration.server import SERVER
from pages.shell import lab, state
from pages.shell.lab import errors_shown

BOUND: dict[str, Any] = {"bind": "query-params"}
WATCH_SECONDS = 1.0


def show(params: ScheduleParams) -> None:
    """Draw the deployment's controls and, while there is one, its runs."""
    where = SERVER.state
    st.caption(where.sentence)
    if not where.ready:  # the page does not wait: the controls come when it is ready
        SERVER.start()
        _await(where.stage)
    left, right = st.columns(2)
    fire = left.segmented_control(
        "Schedule",
        FIRES,
        default=FIRES[0],
        required=True,
        key="schedule_fire",
        help="Short intervals show runs within seconds",
        **BOUND,
    )
    data = right.segmented_control(
        "Each run trains on",
        DATAS,
        default=DATAS[0],
        required=True,
        key="schedule_data",
        help="The same days: after the first run every stage comes from the cache. The next day:"
        " each run trains a new model on days that are one later than those of the run before",
        **BOUND,
    )
    owner = state.owner()
    _buttons(params, owner, fire, data)
    deployment = BOARD.find(owner)
    problem = st.session_state.pop("schedule_problem", "")
    if problem:
        st.error(problem, icon=":material/error:")
    if where.ready and deployment is not None:
        _watch(owner)
    code = schedule_live.as_sent(params, fire or FIRES[0], data or DATAS[0])
    st.code(code, language="python")
    st.page_link(
        "pipeline.py", label="Pipeline: the same training, stage by stage", icon=":material/route:"
    )
    st.caption(
        "The same deployment as Prefect code. `pipeline` is the flow in"
        " `engine/pipeline/prefect_flow.py`: each run trains the model of the Pipeline page."
        " Here it ends after 15 minutes."
    )


def _buttons(params: ScheduleParams, owner: str, fire: Any, data: Any) -> None:
    """Draw the buttons that create, pause and delete the deployment and stop its worker."""
    ready, deployment = SERVER.state.ready, BOARD.find(owner)
    with st.container(horizontal=True):
        if ready:
            _button(
                "Create deployment" if deployment is None else "Create again",
                "create",
                BOARD.create,
                owner,
                params,
                fire,
                data,
            )
        if ready and deployment is not None:
            paused, working = deployment.paused, deployment.runner is not None
            _button("Resume" if paused else "Pause", "pause", BOARD.pause, owner, not paused)
            _button(
                "Stop worker" if working else "Start worker",
                "staff",
                _staff,
                owner,
                not working,
            )
            _button("Delete", "delete", BOARD.delete, owner)


@st.fragment(run_every=WATCH_SECONDS)
def _await(stage: str) -> None:
    """Draw the tab again once the server is at another stage."""
    if SERVER.state.stage != stage:
        st.rerun()


def _staff(owner: str, wanted: bool) -> None:
    (BOARD.start_worker if wanted else BOARD.stop_worker)(owner)


def _button(label: str, name: str, act: Any, *arguments: Any) -> None:
    def pressed() -> None:
        try:
            act(*arguments)
        except schedule_live.InputError as error:
            st.session_state["schedule_problem"] = str(error)

    st.button(label, key=f"schedule_{name}", on_click=state.once(pressed))


@st.fragment(run_every=WATCH_SECONDS)
def _watch(owner: str) -> None:
    if BOARD.find(owner) is None:
        return
    state.owner()
    with errors_shown():
        runs = BOARD.runs(owner)
        st.markdown(f"Deployment **{BOARD.found[owner].name}**: {schedule_live.summary(runs)}.")
        if runs:
            lab.chart(
                figure.fired(runs, time.time()),
                "schedule_fired",
                "The deployment's runs around now",
            )
            st.dataframe(
                schedule_live.table(runs),
                hide_index=True,
                height=240,
                key="schedule_fired_rows",
                alt="Runs, latest first",
            )
