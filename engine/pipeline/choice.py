"""Which run is shown: one that is named, or the latest with the settings that a visitor meets
first.
"""

from __future__ import annotations

from datetime import date

from engine.errors import InputError
from engine.pipeline import store
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Run
from engine.pipeline.runner import plain

FIRST_RUN = PipelineParams(days=(date(2013, 1, 23), date(2013, 2, 13)))  # short enough to wait for


def is_whole(run: Run) -> bool:
    """Whether a run is done and what its stages made is still kept."""
    return run.state == "done" and all(
        store.place(record.stage, record.key).is_dir() for record in run.stages
    )


def whole_runs() -> list[Run]:
    """Return the runs that can be looked into, the latest first."""
    return [run for run in store.runs() if is_whole(run)]


def latest(params: PipelineParams = FIRST_RUN) -> Run | None:
    """Return the latest whole run with these settings, ``None`` without one."""
    return next((run for run in whole_runs() if run.params == plain(params)), None)


def find(run_id: str) -> Run:
    """Return the run of this id; of ``""`` the latest with the settings of ``FIRST_RUN``.

    Raises
    ------
    InputError
        There is none, it has not come to its end, or its files are gone.
    """
    run = store.run_of(run_id) if run_id else latest()
    if run is None or not is_whole(run):
        raise InputError(
            f"run must be one that is done and kept. Got {run_id or 'none'}. Start one in the tab"
            " Run."
        )
    return run
