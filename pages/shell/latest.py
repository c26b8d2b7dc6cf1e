"""The latest run of each experiment in this session, for Practice: its sentence and its settings,
not its result.
"""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from engine.jobs import JOBS
from engine.practice import checklist
from engine.practice.evidence import MEASURED, Own, own_of_job
from pages.shell import practice_record


def begin() -> None:
    """Note when the session began: a result from before is nobody's proof."""
    st.session_state.setdefault("session_since", time.time())


def note(name: str, result: Any, verdict: str) -> None:
    """Note what is on screen, and what it proves for the checklist."""
    runs: dict[str, Own] = st.session_state.setdefault("latest_runs", {})
    runs[name] = Own(verdict, result.params, time.time())
    begin()
    job = JOBS.find(st.session_state.get(f"{name}_job"))
    ended = job.finished_at if job is not None and job.state == "done" else None
    found = checklist.proof(name, result, st.session_state["session_since"], ended)
    if found is not None:
        practice_record.note_proof(*found)


def runs() -> dict[str, Own]:
    """Return the learner's latest finished run of each experiment.

    Of an experiment that is measured by a job it is the job's own, for until the job ends the page
    shows what is expected.
    """
    measured = [source.partition(".")[2] for source in MEASURED]
    shown: dict[str, Own] = st.session_state.get("latest_runs", {})
    found = {name: own for name, own in shown.items() if name not in measured}
    for name in measured:
        key = st.session_state.get(f"{name}_job")
        own = None if key is None else own_of_job(name, key)
        if own is not None:
            found[name] = own
    return found


def result(source: str) -> tuple[Any, float] | None:
    """Return the Result of the learner's own job of a source and when it ended, ``None`` without
    one.
    """
    job = JOBS.find(st.session_state.get(f"{source.partition('.')[2]}_job"))
    done = job is not None and job.state == "done" and job.finished_at is not None
    return (job.result, job.finished_at) if done else None  # type: ignore[union-attr,return-value]
