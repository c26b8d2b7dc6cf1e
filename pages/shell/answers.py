"""What the learner has answered: the section ``answers`` of the record, one entry an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine.errors import InputError, require
from pages.shell import learner

KINDS = ("predict", "recall", "challenge")
CONFIDENCE = ("a guess", "likely", "sure")
MOST = 1_000  # entries; the oldest give way
LONGEST = 300  # characters of a text
TEXTS = ("lab", "title", "kind", "choice", "date")


def note(
    lab: str, title: str, kind: str, choice: str, right: bool, confidence: str | None = None
) -> None:
    """Add an answer; ``title`` is the prediction's title or the challenge's goal.

    The same answer to the same entry on the same day counts once.
    """
    date = datetime.now(UTC).date().isoformat()
    one = {
        "lab": lab,
        "title": title[:LONGEST],
        "kind": kind,
        "choice": choice[:LONGEST],
        "right": right,
        "confidence": confidence,
        "date": date,
    }
    held = entries()
    if one not in held:
        learner.put("answers", {"entries": [*held, one][-MOST:]})


def entries() -> list[dict[str, Any]]:
    """Return every answer, the oldest first, each with ``lab``, ``title``, ``kind``, ``choice``
    (text), ``right`` (bool), ``confidence`` (one of ``CONFIDENCE`` or ``None``), ``date`` (ISO).
    """
    listed: list[dict[str, Any]] = learner.section("answers").get("entries", [])
    return listed


def _check(value: dict[str, Any]) -> None:
    listed = value.get("entries", [])
    if set(value) - {"entries"} or not isinstance(listed, list):
        raise InputError("section answers must hold entries alone. Got something else.")
    require(len(listed) <= MOST, "answers must be at most {:,}. Got {:,}.", MOST, len(listed))
    for i, one in enumerate(listed):
        fits = (
            isinstance(one, dict)
            and set(one) == {*TEXTS, "right", "confidence"}
            and all(isinstance(one[key], str) and len(one[key]) <= LONGEST for key in TEXTS)
            and one["kind"] in KINDS
            and isinstance(one["right"], bool)
            and one["confidence"] in (None, *CONFIDENCE)
        )
        require(fits, "answer {} must have the fields of an answer. Got others.", i + 1)


learner.register("answers", _check)
