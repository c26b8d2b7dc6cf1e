"""The figure of a vote: the shares of the room, and the run's answer against them."""

from __future__ import annotations

import pytest

from engine import figures
from engine.rooms import figure
from engine.rooms.room import Card, Room
from engine.rooms.vote import Count, Question


def voted(*hands: int) -> Count:
    choices = tuple(f"choice <b>{number}</b> [x](http://x.example)" for number in range(len(hands)))
    room = Room("ABCDE", (Card("One", question=Question("Which?", choices)),))
    room.set_hands(hands)
    count = room.view().vote
    assert count is not None
    return count


def test_bars_are_the_shares_and_say_how_many() -> None:
    drawn = figure.distribution(voted(1, 3, 0))
    bars = drawn.data[0]
    assert list(bars.x) == [0.25, 0.75, 0.0]
    assert [text.split(" · ")[1] for text in bars.text] == ["1", "3", "0"]
    assert set(bars.marker.color) == {figures.KNOWN}
    assert not drawn.layout.annotations
    assert not any("](http:" in text or "<b>" in text for text in drawn.layout.yaxis.ticktext)


def test_the_answer_has_its_color_at_its_bar_and_says_what_the_run_gave() -> None:
    drawn = figure.distribution(voted(1, 3, 0), 2, "4.7")
    assert list(drawn.data[0].marker.color) == [figures.WAITING] * 2 + [figures.HELD_OUT]
    assert ["4.7" in text for text in drawn.data[0].text] == [False, False, True]
    assert not drawn.layout.annotations
    none = figure.distribution(voted(1, 3, 0), None, "99")
    assert set(none.data[0].marker.color) == {figures.WAITING}
    assert "99" in none.layout.annotations[0].text
    assert not any("99" in text for text in none.data[0].text)


@pytest.mark.parametrize(
    ("hands", "right", "answer", "said"),
    [
        ((0, 0), None, "", "Nobody voted"),
        ((0, 0), 1, "7", "**7**; nobody"),
        ((1, 3), None, "", "**75%** of the room says"),
        ((2, 2), None, "", "2 answers have the most"),
        ((1, 3), 0, "7", "**25%** of the room is right"),
        ((1, 3), None, "7", "**0%** of the room is right"),
    ],
)
def test_the_verdict_has_the_numbers(
    hands: tuple[int, ...], right: int | None, answer: str, said: str
) -> None:
    assert said in figure.verdict(voted(*hands), right, answer)
