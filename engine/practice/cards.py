"""What was missed and when it returns: cards scheduled by the package ``fsrs``, in whole days.

A card is one thing to recall: an interview question (``question:<id>``) or a prediction or recall
question that was answered wrong (``answer:<lab>:<title>``). The learner's record keeps of each its
due day, the day of the last answer and fsrs's two numbers. Steps of minutes are switched off and
intervals are not drawn at random: what was missed returns the next day, and the same answers give
the same days.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import fsrs

from engine.errors import InputError, require

AGAIN, HARD, GOOD, EASY = RATINGS = (1, 2, 3, 4)  # fsrs's own numbers
NAMES = {AGAIN: "Missed", HARD: "Hard", GOOD: "Good", EASY: "Easy"}
MOST_CARDS = 600
LONGEST_ID = 360
LONGEST_DAYS = 365  # until a card returns


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to recall, answered at least once."""

    id: str
    due: date
    last: date  # of the last answer
    stability: float  # days after which it is recalled with probability 0.9
    difficulty: float  # 1–10
    n: int = 1  # answers
    n_missed: int = 0

    @property
    def kind(self) -> str:
        """What is asked: ``question`` or ``answer``."""
        return self.id.partition(":")[0]


def answered(
    card: Card | None, card_id: str, rating: int, on: date, latest: date | None = None
) -> Card:
    """Return the card after an answer on a day; ``None`` is one that was never answered.

    ``latest`` is the last day on which it may return, such as the day before the interview, but
    never before the next day.

    Raises
    ------
    InputError
        The rating is none of ``RATINGS``.
    """
    require(rating in RATINGS, "rating must be 1–4. Got {!r}.", rating)
    most = LONGEST_DAYS if latest is None else max(1, min(LONGEST_DAYS, (latest - on).days))
    scheduler = fsrs.Scheduler(
        learning_steps=(), relearning_steps=(), maximum_interval=most, enable_fuzzing=False
    )
    known = fsrs.Card(card_id=1, due=_noon(on))
    if card is not None:
        known = fsrs.Card(
            card_id=1,
            state=fsrs.State.Review,
            stability=card.stability,
            difficulty=card.difficulty,
            due=_noon(card.due),
            last_review=_noon(min(card.last, on)),
        )
    after, _ = scheduler.review_card(known, fsrs.Rating(rating), _noon(on))
    days = max(1, round((after.due - _noon(on)) / timedelta(days=1)))
    if rating == AGAIN:  # what was missed returns tomorrow, whatever was known before
        days = 1
    return Card(
        card_id,
        on + timedelta(days),
        on,
        float(after.stability or 0.001),
        float(after.difficulty or 5.0),
        (card.n if card else 0) + 1,
        (card.n_missed if card else 0) + (rating == AGAIN),
    )


def recall_probability(card: Card, on: date) -> float:
    """Return the probability, by fsrs, that a card is recalled on a day, 0–1."""
    known = fsrs.Card(
        card_id=1,
        state=fsrs.State.Review,
        stability=card.stability,
        difficulty=card.difficulty,
        due=_noon(card.due),
        last_review=_noon(card.last),
    )
    return float(fsrs.Scheduler().get_card_retrievability(known, _noon(max(on, card.last))))


def with_missed(
    cards: Mapping[str, Card], answers: Iterable[Mapping[str, Any]], latest: date | None = None
) -> dict[str, Card]:
    """Return the cards with those of wrong predictions and recall questions; each answer counts
    once, by its day.

    ``answers`` are the entries of the record's section ``answers``. A right answer to what has no
    card makes none.
    """
    found = dict(cards)
    for one in answers:
        card_id = answer_id(str(one["lab"]), str(one["title"]))
        known = found.get(card_id)
        try:
            on = date.fromisoformat(str(one["date"]))
        except ValueError:
            continue
        new = known is None or known.last < on
        if one["kind"] in ("predict", "recall") and new and (known or not one["right"]):
            if known is None and len(found) >= MOST_CARDS:
                continue
            rating = GOOD if one["right"] else AGAIN
            found[card_id] = answered(known, card_id, rating, on, latest)
    return found


def answer_id(lab: str, title: str) -> str:
    """Return the id of the card of a prediction or recall question."""
    return f"answer:{lab}:{title}"[:LONGEST_ID]


def question_id(question: str) -> str:
    """Return the id of the card of an interview question."""
    return f"question:{question}"


def rating_of(n_strong: int, of_strong: int, n_weak: int) -> int:
    """Return the rating of an answer by the signs that its speaker has seen in it: ``GOOD`` from
    two thirds of the strong ones without a weak one, ``EASY`` with all, ``AGAIN`` below a third.
    """
    share = n_strong / of_strong if of_strong else 0.0
    if share < 1 / 3:
        return AGAIN
    if share < 2 / 3 or n_weak:
        return HARD
    return EASY if share == 1 else GOOD


def to_section(cards: Mapping[str, Card]) -> dict[str, Any]:
    """Return the cards as the record's section ``cards`` holds them."""
    kept = sorted(cards.values(), key=lambda card: card.last)[-MOST_CARDS:]
    listed = {}
    for card in kept:
        fields = asdict(card) | {"due": card.due.isoformat(), "last": card.last.isoformat()}
        fields |= {"stability": round(card.stability, 4), "difficulty": round(card.difficulty, 4)}
        listed[fields.pop("id")] = fields
    return {"cards": listed}


def from_section(section: Mapping[str, Any]) -> dict[str, Card]:
    """Return the cards of the record's section, which may be empty.

    Raises
    ------
    InputError
        It is not what ``to_section`` writes: names card and field.
    """
    listed = section.get("cards", {})
    known = isinstance(listed, dict) and set(section) <= {"cards"}
    require(known, "section cards must hold cards alone. Got {}.", ", ".join(map(str, section)))
    require(
        len(listed) <= MOST_CARDS, "cards must be at most {}. Got {:,}.", MOST_CARDS, len(listed)
    )
    return {card_id: _card(card_id, fields) for card_id, fields in listed.items()}


def check(section: dict[str, Any]) -> None:
    """Raise ``InputError`` unless ``from_section`` can read it."""
    from_section(section)


def _card(card_id: str, fields: Any) -> Card:
    where = f"card {card_id[:60]!r}"
    wanted = {"due", "last", "stability", "difficulty", "n", "n_missed"}
    fits = isinstance(fields, dict) and set(fields) == wanted and len(card_id) <= LONGEST_ID
    require(fits, "{}: must have {}. Got others.", where, ", ".join(sorted(wanted)))
    try:
        due, last = (date.fromisoformat(fields[name]) for name in ("due", "last"))
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: due and last must be dates. Got others.") from error
    for name, low, high in (("stability", 0.001, 1e5), ("difficulty", 1, 10)):
        value = fields[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        good = number and math.isfinite(value) and low <= value <= high
        require(good, "{}: {} must be {:g}–{:g}. Got {!r}.", where, name, low, high, value)
    counts = [fields["n"], fields["n_missed"]]
    good = all(type(n) is int for n in counts) and 0 <= counts[1] <= counts[0] <= 100_000
    require(good, "{}: n and n_missed must be counts. Got {!r}.", where, counts)
    return Card(
        card_id, due, last, float(fields["stability"]), float(fields["difficulty"]), *counts
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
