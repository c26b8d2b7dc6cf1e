"""The learner's record: sections, the file that takes it away and back, what the browser sends."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st

from engine.errors import InputError
from pages.shell import answers, learner


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A visitor's session of its own."""
    held: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", held)
    # the pages of the other sections, which other tests have imported, have checkers of their own
    monkeypatch.setattr(learner, "_checkers", {"answers": answers._check})
    return held


def test_a_section_is_a_copy_and_comes_back_from_the_file() -> None:
    learner.put("plan", {"date": "2026-12-24", "days": [1, 2]})
    learner.section("plan")["days"].append(3)
    answers.note("etl", "Polling", "predict", "15", False, "sure")
    answers.note("etl", "Polling", "predict", "15", False, "sure")
    saved = learner.export()
    learner.put("plan", {})
    learner.put("cards", {"a": 1})
    learner.load(saved)
    assert learner.section("plan") == {"date": "2026-12-24", "days": [1, 2]}
    assert learner.section("cards") == {}
    (one,) = answers.entries()
    assert one["title"] == "Polling" and one["right"] is False and one["confidence"] == "sure"
    assert learner.load(learner.export()) is None


ANSWER = {"lab": "etl", "title": "a", "kind": "predict", "choice": "b", "date": "2026-11-29"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": 1}', "another kind"),
        (b" " * 5_000_000, "at most"),
        ({"version": 99}, "version"),
        ({"version": True, "sections": 3}, "without sections"),
        ({"sections": {"elsewhere": {}}}, "section must be one of"),
        ({"sections": {"plan": [1]}}, "JSON object"),
        ({"sections": {"plan": {"a": "x" * 30_000}}}, "at most 20,000 bytes"),
        ({"sections": {"answers": {"entries": [ANSWER]}}}, "answer 1"),
    ],
)
def test_a_file_that_is_no_record_gets_a_sentence_and_changes_nothing(
    content: Any, message: str
) -> None:
    learner.put("cards", {"a": 1})
    if isinstance(content, dict):
        content = json.dumps({"format": learner.FORMAT, "version": 1, **content}).encode()
    with pytest.raises(InputError, match=message):
        learner.load(content)
    assert learner.section("cards") == {"a": 1}


def test_what_is_no_json_is_refused() -> None:
    for value in ({"a": {1}}, {"a": float("nan")}, {1: 2}, ["a"]):
        with pytest.raises(InputError, match="JSON object"):
            learner.put("cards", value)  # type: ignore[arg-type]


def test_the_newer_of_browser_and_session_is_used(session: dict[str, Any]) -> None:
    learner.put("plan", {"mine": 1})
    later, earlier = "2999-01-01T00:00:00.000000+00:00", "2000-01-01T00:00:00.000000+00:00"
    session["bridge"] = {
        "stored": {
            "plan": {"at": earlier, "value": {"mine": 0}},
            "cards": {"at": earlier, "value": {"kept": 1}},
            "answers": {"at": later, "value": {"entries": "broken"}},
            "practice": 3,
            "elsewhere": {"at": later, "value": {}},
        }
    }
    learner._receive("bridge")
    assert learner.section("plan") == {"mine": 1}
    assert learner.section("cards") == {"kept": 1}
    assert answers.entries() == []
    assert session["learner_heard"]["answers"] == later, "what is refused is not asked for again"
    session["bridge"] = {"stored": {"plan": {"at": later, "value": {"mine": 2}}}}
    learner._receive("bridge")
    assert learner.section("plan") == {"mine": 2}


def test_a_change_is_the_newest_where_the_clock_was_put_back(session: dict[str, Any]) -> None:
    """The browser keeps the newer of two: what is dated an hour back would be lost."""
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="microseconds")
    session["bridge"] = {
        "stored": {
            "plan": {"at": ahead, "value": {"mine": 0}},
            "answers": {"at": ahead, "value": "broken"},
            "cards": {"at": "zzz", "value": "broken"},
        }
    }
    learner._receive("bridge")
    learner.put("plan", {"mine": 1})
    learner.put("answers", {"entries": []})
    first, second = (session["learner"][name]["at"] for name in ("plan", "answers"))
    assert ahead < first < second
    learner._receive("bridge")
    assert learner.section("plan") == {"mine": 1}
    learner.clear()
    learner._receive("bridge")
    assert learner.section("plan") == {} and second < session["learner"]["plan"]["at"]
