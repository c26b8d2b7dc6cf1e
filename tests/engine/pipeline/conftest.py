"""One run of three weeks for all tests of the pipeline."""

from __future__ import annotations

from datetime import date

import pytest

from engine.pipeline import store
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Run
from engine.pipeline.runner import run_stages
from engine.pipeline.stages import STAGES

PARAMS = PipelineParams(days=(date(2013, 1, 23), date(2013, 2, 13)))


@pytest.fixture(scope="session")
def run() -> Run:
    """A run that has come to its end."""
    made = run_stages(STAGES, PARAMS)
    assert made.state == "done", made.stages[-1].error
    assert store.run_of(made.id) == made
    return made
