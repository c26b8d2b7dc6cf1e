"""A slow experiment on a page: its job is queued as its settings change, its cells fill in, it can
be cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from engine.jobs import JOBS, Job, Steps
from engine.units import format_seconds
from pages.shell import state
from pages.shell.lab import errors_shown

POLL_SECONDS = 0.5


def run(
    name: str,
    params: Any,
    steps: Callable[[Any], Steps],
    show: Callable[[Any], None],
    first: Any = None,
) -> None:
    """Run ``steps(params)`` as this session's job and call ``show(result)`` with what there is of
    its result so far.

    ``first`` is shown until the job has something: an answer that is there at once and that the job
    only confirms.

    Experiments that ask for the same steps with the same params share one job. A job for other
    settings of the same experiment is given up. The page polls only while the job is active.
    """
    owner = state.owner()
    key = (steps, params)
    before = st.session_state.get(f"{name}_job")
    if before is not None and before != key:
        JOBS.drop(owner, before)
    st.session_state[f"{name}_job"] = key
    job = _given_up(name)
    if job is None or job.key != key:
        job = JOBS.find(key)
        if job is None or job.state != "failed":
            job = JOBS.submit(owner, key, name, lambda: steps(params))
    polled = job.active and job is not _given_up(name)

    @st.fragment(run_every=POLL_SECONDS if polled else None)
    def output() -> None:
        state.owner()
        if job is not _given_up(name) and (
            JOBS.find(key) is not job or (job.active and not polled)
        ):
            # "Measure again" was pressed: only the whole page queues a job and polls for it
            st.rerun()
        _progress(name, job)
        latest = first if job.latest is None else job.latest
        if latest is not None:
            with errors_shown():
                show(latest)
        elif polled:
            st.skeleton(height=420)
        if polled and (not job.active or job is _given_up(name)):
            st.rerun()

    output()


def _given_up(name: str) -> Job | None:
    """Return the job that this session has cancelled; others may still wait for it."""
    job: Job | None = st.session_state.get(f"{name}_given_up")
    return job


def _give_up(name: str, job: Job) -> None:
    st.session_state[f"{name}_given_up"] = job
    JOBS.give_up(state.owner(), job)


def _measure_again(name: str, job: Job) -> None:
    st.session_state.pop(f"{name}_given_up", None)
    if not job.active:
        JOBS.forget(job.key)


def _progress(name: str, job: Job) -> None:
    """One line that stays where it is: progress while the job is active, else how it ended and how
    to run it again.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        given_up = job is _given_up(name)
        if job.active and not given_up:
            place = JOBS.place(job)
            left = job.remaining_seconds()
            text = (
                f"Waiting: {place} before this one"
                if place
                else f"Measuring: {job.progress.message}"
            )
            st.progress(
                min(job.progress.share, 1.0),
                text + (f" · about {format_seconds(left)} left" if left is not None else ""),
                width=420,
            )
            st.button("Cancel", key=f"{name}_cancel", on_click=_give_up, args=(name, job))
            return
        if job.state == "failed":
            st.error(job.message, icon=":material/error:")
        elif given_up or job.state == "cancelled":
            st.warning("Cancelled: what was measured until then stands below.")
        if not state.presenting():
            st.button(
                "Measure again",
                key=f"{name}_again",
                icon=":material/refresh:",
                on_click=_measure_again,
                args=(name, job),
            )


def approved(name: str, params: Hashable, label: str) -> bool:
    """Return whether the button to run exactly these params was pressed in this session; until then
    draw it.

    For what runs a person's text: the text may have come by a link of a stranger's. A link, a scene
    or a changed setting approves nothing. Call it before ``run``, and not inside what polls. The
    press is read where it arrives, not in a callback: a text that is still being typed is sent
    along with the press, and a callback would be given the text from before.
    """
    key = f"{name}_approved"
    if key in st.session_state and st.session_state[key] == params:
        return True
    place = st.empty()
    if not place.button(label, key=f"{name}_approve", type="primary", icon=":material/play_arrow:"):
        return False
    st.session_state[key] = params
    place.empty()
    return True
