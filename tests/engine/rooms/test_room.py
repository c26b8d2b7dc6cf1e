"""A room: each phone counts once, nothing after closing; scene, timer and registry."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.rooms import registry
from engine.rooms.registry import ROOMS, Rooms
from engine.rooms.room import Card, Room
from engine.rooms.vote import MOST_HANDS, Count, Question

ASKED = Question("Which is smaller?", ("CSV", "Parquet", "the same"))
CARDS = (Card("One", minutes=2), Card("Two", "Say this.", 3, ASKED), Card("Three"))


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def voting(clock: Clock | None = None) -> Room:
    room = Room("ABCDE", CARDS, clock or Clock())
    room.go(1)
    return room


def count_of(room: Room) -> Count:
    count = room.view().vote
    assert count is not None
    return count


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("cast"), st.integers(0, 5), st.integers(0, 2)),
            st.tuples(st.sampled_from(["closed", "open", "hands"]), st.just(0), st.just(0)),
        ),
        max_size=60,
    )
)
def test_counts_are_those_of_a_ledger_kept_by_hand(acts: list[tuple[str, int, int]]) -> None:
    room = voting()
    phones = [room.new_voter() for _ in range(6)]
    ledger: dict[int, int] = {}
    hands, is_open = 0, True
    for act, phone, choice in acts:
        if act == "cast":
            outcome = room.cast(count_of(room).id, phones[phone], choice)
            before = phone in ledger
            if before:
                assert outcome == "counted before"
            else:
                assert outcome == ("counted" if is_open else "not open")
            if is_open and not before:
                ledger[phone] = choice
        elif act == "hands":
            hands += 1
            room.set_hands((0, hands, 0))
        else:
            room.set_stage(act)  # type: ignore[arg-type]
            is_open = act == "open"
            ledger, hands = ({}, 0) if is_open else (ledger, hands)
    chosen = list(ledger.values())
    expected = tuple(chosen.count(choice) + hands * (choice == 1) for choice in range(3))
    assert count_of(room).counts == expected
    assert [room.choice_of(phone) for phone in phones] == [ledger.get(i) for i in range(6)]


def test_threads_lose_no_vote_count_none_twice_and_none_after_closing() -> None:
    room = voting()
    vote = count_of(room).id
    phones = [room.new_voter() for _ in range(400)]
    closed = threading.Event()

    def press(number: int) -> tuple[str, bool]:
        if number == 600:  # in the midst of it
            room.set_stage("closed")
            closed.set()
        late = closed.is_set()
        return room.cast(vote, phones[number % 400], number % 3), late

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(press, range(1_200)))
    counted = [outcome for outcome, _ in outcomes].count("counted")
    assert count_of(room).n == counted == count_of(room).n_phones
    assert 0 < counted <= 400
    assert all(outcome != "counted" for outcome, late in outcomes if late)


def test_a_vote_for_another_question_or_of_a_stranger_counts_nothing() -> None:
    room = voting()
    phone, old = room.new_voter(), count_of(room).id
    room.set_stage("open")
    assert count_of(room).id != old
    assert room.cast(old, phone, 0) == "not open"
    other = Room("ABCDE", CARDS).new_voter()
    for stranger in (other, "", ".", "a.b", phone[:-1], f"{phone}0", phone + "é"):
        with pytest.raises(InputError, match="open the page"):
            room.cast(count_of(room).id, stranger, 0)
    for choice in (-1, 3):
        with pytest.raises(InputError, match="choice must be 1–3"):
            room.cast(count_of(room).id, phone, choice)
    assert count_of(room).n == 0


def test_next_goes_through_the_stages_of_a_vote_and_a_press_that_comes_twice_does_nothing() -> None:
    room = Room("ABCDE", CARDS)
    seen = []
    for _ in range(6):
        view = room.view()
        seen.append((view.number, view.vote.stage if view.vote else ""))
        room.advance(view.version)
        room.advance(view.version)
    stages = [(1, "open"), (1, "closed"), (1, "revealed"), (1, "shown")]
    assert seen == [(0, ""), *stages, (2, "")]
    assert room.view().number == 2


def test_leaving_an_open_vote_closes_it_and_coming_back_finds_it() -> None:
    room = voting()
    room.cast(count_of(room).id, room.new_voter(), 1)
    room.go(2)
    assert room.view().vote is None
    room.go(1)
    assert (count_of(room).stage, count_of(room).counts) == ("closed", (0, 1, 0))
    room.go(1, "open")  # what is closed opens by "vote again" alone
    assert (count_of(room).stage, count_of(room).counts) == ("closed", (0, 1, 0))
    room.go(1, "shown")
    assert room.stages() == (None, "shown", None)
    with pytest.raises(InputError, match="ask the room"):
        Room("ABCDE", CARDS).set_stage("open")


@settings(deadline=None)
@given(st.lists(st.sampled_from(["go", "advance", "blank", "hands"]), max_size=30))
def test_each_change_of_the_stage_has_a_version_of_its_own(acts: list[str]) -> None:
    room = voting()
    seen = [room.view()]
    for number, act in enumerate(acts):
        if act == "go":
            room.go(number - 5)  # beyond both ends too
        elif act == "hands":
            if room.view().vote is not None:
                room.set_hands((number, 0, 0))
        elif act == "blank":
            room.set_blank(number % 2 == 0)
        else:
            room.advance()
        seen.append(room.view())
    for before, after in pairwise(seen):
        assert 0 <= after.number < len(CARDS)
        same = (before.number, before.blank, before.vote) == (after.number, after.blank, after.vote)
        assert after.version > before.version or same
        at = [(view.number, view.vote and view.vote.stage) for view in (before, after)]
        assert after.moves > before.moves or at[0] == at[1]


def test_the_timer_begins_with_the_first_step_or_by_hand() -> None:
    clock = Clock()
    room = Room("ABCDE", CARDS, clock)
    assert room.view().elapsed_seconds is None
    room.go(1)
    clock.now += 90
    assert room.view().elapsed_seconds == 90
    room.restart_timer()
    assert room.view().elapsed_seconds == 0
    assert [room.planned_seconds(number) for number in range(3)] == [120, 300, 360]


def test_a_blank_stage_shows_the_scene_again_before_it_goes_on() -> None:
    room = Room("ABCDE", CARDS)
    room.set_blank(True)
    assert room.view().blank
    room.advance()
    assert (room.view().blank, room.view().number) == (False, 0)


@pytest.mark.parametrize(
    ("text", "choices", "rule"),
    [
        ("?", ("a",), "choices must be 2–8"),
        ("?", tuple("abcdefghi"), "choices must be 2–8"),
        ("?", ("a", "a"), "choices must differ"),
        (" ", ("a", "b"), "question must have 1–500"),
        ("?" * 501, ("a", "b"), "question must have 1–500"),
        ("?", ("a", "b" * 101), "choice must have 1–100"),
    ],
)
def test_a_question_is_checked(text: str, choices: tuple[str, ...], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        Question(text, choices)


@pytest.mark.parametrize("hands", [(1, 2), (1, 2, MOST_HANDS + 1), (-1, 0, 0)])
def test_a_typed_tally_is_checked(hands: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="tally must be"):
        voting().set_hands(hands)


def test_the_speaker_alone_has_the_token() -> None:
    room, other = Rooms().open(CARDS), Rooms().open(CARDS)
    assert room.is_speaker(room.token)
    for token in ("", room.code, other.token, room.token[:-1], "é"):
        assert not room.is_speaker(token)
    assert len(room.token) >= 22  # 128 bits in base64


def test_rooms_are_few_found_in_either_case_and_forgotten() -> None:
    clock = Clock()
    rooms = Rooms(clock)
    first = rooms.open(CARDS)
    assert rooms.find(first.code.lower()) is first
    others = []
    for _ in range(registry.MOST_ROOMS):
        clock.now += 1
        others.append(rooms.open(CARDS))
    assert rooms.find(first.code) is None  # moved least recently
    assert len({room.code for room in others}) == registry.MOST_ROOMS
    assert all(set(room.code) <= set(registry.LETTERS) for room in others)
    clock.now += registry.IDLE_SECONDS - 1
    others[0].go(1)
    clock.now += 2
    assert [rooms.find(room.code) is room for room in others] == [True] + [False] * 19
    rooms.close(others[0].code)
    assert rooms.find(others[0].code) is None
    assert ROOMS.find("") is None
