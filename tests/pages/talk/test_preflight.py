"""The check of a talk: what is ready and what is not; on stage a failed engine's scene shows its
record.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from engine.jobs import JOBS, Steps
from engine.leakage import repairs
from pages.talk import handout, recorded
from pages.talk.talk import Talk, TalkScene
from tests.pages.talk.on_stage import check, shown

QUICK = TalkScene("formats", "The same rows, shuffled", predict="Shuffled rows, same filter")
BY_JOB = TalkScene("leakage", "One moved line closes the gap")
TALK = Talk("t", (QUICK, BY_JOB))


def gone(_: Any) -> Steps:
    """Steps whose engine is gone."""
    raise InputError("The engine must be there. Got none.")
    yield


@pytest.fixture(scope="module", autouse=True)
def no_records() -> Iterator[None]:
    """Start without records; what the tests record stays for the others."""
    for scene in TALK.scenes:
        recorded._path(scene).unlink(missing_ok=True)
    return


def test_a_scene_whose_engine_fails_is_not_ready_and_the_check_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repairs, "steps", gone)
    failed, ready = check(Talk("t", (BY_JOB, QUICK)))
    assert failed.problem.startswith("The engine must be there. Got none.")
    assert not ready.problem and ready.seconds > 0
    assert recorded.load(BY_JOB) is None


def test_a_checked_scene_is_kept_and_shown_with_its_date_when_the_engine_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert [one.problem for one in check(TALK)] == ["", ""]
    records = [recorded.load(scene) for scene in TALK.scenes]
    before = [shown(TALK, number) for number in range(2)]
    for record, chart in zip(records, before, strict=True):
        assert record is not None and record.current and record.name == chart["key"]
        assert record.finding == chart["title"] and "recorded" not in chart["title"]
    job = JOBS.find((repairs.steps, repairs.RepairsParams()))
    assert job is not None and records[1] is not None and records[1].at == job.finished_at
    page = handout.render(TALK)
    assert page.count('class="plotly-graph-div"') == 2

    monkeypatch.setattr(repairs, "steps", gone)
    after = shown(TALK, 1)
    assert after["title"] == f"{before[1]['title']} (recorded {records[1].when})"
    assert after["data"] == before[1]["data"]
    assert shown(TALK, 0)["title"] == before[0]["title"]
