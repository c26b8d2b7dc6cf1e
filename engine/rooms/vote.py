"""A question to the room and its votes: one for each phone, none before it opens, none after it
closes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Literal, get_args

from engine.errors import require

Stage = Literal["open", "closed", "revealed", "shown"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)  # in their order; shown: the scene's own chart
Outcome = Literal["counted", "counted before", "not open"]
MOST_CHOICES = 8
LONGEST_QUESTION = 500  # characters
LONGEST_CHOICE = 100
MOST_VOTERS = 5_000
MOST_HANDS = 10_000  # of a typed tally, for each choice


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its 2 to ``MOST_CHOICES`` different choices."""

    text: str
    choices: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.choices)
        require(2 <= n <= MOST_CHOICES, "choices must be 2–{}. Got {}.", MOST_CHOICES, n)
        require(len(set(self.choices)) == n, "choices must differ. Got {}.", list(self.choices))
        for name, text, longest in (
            ("question", self.text, LONGEST_QUESTION),
            *(("choice", choice, LONGEST_CHOICE) for choice in self.choices),
        ):
            require(
                len(text.strip()) > 0 and len(text) <= longest,
                "{} must have 1–{} characters. Got {:,}.",
                name,
                longest,
                len(text),
            )


@dataclass(frozen=True, slots=True)
class Count:
    """How a vote is now. ``counts`` has one number for each choice, phones and hands together."""

    id: str
    question: Question
    stage: Stage
    n_phones: int
    hands: tuple[int, ...]  # the typed tally
    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        """All votes."""
        return sum(self.counts)

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each choice, 0–1; all 0 without a vote."""
        return tuple(count / self.n if self.n else 0.0 for count in self.counts)


class Vote:
    """The votes on one question. Not safe in threads by itself: a ``Room`` holds its lock."""

    def __init__(self, question: Question) -> None:
        self.id = secrets.token_hex(4)
        self.question = question
        self.stage: Stage = "open"
        self._chosen: dict[str, int] = {}  # voter -> number of the choice
        self._hands = [0] * len(question.choices)

    def cast(self, voter: str, choice: int) -> Outcome:
        """Count the choice (from 0) of a voter, once.

        Raises
        ------
        InputError
            There is no such choice, or too many have voted.
        """
        n = len(self.question.choices)
        require(0 <= choice < n, "choice must be 1–{}. Got {}.", n, choice + 1)
        if voter in self._chosen:
            return "counted before"
        if self.stage != "open":
            return "not open"
        require(len(self._chosen) < MOST_VOTERS, "A vote takes {:,} phones.", MOST_VOTERS)
        self._chosen[voter] = choice
        return "counted"

    def choice_of(self, voter: str) -> int | None:
        """Return the choice that a voter has made, from 0, or ``None``."""
        return self._chosen.get(voter)

    def set_hands(self, hands: tuple[int, ...]) -> None:
        """Put what the speaker has counted beside the phones' votes.

        Raises
        ------
        InputError
            It is not one number for each choice, each 0 to ``MOST_HANDS``.
        """
        n = len(self._hands)
        require(len(hands) == n, "tally must be {} numbers. Got {}.", n, len(hands))
        for number in hands:
            whole = 0 <= number <= MOST_HANDS
            require(whole, "tally must be 0–{:,} for each choice. Got {:,}.", MOST_HANDS, number)
        self._hands = list(hands)

    def count(self) -> Count:
        """Return how the vote is now."""
        chosen = list(self._chosen.values())
        counts = tuple(chosen.count(choice) + hands for choice, hands in enumerate(self._hands))
        return Count(self.id, self.question, self.stage, len(chosen), tuple(self._hands), counts)
