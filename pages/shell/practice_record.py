"""What Practice keeps in the learner's record: cards, the interview's date, notes, proofs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from engine.practice import cards as deck
from engine.practice import plan, record
from engine.practice.cards import Card
from engine.practice.content import questions
from engine.units import format_day
from pages.shell import answers, learner


def today() -> date:
    """Return the day of the record, in UTC."""
    return datetime.now(UTC).date()


def interview() -> date | None:
    """Return the interview's date, ``None`` without one."""
    return plan.interview_of(learner.section("plan"))


def set_interview(day: date | None) -> None:
    """Keep the interview's date."""
    learner.put("plan", {} if day is None else {"interview": day.isoformat()})


def cards() -> dict[str, Card]:
    """Return all cards, with those of predictions and recall questions that were answered wrong."""
    held = deck.from_section(learner.section("cards"))
    return deck.with_missed(held, answers.entries(), last_day())


def last_day() -> date | None:
    """Return the last day of practice before the interview, ``None`` without one ahead."""
    return plan.last_day_of(learner.section("plan"), today())


def new_ids() -> list[str]:
    """Return the ids of the interview questions, which all come before the interview."""
    return [deck.question_id(question.id) for question in questions()]


def answer(card_id: str, rating: int) -> None:
    """Keep that a card was answered today."""
    held = cards()
    held[card_id] = deck.answered(held.get(card_id), card_id, rating, today(), last_day())
    learner.put("cards", deck.to_section(held))


def practice() -> dict[str, Any]:
    """Return the section ``practice`` with all its parts."""
    return record.filled(learner.section("practice"))


def note_question(name: str, **fields: Any) -> None:
    """Keep notes, signs or rating of a question."""
    mine = practice()
    empty = {"notes": "", "strong": [], "weak": [], "rating": None}
    mine["questions"][name] = {**empty, **mine["questions"].get(name, {}), **fields}
    learner.put("practice", mine)


def question(name: str) -> dict[str, Any]:
    """Return what is kept of a question; empty where nothing is."""
    found: dict[str, Any] = practice()["questions"].get(name, {})
    return found


def note_kind(kind: str) -> None:
    """Keep that a follow-up of a kind was opened."""
    mine = practice()
    if kind not in mine["kinds"]:
        mine["kinds"] = [*mine["kinds"], kind]
        learner.put("practice", mine)


def note_proof(key: str, why: str) -> None:
    """Keep the first run that proves an item of the checklist."""
    mine = practice()
    if key not in mine["proofs"]:
        proof = {"why": why[: record.LONGEST_WHY], "at": format_day(today())}
        mine["proofs"] = {**mine["proofs"], key: proof}
        learner.put("practice", mine)


learner.register("cards", deck.check)
learner.register("plan", plan.check)
learner.register("practice", record.check)
