"""What was missed and when it comes back: fsrs's days, and the plan back from the interview."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import fsrs
import numpy as np
import pytest

from engine.errors import InputError
from engine.practice import cards, plan
from engine.practice.cards import AGAIN, EASY, GOOD, HARD, Card
from engine.practice.plan import MOST_A_DAY

ON = date(2026, 11, 30)
DAY = timedelta(days=1)


def test_what_was_missed_returns_tomorrow_and_what_was_known_later() -> None:
    missed, good, easy = (cards.answered(None, "a", r, ON) for r in (AGAIN, GOOD, EASY))
    assert missed.due == ON + DAY and missed.n_missed == 1
    assert ON + DAY < good.due < easy.due
    known = cards.answered(good, "a", GOOD, good.due)
    assert known.due - known.last > good.due - good.last
    assert cards.answered(known, "a", AGAIN, known.due).due == known.due + DAY


def test_the_days_are_fsrs_own() -> None:
    """The same answers to fsrs itself, with its own card kept from answer to answer."""
    scheduler = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    theirs, ours, on = fsrs.Card(card_id=1), None, ON
    for rating in (GOOD, HARD, GOOD, EASY):
        theirs, _ = scheduler.review_card(theirs, fsrs.Rating(rating), now)
        ours = cards.answered(ours, "a", rating, on)
        assert ours.due == theirs.due.date()
        assert ours.stability == pytest.approx(theirs.stability)
        now, on = theirs.due, ours.due


def test_a_card_returns_before_the_interview() -> None:
    known = Card("a", ON, ON - 40 * DAY, stability=90.0, difficulty=4.0)
    assert cards.answered(known, "a", GOOD, ON).due > ON + 30 * DAY
    assert cards.answered(known, "a", GOOD, ON, ON + 5 * DAY).due == ON + 5 * DAY
    assert cards.answered(known, "a", GOOD, ON, ON).due == ON + DAY


def test_it_is_recalled_less_each_day() -> None:
    card = cards.answered(None, "a", GOOD, ON)
    chances = [cards.recall_probability(card, ON + n * DAY) for n in range(10)]
    assert chances[0] == 1 and (np.diff(chances) < 0).all()


@pytest.mark.parametrize(
    ("strong", "of", "weak", "rating"),
    [(0, 3, 0, AGAIN), (1, 4, 0, AGAIN), (2, 4, 0, HARD), (3, 4, 1, HARD), (3, 4, 0, GOOD)]
    + [(4, 4, 0, EASY), (4, 4, 2, HARD)],
)
def test_signs_make_a_rating(strong: int, of: int, weak: int, rating: int) -> None:
    assert cards.rating_of(strong, of, weak) == rating


def entry(title: str, right: bool, day: date, kind: str = "predict") -> dict[str, Any]:
    return {"lab": "spark", "title": title, "kind": kind, "right": right, "date": day.isoformat()}


def test_wrong_answers_become_cards_and_each_counts_once() -> None:
    answers = [entry("A", False, ON), entry("B", True, ON), entry("C", False, ON, "recall")]
    answers += [entry("D", False, ON, "challenge"), entry("A", False, ON)]
    held = cards.with_missed({}, answers)
    assert set(held) == {"answer:spark:A", "answer:spark:C"}
    assert all(card.due == ON + DAY and card.n == 1 for card in held.values())
    assert cards.with_missed(held, answers) == held
    later = cards.with_missed(held, [*answers, entry("A", True, ON + DAY)])
    assert later["answer:spark:A"].n == 2 and later["answer:spark:A"].due > ON + 2 * DAY


def test_the_record_keeps_cards_and_a_broken_one_is_named() -> None:
    held = {"a": cards.answered(None, "a", GOOD, ON)}
    section = cards.to_section(held)
    again = cards.from_section(section)
    assert again["a"].due == held["a"].due and cards.to_section(again) == section
    assert cards.from_section({}) == {}
    whole = section["cards"]["a"]
    for broken in (
        {"cards": []},
        {"cards": {"a": 3}},
        {"cards": {"a": {**whole, "due": "soon"}}},
        {"cards": {"a": {**whole, "stability": float("nan")}}},
        {"cards": {"a": {**whole, "difficulty": True}}},
        {"cards": {"a": {**whole, "n_missed": 7}}},
        {"cards": {"a": {**whole, "more": 1}}},
        {"other": {}},
        {"cards": {str(i): whole for i in range(cards.MOST_CARDS + 1)}},
    ):
        with pytest.raises(InputError, match=r"card"):
            cards.check(broken)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_days", [1, 3, 12, 40])
@pytest.mark.parametrize("n_new", [0, 22, 70])
def test_a_plan_never_has_more_than_15_a_day_and_shows_every_card_where_it_can(
    seed: int, n_days: int, n_new: int
) -> None:
    rng = np.random.default_rng(seed)
    held = {}
    for i in range(int(rng.integers(0, 40))):
        when = ON - int(rng.integers(1, 20)) * DAY
        card_id = f"answer:spark:{i}"
        held[card_id] = cards.answered(None, card_id, int(rng.integers(1, 5)), when)
    new = [f"question:{i}" for i in range(n_new)]
    planned = plan.plan(held, new, ON, ON + n_days * DAY)
    assert [when for when, _ in planned.days] == [ON + i * DAY for i in range(n_days)]
    assert all(len(ids) <= MOST_A_DAY for _, ids in planned.days)
    assert all(len(set(ids)) == len(ids) for _, ids in planned.days)
    seen = {card_id for _, ids in planned.days for card_id in ids}
    assert set(planned.left_out) == set(new) - seen
    assert len(planned.left_out) == max(0, n_new - MOST_A_DAY * n_days)
    if n_new + len(held) <= MOST_A_DAY * n_days / 3:
        assert set(held) <= seen


def test_what_was_answered_today_counts_against_15() -> None:
    new = [f"question:{i}" for i in range(30)]
    held = {one: cards.answered(None, one, AGAIN, ON) for one in new[:14]}
    assert len(plan.today(held, new, ON, ON + 2 * DAY)) == 1
    held[new[14]] = cards.answered(None, new[14], GOOD, ON)
    assert plan.today(held, new, ON, ON + 2 * DAY) == []


def test_the_last_day_repeats_the_weakest() -> None:
    held = {}
    for i in range(20):
        card = cards.answered(None, f"c{i:02d}", GOOD, ON - 2 * DAY)
        held[card.id] = Card(card.id, ON + 30 * DAY, card.last, 1.0 + i, 5.0)
    assert plan.today(held, [], ON, ON + 5 * DAY) == []
    assert plan.today(held, [], ON, ON + DAY) == [f"c{i:02d}" for i in range(15)]


def test_without_a_date_a_few_new_ones_come_and_what_is_due_waits() -> None:
    new = [f"question:{i}" for i in range(10)]
    assert plan.today({}, new, ON) == new[: plan.NEW_A_DAY]
    assert plan.today({}, new, ON, ON - DAY) == new[: plan.NEW_A_DAY]  # the date has passed
    held = {"a": cards.answered(None, "a", AGAIN, ON - 30 * DAY)}
    assert plan.today(held, [], ON) == ["a"]
    assert len(plan.plan({}, new, ON).days) == plan.DAYS_SHOWN


def test_the_date_of_the_record() -> None:
    assert plan.interview_of({}) is None
    assert plan.interview_of({"interview": "2026-12-04"}) == date(2026, 12, 4)
    for broken in ({"interview": "soon"}, {"interview": 4}, {"day": "2026-12-04"}):
        with pytest.raises(InputError):
            plan.check(broken)
