"""A room: the one place that says which scene of a talk is on and how its vote goes.

Stage and speaker ask it once a second, and each may move it. Whoever is reloaded finds all there.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import InputError, require
from engine.rooms.vote import STAGES, Count, Outcome, Question, Stage, Vote

Clock = Callable[[], float]
ASK_AGAIN = "This phone must open the page of the vote again. Reload it, then vote."


@dataclass(frozen=True, slots=True)
class Card:
    """What the speaker sees of a scene; a question is put to the room when the scene comes."""

    title: str
    note: str = ""
    minutes: float = 1.0  # planned
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A room at one moment. ``version`` grows with each change of what the stage shows, ``moves``
    with those of the scene or of the stage of its vote.
    """

    version: int
    moves: int
    number: int  # of the scene that is on, from 0
    blank: bool
    elapsed_seconds: float | None  # None: the talk has not begun
    vote: Count | None


class Room:
    """Scene, timer and votes of one talk; every method may be called from any thread.

    Parameters
    ----------
    code
        The short name that the audience types.
    cards
        One for each scene, at least one.
    clock
        Seconds, for the timer.

    Attributes
    ----------
    token
        What the speaker's screen must present: 128 random bits, which the audience never gets.
    remote
        Whether a phone may be the speaker's screen: off until the speaker says so.
    """

    def __init__(self, code: str, cards: tuple[Card, ...], clock: Clock = time.monotonic) -> None:
        require(bool(cards), "A talk must have a scene. Got none.")
        self.code, self.cards = code, cards
        self.token = secrets.token_urlsafe(16)
        self.remote = False
        self._secret = secrets.token_bytes(16)  # signs the names of voters
        self._lock = threading.Lock()
        self._clock = clock
        self._version = self._moves = self._number = 0
        self._blank = False
        self._started_at: float | None = None
        self._votes: dict[int, Vote] = {}  # by number of the scene
        self.used_at = clock()
        with self._lock:
            self._arrive(0)

    def is_speaker(self, token: str) -> bool:
        """Whether ``token`` is the speaker's."""
        return secrets.compare_digest(token.encode(), self.token.encode())

    def view(self) -> View:
        """Return the room as it is now."""
        with self._lock:
            vote = self._votes.get(self._number)
            begun = self._started_at is not None
            return View(
                self._version,
                self._moves,
                self._number,
                self._blank,
                self._clock() - (self._started_at or 0.0) if begun else None,
                vote.count() if vote else None,
            )

    def planned_seconds(self, number: int) -> float:
        """Return the planned time up to the end of scene ``number``, from 0."""
        return 60 * sum(card.minutes for card in self.cards[: number + 1])

    def stages(self) -> tuple[Stage | None, ...]:
        """Return for each scene the stage of its vote, ``None`` for one that asks nothing; a vote
        to come is ``open``.
        """
        with self._lock:
            return tuple(
                None if card.question is None else self._stage(number)
                for number, card in enumerate(self.cards)
            )

    def go(self, number: int, stage: Stage | None = None) -> None:
        """Show scene ``number``; beyond the first or last, that one. An open vote that is left
        closes. ``stage`` is that of its vote; one that is closed does not open by this.
        """
        with self._lock:
            self._go(number)
            vote = self._votes.get(self._number)
            if vote is not None and stage is not None and stage != vote.stage:
                self._set_stage("closed" if stage == "open" else stage)

    def advance(self, seen: int | None = None) -> None:
        """Do what comes next: close the vote, reveal the answer, show the chart, or the next scene.

        ``seen``, the version that was on the screen of whoever pressed, makes a press that is sent
        twice, or comes after somebody else's, do nothing.
        """
        with self._lock:
            if seen is not None and seen != self._version:
                return
            vote = self._votes.get(self._number)
            if self._blank:
                self._blank = False
                self._changed()
            elif vote is not None and vote.stage != "shown":
                self._set_stage(STAGES[STAGES.index(vote.stage) + 1])
            else:
                self._go(self._number + 1)

    def set_blank(self, blank: bool) -> None:
        """Make the stage black, or show the scene again."""
        with self._lock:
            self._blank = blank
            self._changed()

    def restart_timer(self) -> None:
        """Begin to count the talk's time now."""
        with self._lock:
            self._started_at = self._clock()

    def set_stage(self, stage: Stage) -> None:
        """Bring the vote of the scene that is on to a stage: to reveal closes it; to open counts
        again from nothing.

        Raises
        ------
        InputError
            The scene asks nothing.
        """
        with self._lock:
            self._vote()
            if stage == "open":
                self._votes[self._number] = Vote(self._vote().question)
                self._moved()
            else:
                self._set_stage(stage)

    def set_hands(self, hands: tuple[int, ...]) -> None:
        """Put the hands that the speaker has counted beside the votes of the scene that is on."""
        with self._lock:
            self._vote().set_hands(hands)
            self._changed()

    def new_voter(self) -> str:
        """Return a name for a phone, signed, so that nothing has to be kept for one that never
        votes.
        """
        name = secrets.token_hex(8)
        return f"{name}.{self._signature(name)}"

    def knows(self, voter: str) -> bool:
        """Whether this room has given the name ``voter``."""
        name, _, signature = voter.partition(".")
        return hmac.compare_digest(signature.encode(), self._signature(name).encode())

    def cast(self, vote_id: str, voter: str, choice: int) -> Outcome:
        """Count the choice (from 0) of a phone, once; a vote that is over counts none.

        Raises
        ------
        InputError
            The voter is not known, or there is no such choice.
        """
        if not self.knows(voter):
            raise InputError(ASK_AGAIN)
        with self._lock:
            vote = self._votes.get(self._number)
            if vote is None or vote.id != vote_id:
                return "not open"
            return vote.cast(voter, choice)

    def choice_of(self, voter: str) -> int | None:
        """Return what a phone has chosen in the vote of the scene that is on, or ``None``."""
        with self._lock:
            vote = self._votes.get(self._number)
            return vote.choice_of(voter) if vote else None

    def _signature(self, name: str) -> str:
        return hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()[:32]

    def _changed(self) -> None:
        self._version += 1
        self.used_at = self._clock()

    def _moved(self) -> None:
        self._moves += 1
        self._changed()

    def _vote(self) -> Vote:
        vote = self._votes.get(self._number)
        if vote is None:
            raise InputError("This scene must ask the room something. It does not.")
        return vote

    def _stage(self, number: int) -> Stage:
        vote = self._votes.get(number)
        return vote.stage if vote else "open"

    def _set_stage(self, stage: Stage) -> None:
        self._vote().stage = stage
        self._moved()

    def _go(self, number: int) -> None:
        number = max(0, min(len(self.cards) - 1, number))
        if self._started_at is None:
            self._started_at = self._clock()
        left = self._votes.get(self._number)
        if left is not None and number != self._number and left.stage == "open":
            left.stage = "closed"
        self._blank = False
        self._arrive(number)

    def _arrive(self, number: int) -> None:
        self._number = number
        question = self.cards[number].question
        if question is not None and number not in self._votes:
            self._votes[number] = Vote(question)
        self._moved()
