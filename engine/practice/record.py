"""The section ``practice`` of the learner's record: own notes and ratings of questions, kinds of
follow-ups that were opened, and proofs for the checklist.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from engine.errors import require
from engine.practice.cards import RATINGS
from engine.practice.checklist import PROOFS
from engine.practice.content import KINDS

LONGEST_NOTE = 4_000  # characters
LONGEST_WHY = 300
MOST_QUESTIONS = 60
EMPTY: dict[str, Any] = {"questions": {}, "kinds": [], "proofs": {}}


def filled(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section with every part that it may lack."""
    return {**copy.deepcopy(EMPTY), **section}  # each visitor writes into a section of their own


def check(section: dict[str, Any]) -> None:
    """Raise ``InputError`` unless the section is what the page writes: names part and field."""
    known = set(section) <= set(EMPTY)
    require(known, "section practice must hold {}. Got {}.", ", ".join(EMPTY), ", ".join(section))
    whole = filled(section)
    listed = whole["questions"]
    fits = isinstance(listed, dict) and len(listed) <= MOST_QUESTIONS
    require(fits, "questions must be at most {} entries. Got others.", MOST_QUESTIONS)
    for name, entry in listed.items():
        _check_question(str(name)[:60], entry)
    kinds = whole["kinds"]
    fits = isinstance(kinds, list) and all(one in KINDS for one in kinds) and len(kinds) < 20
    require(fits, "kinds must be among {}. Got {!r}.", ", ".join(KINDS), kinds)
    proofs = whole["proofs"]
    fits = isinstance(proofs, dict) and set(proofs) <= set(PROOFS)
    require(fits, "proofs must be among {}. Got others.", ", ".join(PROOFS))
    for key, entry in proofs.items():
        fits = isinstance(entry, dict) and set(entry) == {"why", "at"}
        fits = fits and all(isinstance(x, str) and len(x) <= LONGEST_WHY for x in entry.values())
        require(fits, "proof {!r}: must have why and at, texts. Got others.", key)


def _check_question(name: str, entry: Any) -> None:
    wanted = {"notes", "strong", "weak", "rating"}
    fits = isinstance(entry, dict) and set(entry) == wanted
    require(fits, "question {!r}: must have {}. Got others.", name, ", ".join(sorted(wanted)))
    notes = entry["notes"]
    fits = isinstance(notes, str) and len(notes) <= LONGEST_NOTE
    require(fits, "question {!r}: notes must have at most {:,} characters.", name, LONGEST_NOTE)
    for field in ("strong", "weak"):
        value = entry[field]
        fits = isinstance(value, list) and all(type(i) is int and 0 <= i < 10 for i in value)
        require(fits, "question {!r}: {} must list places. Got {!r}.", name, field, value)
    rating = entry["rating"]
    fits = rating is None or rating in RATINGS
    require(fits, "question {!r}: rating must be 1–4. Got {!r}.", name, rating)
