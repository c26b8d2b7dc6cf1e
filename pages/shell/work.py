"""A slow experiment on a page: its job is queued as its settings change, its cells fill in, it can
be cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import streamlit as st

from engine import pace
from engine.jobs import JOBS, Job, Steps
from engine.units import format_seconds, format_time
from pages.shell import state
from pages.shell.chart import recorded
from pages.shell.lab import errors_shown

POLL_SECONDS = 0.5


def run(
    name: str,
    params: Any,
    steps: Callable[[Any], Steps],
    show: Callable[[Any], None],
    first: Any | Callable[[], Any] = None,
) -> None:
    """Run ``steps(params)`` as this session's job and call ``show(result)`` with what there is of
    its result so far.

    ``first`` is shown until the job has something: an answer that is there at once and that the job
    only confirms, or a function that computes it where it is needed.

    Experiments that ask for the same steps with the same params share one job. A job for other
    settings of the same experiment is given up. The page polls only while the job is active. What
    was measured before, by an earlier server too, is shown with its date and not measured again.
    """
    owner = state.owner()
    for names in ("work_names", "work_on_page"):
        st.session_state.setdefault(names, set()).add(name)
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
            # "Run again" was pressed: only the whole page queues a job and polls for it
            st.rerun()
        if job.result is not None or not recorded(
            job.message
        ):  # on stage what was whole goes before a part
            _progress(name, job)
            with errors_shown():
                latest = job.latest
                if latest is None:
                    latest = first() if callable(first) else first
                if latest is not None:
                    show(latest)
                elif polled:
                    st.skeleton(height=420)
        _ended(name, job)
        if polled and (not job.active or job is _given_up(name)):
            st.rerun()

    output()


@contextmanager
def tabs_left_are_given_up() -> Iterator[None]:
    """Draw the whole page inside; then give up this session's jobs that are on it no more.

    A tab that was left holds nobody up. What its job has measured so far is shown to who comes
    back.
    """
    st.session_state["work_on_page"] = on_page = set()
    yield
    for name in st.session_state.get("work_names", set()) - on_page:
        job = JOBS.find(st.session_state[f"{name}_job"])
        if job is not None and job.active:
            JOBS.give_up(state.owner(), job)


def _given_up(name: str) -> Job | None:
    """Return the job that this session has cancelled; others may still wait for it."""
    job: Job | None = st.session_state.get(f"{name}_given_up")
    return job


def _give_up(name: str, job: Job) -> None:
    st.session_state[f"{name}_given_up"] = job
    JOBS.give_up(state.owner(), job)


def _run_again(name: str, job: Job) -> None:
    st.session_state.pop(f"{name}_given_up", None)
    if not job.active:
        JOBS.forget(job.key)


def _progress(name: str, job: Job) -> None:
    """Draw one line above the result while the job is active, or how it failed."""
    if not job.active or job is _given_up(name):
        if job.state == "failed":
            st.error(job.message, icon=":material/error:")
        return
    place = JOBS.position(job)
    left = job.remaining_seconds() or 0.0
    text = f"Waiting: {place} before this one" if place else f"Measuring: {job.progress.message}"
    with st.container(key=f"{name}_progress", horizontal=True, vertical_alignment="center"):
        st.progress(
            min(job.progress.share, 1.0),
            text + (f" · about {format_seconds(left)} left" if left >= pace.LEAST_SECONDS else ""),
            width=420,
        )
        st.button("Cancel", key=f"{name}_cancel", on_click=_give_up, args=(name, job))


def _ended(name: str, job: Job) -> None:
    """Draw one line below the result: when it was measured and how to run it again."""
    given_up = job is _given_up(name)
    if state.presenting() or (job.active and not given_up):
        return
    with st.container(key=f"{name}_ended", horizontal=True, vertical_alignment="center"):
        if given_up or job.state == "cancelled":
            st.caption("Cancelled: what was measured until then is shown.")
        elif job.state == "done" and job.finished_at is not None:
            st.caption(f"Measured {format_time(datetime.fromtimestamp(job.finished_at))}")
        st.button(
            "Run again",
            key=f"{name}_again",
            icon=":material/refresh:",
            type="tertiary",
            on_click=_run_again,
            args=(name, job),
        )


def ask_button(name: str, params: Hashable, label: str, **look: Any) -> None:
    """Draw the button that asks for a job with exactly these params (``is_asked``)."""
    st.button(label, key=f"{name}_run", type="primary", on_click=_ask, args=(name, params), **look)


def _ask(name: str, params: Hashable) -> None:
    st.session_state[f"{name}_asked"] = params


def is_asked(name: str, params: Hashable) -> bool:
    """Whether the last press of ``ask_button`` in this session was for exactly these params."""
    key = f"{name}_asked"
    return key in st.session_state and bool(st.session_state[key] == params)


def approved(name: str, params: Hashable, label: str) -> bool:
    """Return whether the button to run exactly these params was pressed in this session; until then
    draw it.

    For what runs a person's text: the text may have come by a link of a stranger's. A link, a scene
    or a changed setting approves nothing. Call it before ``run``, and not inside what polls. The
    press is read where it arrives, not in a callback: a text that is still being typed is sent
    along with the press, and a callback would be given the text from before.
    """
    if state.is_approved(name, params):
        return True
    place = st.empty()
    if not place.button(label, key=f"{name}_approve", type="primary", icon=":material/play_arrow:"):
        return False
    state.approve(name, params)
    place.empty()
    return True
