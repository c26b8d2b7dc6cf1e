"""The days until the interview: which cards come on which day, at most 15 a day.

With a date, every card that was never seen is placed before it where that is possible, spread
evenly. What was missed comes back when fsrs says so; the day before the interview also repeats the
weakest. Without a date a few new ones come each day. Days without practice cost nothing: what is
due waits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from engine.errors import InputError, require
from engine.practice.cards import GOOD, Card, answered, recall_probability

MOST_A_DAY = 15
NEW_A_DAY = 3  # without a date
DAYS_SHOWN = 14  # of a plan without a date
LONGEST_PLAN = 180  # days that a plan is computed ahead


@dataclass(frozen=True, slots=True)
class Plan:
    """Days with the ids of their cards, and the ids that never fit."""

    days: tuple[tuple[date, tuple[str, ...]], ...]
    left_out: tuple[str, ...] = ()  # new ones that have no place before the interview

    @property
    def n_items(self) -> int:
        """Items of all days."""
        return sum(len(ids) for _, ids in self.days)


def today(
    cards: Mapping[str, Card], new: Iterable[str], on: date, interview: date | None = None
) -> list[str]:
    """Return what comes today, in order: at most ``MOST_A_DAY`` with what was answered today
    already.
    """
    unseen = [card_id for card_id in new if card_id not in cards]
    done = [card for card in cards.values() if card.last == on]
    room = max(0, MOST_A_DAY - len(done))
    last_day = _last_day(on, interview)
    if last_day is None:
        n_new = max(0, NEW_A_DAY - sum(card.n == 1 for card in done))
    else:
        n_days = (last_day - on).days + 1
        must = len(unseen) - MOST_A_DAY * (n_days - 1)  # else they have no place later
        n_new = max(must, math.ceil(len(unseen) / n_days))
    first = unseen[: min(room, n_new)]
    due = sorted(
        (card for card in cards.values() if card.due <= on and card.last < on),
        key=lambda card: (card.due, card.id),
    )
    chosen = [*first, *(card.id for card in due)][:room]
    if last_day == on:
        weakest = sorted(
            (card for card in cards.values() if card.last < on and card.id not in chosen),
            key=lambda card: (recall_probability(card, on), card.id),
        )
        chosen = [*chosen, *(card.id for card in weakest)][:room]
    return chosen


def plan(
    cards: Mapping[str, Card], new: Iterable[str], on: date, interview: date | None = None
) -> Plan:
    """Return the coming days, as they will be if every answer is good.

    With an interview ahead up to the day before it, else ``DAYS_SHOWN`` days.
    """
    held, wanted = dict(cards), list(new)
    last_day = _last_day(on, interview)
    n_days = DAYS_SHOWN if last_day is None else (last_day - on).days + 1
    days = []
    for number in range(min(n_days, LONGEST_PLAN)):
        day = on + timedelta(number)
        ids = today(held, wanted, day, interview)
        for card_id in ids:
            held[card_id] = answered(held.get(card_id), card_id, GOOD, day, last_day)
        days.append((day, tuple(ids)))
    left = () if last_day is None else tuple(one for one in wanted if one not in held)
    return Plan(tuple(days), left)


def _last_day(on: date, interview: date | None) -> date | None:
    """Return the last day of practice: the day before the interview, or the day itself; ``None``
    without one, or where it has passed.
    """
    if interview is None or interview < on:
        return None
    return max(on, interview - timedelta(1))


def last_day_of(section: Mapping[str, Any], on: date) -> date | None:
    """Return the last day of practice by the record's section ``plan``."""
    return _last_day(on, interview_of(section))


def interview_of(section: Mapping[str, Any]) -> date | None:
    """Return the interview's date by the record's section ``plan``, ``None`` without one.

    Raises
    ------
    InputError
        The section holds something else.
    """
    require(set(section) <= {"interview"}, "section plan must hold interview alone. Got others.")
    text = section.get("interview")
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InputError(f"interview must be a date. Got {text!r}. Choose one again.") from error


def check(section: dict[str, Any]) -> None:
    """Raise ``InputError`` unless ``interview_of`` can read it."""
    interview_of(section)
